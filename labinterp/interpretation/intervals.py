"""Which interval fits this patient.

The laboratory's, the chosen set's, the scheme's, the fallback, or honestly none.

Where age, sex or pregnancy is not known, every person the patient could be is asked in turn; only
if all of them would
be judged alike is there a standing.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TYPE_CHECKING, Final

from labinterp.interpretation.facts import ADULT_FROM_YEARS, DAYS_IN_YEAR
from labinterp.interpretation.keeping import kept
from labinterp.model.patient import Patient

if TYPE_CHECKING:
    from collections.abc import Iterator

    from labinterp.interpretation.settings import Settings
    from labinterp.model.codes import Sex
    from labinterp.model.interval import AppliesTo, DecisionLimit, Interval
    from labinterp.model.knowledge import Knowledge, RangeSet
    from labinterp.model.measurand import Measurand
    from labinterp.model.patient import PregnancyStatus

ADULT_FROM_DAYS: Final = (
    Decimal(ADULT_FROM_YEARS * DAYS_IN_YEAR.numerator) / DAYS_IN_YEAR.denominator
)
_TRIMESTERS: Final = (("trimester_1", 0, 13), ("trimester_2", 14, 27), ("trimester_3", 28, 60))
"""Completed weeks of gestation, as trimesters are counted everywhere."""
_WEEKS_OF_EACH: Final = (10, 20, 34)


@dataclass(frozen=True, slots=True)
class Candidate:
    """An interval for one of the persons the patient could be."""

    person: Patient
    interval: Interval
    fallback: bool = False

    @property
    def is_adult(self) -> bool:
        """Is the person of this candidate an adult?"""
        return is_adult(self.person)


@dataclass(frozen=True, slots=True)
class Choice:
    """What a result can be judged by.

    Attributes:
        candidates: one per person the patient could be, in a fixed order; empty when none fits.
        scheme: the regions of a decision scheme, used where the set has no interval.
        donor: the measurand whose interval is borrowed, if it is not the result's own.
        adults_only: age is unknown and only adult intervals exist, so an adult was assumed.
        partial: for some whom the patient could be, of the same age, there is no interval.
        others: intervals of the same set that nearly fitted, in words.
    """

    candidates: tuple[Candidate, ...] = ()
    scheme: tuple[DecisionLimit, ...] = ()
    donor: Measurand | None = None
    adults_only: bool = False
    partial: bool = False
    others: tuple[str, ...] = ()


def is_adult(patient: Patient) -> bool:
    """Is the patient known to be an adult?"""
    return patient.age_days is not None and patient.age_days >= ADULT_FROM_DAYS


def is_child(patient: Patient) -> bool:
    """Is the patient known to be under 18?"""
    return patient.age_days is not None and patient.age_days < ADULT_FROM_DAYS


def person_like(patient: Patient, knowledge: Knowledge) -> Patient:
    """Whom every interval and limit fits just as it fits this patient; one object for all alike."""
    return _person(
        knowledge,
        patient.sex if patient.sex in ("female", "male") else "unknown",
        None
        if patient.age_days is None
        else bisect_right(_turning_ages(knowledge), patient.age_days),
        patient.pregnancy,
        patient.gestation_weeks,
    )


@kept()
def _person(
    knowledge: Knowledge,
    sex: Sex,
    span: int | None,
    pregnancy: PregnancyStatus,
    gestation_weeks: int | None,
) -> Patient:
    ages = (Decimal(-1), *_turning_ages(knowledge))
    age = None if span is None else ages[span]
    return Patient(sex, age, None, pregnancy, gestation_weeks)


@kept(most=8)
def _turning_ages(knowledge: Knowledge) -> tuple[Decimal, ...]:
    """Every age [days] at which some interval or limit begins or ceases to fit, in order."""
    ages = {ADULT_FROM_DAYS}
    for one in knowledge.measurands.values():
        fallback = () if one.fallback is None else (one.fallback,)
        fitted = (*one.intervals, *fallback, *one.decision_limits, *one.critical_limits)
        for row in fitted:
            ages |= {row.applies_to.age_from, row.applies_to.age_below} - {None}
    return tuple(sorted(ages))


@kept(identical=4)
def choose(
    measurand: Measurand, patient: Patient, settings: Settings, knowledge: Knowledge
) -> Choice:
    """Our interval for this patient.

    The set's own, a borrowed one, the scheme's, or the fallback.
    """
    range_set = knowledge.range_sets.get(settings.range_set)
    donors = [
        knowledge.measurands[one]
        for one in measurand.interval_donors
        if one in knowledge.measurands
    ]
    for owner in (measurand, *donors):
        candidates, partial = _from_set(owner, patient, range_set)
        if candidates:
            donor = None if owner is measurand else owner
            others = _others(owner, candidates, range_set)
            return Choice(
                candidates,
                donor=donor,
                adults_only=_adults_only(candidates, patient),
                partial=partial,
                others=others,
            )
    scheme = _scheme(measurand, patient, settings)
    if scheme:
        return Choice(scheme=scheme)
    fallback = _fallback(measurand, patient)
    return Choice(fallback, adults_only=_adults_only(fallback, patient))


def _from_set(
    measurand: Measurand, patient: Patient, range_set: RangeSet | None
) -> tuple[tuple[Candidate, ...], bool]:
    """The most specific row for each person the patient could be.

    And whether one of them, no older or younger than another who has a row, has none.
    """
    if range_set is None:
        return (), False
    rows = {
        is_child_row: _rows(measurand, range_set, child=is_child_row)
        for is_child_row in (False, True)
    }
    ages = sorted(
        {
            row.applies_to.age_from or Decimal(0)
            for group in rows.values()
            for one in group
            for row in one
        }
    )
    found, without = [], set()
    for person in _persons(patient, ages):
        interval = _first_fitting(rows[is_child(person)], person)
        if interval is None:
            without.add(person.age_days)
        else:
            found.append(Candidate(person, interval))
    return tuple(found), any(one.person.age_days in without for one in found)


def _rows(
    measurand: Measurand, range_set: RangeSet, *, child: bool
) -> tuple[tuple[Interval, ...], ...]:
    """The set's usable rows by the published set they come from, in the order they are tried."""
    names: tuple[str, ...] = (range_set.id,)
    if range_set.composed:
        pick = range_set.picks.get(measurand.id)
        names = range_set.others if pick is None else pick.child if child else pick.adult
    usable = [row for row in measurand.intervals if _may_be_used(row)]
    return tuple(tuple(row for row in usable if row.set == name) for name in names)


