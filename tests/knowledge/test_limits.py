"""Each limit has its two sides: a result on it, just inside and just outside, in every unit.

What is expected is worked out here, from the molar masses and the scales of units below in plain
fractions: nothing of the engine's own conversion is asked.
"""

from dataclasses import replace
from decimal import Decimal, localcontext
from fractions import Fraction

import pytest

from labinterp.interpretation import interpret
from labinterp.model.rule import Compared, StatusIs
from labinterp.model.submission import Choices
from tests.build import a_panel, a_result, knowledge

KNOWN = knowledge()
HAIR = Fraction(1, 10**9)
"""How far beside a limit is just beside it, relative to the limit: finer than any laboratory prints."""
MILLI, MICRO, NANO, PICO = (Fraction(1, 10**power) for power in (3, 6, 9, 12))
MASS, SUBSTANCE, CHARGE, NITROGEN = "mass", "substance", "charge", "urea nitrogen"
SCALES = {
    "g/L": (MASS, 1),
    "g/dL": (MASS, 10),
    "mg/dL": (MASS, Fraction(1, 100)),
    "mg/L": (MASS, MILLI),
    "ug/mL": (MASS, MILLI),
    "ug/L": (MASS, MICRO),
    "ng/mL": (MASS, MICRO),
    "ug/dL": (MASS, 10 * MICRO),
    "ng/dL": (MASS, 10 * NANO),
    "ng/L": (MASS, NANO),
    "pg/mL": (MASS, NANO),
    "mg/(24.h)": (MASS, MILLI),
    "mg{N}/dL": (NITROGEN, Fraction(1, 100)),
    "mg{urea}/dL": (MASS, Fraction(1, 100)),
    "mmol/L": (SUBSTANCE, MILLI),
    "umol/L": (SUBSTANCE, MICRO),
    "nmol/L": (SUBSTANCE, NANO),
    "pmol/L": (SUBSTANCE, PICO),
    "mmol/(24.h)": (SUBSTANCE, MILLI),
    "meq/L": (CHARGE, MILLI),
    "kPa": ("pressure", 1),
    "mm[Hg]": ("pressure", Fraction("13.5951") * Fraction("0.00980665")),
    "U/L": ("activity", 1),
    "ukat/L": ("activity", 60),
    "nkat/L": ("activity", 60 * MILLI),
    "10*9/L": ("number", 1),
    "10*3/uL": ("number", 1),
    "fL": ("volume", 1),
    "um3": ("volume", 1),
    "m[IU]/L": ("arbitrary", 1),
    "u[IU]/mL": ("arbitrary", 1),
    "mosm/kg": ("osmoles", 1),
    "mmol/kg": ("osmoles", 1),
    **{own: (own, 1) for own in ("%", "1", "[pH]", "mL/min/{1.73_m2}", "mmol2/L2")},
}
"""UCUM unit to what it counts, and how many grams, moles or equivalents one of it is."""
NITROGEN_IN_UREA = Fraction("28.014")
ADULT = {"age": "54 years", "sex": "female", "pregnancy": "not_pregnant"}


# ---- what is expected, in plain fractions


def amount(measurand, unit):
    """One of this unit as an amount that can be compared with any other unit's of the measurand."""
    counts, scale = SCALES[unit]
    scale = Fraction(scale)
    if counts == CHARGE:
        return scale / measurand.valence
    if counts == NITROGEN:
        return scale / NITROGEN_IN_UREA
    counted = {SCALES[one.ucum][0] for one in measurand.units}
    if counts == MASS and counted & {SUBSTANCE, CHARGE}:
        return scale / Fraction(measurand.molar_mass)
    return scale


def into(measurand, number, unit, other):
    """A number of one unit in another."""
    return Fraction(number) * amount(measurand, unit) / amount(measurand, other)


def reported_units(measurand):
    """Every unit a result may come in."""
    return [one.ucum for one in measurand.units]


def printed_in(measurand, unit, columns):
    """Of the columns a source prints the one in this unit (or in an equal one); else the first."""
    same = [one for one in columns if amount(measurand, one[0]) == amount(measurand, unit)]
    return (same or columns)[0]


def printed_region(measurand, limit, unit):
    """A region as its source prints it in this unit, else as it prints it first."""
    columns = [(one.unit, one) for one in (limit.bounds, limit.also_printed) if one]
    return printed_in(measurand, unit, columns)[1]


