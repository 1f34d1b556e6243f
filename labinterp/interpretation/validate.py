"""What cannot be believed is set aside, what looks odd is asked about.

An odd value is interpreted all the same.

Rejected values never reach a rule, yet are always shown. A question stands beside its result and
never delays, hides
or lowers an urgency. Of several results of one test the latest counts; two unlike ones of one time
count as neither.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import TYPE_CHECKING, Final

from labinterp.interpretation.keeping import kept
from labinterp.interpretation.laboratory import is_critical_flag
from labinterp.interpretation.measure import canonical_per
from labinterp.interpretation.printed_interval import PrintedInterval, is_given, read_interval
from labinterp.interpretation.yardstick import betrayed_unit, fits
from labinterp.model import units
from labinterp.model.panel import Problem, Result
from labinterp.model.quantity import PRINTED_COMPARATOR, Extent

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from decimal import Decimal

    from labinterp.interpretation.identify import Identified
    from labinterp.model.interval import Plausibility, UnitConfusion
    from labinterp.model.measurand import AcceptedUnit, Measurand

_STALE: Final = timedelta(days=90)
_CLOCK_SLACK: Final = timedelta(hours=26)
"""A collection time this far ahead may be another zone's clock; beyond it is no collection time."""
_IGNORED: Final = frozenset(
    {"cancelled", "canceled", "entered-in-error", "wrong", "deleted", "x", "d", "w"}
)
_FINAL: Final = frozenset(
    {
        "", "final", "f", "corrected", "c", "amended", "appended", "revised", "complete",
        "completed", "verified", "v", "u", "b",
    }
)  # fmt: skip
_PRELIMINARY: Final = frozenset({"preliminary", "partial", "registered", "p", "r", "s", "i"})

_LONGEST_SHOWN: Final = 40
LONG_AGO: Final = datetime(1, 1, 1, tzinfo=UTC)
"""Where no time is known: older than any."""


@dataclass(frozen=True, slots=True)
class Validated:
    """Results that count, once each; those that do not, with the reason; and what is asked.

    Attributes:
        results: one per measurand that may be interpreted, and every unusable one.
        earlier: usable results of an earlier time in the same panel, for change.
        rivals: measurand to unlike results of one time, none of which counts, for urgency only.
    """

    results: tuple[Result, ...]
    earlier: tuple[tuple[datetime | None, Result], ...] = ()
    rivals: Mapping[str, tuple[Result, ...]] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()


# ---- one result


def plausible(
    result: Result, identified: Identified, supported: bool
) -> tuple[Result, tuple[Problem, ...]]:
    """A result checked against its plausibility bounds and known unit confusions.

    Args:
        result: a converted result.
        identified: what it is of.
        supported: an earlier result makes the value and its unit believable.
    """
    if result.extent is None or result.quantity is None or not result.usable:
        return result, ()
    bounds = result.measurand.plausibility
    if bounds is not None and _beyond(
        result, bounds.unit, bounds.reject_below, bounds.reject_above
    ):
        message = _rejected(result, identified)
        problem = Problem("value-implausible", message, result.where, result.measurand.id)
        return replace(result, usable=False, why_unusable=message, extent=None), (problem,)
    questions = [*_interval_questions(result, identified), *_queries(result, identified, supported)]
    return result, tuple(questions[:1])


def _queries(result: Result, identified: Identified, supported: bool) -> Iterable[Problem]:
    """The unit confusion that this value suggests, else the question whether it is right."""
    for confusion in result.measurand.unit_confusions:
        if _suggests(confusion, result, identified, supported):
            yield _question(
                result,
                f"{_shown(result)} would be more usual in "
                f"{_printed(result.measurand, confusion.likely)} "
                f"({confusion.why}); it was interpreted as sent. Please confirm the unit",
            )
    bounds = result.measurand.plausibility
    if bounds is not None and _beyond(result, bounds.unit, bounds.query_below, bounds.query_above):
        yield _question(
            result, f"{_shown(result)} is unusual; it was interpreted as sent. Please confirm it"
        )


def _suggests(
    confusion: UnitConfusion, result: Result, identified: Identified, supported: bool
) -> bool:
    """Does the window hold the value, and nothing that came with it support the unit?"""
    quantity = result.quantity
    if (
        quantity is None
        or confusion.detected_by != "window"
        or quantity.unit != confusion.reported_as
    ):
        return False
    if not confusion.low <= quantity.number <= confusion.high:
        return False
    printed = _printed_interval(result)
    if printed is None:
        return not supported
    likely = result.measurand.accepted(confusion.likely)
    own = result.measurand.accepted(quantity.unit)
    return (
        likely is not None
        and fits(printed, likely, identified)
        and not (own is not None and fits(printed, own, identified))
    )