def _may_be_used(row: Interval) -> bool:
    return row.usable and not row.unverified


def _persons(patient: Patient, ages: list[Decimal]) -> Iterator[Patient]:
    """Everyone this patient could be, as far as the rows tell people apart; an adult first."""
    known_ages = [patient.age_days] if patient.age_days is not None else _adults_first(ages)
    both: tuple[Sex, ...] = ("female", "male")
    sexes = (patient.sex,) if patient.sex in both else both
    weeks = [patient.gestation_weeks]
    if patient.pregnancy == "pregnant" and patient.gestation_weeks is None:
        weeks = list(_WEEKS_OF_EACH)
    for age in known_ages:
        for sex in sexes:
            for week in weeks:
                yield replace(patient, age_days=age, sex=sex, gestation_weeks=week)


def _adults_first(ages: list[Decimal]) -> list[Decimal]:
    adult = [age for age in ages if age >= ADULT_FROM_DAYS] or [ADULT_FROM_DAYS]
    return adult + [age for age in ages if age < ADULT_FROM_DAYS]


def _first_fitting(groups: tuple[tuple[Interval, ...], ...], person: Patient) -> Interval | None:
    for group in groups:
        fitting = [row for row in group if fits(row.applies_to, person)]
        if fitting:
            return max(fitting, key=_specificity)
    return None


def _specificity(row: Interval) -> tuple[bool, bool, bool, Decimal, str]:
    """A trimester before pregnancy before sex before the narrower age.

    The id only makes the order certain: rows that tie refuse to load.
    """
    applies = row.applies_to
    end = applies.age_below if applies.age_below is not None else Decimal(10**6)
    return (
        applies.pregnancy in {name for name, _, _ in _TRIMESTERS},
        applies.pregnancy not in (None, "not_pregnant"),
        applies.sex is not None,
        -(end - (applies.age_from or Decimal(0))),
        row.id,
    )


def fits(applies: AppliesTo, person: Patient) -> bool:
    """Does a row fit this person? What the row does not say fits everyone who is not pregnant."""
    if applies.other is not None:
        return False
    if applies.sex is not None and applies.sex != person.sex:
        return False
    if not _age_fits(applies, person.age_days):
        return False
    if applies.pregnancy in (None, "not_pregnant"):
        return person.pregnancy != "pregnant"
    return person.pregnancy == "pregnant" and applies.pregnancy in ("pregnant", _trimester(person))


