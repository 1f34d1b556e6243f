"""Which stored panels other knowledge would read differently, and how; none is changed.

Each panel is interpreted twice, with the old and the new knowledge, with the organisation's choices
and the history of now: so a difference is the knowledge's own, and not that of the time between.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from labinterp import interpretation
from labinterp.access import require
from labinterp.errors import LabinterpError
from labinterp.formats import json_panel
from labinterp.store import walk
from labinterp.store.audit import Deed
from labinterp.store.records import to_document
from labinterp.usecases.acting import audited
from labinterp.usecases.explained import with_history

if TYPE_CHECKING:
    from collections.abc import Iterator

    from labinterp.access import Actor
    from labinterp.model.interpretation import Finding, Interpretation
    from labinterp.model.knowledge import Knowledge
    from labinterp.store.walk import StoredPanel
    from labinterp.usecases.services import Services

WORDS_ONLY: Final = "only words or sources differ"
UNREADABLE: Final = "cannot be read any more"


@dataclass(frozen=True, slots=True)
class Reread:
    """One stored panel.

    Attributes:
        differences: sentences without names or values; none where both read it alike.
    """

    panel_id: str
    differences: tuple[str, ...]


def reread(services: Services, actor: Actor, old: Knowledge, new: Knowledge) -> Iterator[Reread]:
    """Every panel of the actor's organisation, one after the other.

    Args:
        services: the wired parts.
        actor: who asks; that they did stands in the audit.
        old: the knowledge that answers are compared with.
        new: the knowledge that might follow it.

    Raises:
        AccessDenied: the actor may not read panels.
    """
    require(actor, "panels:read")
    audited(services, actor, Deed("E", "panels-reread", entity=f"knowledge:{new.digest[:16]}"))
    for stored in walk.panels(services.store, actor.organisation_id):
        yield Reread(stored.id, _compared(services, actor, stored, old, new))


def _compared(
    services: Services, actor: Actor, stored: StoredPanel, old: Knowledge, new: Knowledge
) -> tuple[str, ...]:
    try:
        received = json_panel.received_of(stored.panel, stored.received_at)
        submission = with_history(services, actor.organisation_id, received, other_than=stored.id)
    except LabinterpError:
        return (UNREADABLE,)
    before, after = (
        interpretation.interpret(submission, known, actor.choices) for known in (old, new)
    )
    return differences(before, after)


def differences(before: Interpretation, after: Interpretation) -> tuple[str, ...]:
    """What two answers for one panel say differently, the gravest first."""
    found = [
        *_moved("urgency", before.urgency, after.urgency),
        *_moved("twitching", before.twitching.verdict, after.twitching.verdict),
        *_of_results(before, after),
        *_of_findings(before, after),
        *_of_rules(before, after),
    ]
    if not found and _said(before) != _said(after):
        found.append(WORDS_ONLY)
    return tuple(found)


def _of_results(before: Interpretation, after: Interpretation) -> Iterator[str]:
    old, new = (
        {(one.measurand, one.where): one for one in found.results} for found in (before, after)
    )
    for key in sorted(old.keys() | new.keys()):
        name = key[0] or key[1]
        if key not in new or key not in old:
            yield f"{name}: {'no longer' if key in old else 'now'} read"
            continue
        yield from _moved(name, old[key].standing, new[key].standing)
        if old[key].doubts != new[key].doubts:
            yield f"{name}: other doubts"


def _of_findings(before: Interpretation, after: Interpretation) -> Iterator[str]:
    old, new = _findings(before), _findings(after)
    for rule in sorted(old.keys() | new.keys()):
        if rule not in new or rule not in old:
            yield f"{rule}: {'no longer' if rule in old else 'now'} found"
            continue
        yield from _moved(f"{rule}, certainty", old[rule].certainty, new[rule].certainty)
        yield from _moved(f"{rule}, urgency", old[rule].urgency, new[rule].urgency)


def _of_rules(before: Interpretation, after: Interpretation) -> Iterator[str]:
    """Rules that were undecided and are not, or are and were not, and were not found either."""
    old, new = ({one.rule for one in found.undecided} for found in (before, after))
    known = _findings(before).keys() | _findings(after).keys()
    for rule in sorted((old ^ new) - known):
        yield f"{rule}: {'no longer' if rule in old else 'now'} undecided"


def _findings(found: Interpretation) -> dict[str, Finding]:
    every = (
        *found.artefacts,
        *found.patterns,
        *found.mechanisms,
        *found.twitching.red_flags,
        *found.urgency_findings,
    )
    return {one.rule: one for one in every}


def _moved(name: str, before: str, after: str) -> Iterator[str]:
    if before != after:
        yield f"{name}: {before} before, {after} now"


def _said(found: Interpretation) -> object:
    """All of it but which knowledge said it."""
    return to_document(replace(found, knowledge=replace(found.knowledge, version="", digest="")))