def holds(bounds, measurand, number, unit):
    """Does a region hold this number?"""
    here = into(measurand, number, unit, bounds.unit)
    return (
        (bounds.lt is None or here < Fraction(bounds.lt))
        and (bounds.le is None or here <= Fraction(bounds.le))
        and (bounds.gt is None or here > Fraction(bounds.gt))
        and (bounds.ge is None or here >= Fraction(bounds.ge))
    )


def ends_of(bounds):
    """The ends of a region: a number, and the direction that leads out of the region."""
    sides = ((bounds.lt, 1), (bounds.le, 1), (bounds.gt, -1), (bounds.ge, -1))
    return [(end, outwards) for end, outwards in sides if end is not None]


def plain(value):
    """A fraction as a decimal of twelve significant digits."""
    with localcontext() as context:
        context.prec = 12
        number = Decimal(value.numerator) / Decimal(value.denominator)
    return f"{number.normalize():f}"


# ---- asking the engine


def without_other_limits(known, **more):
    """Knowledge in which nothing but intervals speaks: no critical limit, no bound of belief."""
    bare = {"critical_limits": (), "plausibility": None, "unit_confusions": (), **more}
    measurands = {name: replace(one, **bare) for name, one in known.measurands.items()}
    return replace(known, measurands=measurands)


INTERVALS_ONLY = without_other_limits(KNOWN)
FALLBACKS_ONLY = without_other_limits(KNOWN, intervals=(), decision_limits=())
SCHEMES_ONLY = without_other_limits(KNOWN, intervals=(), fallback=None)
BELIEVING = replace(
    KNOWN,
    measurands={name: replace(one, plausibility=None) for name, one in KNOWN.measurands.items()},
)
"""All there is, but that nothing is set aside as beyond belief."""


def person(applies):
    """Somebody whom a row of limits fits."""
    start = applies.age_from if applies.age_from is not None else Decimal(0)
    end = applies.age_below if applies.age_below is not None else start + 366
    if applies.age_from is None and applies.age_below is None:
        start = end = Decimal(54) * Decimal("365.25")
    about = {"age": f"{(start + end) / 2:.3f} days", "sex": applies.sex or "female"}
    if applies.pregnancy in ("pregnant", "trimester_3"):
        return about | {"sex": "female", "pregnancy": "pregnant", "gestation_weeks": 34}
    return about | {"pregnancy": "not_pregnant"}


def answered(known, measurand, value, unit, about, **choices):
    """What is said of one result, with its value written out."""
    written = a_result(f"{measurand.id} 1 {unit}", value=plain(value))
    answer = interpret(a_panel(written, choices=Choices(**choices), **about), known)
    return next(one for one in answer.results if one.measurand == measurand.id)


def standing(known, measurand, value, unit, about, **choices):
    """The standing of one result."""
    return answered(known, measurand, value, unit, about, **choices).standing


def beside(limit, outwards):
    """A hair inside a limit, and a hair outside."""
    hair = outwards * HAIR * abs(limit)
    return limit - hair, limit + hair


# ---- intervals


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
FALLBACKS = [
    pytest.param(measurand, id=name)
    for name, measurand in KNOWN.measurands.items()
    if measurand.fallback is not None and not measurand.fallback.unverified
]


def assert_ends(known, measurand, row, about, **chosen):
    """Both ends of an interval, in every unit a result may come in."""
    columns = [(row.unit, row.low, row.high), *filter(None, [row.also_printed])]
    tried = 0
    for unit in reported_units(measurand):
        printed, low, high = printed_in(measurand, unit, columns)
        for end, side, outwards in ((low, "low", -1), (high, "high", 1)):
            if not end:  # open, or zero, below which nothing is measured
                continue
            limit = into(measurand, end, printed, unit)
            inside, outside = beside(limit, outwards)
            said = [
                standing(known, measurand, value, unit, about, **chosen)
                for value in (inside, outside)
            ]
            assert said == ["within", side], (unit, plain(limit))
            if unit == printed:
                included = row.low_included if side == "low" else row.high_included
                on_it = standing(known, measurand, limit, unit, about, **chosen)
                assert on_it == ("within" if included else side)
            tried += 1
    assert tried


@pytest.mark.parametrize(("measurand", "row"), ROWS)
@pytest.mark.hazard("wrong-interval")
def test_the_ends_of_an_interval_are_within_and_a_hair_beyond_is_not(measurand, row):
    chosen = {"range_set": row.set, "range_policy": "service-only"}
    assert_ends(INTERVALS_ONLY, measurand, row, person(row.applies_to), **chosen)