def _interval_questions(result: Result, identified: Identified) -> Iterable[Problem]:
    """The printed interval is plainly in another unit than the result says."""
    printed = _printed_interval(result)
    own = result.measurand.accepted(result.quantity.unit) if result.quantity else None
    if printed is None or own is None:
        return
    other = betrayed_unit(printed, own, identified)
    if other is not None:
        yield _question(
            result,
            f"{_shown(result)} came with the interval {printed.text.strip()}, which "
            f"fits {other.printed} and not "
            f"{own.printed}; the result was interpreted as sent and that interval was not used. "
            "Please confirm the unit",
        )


def _printed_interval(result: Result) -> PrintedInterval | None:
    interval = result.reported.interval if result.reported else None
    return read_interval(interval) if interval is not None and is_given(interval) else None


def _question(result: Result, message: str) -> Problem:
    return Problem("unit-doubtful", message, result.where, result.measurand.id)


def _beyond(result: Result, unit: str, low: Decimal | None, high: Decimal | None) -> bool:
    """Do all the values the result allows lie outside these bounds?"""
    if result.extent is None:
        return False
    least, most = _canonical(result.measurand, unit, low, high)
    return (least is not None and result.extent.compare("lt", least) is True) or (
        most is not None and result.extent.compare("gt", most) is True
    )


@kept()
def _canonical(
    measurand: Measurand, unit: str, low: Decimal | None, high: Decimal | None
) -> tuple[Fraction | None, Fraction | None]:
    factor = canonical_per(measurand, unit)
    return (
        None if low is None else Fraction(low) * factor,
        None if high is None else Fraction(high) * factor,
    )


def _rejected(result: Result, identified: Identified) -> str:
    """What is wrong, and the unit in which the same number would be possible."""
    would_fit = [
        unit.printed
        for unit in result.measurand.units
        if result.quantity is not None
        and unit.ucum != result.quantity.unit
        and _believable(result, unit, identified)
    ]
    guess = f"; did you mean {' or '.join(dict.fromkeys(would_fit))}?" if would_fit else ""
    return f"{_shown(result)} cannot be right and was not interpreted{guess}"


def _believable(result: Result, unit: AcceptedUnit, identified: Identified) -> bool:
    """Would the number raise no question in this unit?"""
    bounds: Plausibility | None = result.measurand.plausibility
    if result.quantity is None or bounds is None:
        return False
    try:
        measurand = result.measurand
        factor = canonical_per(measurand, unit.ucum, identified.molar_mass)
        factor /= canonical_per(measurand, bounds.unit)
    except units.UnitError:
        return False
    extent = Extent(Fraction(result.quantity.number) * factor)
    low, high = bounds.query_below, bounds.query_above
    return (low is None or extent.number >= low) and (high is None or extent.number <= high)


def _printed(measurand: Measurand, unit: str) -> str:
    accepted = measurand.accepted(unit)
    return accepted.printed if accepted else unit


def _said(result: Result) -> str:
    return _shown(result) if result.quantity else f"{result.measurand.spoken} {result.text}"


def _shown(result: Result) -> str:
    quantity = result.quantity
    if quantity is None:
        return result.measurand.spoken
    sign = PRINTED_COMPARATOR[quantity.comparator] if quantity.comparator else ""
    return (
        f"{result.measurand.spoken} {sign}{quantity.number:f} "
        f"{_printed(result.measurand, quantity.unit)}"
    )


# ---- status


def by_status(result: Result, panel_status: str) -> tuple[Result, tuple[Problem, ...]]:
    """A withdrawn result is not interpreted; a preliminary one is, and says so.

    A status that nobody knows is asked about: it might have said that the result must not be used.
    """
    status = (
        ((result.reported.status if result.reported else None) or panel_status).strip().casefold()
    )
    if status in _IGNORED:
        message = f"{result.measurand.spoken} is marked {status}; it was not interpreted"
        problem = Problem("status-ignored", message, result.where, result.measurand.id)
        return replace(result, usable=False, why_unusable=message, extent=None, text=None), (
            problem,
        )
    if status in _PRELIMINARY:
        note = "preliminary: the final result may differ"
        message = f"{result.measurand.spoken} is preliminary; it may change"
        problem = Problem("status-preliminary", message, result.where, result.measurand.id)
        return replace(result, notes=(*result.notes, note)), (problem,)
    if status not in _FINAL:
        message = (
            f"{result.measurand.spoken} has the status {status[:_LONGEST_SHOWN]!r}, which is not "
            "known; it was read as final. Please confirm it"
        )
        return result, (Problem("status-unknown", message, result.where, result.measurand.id),)
    return result, ()


# ---- several results


