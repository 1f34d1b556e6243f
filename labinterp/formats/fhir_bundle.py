"""Whose resource each one of a FHIR document is; results of two patients never come together.

A resource is of the patient that it names, else of the one whom its report or its container names,
else of the only one there is. Where several are and none is named, or what is named is the address
or number of several, it is refused alone.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from labinterp.errors import Place
from labinterp.formats import fhir_observation
from labinterp.formats.fhir_document import Document, Located, inner, items, text

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_NOBODY: Final = ""
_SEVERAL: Final = "\x00several"
"""Whose a resource is that names an address or a number of several patients."""
_MOST: Final = 20
"""Where more than these have one address, nobody is looked for among them."""
_SOMEBODYS: Final = ("Observation", "Condition", "MedicationStatement", "MedicationRequest")
"""What is a patient's own, and is told where it cannot be given to one."""
_WHOSE: Final = {
    _NOBODY: "several patients were sent, and nothing says whose result this is",
    _SEVERAL: "several patients have the address or number that it names as its subject's",
}


@dataclass(frozen=True, slots=True)
class Group:
    """One patient's part of a document.

    Attributes:
        key: what tells patients apart; empty where the document names none.
        patient: the resource, where it was sent.
        report_statuses: the status of the report that an Observation hangs on, by its path.
    """

    key: str
    patient: Located | None = None
    observations: tuple[Located, ...] = ()
    others: tuple[Located, ...] = ()
    reports: tuple[Located, ...] = ()
    report_statuses: Mapping[str, str] | None = None

    @property
    def where(self) -> str:
        """The place by which this part is named: its patient's, else its first result's."""
        first = self.patient or next(iter(self.observations), None)
        return first.path if first else "Bundle"


def groups_of(document: Document) -> tuple[list[Group], list[Place]]:
    """The Observations by patient, and those whose patient cannot be told."""
    owners = _owners(document)
    people = _people(document)
    named = {one.path: _named(document, one, owners, people) for one in document.resources}
    known = {key: who for key, who in (*named.values(), *people.by_path.values()) if key}
    known.pop(_SEVERAL, None)
    only = next(iter(known)) if len(known) == 1 else _NOBODY
    statuses = {path: text(report.resource, "status") for path, report in owners.items()}
    gathered: dict[str, list[Located]] = {}
    refused: list[Place] = []
    for one in document.resources:
        key = named[one.path][0] or only
        if key == _SEVERAL or (not key and known):
            if one.kind in _SOMEBODYS:
                refused.append(Place(one.path, "multiple-patients", _WHOSE[key]))
        else:
            gathered.setdefault(key, []).append(one)
    groups = [_group(key, known.get(key), mine, statuses) for key, mine in gathered.items()]
    return [group for group in groups if group.observations], refused


def _group(
    key: str, patient: Located | None, mine: list[Located], statuses: Mapping[str, str]
) -> Group:
    group = Group(key, patient, report_statuses=statuses)
    apart = ("Observation", "DiagnosticReport", "Patient")
    return replace(
        group,
        observations=tuple(one for one in mine if one.kind == "Observation"),
        reports=tuple(one for one in mine if one.kind == "DiagnosticReport"),
        others=tuple(one for one in mine if one.kind not in apart),
    )


def _owners(document: Document) -> dict[str, Located]:
    """The report that each Observation hangs on, through panels as well; by the path."""
    found: dict[str, Located] = {}
    for report in document.of("DiagnosticReport"):
        waiting = [(report, one) for one in fhir_observation.observations_in(report.resource)]
        while waiting:
            origin, reference = waiting.pop()
            member = document.find(reference, origin)
            if member is not None and member.kind == "Observation" and member.path not in found:
                found[member.path] = report
                references = fhir_observation.observations_in(member.resource)
                waiting += [(member, one) for one in references]
    return found


@dataclass(frozen=True, slots=True)
class _People:
    """The Patients of a document.

    Attributes:
        by_path: each one's key and resource; the same person sent twice has one key.
        by_identifier: the keys of those who have this issuer and number.
    """

    by_path: dict[str, tuple[str, Located]]
    by_identifier: dict[tuple[str, str], dict[str, Located]]


def _people(document: Document) -> _People:
    found = _People({}, {})
    first: dict[tuple[str, str, str], Located] = {}
    for one in document.of("Patient"):
        same = next((first[each] for each in _marks(one) if each in first), one)
        for each in _marks(one):
            first.setdefault(each, same)
        found.by_path[one.path] = same.path, same
        for sent in items(one.resource, "identifier"):
            number = text(sent, "system"), text(sent, "value")
            found.by_identifier.setdefault(number, {})[same.path] = same
    return found


def _marks(patient: Located) -> Iterator[tuple[str, str, str]]:
    """What makes two Patient resources one person: identifier, its issuer and the birth date."""
    for one in items(patient.resource, "identifier"):
        if text(one, "system") and text(one, "value"):
            yield text(one, "system"), text(one, "value"), text(patient.resource, "birthDate")


def _named(
    document: Document, one: Located, owners: Mapping[str, Located], people: _People
) -> tuple[str, Located | None]:
    """Whom the resource itself names, or its report or container for it; else nobody."""
    if one.path in people.by_path:
        return people.by_path[one.path]
    for holder in (one, owners.get(one.path), one.owner):
        if holder is None:
            continue
        subject = inner(holder.resource, "subject") or inner(holder.resource, "patient")
        key, patient = _subject(document, subject, holder, people)
        if key:
            return key, patient
    return _NOBODY, None


def _subject(
    document: Document, subject: Mapping[str, object], holder: Located, people: _People
) -> tuple[str, Located | None]:
    found = document.all_of(subject, holder)
    whose = dict(people.by_path[one.path] for one in found[:_MOST] if one.path in people.by_path)
    if len(whose) > 1 or (whose and len(found) > _MOST):
        return _SEVERAL, None
    if whose:
        return next(iter(whose.items()))
    identifier = inner(subject, "identifier")
    if text(identifier, "value"):
        wanted = (text(identifier, "system"), text(identifier, "value"))
        holders = people.by_identifier.get(wanted, {})
        if len(holders) > 1:
            return _SEVERAL, None
        if holders:
            return next(iter(holders.items()))
        logical = Located({"resourceType": "Patient", "identifier": [identifier]}, holder.path)
        return "|".join(wanted), logical
    reference = text(subject, "reference").strip()
    return (f"? {reference}" if reference else _NOBODY), None
