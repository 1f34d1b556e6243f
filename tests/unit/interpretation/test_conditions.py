"""The language of rules: what each leaf and connective says, and when it cannot tell."""

from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from itertools import product

import pytest

from labinterp.interpretation.conditions import holds, leaves, measurands_of, weigh
from labinterp.interpretation.facts import Fact, Facts
from labinterp.model.panel import Move
from labinterp.model.quantity import Extent, Quantity
from labinterp.model.rule import (
    AgeIs,
    All,
    AnyOf,
    AtLeast,
    Compared,
    Computed,
    ConditionIs,
    DifferenceAtLeast,
    FindingIs,
    HistoryIs,
    MedicationIs,
    Moved,
    NoneOf,
    SexIs,
    SpecimenAtLeast,
    SpecimenIs,
    StatusIs,
    SymptomIs,
    TextIs,
)
from labinterp.model.truth import all_of, any_of, at_least
from tests.build import knowledge

KNOWN = knowledge().measurands
TRUTHS = (True, False, None)
YES, NO, OPEN = Computed("yes"), Computed("no"), Computed("open")


def a_fact(measurand, number=None, unit=None, factor=1, comparator=None, **more):
    """A result as conditions see it: a number in a unit, that many canonical units each."""
    if number is None:
        return Fact(KNOWN[measurand], **more)
    quantity = Quantity(Decimal(number), unit or KNOWN[measurand].unit, comparator)
    extent = Extent(Fraction(number) * Fraction(factor), comparator)
    return Fact(KNOWN[measurand], quantity=quantity, extent=extent, **more)


def facts(*given, **more):
    """Facts with these results."""
    computed = {"yes": True, "no": False, "open": None}
    return Facts(KNOWN, {one.measurand.id: one for one in given}, computed=computed, **more)


def leaf_of(truth):
    return {True: YES, False: NO, None: OPEN}[truth]


# ---- connectives, against their definition


def expected_all(parts):
    return False if False in parts else None if None in parts else True


def expected_any(parts):
    return True if True in parts else None if None in parts else False


def expected_at_least(count, parts):
    sure, possible = parts.count(True), parts.count(True) + parts.count(None)
    return True if sure >= count else None if possible >= count else False


@pytest.mark.parametrize("parts", list(product(TRUTHS, repeat=3)))
def test_connectives_are_kleenes(parts):
    known, trees = facts(), tuple(map(leaf_of, parts))
    wanted = [
        (All(trees), expected_all(parts)),
        (AnyOf(trees), expected_any(parts)),
        (NoneOf(trees), True not in parts),
        *((AtLeast(count, trees), expected_at_least(count, parts)) for count in (1, 2, 3)),
    ]
    for tree, truth in wanted:
        assert holds(tree, known) is truth
        assert weigh(tree, known).truth is truth
    assert all_of(parts) is expected_all(parts)
    assert any_of(parts) is expected_any(parts)
    assert at_least(2, parts) is expected_at_least(2, parts)


def test_nothing_asked_for_holds_and_nothing_offered_does_not():
    assert (all_of(()), any_of(()), at_least(1, ())) == (True, False, False)


def clauses(tree):
    return [(one.leaf, one.truth, one.excludes) for one in weigh(tree, facts()).clauses]


def test_the_trace_keeps_what_decided():
    assert clauses(All((YES, NO))) == [(YES, True, False), (NO, False, False)]
    assert clauses(AnyOf((YES, NO, OPEN))) == [(YES, True, False)]
    assert clauses(AnyOf((NO, OPEN))) == [(OPEN, None, False)]
    assert clauses(AnyOf((NO, NO))) == [(NO, False, False), (NO, False, False)]
    assert clauses(NoneOf((NO, OPEN))) == [(NO, False, True), (OPEN, None, True)]
    assert clauses(AtLeast(2, (YES, NO, YES))) == [(YES, True, False), (YES, True, False)]
    assert clauses(AtLeast(2, (YES, NO, OPEN))) == [(YES, True, False), (OPEN, None, False)]


def test_what_would_settle_a_condition_is_named_once_and_not_what_only_excludes():
    low, high = StatusIs("potassium", "low"), StatusIs("potassium", "high")
    excluded = NoneOf((StatusIs("sodium", "low"),))
    weighed = weigh(All((AnyOf((low, high)), StatusIs("magnesium", "low"), excluded)), facts())
    assert weighed.truth is None
    assert weighed.missing == ("potassium", "magnesium")