def collection_time(
    stated: datetime | None, received_at: datetime
) -> tuple[datetime | None, tuple[Problem, ...]]:
    """The panel's collection time, unless it lies in the future."""
    if stated is None or aware(stated) <= aware(received_at) + _CLOCK_SLACK:
        return stated, ()
    message = f"the collection time {stated.isoformat()} lies in the future; it was not used"
    return None, (Problem("collected-in-future", message, "collected_at"),)


def aware(moment: datetime) -> datetime:
    """The moment with a zone, so that any two can be compared; one without counts as UTC."""
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def once_each(results: Iterable[Result], collected_at: datetime | None) -> Validated:
    """One usable result per measurand: the latest; equal ones once.

    Unlike ones of one time not at all.
    """
    groups: dict[str, list[Result]] = {}
    unusable: list[Result] = []
    for result in results:
        if not result.usable or (result.extent is None and result.text is None):
            unusable.append(result)
        else:
            groups.setdefault(result.measurand.id, []).append(result)
    times = {id(one): _time(one, collected_at) for group in groups.values() for one in group}
    newest = max(times.values(), default=None)
    found = _Found(list(unusable))
    for group in groups.values():
        _add(found, group, times, newest)
    return Validated(
        tuple(found.results), tuple(found.earlier), found.rivals, tuple(found.problems)
    )


@dataclass(slots=True)
class _Found:
    """What becomes `Validated`, while it grows."""

    results: list[Result]
    earlier: list[tuple[datetime | None, Result]] = field(default_factory=list)
    rivals: dict[str, tuple[Result, ...]] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)


def _time(result: Result, collected_at: datetime | None) -> datetime:
    own = result.reported.collected_at if result.reported else None
    moment = own or collected_at
    return aware(moment) if moment else LONG_AGO


def _add(
    found: _Found, group: list[Result], times: Mapping[int, datetime], newest: datetime | None
) -> None:
    """Add one measurand's results to what was found so far."""
    latest = max(times[id(one)] for one in group) if len(group) > 1 else times[id(group[0])]
    if newest is not None and newest - latest >= _STALE and latest != LONG_AGO:
        _add_stale(found, group, newest - latest)
        return
    current = [one for one in group if times[id(one)] == latest]
    earlier = [(times[id(one)], one) for one in group if times[id(one)] != latest]
    found.earlier.extend(earlier)
    unlike = _unlike(current)
    if len(unlike) == 1:
        found.results.append(unlike[0])
        found.problems.extend(_repeated(one) for one in current if one is not unlike[0])
        return
    message = _duplicate(unlike)
    found.results.extend(replace(one, usable=False, why_unusable=message) for one in unlike)
    found.rivals[unlike[0].measurand.id] = tuple(unlike)
    found.problems.extend(
        Problem("duplicate-result", message, one.where, one.measurand.id) for one in current
    )


def _unlike(current: list[Result]) -> list[Result]:
    """One result for each different value, in an order that does not depend on the sender's."""
    if len(current) == 1:
        return current
    alike: dict[tuple[Extent | None, str | None], list[Result]] = {}
    for one in current:
        alike.setdefault((one.extent, one.text), []).append(one)
    return sorted(map(_preferred, alike.values()), key=_order)


def _preferred(alike: list[Result]) -> Result:
    """Of equal results the one that says most: a critical flag must not be lost with its twin."""
    return min(alike, key=lambda one: (_silence(one), _order(one)))


def _silence(result: Result) -> tuple[int, bool]:
    """How little the laboratory says of a result beside its value."""
    reported = result.reported
    flag = (reported and reported.flag) or ""
    quiet = 0 if is_critical_flag(flag) else 1 if flag.strip() else 2
    return quiet, reported is None or reported.interval is None


def _repeated(one: Result) -> Problem:
    message = f"{_said(one)} came more than once for one time; it counts once"
    return Problem("repeated-result", message, one.where, one.measurand.id)


def _order(result: Result) -> tuple[Fraction, str, str, str]:
    number = result.extent.number if result.extent else Fraction(-1)
    unit = result.quantity.unit if result.quantity else ""
    value = str(result.quantity.number) if result.quantity else result.text or ""
    return number, unit, value, result.where


def _add_stale(found: _Found, group: list[Result], age: timedelta) -> None:
    name = group[0].measurand.spoken
    message = (
        f"{name} is {age.days} days older than the newest result; it was not combined with "
        "the others"
    )
    found.results.extend(replace(one, usable=False, why_unusable=message) for one in group)
    found.problems.extend(
        Problem("stale-result", message, one.where, one.measurand.id) for one in group
    )


def _duplicate(unlike: list[Result]) -> str:
    values = " and ".join(map(_said, unlike))
    return f"{values} were reported for one time; neither was interpreted. Which is right?"
