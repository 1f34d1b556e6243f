"""The reported results as quantities that may be believed.

Identify, normalise and validate, for all of them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from labinterp.interpretation import validate
from labinterp.interpretation.identify import identify
from labinterp.interpretation.keeping import Kept, kept
from labinterp.interpretation.lookup import Lookup, lookup_of
from labinterp.interpretation.normalise import normalise
from labinterp.model.panel import Panel, Problem, Result
from labinterp.model.specimen import Specimen

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from labinterp.interpretation.compare import Earlier
    from labinterp.model.knowledge import Knowledge
    from labinterp.model.patient import Patient
    from labinterp.model.submission import ReportedResult, Submission

UNUSABLE: Final = frozenset(
    {
        "value-implausible",
        "unit-unknown",
        "unit-missing",
        "value-not-numeric",
        "duplicate-result",
        "not-measured",
        "status-ignored",
    }
)
"""Problems after which a reported result can decide nothing."""


@dataclass(frozen=True, slots=True)
class Reading:
    """The results as read.

    Attributes:
        results: those that count, once each, and those that do not, with the reason.
        earlier: usable earlier results, for change.
        rivals: unlike results of one time, none of which counts, for urgency only.
    """

    results: tuple[Result, ...]
    earlier: tuple[Earlier, ...]
    rivals: tuple[Result, ...]
    panel: Panel
    problems: tuple[Problem, ...]

    @property
    def unusable(self) -> frozenset[str]:
        """Measurands that were reported, and of which no result can decide anything."""
        counting = {one.measurand.id for one in self.results if one.usable}
        return frozenset(
            one.measurand
            for one in self.problems
            if one.code in UNUSABLE and one.measurand is not None and one.measurand not in counting
        )


def read(submission: Submission, patient: Patient, knowledge: Knowledge) -> Reading:
    """Every reported result identified, normalised and validated."""
    lookup = lookup_of(knowledge)
    collected_at, late = validate.collection_time(submission.collected_at, submission.received_at)
    before, unread = _earlier(submission, lookup)
    supported = frozenset(result.measurand.id for _, result in before)
    results: list[Result] = []
    problems = [Problem(code, message, where) for where, code, message in submission.problems]
    problems.extend((*late, *unread))
    for reported in submission.results:
        result, more = _one(reported, submission, lookup, supported)
        problems.extend(more)
        if result is not None:
            results.append(result)
    once = validate.once_each(results, collected_at)
    ordered = _in_order(once.results, knowledge)
    return Reading(
        ordered,
        (*before, *once.earlier),
        tuple(one for group in once.rivals.values() for one in group),
        Panel(patient, _specimen(submission), ordered, collected_at),
        tuple(sorted((*problems, *once.problems), key=_place)),
    )


@kept(most=8)
def places_of(knowledge: Knowledge) -> dict[str, int]:
    """Measurand to its place among all, as the knowledge lists them."""
    return {name: place for place, name in enumerate(knowledge.measurands)}


def _in_order(results: Iterable[Result], knowledge: Knowledge) -> tuple[Result, ...]:
    """Results as the knowledge lists their measurands: the order sent is irrelevant."""
    places = places_of(knowledge)
    return tuple(
        sorted(results, key=lambda one: (places.get(one.measurand.id, 0), _natural(one.where)))
    )


def _place(problem: Problem) -> tuple[tuple[tuple[int, str], ...], str, str]:
    return _natural(problem.where), problem.code, problem.message


@lru_cache(maxsize=4096)
def _natural(where: str) -> tuple[tuple[int, str], ...]:
    """A place as people order it: `results[10]` after `results[2]`."""
    parts = re.findall(r"[0-9]{1,9}|[^0-9]+", where)
    return tuple(
        (int(part), "") if part.isascii() and part.isdigit() else (-1, part) for part in parts
    )


def _one(
    reported: ReportedResult, submission: Submission, lookup: Lookup, supported: Collection[str]
) -> tuple[Result | None, tuple[Problem, ...]]:
    """One reported result, or the Problem that says why there is none.

    One of which nothing has to be said is read once for all that were sent alike.
    """
    key = None if supported else _as_sent(reported, submission, lookup)
    if key is None:
        return _read_anew(reported, submission, lookup, supported)
    alike = _READ.get(key)
    if alike is not None:
        return alike.as_reported(reported), ()
    result, problems = _read_anew(reported, submission, lookup, supported)
    if result is not None and not problems:
        _READ.put(key, lookup, result)
    return result, problems


_READ: Final = Kept[Result](most=10_000)
_LONGEST_KEPT: Final = 60
_MOST_CODES: Final = 3


def _as_sent(
    reported: ReportedResult, submission: Submission, lookup: Lookup
) -> tuple[object, ...] | None:
    """Everything that the reading of a result asks of it; None where that takes much room."""
    interval = reported.interval
    texts = (
        reported.value,
        reported.unit,
        reported.name,
        reported.comparator,
        reported.status,
        reported.not_measured,
        submission.specimen_material,
        *((interval.low, interval.high, interval.text, interval.unit) if interval else ()),
    )
    if reported.specimen or len(reported.codes) > _MOST_CODES:
        return None
    codes = tuple((one.system, one.code) for one in reported.codes)
    sent = (*texts, *(text for code in codes for text in code)) if codes else texts
    if max(map(len, filter(None, sent)), default=0) > _LONGEST_KEPT:
        return None
    return (id(lookup), *texts, codes, submission.status)


def _read_anew(
    reported: ReportedResult, submission: Submission, lookup: Lookup, supported: Collection[str]
) -> tuple[Result | None, tuple[Problem, ...]]:
    identified, problems = identify(reported, lookup, material=submission.specimen_material)
    if identified is None:
        return None, problems
    result, more = normalise(reported, identified, lookup)
    is_supported = identified.measurand.id in supported
    result, doubts = validate.plausible(result, identified, supported=is_supported)
    result, notes = validate.by_status(result, submission.status)
    return result, (*problems, *more, *doubts, *notes)


def _earlier(
    submission: Submission, lookup: Lookup
) -> tuple[tuple[Earlier, ...], tuple[Problem, ...]]:
    """Usable results of earlier panels, and what of them could not be read.

    Of stored panels that was told when they came.
    """
    found: list[Earlier] = []
    problems: list[Problem] = []
    for panel in submission.previous:
        for reported in panel.results:
            result, why = _believed(reported, lookup)
            if result is not None:
                found.append((reported.collected_at or panel.collected_at, result))
            elif panel.origin == "request":
                message = f"An earlier result was not used: {why}"
                problems.append(Problem("earlier-not-used", message, reported.where))
    return tuple(found), tuple(problems)


def _believed(reported: ReportedResult, lookup: Lookup) -> tuple[Result | None, str]:
    """An earlier result that may be compared with, or why there is none."""
    identified, problems = identify(reported, lookup)
    if identified is None:
        return None, problems[-1].message
    result, more = normalise(reported, identified, lookup)
    result, doubts = validate.plausible(result, identified, supported=True)
    result, notes = validate.by_status(result, "final")
    if result.usable and result.extent is not None:
        return result, ""
    told = [one.message for one in (*more, *doubts, *notes)]
    return None, result.why_unusable or next(iter(told), "it is no number")


def _specimen(submission: Submission) -> Specimen:
    return Specimen(
        submission.specimen_material,
        submission.specimen_container,
        dict(submission.specimen_fields),
        submission.haemolysis_index,
        submission.specimen_comment,
    )