def test_a_condition_holds_partly_while_a_clause_holds_and_another_is_open():
    assert weigh(All((YES, OPEN)), facts()).holds_partly
    assert not weigh(All((OPEN, OPEN)), facts()).holds_partly
    assert not weigh(All((YES, YES)), facts()).holds_partly
    assert not weigh(All((NoneOf((NO,)), OPEN)), facts()).holds_partly


def test_leaves_and_their_measurands():
    difference = DifferenceAtLeast("potassium", "potassium_plasma", Decimal("0.4"), "mmol/L")
    text = TextIs("intrinsic_factor_antibody", "positive")
    tree = All((YES, AnyOf((NO, difference)), AtLeast(1, (OPEN,)), NoneOf((text,))))
    assert list(leaves(tree)) == [YES, NO, difference, OPEN, text]
    assert measurands_of(difference) == ("potassium", "potassium_plasma")
    assert measurands_of(text) == ("intrinsic_factor_antibody",)
    assert measurands_of(YES) == ()


# ---- standings


STANDINGS = ("critically_low", "low", "within", "high", "critically_high")


@pytest.mark.parametrize(
    ("status", "true_for"),
    [
        ("low", "critically_low low"),
        ("high", "high critically_high"),
        ("within", "within"),
        ("not_low", "within high critically_high"),
        ("not_high", "critically_low low within"),
        ("outside", "critically_low low high critically_high"),
    ],
)
def test_a_status_asks_for_the_standing(status, true_for):
    leaf = StatusIs("potassium", status)
    for standing in STANDINGS:
        known = facts(a_fact("potassium", "4", standing=standing))
        assert holds(leaf, known) is (standing in true_for.split())
    assert holds(leaf, facts(a_fact("potassium", "4"))) is None
    assert holds(leaf, facts()) is None
    blocked = facts(a_fact("potassium", "4", standing="low"), blocked={"potassium": "haemolysis"})
    assert holds(leaf, blocked) is None


@pytest.mark.parametrize(
    ("standing", "position", "lowest", "highest"),
    [
        ("low", None, True, False),
        ("critically_low", None, True, False),
        ("high", None, False, True),
        ("critically_high", None, False, True),
        ("within", None, None, None),
        ("within", Fraction(0), True, False),
        ("within", Fraction(1, 3), True, False),
        ("within", Fraction(334, 1000), False, False),
        ("within", Fraction(665, 1000), False, False),
        ("within", Fraction(2, 3), False, True),
        ("within", Fraction(1), False, True),
    ],
)
def test_the_outer_thirds_of_an_interval_include_their_ends(standing, position, lowest, highest):
    known = facts(a_fact("magnesium", "0.8", standing=standing, position=position))
    assert holds(StatusIs("magnesium", "low_or_lowest_third"), known) is lowest
    assert holds(StatusIs("magnesium", "high_or_highest_third"), known) is highest


@pytest.mark.parametrize(
    ("given", "is_present"),
    [
        ((), False),
        ((a_fact("potassium", "4"),), True),
        ((a_fact("potassium", text="low"),), True),
        ((a_fact("potassium"),), False),
    ],
)
def test_a_result_is_present_once_it_has_a_number_or_a_word(given, is_present):
    assert holds(StatusIs("potassium", "present"), facts(*given)) is is_present
    assert holds(StatusIs("potassium", "missing"), facts(*given)) is not is_present


def test_a_normal_ionised_calcium_silences_what_an_adjusted_one_asserts():
    def said(status, standing):
        known = facts(a_fact("adjusted_calcium", "2.0", standing=standing), ionised_settles=True)
        return holds(StatusIs("adjusted_calcium", status), known)

    assert (said("low", "low"), said("high", "high"), said("outside", "low")) == (False,) * 3
    assert (said("not_low", "low"), said("not_high", "high")) == (True, True)
    assert (said("within", "within"), said("within", "low")) == (True, False)
    known = facts(a_fact("adjusted_calcium", "1.5"), ionised_settles=True)
    below = Compared("adjusted_calcium", "lt", Decimal("1.90"), "mmol/L")
    assert holds(below, known) is False
    assert holds(below, replace(known, ionised_settles=False)) is True
    total = facts(a_fact("calcium", "1.5", standing="low"), ionised_settles=True)
    assert holds(StatusIs("calcium", "low"), total) is True


# ---- numbers


@pytest.mark.parametrize(
    ("operator", "below", "on_it", "above"),
    [
        ("lt", True, False, False),
        ("le", True, True, False),
        ("gt", False, False, True),
        ("ge", False, True, True),
    ],
)
def test_a_number_is_compared_exactly(operator, below, on_it, above):
    leaf = Compared("potassium", operator, Decimal("2.5"), "mmol/L")
    said = [holds(leaf, facts(a_fact("potassium", one))) for one in ("2.49", "2.50", "2.51")]
    assert said == [below, on_it, above]
    assert holds(leaf, facts()) is None
    assert holds(leaf, facts(a_fact("potassium", text="low"))) is None
    assert holds(leaf, facts(a_fact("potassium", "9"), blocked={"potassium": "x"})) is None


