"""Which reader takes which format, and which format a body is in.

To add a format: one file with `read(body, context) -> Reading`, and a line in `_MODULES`.
"""

from __future__ import annotations

import importlib
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, cast

from labinterp.errors import LabinterpError, SubmissionError, TooLarge, UnsupportedFormat
from labinterp.formats.characters import quoted, refuse_binary
from labinterp.formats.limits import DEFAULT_LIMITS, Context, Limits, Reader, Reading
from labinterp.formats.sender_settings import PLAIN, SenderSettings
from labinterp.model.spelling import folded_name

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from labinterp.model.knowledge import Knowledge

_MODULES: Final = {
    "json": "json_panel",
    "fhir": "fhir",
    "ndjson": "ndjson",
    "hl7v2": "hl7v2",
    "csv": "csv_table",
    "pasted": "pasted",
}
_MEDIA_TYPES: Final = {
    "application/json": "json",
    "application/fhir+json": "fhir",
    "application/x-ndjson": "ndjson",
    "application/hl7-v2": "hl7v2",
    "application/hl7-v2+er7": "hl7v2",
    "x-application/hl7-v2+er7": "hl7v2",
    "text/csv": "csv",
    "application/csv": "csv",
    "text/tab-separated-values": "csv",
}
_UNTOLD: Final = {"", "text/plain", "application/octet-stream", "application/vnd.ms-excel"}
"""Media types that say nothing of the format; the name and the first bytes decide."""
_ENDINGS: Final = {
    ".json": "json",
    ".csv": "csv",
    ".tsv": "csv",
    ".hl7": "hl7v2",
    ".ndjson": "ndjson",
}


def _lazily(module: str) -> Reader:
    def read_with(body: bytes, context: Context) -> Reading:
        reader = importlib.import_module(f"labinterp.formats.{module}")
        return cast("Reading", reader.read(body, context))

    return read_with


READERS: Final[Mapping[str, Reader]] = MappingProxyType(
    {name: _lazily(module) for name, module in _MODULES.items()}
)
"""Format to its reader; a reader is imported when it is first used."""


def read(
    format: str,  # noqa: A002 - the contract's word
    body: bytes,
    received_at: datetime,
    limits: Limits = DEFAULT_LIMITS,
    *,
    names: Mapping[str, str] | None = None,
    settings: SenderSettings = PLAIN,
) -> Reading:
    """Read a body in a known format.

    Args:
        format: a key of `READERS`.
        body: the bytes as they came.
        received_at: when they came (aware).
        limits: how much is taken.
        names: known test names to measurand ids, for free text.
        settings: what was agreed with the sender of a table or of HL7 v2.

    Raises:
        TooLarge: beyond the limits.
        UnsupportedFormat: no reader takes this format.
        SubmissionError: nothing of the body can be read; whatever a parser makes of it.
    """
    reader = READERS.get(format)
    if reader is None:
        known = ", ".join(READERS)
        raise UnsupportedFormat(f"“{quoted(format)}” is not read; {known} are.")
    if len(body) > limits.body_bytes:
        raise TooLarge(f"The body has {len(body)} bytes; at most {limits.body_bytes} are taken.")
    try:
        return reader(body, Context(received_at, limits, names or {}, settings))
    except LabinterpError:
        raise
    except Exception as error:
        # The gate: whatever a parser does with hostile bytes is the sender's, and is not quoted.
        raise SubmissionError(
            f"The {format} body cannot be read ({type(error).__name__}).", code="unreadable"
        ) from error


def names_of(knowledge: Knowledge) -> dict[str, str]:
    """Every known test name (folded) to its measurand's id; `?` where several fit."""
    names = {
        folded_name(name): measurand.id
        for measurand in knowledge.measurands.values()
        for name in (measurand.id, measurand.name, *measurand.names)
    }
    return names | dict.fromkeys(map(folded_name, knowledge.ambiguous_names), "?")


def detect(body: bytes, media_type: str | None = None, file_name: str | None = None) -> str:
    """The format of a body: what the sender says, else the file's name, else the first bytes.

    Raises:
        UnsupportedFormat: a media type that is not read, or bytes that are no text.
    """
    told = (media_type or "").partition(";")[0].strip().casefold()
    if told in _MEDIA_TYPES:
        return _MEDIA_TYPES[told]
    if told not in _UNTOLD:
        known = ", ".join(sorted(set(_MEDIA_TYPES)))
        raise UnsupportedFormat(f"“{quoted(told)}” is not read. Send one of {known}.")
    refuse_binary(body)
    ending = "." + (file_name or "").rpartition(".")[2].casefold()
    return _by_content(body, _ENDINGS.get(ending))


def _by_content(body: bytes, by_name: str | None) -> str:
    start = body[:4096].replace(b"\0", b"").lstrip(b"\xef\xbb\xbf\xff\xfe \t\r\n\x0b")
    if start.startswith((b"MSH|", b"FHS|", b"BHS|", b"MSH^", b"MSH#")):
        return "hl7v2"
    if start.startswith((b"{", b"[")):
        if by_name == "ndjson":
            return "ndjson"
        return "fhir" if b'"resourceType"' in body[:4096] else "json"
    if by_name:
        return by_name
    from labinterp.formats.csv_table import looks_like_table  # noqa: PLC0415 - only when asked

    return "csv" if looks_like_table(body[:65536]) else "pasted"
