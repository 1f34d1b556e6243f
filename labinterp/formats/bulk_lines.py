"""A large NDJSON file, taken apart so that no more than a piece of it is in memory at once.

A line that is whole by itself is read with its neighbours. An Observation that stands alone, and
what says something of one, is put with everything else of its patient, wherever in the file that
stands. Blank lines take the place of those that are elsewhere, so that each keeps its number.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from labinterp.errors import LabinterpError
from labinterp.formats import json_text
from labinterp.formats.limits import Limits
from labinterp.formats.ndjson import CONTEXT

if TYPE_CHECKING:
    from collections.abc import Iterable

EVERYONE: Final = ""
"""Whose what belongs to no one patient is, such as an Organization."""
_DEPTH: Final = 40
_MARK: Final = b"\xef\xbb\xbf"
_FHIR: Final = b'"resourceType"'


def whose(line: bytes) -> str | None:
    """The patient with whose other lines this one is to be read; None where it is whole by itself.

    What cannot be read counts as whole: its reader says what is wrong with it.
    """
    if _FHIR not in line:
        return None
    try:
        document = json_text.parsed(line.removeprefix(_MARK), Limits(depth=_DEPTH))
    except LabinterpError:
        return None
    kind = document.get("resourceType") if isinstance(document, dict) else None
    if kind == "Patient":
        return f"Patient/{document.get('id', '')}"
    if kind == "Observation":
        return _subject(document) or None
    return _subject(document) if kind in CONTEXT else None


def at_their_lines(numbered: Iterable[tuple[int, bytes]]) -> bytes:
    """These lines (in the order of their numbers), each at its number."""
    parts: list[bytes] = []
    at = 1
    for number, line in numbered:
        parts += (b"\n" * (number - at), line)
        at = number
    return b"".join(parts)


def _subject(document: Any) -> str:
    """By what a resource names its patient, the same for each way of writing one reference."""
    subject = document.get("subject")
    if not isinstance(subject, dict):
        return EVERYONE
    reference = subject.get("reference")
    if isinstance(reference, str) and reference:
        return "/".join(reference.partition("/_history")[0].split("/")[-2:])
    identifier = subject.get("identifier")
    if isinstance(identifier, dict) and identifier.get("value"):
        return f"{identifier.get('system', '')}|{identifier['value']}"
    return EVERYONE