B12_PER_PMOL = Fraction("1355.37") / 1000


@pytest.mark.parametrize(
    ("unit", "number", "wanted"),
    [
        ("ng/L", "179", True),
        ("ng/L", "180", False),
        ("pg/mL", "179", True),
        ("pg/mL", "180", False),
        ("pmol/L", "132.9", True),
        ("pmol/L", "133", False),  # printed 133; 180 ng/L is 132.80 pmol/L
        ("pmol/L", "132.81", True),
    ],
)
def test_a_cut_off_printed_in_two_units_is_compared_in_the_one_reported(unit, number, wanted):
    leaf = Compared("vitamin_b12", "lt", Decimal(180), "ng/L")
    factor = Fraction(1) if unit == "pmol/L" else 1 / B12_PER_PMOL
    assert holds(leaf, facts(a_fact("vitamin_b12", number, unit, factor))) is wanted


def test_a_cut_off_printed_in_one_unit_is_converted():
    leaf = Compared("magnesium", "lt", Decimal("0.50"), "mmol/L")
    per_mg_dl = Fraction(10) / Fraction("24.305")
    assert holds(leaf, facts(a_fact("magnesium", "1.21", "mg/dL", per_mg_dl))) is True
    assert holds(leaf, facts(a_fact("magnesium", "1.22", "mg/dL", per_mg_dl))) is False


@pytest.mark.hazard("lost-comparator")
def test_a_comparator_answers_only_if_all_its_values_do():
    leaf = Compared("potassium", "lt", Decimal("2.5"), "mmol/L")
    assert holds(leaf, facts(a_fact("potassium", "2.5", comparator="<"))) is True
    assert holds(leaf, facts(a_fact("potassium", "3", comparator="<"))) is None
    assert holds(leaf, facts(a_fact("potassium", "2.5", comparator=">"))) is False


@pytest.mark.parametrize(
    ("comparator", "wanted"), [(None, True), ("<", True), (">", None)], ids=["plain", "<", ">"]
)
def test_a_comparator_counts_also_where_the_cut_off_is_printed_in_its_unit(comparator, wanted):
    leaf = Compared("vitamin_b12", "lt", Decimal(180), "ng/L")
    sent = a_fact("vitamin_b12", "100", "pmol/L", comparator=comparator)
    assert holds(leaf, facts(sent)) is wanted


DIFFERENCE = DifferenceAtLeast("potassium", "potassium_plasma", Decimal("0.4"), "mmol/L")


@pytest.mark.parametrize(("plasma", "wanted"), [("4.59", True), ("4.6", True), ("4.61", False)])
def test_a_difference_includes_its_number(plasma, wanted):
    both = (a_fact("potassium", "5.0"), a_fact("potassium_plasma", plasma))
    assert holds(DIFFERENCE, facts(*both)) is wanted


def test_a_difference_needs_two_plain_numbers_as_they_were_reported():
    serum, plasma = a_fact("potassium", "5.0"), a_fact("potassium_plasma", "4.0")
    assert holds(DIFFERENCE, facts(serum)) is None
    assert holds(DIFFERENCE, facts(plasma)) is None
    assert holds(DIFFERENCE, facts(serum, a_fact("potassium_plasma", text="low"))) is None
    assert holds(DIFFERENCE, facts(a_fact("potassium", text="low"), plasma)) is None
    assert holds(DIFFERENCE, facts(serum, replace(plasma, extent=Extent(Fraction(4), "<")))) is None
    assert holds(DIFFERENCE, facts(replace(serum, extent=Extent(Fraction(5), ">")), plasma)) is None
    swapped = facts(plasma, as_reported={"potassium": serum, "potassium_plasma": plasma})
    assert holds(DIFFERENCE, swapped) is True


def test_a_word_is_compared_as_a_word():
    leaf, name = TextIs("intrinsic_factor_antibody", "positive"), "intrinsic_factor_antibody"
    assert holds(leaf, facts(a_fact(name, text="positive"))) is True
    assert holds(leaf, facts(a_fact(name, text="negative"))) is False
    assert holds(leaf, facts(a_fact(name, "1"))) is None
    assert holds(leaf, facts()) is None
    assert holds(leaf, facts(a_fact(name, text="positive"), blocked={name: "x"})) is None