@pytest.mark.parametrize("measurand", FALLBACKS)
def test_the_ends_of_a_fallback_are_within_and_a_hair_beyond_is_not(measurand):
    row = measurand.fallback
    assert_ends(FALLBACKS_ONLY, measurand, row, person(row.applies_to))


# ---- critical limits


CRITICAL = [
    pytest.param(measurand, limit, side, id=f"{measurand.id}-{limit.policy}-{n}-{side}")
    for measurand in KNOWN.measurands.values()
    for n, limit in enumerate(measurand.critical_limits)
    if limit.policy in KNOWN.critical_policies
    and not limit.unverified
    and limit.applies_to.other is None
    for side in ("low", "high")
    if getattr(limit, side) is not None
]


@pytest.mark.parametrize(("measurand", "limit", "side"), CRITICAL)
def test_a_critical_value_begins_where_the_policy_says(measurand, limit, side):
    bounds = getattr(limit, side)
    about, chosen = person(limit.applies_to), {"critical_policy": limit.policy}
    for unit in reported_units(measurand):
        for end, outwards in ends_of(bounds):
            at = into(measurand, end, bounds.unit, unit)
            inside, outside = beside(at, outwards)
            critical = standing(BELIEVING, measurand, inside, unit, about, **chosen)
            assert critical == f"critically_{side}", (unit, plain(at))
            spared = standing(BELIEVING, measurand, outside, unit, about, **chosen)
            assert not spared.startswith("critically_"), (unit, plain(at))
            if unit == bounds.unit:
                on_it = standing(BELIEVING, measurand, at, unit, about, **chosen)
                counts = end in (bounds.le, bounds.ge)
                assert on_it.startswith("critically_") is counts


# ---- decision limits


def schemes_shown():
    """Every scheme that an answer can name: those that can be chosen."""
    for name, measurand in KNOWN.measurands.items():
        known = list(dict.fromkeys(one.scheme for one in measurand.decision_limits))
        for scheme in known:
            if scheme in KNOWN.schemes.get(name, ()):
                yield pytest.param(measurand, scheme, id=f"{name}-{scheme}")


def suits(limit, about):
    """Does a decision limit fit this person, and nobody else only?"""
    applies, years = limit.applies_to, Decimal(about["age"].split()[0])
    days = years if about["age"].endswith("days") else years * Decimal("365.25")
    return (
        applies.other is None
        and applies.sex in (None, about["sex"])
        and (applies.age_from is None or days >= applies.age_from)
        and (applies.age_below is None or days < applies.age_below)
        and (applies.pregnancy in ("pregnant", "trimester_3")) == (about["pregnancy"] == "pregnant")
    )


def regions_named(measurand, scheme, value, unit, about):
    """The labels of the regions that hold this value, by arithmetic."""
    found = []
    for limit in measurand.decision_limits:
        if limit.scheme != scheme or not suits(limit, about):
            continue
        if holds(printed_region(measurand, limit, unit), measurand, value, unit):
            found.append(limit.label)
    return sorted(found)


@pytest.mark.parametrize(("measurand", "scheme"), list(schemes_shown()))
def test_a_decision_limit_is_named_inside_its_region_and_not_outside(measurand, scheme):
    chosen = {"schemes": {measurand.id: scheme}}
    tried = 0
    for limit in [one for one in measurand.decision_limits if one.scheme == scheme]:
        about = person(limit.applies_to)
        if not suits(limit, about):
            continue
        for unit in reported_units(measurand):
            bounds = printed_region(measurand, limit, unit)
            for end, outwards in ends_of(bounds):
                at = into(measurand, end, bounds.unit, unit)
                inside, outside = beside(at, outwards)
                for value, is_inside in ((inside, True), (outside, False)):
                    expected = regions_named(measurand, scheme, value, unit, about)
                    assert limit.label in expected or not is_inside
                    said = answered(BELIEVING, measurand, value, unit, about, **chosen)
                    named = [one.name for one in said.decisions if one.scheme == scheme]
                    assert sorted(named) == expected, (unit, plain(value))
                    tried += 1
    assert tried


@pytest.mark.parametrize(
    ("measurand", "scheme"),
    [(name, scheme) for name, schemes in KNOWN.schemes.items() for scheme in schemes],
)
def test_a_scheme_that_serves_as_an_interval_changes_the_standing_at_its_own_numbers(
    measurand, scheme
):
    held = KNOWN.measurands[measurand]
    regions = [one for one in held.decision_limits if one.scheme == scheme and one.standing]
    for region in regions:
        for unit in reported_units(held):
            bounds = printed_region(held, region, unit)
            for end, outwards in ends_of(bounds):
                for value in beside(into(held, end, bounds.unit, unit), outwards):
                    said = standing(
                        SCHEMES_ONLY, held, value, unit, ADULT, schemes={measurand: scheme}
                    )
                    assert said == side_of(held, regions, value, unit), (unit, plain(value))


