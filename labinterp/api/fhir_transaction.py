"""A transaction or batch Bundle: what of it is read, and a response for each of its entries."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from labinterp import formats
from labinterp.errors import Place, SubmissionError
from labinterp.formats.fhir_document import inner, items, line, text
from labinterp.reporting import fhir, fhir_outcome

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from labinterp.formats import Reading
    from labinterp.model.submission import Received
    from labinterp.store.rows import PanelRecord

_KINDS: Final = ("transaction", "batch")
_TAKEN: Final = ("POST", "PUT")
_ENTRY: Final = re.compile(r"Bundle\.entry\[([0-9]+)\]")


def read(sent: bytes, root: object, now: datetime) -> Reading:
    """The panels of a transaction or batch.

    Raises:
        SubmissionError: another Bundle, an entry that asks for more than to be stored, or, of a
            transaction, anything that cannot be read.
    """
    kind = text(root, "type")
    if text(root, "resourceType") != "Bundle" or kind not in _KINDS:
        message = "a Bundle of the type transaction or batch is needed here"
        raise _refused((Place("Bundle.type", "structure", message),))
    wrong = tuple(_not_taken(items(root, "entry")))
    if wrong and kind == "transaction":
        raise _refused(wrong)
    reading = formats.read("fhir", sent, now)
    if reading.refused and kind == "transaction":
        raise _refused(reading.refused)
    return reading


def response(
    root: object,
    reading: Reading,
    records: Sequence[PanelRecord],
    refused: Iterable[Place],
) -> dict[str, Any]:
    """A response for each entry, in their order: where its answer is, or why there is none."""
    stored = _panels_of_entries(reading.received, records)
    told = _by_entry((*refused, *_not_taken(items(root, "entry"))))
    whole = records[0] if len(records) == 1 else None
    entries = [
        {"response": _of_entry(inner(entry, "resource"), stored.get(index, whole), told.get(index))}
        for index, entry in enumerate(items(root, "entry"))
    ]
    return {"resourceType": "Bundle", "type": f"{text(root, 'type')}-response", "entry": entries}


def _of_entry(
    resource: Mapping[str, Any], record: PanelRecord | None, wrong: list[Place] | None
) -> dict[str, Any]:
    if wrong or record is None:
        places = wrong or [Place("", "not-supported", "belongs to no panel; it was not stored")]
        issues = [fhir_outcome.issue(one.code, one.message, one.where) for one in places]
        return {"status": "422 Unprocessable Entity", "outcome": fhir_outcome.outcome(issues)}
    kind = text(resource, "resourceType")
    made: dict[str, Any] = {"status": "201 Created", "etag": f'W/"{record.version}"'}
    made["lastModified"] = fhir.instant(record.received_at)
    if kind in ("DiagnosticReport", "Patient"):
        made["location"] = f"{kind}/{record.id}/_history/{record.version}"
    else:
        made["location"] = f"Bundle/{record.id}/_history/{record.version}"
    return made


def _panels_of_entries(
    several: Sequence[Received], records: Sequence[PanelRecord]
) -> dict[int, PanelRecord]:
    """Entry to the panel its results became."""
    found: dict[int, PanelRecord] = {}
    for received, record in zip(several, records, strict=False):
        places = [one.where for one in received.submission.results]
        places += [where for where, _, _ in received.submission.problems]
        for where in (*places, received.where):
            match = _ENTRY.match(where)
            if match:
                found.setdefault(int(match[1]), record)
    return found


def _by_entry(places: Iterable[Place]) -> dict[int, list[Place]]:
    found: dict[int, list[Place]] = {}
    for place in places:
        match = _ENTRY.match(place.where)
        if match:
            found.setdefault(int(match[1]), []).append(place)
    return found


def _not_taken(entries: Iterable[Mapping[str, Any]]) -> Iterable[Place]:
    """Entries that ask for something else than that their resource is stored."""
    for index, entry in enumerate(entries):
        method = text(inner(entry, "request"), "method").upper()
        if method and method not in _TAKEN:
            message = f"{line(method, 10)} is not done here; entries are stored (POST)"
            yield Place(f"Bundle.entry[{index}].request.method", "not-supported", message)


def _refused(places: tuple[Place, ...]) -> SubmissionError:
    return SubmissionError("Nothing of this was stored.", errors=places)