# ---- patient and specimen


@pytest.mark.parametrize(
    ("leaf", "about", "wanted"),
    [
        (SymptomIs(("tetany", "seizure")), {"symptoms": {"seizure": frozenset({"unknown"})}}, True),
        (SymptomIs(("tetany",)), {"symptoms": {"seizure": frozenset({"unknown"})}}, False),
        (SymptomIs(("tetany",)), {}, False),
        (SymptomIs(("x",), ("sudden",)), {"symptoms": {"x": frozenset({"sudden"})}}, True),
        (SymptomIs(("x",), ("sudden",)), {"symptoms": {"x": frozenset({"gradual"})}}, False),
        (SymptomIs(("x",), ("sudden",)), {"symptoms": {"y": frozenset({"sudden"})}}, False),
        (ConditionIs(("ckd", "dialysis")), {"conditions": frozenset({"dialysis"})}, True),
        (ConditionIs(("ckd",)), {"conditions": frozenset({"dialysis"})}, False),
        (MedicationIs(("ssri",)), {"medications": frozenset({"ssri", "x"})}, True),
        (MedicationIs(("ssri",)), {}, False),
        (HistoryIs("prolonged-qtc"), {"history": frozenset({"prolonged-qtc"})}, True),
        (HistoryIs("prolonged-qtc"), {"history": frozenset({"normal-ecg"})}, False),
        (SpecimenIs("tube", ("edta",)), {"specimen": {"tube": "edta"}}, True),
        (SpecimenIs("tube", ("edta",)), {"specimen": {"tube": "serum"}}, False),
        (SpecimenIs("tube", ("unknown",)), {"specimen": {"tube": "unknown"}}, False),
        (SpecimenIs("tube", ("edta",)), {}, False),
        (SpecimenAtLeast("hours", Decimal(6)), {"specimen": {"hours": Decimal(6)}}, True),
        (SpecimenAtLeast("hours", Decimal(6)), {"specimen": {"hours": Decimal("5.9")}}, False),
        (SpecimenAtLeast("hours", Decimal(6)), {"specimen": {"hours": Decimal("NaN")}}, False),
        (SpecimenAtLeast("hours", Decimal(6)), {"specimen": {"hours": "long"}}, False),
        (SpecimenAtLeast("hours", Decimal(6)), {}, False),
        (SexIs("female"), {"sex": "female"}, True),
        (SexIs("female"), {"sex": "male"}, False),
        (SexIs("male"), {"sex": "male"}, True),
        (SexIs("male"), {"sex": "unknown"}, None),
        (SexIs("female"), {"sex": "other"}, None),
        (FindingIs("x"), {"findings": {"x": True}}, True),
        (FindingIs("x"), {"findings": {"x": None}}, None),
        (FindingIs("x"), {}, False),
    ],
)
def test_what_was_recorded_counts_and_what_was_not_does_not(leaf, about, wanted):
    assert holds(leaf, facts(**about)) is wanted


@pytest.mark.parametrize(
    ("operator", "wanted"),
    [
        ("lt", (True, False, False, False)),
        ("le", (True, True, True, False)),
        ("gt", (False, False, False, True)),
        ("ge", (False, True, True, True)),
    ],
)
def test_age_counts_in_whole_years(operator, wanted):
    leaf = AgeIs(operator, Decimal(18))
    ages = (Fraction(1799, 100), Fraction(18), Fraction(1899, 100), Fraction(19))
    assert tuple(holds(leaf, facts(age_years=age)) for age in ages) == wanted
    assert holds(leaf, facts()) is None


def test_what_the_engine_answers_itself_may_be_written_either_way():
    known = Facts(KNOWN, {}, computed={"beyond_critical_limit": True})
    assert holds(Computed("beyond-critical-limit"), known) is True
    assert holds(Computed("beyond_critical_limit"), known) is True
    assert holds(Computed("something-else"), known) is None


# ---- since an earlier result


@pytest.mark.parametrize(
    ("times", "days_passed", "truth"),
    [
        ("5.01", 1, True),
        ("5", 1, False),
        ("9", 7, True),
        ("9", 8, None),
        ("9", -1, None),
        ("0", 0, False),
    ],
)
def test_a_move_counts_beyond_its_number_and_within_its_days(times, days_passed, truth):
    leaf = Moved("creatinine", Decimal(5), Decimal(7))
    move = Move(Fraction(times), Fraction(days_passed), "up")
    assert holds(leaf, facts(moves={"creatinine": move})) is truth
    assert holds(leaf, facts()) is None
    assert weigh(leaf, facts()).missing == ()