def side_of(measurand, regions, value, unit):
    """The standing of the regions that hold a value; one that is low or high goes first."""
    found = {
        one.standing
        for one in regions
        if holds(printed_region(measurand, one, unit), measurand, value, unit)
    }
    return next(iter(found - {"within"} or found), "unknown")


# ---- severity


BANDS = [
    pytest.param(measurand, band, id=f"{name}-{band.name}")
    for name, measurand in KNOWN.measurands.items()
    for band in measurand.severity_bands
    if isinstance(band.when, Compared)
]
IS_BELOW = {"lt": True, "le": True, "gt": False, "ge": False}


def test_every_severity_band_is_a_number_or_a_side_of_the_interval():
    for measurand in KNOWN.measurands.values():
        for band in measurand.severity_bands:
            assert isinstance(band.when, Compared | StatusIs), (measurand.id, band.name)
            assert band.when.measurand == measurand.id


def cut_off(measurand, leaf, unit):
    """A band's number in a unit: as printed for that unit, else converted."""
    for here, there in measurand.printed_equivalents.items():
        (number, its_unit), (other, other_unit) = here.split(" "), there.split(" ")
        is_this = (Decimal(number), its_unit) == (leaf.limit, leaf.unit)
        if is_this and amount(measurand, other_unit) == amount(measurand, unit):
            return Fraction(other)
    return into(measurand, leaf.limit, leaf.unit, unit)


def grade(measurand, value, unit, side):
    """The first band that holds, by arithmetic; the side of the interval is as the answer has it."""
    for band in measurand.severity_bands:
        leaf = band.when
        if isinstance(leaf, StatusIs):
            if leaf.status == side.removeprefix("critically_"):
                return band.name
            continue
        limit = cut_off(measurand, leaf, unit)
        is_in = {
            "lt": value < limit,
            "le": value <= limit,
            "gt": value > limit,
            "ge": value >= limit,
        }[leaf.operator]
        if is_in:
            return band.name
    return None


@pytest.mark.parametrize(("measurand", "band"), BANDS)
def test_a_severity_band_begins_at_its_own_number(measurand, band):
    leaf = band.when
    outwards = 1 if IS_BELOW[leaf.operator] else -1
    for unit in reported_units(measurand):
        limit = cut_off(measurand, leaf, unit)
        inside, outside = beside(limit, outwards)
        for value in (inside, outside):
            said = answered(BELIEVING, measurand, value, unit, ADULT)
            assert said.band == grade(measurand, value, unit, said.standing), (unit, plain(value))
        assert answered(BELIEVING, measurand, inside, unit, ADULT).band == band.name
        assert answered(BELIEVING, measurand, outside, unit, ADULT).band != band.name
        if unit == leaf.unit:
            on_it = answered(BELIEVING, measurand, limit, unit, ADULT).band
            assert (on_it == band.name) is (leaf.operator in ("le", "ge"))


# ---- bounds of belief


BOUNDS = [
    pytest.param(measurand, name, id=f"{measurand.id}-{name}")
    for measurand in KNOWN.measurands.values()
    if measurand.plausibility is not None
    for name in ("reject_below", "query_below", "query_above", "reject_above")
    if getattr(measurand.plausibility, name)
]


@pytest.mark.parametrize(("measurand", "name"), BOUNDS)
def test_a_value_is_believed_up_to_its_bound_and_not_beyond(measurand, name):
    bounds = measurand.plausibility
    code = "value-implausible" if name.startswith("reject") else "unit-doubtful"
    for unit in reported_units(measurand):
        limit = into(measurand, getattr(bounds, name), bounds.unit, unit)
        inside, outside = beside(limit, -1 if name.endswith("below") else 1)
        for value, is_beyond in ((inside, False), (outside, True)):
            written = a_result(f"{measurand.id} 1 {unit}", value=plain(value))
            answer = interpret(a_panel(written, **ADULT), NO_WINDOWS)
            asked = {one.code for one in answer.problems if one.measurand == measurand.id}
            assert (code in asked) is is_beyond, (unit, plain(value))


NO_WINDOWS = replace(
    KNOWN,
    measurands={name: replace(one, unit_confusions=()) for name, one in KNOWN.measurands.items()},
)
"""All there is but the windows in which a number is likelier in another unit: they overlap bounds."""
