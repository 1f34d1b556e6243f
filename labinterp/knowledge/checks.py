"""What must hold across files; any of it broken keeps the service from starting.

Each check yields places with file and line, so that whoever edits the medicine sees what to mend.
"""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING, Final

from labinterp.knowledge import naming, patient, references, walking

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from labinterp.errors import Place
    from labinterp.knowledge.walking import Shelf, Spot
    from labinterp.model.interval import AppliesTo, Interval
    from labinterp.model.knowledge import PathStep


def faults(shelf: Shelf) -> Iterator[Place]:
    """Everything that is wrong across files."""
    for check in CHECKS:
        yield from check(shelf)


# ---- limits


def intervals_do_not_tie(shelf: Shelf) -> Iterator[Place]:
    """No person may fit two equally specific rows of one set."""
    for row in shelf.measurand_rows():
        measurand = shelf.knowledge.measurands[row.value["id"]]
        usable = [i for i in measurand.intervals if i.usable and not i.unverified]
        for one, other in combinations(usable, 2):
            if one.set == other.set and tie(one.applies_to, other.applies_to):
                where = (*row.where, "intervals", measurand.intervals.index(other))
                yield row.document.place(where, f"{other.id} ties with {one.id}")


def tie(one: AppliesTo, other: AppliesTo) -> bool:
    """Do two rows fit some person equally well? A further restriction breaks the tie."""
    if one.other != other.other or one.sex != other.sex:
        return False
    return _general(one) == _general(other) and _ages_overlap(one, other)


def _general(applies: AppliesTo) -> str | None:
    return None if applies.pregnancy == "not_pregnant" else applies.pregnancy


def _ages_overlap(one: AppliesTo, other: AppliesTo) -> bool:
    starts_before = one.age_below is None or (other.age_from or 0) < one.age_below
    ends_after = other.age_below is None or (one.age_from or 0) < other.age_below
    return starts_before and ends_after


def ends_are_in_order(shelf: Shelf) -> Iterator[Place]:
    """A lower end lies below its upper end, in intervals and in plausible bounds."""
    for row in shelf.measurand_rows():
        measurand = shelf.knowledge.measurands[row.value["id"]]
        intervals = (*measurand.intervals, *filter(None, [measurand.fallback]))
        for interval in intervals:
            if _disordered(interval):
                yield row.place(f"{interval.id}: the lower end is not below the upper")
        bounds = measurand.plausibility
        if bounds is not None:
            ends = [
                bounds.reject_below,
                bounds.query_below,
                bounds.query_above,
                bounds.reject_above,
            ]
            known = [end for end in ends if end is not None]
            if known != sorted(known):
                yield row.place(f"{measurand.id}: plausible bounds are not in order")


def _disordered(interval: Interval) -> bool:
    return interval.low is not None and interval.high is not None and interval.low >= interval.high


# ---- the causal map


def map_is_whole(shelf: Shelf) -> Iterator[Place]:
    """Steps have ids of their own and join two states once; every state is on a path."""
    knowledge = shelf.knowledge
    ids: set[str] = set()
    joined: set[tuple[str, str]] = set()
    for spot, step in _steps(shelf):
        if step.id in ids:
            yield spot.place(f"the step “{step.id}” stands also above")
        if (step.start, step.end) in joined:
            yield spot.place(f"a second step from “{step.start}” to “{step.end}”")
        ids.add(step.id)
        joined.add((step.start, step.end))
    used = {node for ends in joined for node in ends}
    for document in shelf.single("map.yaml"):
        for node in knowledge.nodes:
            if node not in used:
                yield document.place(("nodes", node), f"no step leads to or from “{node}”")


def map_has_no_circle(shelf: Shelf) -> Iterator[Place]:
    """No state causes itself."""
    after: dict[str, set[str]] = {}
    for _, step in _steps(shelf):
        after.setdefault(step.start, set()).add(step.end)
    for spot, step in _steps(shelf):
        if step.start in _reached(step.end, after):
            yield spot.place(f"“{step.start}” would cause itself")


def _reached(node: str, after: Mapping[str, set[str]]) -> set[str]:
    reached, open_ones = {node}, [node]
    while open_ones:
        new = after.get(open_ones.pop(), set()) - reached
        reached |= new
        open_ones += new
    return reached


def map_takes_one_side(shelf: Shelf) -> Iterator[Place]:
    """A path opposes excitability from its start to its end, or not at all."""
    steps = list(_steps(shelf))
    entered: dict[str, set[bool]] = {}
    for _, step in steps:
        entered.setdefault(step.end, set()).add(step.opposes)
    for spot, step in steps:
        if entered.get(step.start, {step.opposes}) != {step.opposes}:
            yield spot.place(f"“{step.start}” is reached by a step that takes the other side")


def _steps(shelf: Shelf) -> Iterator[tuple[Spot, PathStep]]:
    """Each step with its place."""
    return zip(walking.rows(shelf.single("map.yaml"), "edges"), shelf.knowledge.paths, strict=True)


# ---- texts


def languages_match(shelf: Shelf) -> Iterator[Place]:
    """Every language has every statement."""
    english = shelf.knowledge.statements.get("en", {})
    for document in shelf.folder("texts"):
        missing = sorted(set(english) - set(document.data.get("statements", {})))
        if document.name.endswith("/statements.yaml") and missing:
            yield document.place(("statements",), f"the statement “{missing[0]}” is missing")


CHECKS: Final = (
    naming.ids_are_file_names,
    naming.measurands_are_unique,
    naming.names_are_unique,
    naming.codes_are_unique,
    naming.terms_are_unique,
    naming.spellings_are_unique,
    references.sources_resolve,
    references.conditions_resolve,
    references.references_resolve,
    references.keys_resolve,
    references.settings_resolve,
    references.waivers_resolve,
    intervals_do_not_tie,
    ends_are_in_order,
    map_is_whole,
    map_has_no_circle,
    map_takes_one_side,
    languages_match,
    *patient.CHECKS,
)
