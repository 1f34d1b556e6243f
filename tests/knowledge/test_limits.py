"""Each limit has its two sides: a result on it, just inside and just outside, in both unit systems."""

from decimal import Decimal, localcontext
from fractions import Fraction

import pytest

from labinterp.interpretation import interpret
from labinterp.knowledge import proofs
from labinterp.model.submission import Choices
from tests.build import a_panel, a_result, knowledge

KNOWN = knowledge()
HAIR = Fraction(1, 10**9)
"""How far beside a limit is just beside it, relative to the limit: finer than any laboratory prints."""


def person(applies):
    """Somebody whom a row of limits fits."""
    start = applies.age_from if applies.age_from is not None else Decimal(0)
    end = applies.age_below if applies.age_below is not None else start + 366
    about = {"age": f"{(start + end) / 2:.3f} days", "sex": applies.sex or "female"}
    if applies.pregnancy in ("pregnant", "trimester_3"):
        about |= {"sex": "female", "pregnancy": "pregnant", "gestation_weeks": 34}
    else:
        about["pregnancy"] = "not_pregnant"
    return about


def standing(measurand, value, unit, about, **choices):
    """The standing of one result, with its value written out."""
    written = a_result(f"{measurand.id} 1 {unit}", value=plain(value))
    answer = interpret(a_panel(written, choices=Choices(**choices), **about), KNOWN)
    return next(one for one in answer.results if one.measurand == measurand.id).standing


def plain(value):
    """A fraction as a decimal of twelve significant digits."""
    with localcontext() as context:
        context.prec = 12
        number = Decimal(value.numerator) / Decimal(value.denominator)
    return f"{number.normalize():f}"


def units_of(measurand, unit):
    """The unit of a limit, and the unit of the other system where it converts."""
    other = measurand.conventional_unit if unit == measurand.unit else measurand.unit
    known = [one for one in measurand.units if one.ucum == other and not one.only_when_named]
    return [unit, *(one.ucum for one in known)]


def ends(measurand, row, unit):
    """The ends of a row in a unit: as its source prints them there, else converted."""
    if unit == row.unit:
        factor, low, high = Fraction(1), row.low, row.high
    elif row.also_printed and row.also_printed[0] == unit:
        factor, (_, low, high) = Fraction(1), row.also_printed
    else:
        factor, low, high = proofs.factor(measurand, row.unit, unit), row.low, row.high
    return [None if end is None else Fraction(end) * factor for end in (low, high)]


def implausible(measurand, value, unit):
    """Would a value be refused as beyond any living person's?"""
    bounds = measurand.plausibility
    if bounds is None:
        return False
    here = value * proofs.factor(measurand, unit, bounds.unit)
    return (bounds.reject_below is not None and here < Fraction(bounds.reject_below)) or (
        bounds.reject_above is not None and here > Fraction(bounds.reject_above)
    )


def shadowed(measurand, row):
    """Is there a row of the same set for each sex, which goes before this one for both?"""
    return row.applies_to.sex is None and any(
        other.set == row.set
        and other.applies_to.sex is not None
        and (other.applies_to.age_from, other.applies_to.age_below)
        == (row.applies_to.age_from, row.applies_to.age_below)
        for other in measurand.intervals
    )


ROWS = [
    pytest.param(measurand, row, id=row.id)
    for measurand in KNOWN.measurands.values()
    for row in measurand.intervals
    if row.usable
    and not row.unverified
    and row.applies_to.other is None
    and not shadowed(measurand, row)
    and KNOWN.range_sets[row.set].shipped
]


@pytest.mark.parametrize(("measurand", "row"), ROWS)
def test_the_ends_of_an_interval_are_within_and_a_hair_beyond_is_not(measurand, row):
    about = person(row.applies_to)
    chosen = {"range_set": row.set, "range_policy": "service-only"}
    for unit in units_of(measurand, row.unit):
        low, high = ends(measurand, row, unit)
        for limit, side, inwards in ((low, "low", 1), (high, "high", -1)):
            inside, outside = (
                (limit or 0) * (1 + inwards * HAIR),
                (limit or 0) * (1 - inwards * HAIR),
            )
            if not limit or implausible(measurand, outside, unit):
                continue
            within = standing(measurand, inside, unit, about, **chosen)
            if within.startswith("critically"):
                continue  # a critical limit goes before an interval as wide as a newborn's
            assert within == "within"
            beyond = standing(measurand, outside, unit, about, **chosen)
            assert beyond.removeprefix("critically_") == side
            if unit == row.unit:
                on_it = standing(measurand, limit, unit, about, **chosen)
                assert on_it == "within" or on_it.startswith("critically")


CRITICAL = [
    pytest.param(measurand, limit, side, id=f"{measurand.id}-{limit.policy}-{n}-{side}")
    for measurand in KNOWN.measurands.values()
    for n, limit in enumerate(measurand.critical_limits)
    if limit.policy in KNOWN.critical_policies and limit.applies_to.other is None
    for side in ("low", "high")
    if getattr(limit, side) is not None
]


@pytest.mark.parametrize(("measurand", "limit", "side"), CRITICAL)
def test_a_critical_value_begins_where_the_policy_says(measurand, limit, side):
    bounds = getattr(limit, side)
    end = next(one for one in (bounds.lt, bounds.le, bounds.gt, bounds.ge) if one is not None)
    is_open = bounds.lt is not None or bounds.gt is not None
    outwards = -1 if side == "low" else 1
    about, chosen = person(limit.applies_to), {"critical_policy": limit.policy}
    for unit in units_of(measurand, bounds.unit):
        factor = proofs.factor(measurand, bounds.unit, unit) if unit != bounds.unit else Fraction(1)
        at = Fraction(end) * factor
        beyond = standing(measurand, at * (1 + outwards * HAIR), unit, about, **chosen)
        before = standing(measurand, at * (1 - outwards * HAIR), unit, about, **chosen)
        assert beyond == f"critically_{side}"
        assert before != f"critically_{side}"
        if unit == bounds.unit:
            on_it = standing(measurand, at, unit, about, **chosen)
            assert (on_it == f"critically_{side}") is not is_open


@pytest.mark.parametrize(
    ("measurand", "scheme"),
    [(name, scheme) for name, schemes in KNOWN.schemes.items() for scheme in schemes],
)
def test_a_scheme_changes_its_standing_only_at_its_own_numbers(measurand, scheme):
    held = KNOWN.measurands[measurand]
    regions = [one for one in held.decision_limits if one.scheme == scheme and one.standing]
    unit = regions[0].bounds.unit
    about, chosen = {"age": "54 years", "sex": "female"}, {"schemes": {measurand: scheme}}
    for region in regions:
        bounds = region.bounds
        for end, outwards in ((bounds.lt, -1), (bounds.le, -1), (bounds.gt, 1), (bounds.ge, 1)):
            if end is None or bounds.unit != unit:
                continue
            inside = standing(held, Fraction(end) * (1 + outwards * HAIR), unit, about, **chosen)
            holding = [one.standing for one in regions if _holds(one.bounds, end, outwards)]
            assert inside in holding or inside == "within"


def _holds(bounds, end, outwards):
    """Does a region hold the point a hair beyond this end?"""
    point = Fraction(end) * (1 + outwards * HAIR)
    return (
        (bounds.lt is None or point < Fraction(bounds.lt))
        and (bounds.le is None or point <= Fraction(bounds.le))
        and (bounds.gt is None or point > Fraction(bounds.gt))
        and (bounds.ge is None or point >= Fraction(bounds.ge))
    )
