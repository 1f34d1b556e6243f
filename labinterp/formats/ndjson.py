"""NDJSON: a document a line, and one outcome a line, whatever stands in the others.

A line is a panel in our own JSON or a FHIR Bundle, DiagnosticReport, Observation or Parameters.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from labinterp.errors import Place, SubmissionError, TooLarge
from labinterp.formats import fhir, json_panel
from labinterp.formats.fhir_document import (
    Located,
    document_of,
    inner,
    refuse_other_versions,
    text,
)
from labinterp.formats.fhir_version import refuse_other_releases
from labinterp.formats.limits import Context, Reading

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_MARK: Final = b"\xef\xbb\xbf"
_FHIR: Final = b'"resourceType"'
CONTEXT: Final = ("Patient", "Specimen", "Organization", "Condition", "MedicationStatement")
"""What says something of the Observations on other lines."""


def read(body: bytes, context: Context) -> Reading:
    """The panels of all lines that can be read, each with its line as its place.

    Observations that stand alone on their lines and name their patient are one panel for each
    patient and time of collection, as bulk exports have them.

    Raises:
        TooLarge: more lines than rows are taken of one file.
        SubmissionError: no line holds anything.
    """
    lines: list[tuple[str, bytes]] = []
    for count, (number, line) in enumerate(_lines(body), start=1):
        if count > context.limits.rows:
            raise TooLarge(f"The file has more than {context.limits.rows} lines; send it in bulk.")
        lines.append((f"line {number}", line))
    if not lines:
        message = "The file is empty; send one JSON document a line."
        raise SubmissionError(message, code="nothing-recognised")
    return read_lines(lines, context)


def read_lines(lines: Iterable[tuple[str, bytes]], context: Context) -> Reading:
    """The same of lines that stand in several places: each with its own, and none of them blank."""
    readings: list[Reading] = []
    alone: list[Located] = []
    for place, line in lines:
        outcome = _line(line, place, context)
        if isinstance(outcome, Located):
            alone.append(outcome)
        else:
            readings.append(outcome)
    readings.append(fhir.read_resources(alone, context))
    return Reading(
        tuple(one for reading in readings for one in reading.received),
        tuple(one for reading in readings for one in reading.refused),
    )


def _line(line: bytes, place: str, context: Context) -> Reading | Located:
    """What one line holds; what is wrong with it is named and is never raised."""
    try:
        if _FHIR not in line:
            return _placed(json_panel.read(line, context), place)
        refuse_other_versions(line)
        root = fhir.parsed_document(line, context)
        refuse_other_releases(root)
        kind = text(root, "resourceType")
        if kind in CONTEXT or (kind == "Observation" and _names_patient(root)):
            return Located(root, place)
        return _placed(fhir.read_document(document_of(root), context), place)
    except SubmissionError as error:
        return Reading((), (_refused(error, place),))


def _names_patient(observation: object) -> bool:
    """Can it be told from others' results? One that cannot is a panel of its own, never a share."""
    subject = inner(observation, "subject")
    return bool(text(subject, "reference") or text(inner(subject, "identifier"), "value"))


def _placed(reading: Reading, place: str) -> Reading:
    panels = tuple(replace(one, where=_joined(place, one.where)) for one in reading.received)
    refused = tuple(replace(one, where=_joined(place, one.where)) for one in reading.refused)
    return Reading(panels, refused)


def _refused(error: SubmissionError, place: str) -> Place:
    """One outcome for the line, with all that was wrong with it."""
    said = [f"{one.where.removeprefix('line 1, ')}: {one.message}" for one in error.errors]
    return Place(place, error.code, "; ".join(said) or error.message)


def _joined(place: str, within: str) -> str:
    """`line 4: Bundle.entry[6].resource`."""
    return f"{place}: {within}" if within else place


def _lines(body: bytes) -> Iterator[tuple[int, bytes]]:
    """Each line that is not blank, by its number in the file; CR LF ends one as LF does."""
    for number, line in enumerate(body.removeprefix(_MARK).split(b"\n"), start=1):
        if line.strip():
            yield number, line.strip()