def _age_fits(applies: AppliesTo, age_days: Decimal | None) -> bool:
    if age_days is None:
        return applies.age_from is None and applies.age_below is None
    return (applies.age_from is None or age_days >= applies.age_from) and (
        applies.age_below is None or age_days < applies.age_below
    )


def _trimester(person: Patient) -> str | None:
    weeks = person.gestation_weeks
    if weeks is None:
        return None
    return next((name for name, first, last in _TRIMESTERS if first <= weeks <= last), None)


def _scheme(
    measurand: Measurand, patient: Patient, settings: Settings
) -> tuple[DecisionLimit, ...]:
    """The regions of the scheme in force that amount to a standing.

    Adults only, unless a region says more.
    """
    name = settings.schemes.get(measurand.id)
    if name is None or is_child(patient) or patient.pregnancy == "pregnant":
        return ()
    return tuple(
        limit
        for limit in measurand.decision_limits
        if limit.scheme == name
        and limit.standing is not None
        and fits_anyone(limit.applies_to, patient)
    )


def fits_anyone(applies: AppliesTo, patient: Patient) -> bool:
    """Does a limit fit someone this patient could be? An unknown age counts as an adult's."""
    person = patient if patient.age_days is not None else replace(patient, age_days=ADULT_FROM_DAYS)
    if person.sex not in ("female", "male"):
        return any(fits(applies, replace(person, sex=sex)) for sex in ("female", "male"))
    return fits(applies, person)


def _fallback(measurand: Measurand, patient: Patient) -> tuple[Candidate, ...]:
    """The default interval, for adults who are not pregnant unless it says for whom else."""
    interval = measurand.fallback
    if interval is None or interval.unverified or not interval.usable:
        return ()
    applies = interval.applies_to
    is_general = applies.age_from is None and applies.age_below is None
    if is_general and is_child(patient):
        return ()
    persons = _persons(patient, [ADULT_FROM_DAYS])
    return tuple(Candidate(one, interval, fallback=True) for one in persons if fits(applies, one))


def _adults_only(candidates: tuple[Candidate, ...], patient: Patient) -> bool:
    """Age is unknown, and the set in use knows adults only."""
    return patient.age_days is None and all(candidate.is_adult for candidate in candidates)


def _others(
    measurand: Measurand, candidates: tuple[Candidate, ...], range_set: RangeSet | None
) -> tuple[str, ...]:
    """Rows of the same set that were not for this patient, in words."""
    used = {candidate.interval.id for candidate in candidates}
    sets = {candidate.interval.set for candidate in candidates}
    rows = (
        row
        for row in measurand.intervals
        if range_set is not None and row.set in sets and _may_be_used(row) and row.id not in used
    )
    return tuple(f"{row.applies_to.text}: {ends(row, measurand)}" for row in rows)[:4]


def ends(row: Interval, measurand: Measurand) -> str:
    """An interval as it is printed: `0.70–1.00 mmol/L`, `≤ 5.0 mmol/L`."""
    accepted = measurand.accepted(row.unit)
    return printed_ends(
        with_decimals(row.low, measurand, row.unit),
        with_decimals(row.high, measurand, row.unit),
        accepted.printed if accepted else row.unit,
        low_included=row.low_included,
        high_included=row.high_included,
    )


def with_decimals(end: Decimal | None, measurand: Measurand, unit: str) -> Decimal | None:
    """The same number with at least the decimals its unit is printed with: 0.7 mmol/L as 0.70."""
    if end is None:
        return None
    accepted = measurand.accepted(unit)
    printed = (accepted.decimals or 0) if accepted else 0
    return round(end, max(printed, -int(end.as_tuple().exponent)))


def printed_ends(
    low: Decimal | None,
    high: Decimal | None,
    unit: str,
    *,
    low_included: bool = True,
    high_included: bool = True,
) -> str:
    """Two ends with their unit, an open one in words or with its sign."""
    if low is not None and high is not None:
        signs = ("" if low_included else ">", "" if high_included else "<")
        return f"{signs[0]}{low:f}–{signs[1]}{high:f} {unit}".rstrip()
    if high is not None:
        return f"{'≤' if high_included else '<'} {high:f} {unit}".rstrip()
    if low is not None:
        return f"{'≥' if low_included else '>'} {low:f} {unit}".rstrip()
    return "open"
