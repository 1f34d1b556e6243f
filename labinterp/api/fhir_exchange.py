"""FHIR over HTTP: which media types are read and written, and how an answer is dressed."""

from __future__ import annotations

import gzip
import io
import re
import zlib
from typing import TYPE_CHECKING, Any, Final

import simplejson
from flask import Response, request
from werkzeug.exceptions import NotAcceptable

from labinterp.api import answers
from labinterp.api.resource import FHIR_PREFIX, services
from labinterp.errors import SubmissionError, TooLarge, UnsupportedFormat

if TYPE_CHECKING:
    from collections.abc import Mapping

    from labinterp.api.resource import Documentation

MEDIA_TYPE: Final = "application/fhir+json"
TYPES: Final = (MEDIA_TYPE, "application/json", "application/json+fhir")
_WRITTEN: Final = (*TYPES, "application/*", "*/*")
PDF: Final = "application/pdf"
_RELEASE: Final = re.compile(r"fhirversion\s*=\s*\"?([0-9.]+)", re.IGNORECASE)
_RELEASES: Final = ("4.0", "4.0.1")
_FORMATS: Final = ("json", "text/json", *TYPES)
_UTF8: Final = ("utf-8", "utf8")
_SMALL: Final = 1_000
"""An answer below this many bytes is not worth compressing."""
_PREFERENCE: Final = re.compile(r"\b(return|handling)\s*=\s*\"?([A-Za-z]+)")


def taken(kinds: tuple[str, ...]) -> Documentation:
    """A body that is a resource of one of these types; FHIR says what else is in it."""
    kind = {"type": "string", "enum": list(kinds)}
    schema = {"type": "object", "required": ["resourceType"], "properties": {"resourceType": kind}}
    return {"content": {MEDIA_TYPE: {"schema": schema}}}


def refuse_other_formats() -> None:
    """Refuse whoever takes nothing that is written here.

    Raises:
        NotAcceptable: `_format` or `Accept` leaves no JSON; of a Binary, no PDF either.
    """
    wanted = request.args.get("_format")
    if wanted is not None:
        if wanted.partition(";")[0].strip().replace(" ", "+") not in _FORMATS:
            raise NotAcceptable
        return
    if request.accept_mimetypes.provided and not (_accepted() & {*_WRITTEN, *_of_binary()}):
        raise NotAcceptable


def takes_pdf() -> bool:
    """Is a PDF taken as it is? By whoever does not ask for FHIR."""
    return not request.accept_mimetypes.provided or bool(_accepted() & {PDF, "*/*"})


def _accepted() -> set[str]:
    """The media types that are taken, without parameters; of FHIR, release 4 alone."""
    found: set[str] = set()
    for said, quality in request.accept_mimetypes:
        media_type, _, parameters = said.partition(";")
        release = _RELEASE.search(parameters)
        if quality > 0 and (release is None or release[1] in _RELEASES):
            found.add(media_type.strip().lower())
    return found


def _of_binary() -> tuple[str, ...]:
    return (PDF,) if is_binary_path() else ()


def is_binary_path() -> bool:
    """Is a document asked for, which need not be FHIR?"""
    return request.path.startswith(f"{FHIR_PREFIX}/Binary/")


def body() -> bytes:
    """A FHIR body, unpacked, in UTF-8.

    Raises:
        UnsupportedFormat: another media type or content coding.
        SubmissionError: it is not what its headers say.
        TooLarge: unpacked, it is longer than is read.
    """
    if request.mimetype not in TYPES:
        raise UnsupportedFormat(
            f"FHIR is read as JSON; send it with the Content-Type {MEDIA_TYPE}."
        )
    sent = _unpacked(request.get_data(cache=False))
    charset = request.mimetype_params.get("charset", "utf-8").lower()
    if charset in _UTF8:
        return sent
    try:
        return sent.decode(charset).encode()
    except (LookupError, UnicodeError):
        raise SubmissionError(
            "The body is not in the charset that it names.", code="charset-invalid"
        ) from None


def _unpacked(sent: bytes) -> bytes:
    coding = request.headers.get("Content-Encoding", "identity").strip().lower()
    if coding in ("", "identity"):
        return sent
    if coding not in ("gzip", "x-gzip"):
        raise UnsupportedFormat("Bodies are read as they are, or with Content-Encoding gzip.")
    most = services().policy.body_limit
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(sent)) as packed:
            unpacked = packed.read(most + 1)
    except (OSError, EOFError, zlib.error):
        raise SubmissionError("The body is no gzip.", code="unreadable") from None
    if len(unpacked) > most:
        raise TooLarge(f"Unpacked, the body is longer than is read: {most} bytes at most.")
    return unpacked


def preference(name: str) -> str:
    """What `Prefer` asks for under this name; empty where it does not."""
    said = ",".join(request.headers.getlist("Prefer"))
    return next((word for one, word in _PREFERENCE.findall(said) if one == name), "")


def answer(
    document: Mapping[str, Any], status: int = 200, headers: Mapping[str, str] | None = None
) -> Response:
    """A resource, readable where `_pretty` asks for it, compressed where the client takes it."""
    if request.args.get("_pretty") == "true":
        text = simplejson.dumps(document, use_decimal=True, ensure_ascii=False, indent=2)
    else:
        text = answers.written(document)
    data = text.encode()
    made = Response(data, status, dict(headers or {}), content_type=f"{MEDIA_TYPE}; charset=utf-8")
    made.headers["Vary"] = "Accept, Accept-Encoding"
    if len(data) > _SMALL and request.accept_encodings["gzip"] > 0:
        made.set_data(gzip.compress(data, compresslevel=5, mtime=0))
        made.headers["Content-Encoding"] = "gzip"
    return made
