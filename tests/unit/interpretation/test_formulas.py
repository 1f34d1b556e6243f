"""Every derived quantity gives what its own file says it gives."""

import math
from decimal import Decimal
from fractions import Fraction

import pytest

from labinterp.interpretation.formulas import FORMULAS
from labinterp.interpretation.measure import canonical_per
from labinterp.interpretation.recognise import recognise
from labinterp.model.submission import Choices
from tests.build import interpreted, knowledge, result, submission_of_example

EXAMPLES = [
    pytest.param(formula, example, id=f"{formula.id}-{place}")
    for formula in knowledge().formulas.values()
    for place, example in enumerate(formula.examples)
    if example["gives"] != "not computed"
]


def test_every_formula_that_is_on_has_a_function():
    on = {one.id for one in knowledge().formulas.values() if one.enabled}
    assert on <= set(FORMULAS)


@pytest.mark.parametrize(("formula", "example"), EXAMPLES)
def test_a_worked_example_comes_out_as_printed(formula, example):
    given = example.get("given", example)
    wanted, _, _ = str(example["gives"]).partition(" ")
    submission = submission_of_example(given)
    known = knowledge().measurands
    handed = []
    for name, unit in zip(formula.inputs, formula.units, strict=True):
        number, sent_unit = str(given[name]).split(" ", 1)
        handed.append(
            Fraction(Decimal(number))
            * canonical_per(known[name], sent_unit)
            / canonical_per(known[name], unit)
        )
    patient = recognise(submission, knowledge()).patient
    found = FORMULAS[formula.id](tuple(handed), formula.constants, patient)
    places = max(0, -Decimal(wanted).as_tuple().exponent)
    exact = Decimal(found.numerator) / Decimal(found.denominator)
    assert abs(exact - Decimal(wanted)) <= Decimal("0.51").scaleb(-places)


def test_egfr_needs_an_adult_of_known_sex():
    for about in ({"age": "54 years"}, {"sex": "female"}, {"age": "9 years", "sex": "male"}):
        answer = interpreted("creatinine 80 umol/L", **about)
        assert "egfr" not in {one.measurand for one in answer.results}


def test_a_reported_egfr_is_kept():
    answer = interpreted(
        "creatinine 80 umol/L", "egfr 35 mL/min/{1.73_m2}", age="54 years", sex="male"
    )
    assert str(result(answer, "egfr").value.number) == "35"


def test_an_input_with_a_comparator_gives_nothing():
    answer = interpreted("calcium 2.0 mmol/L", "albumin <30 g/L", age="54 years")
    assert result(answer, "adjusted_calcium").provisional


def test_a_formula_outside_its_limits_says_why_it_gives_nothing():
    answer = interpreted("calcium 2.0 mmol/L", "albumin 20 g/L", age="54 years")
    assert any("25 g/L" in notice for notice in answer.notices)


def test_a_derived_result_carries_the_cautions_that_apply():
    answer = interpreted(
        "calcium 2.30 mmol/L", "albumin 44 g/L", "creatinine 80 umol/L", age="54 years", sex="male"
    )
    notes = " ".join(result(answer, "adjusted_calcium").notes)
    assert "adjusted downwards" in notes
    assert "eGFR is below 60" not in notes


def given(formula, *numbers, age="54 years", sex="female"):
    """What a formula gives for these inputs, with the constants of its file."""
    patient = recognise(submission_of_example({"age": age, "sex": sex}), knowledge()).patient
    inputs = tuple(map(Fraction, numbers))
    return FORMULAS[formula](inputs, knowledge().formulas[formula].constants, patient)


def test_ionised_calcium_at_ph_7_4_is_exact_far_beyond_what_is_printed():
    wanted = 1.10 * 10 ** (-0.178 * (7.40 - 7.52))
    assert math.isclose(given("ionized_calcium_ph74", "1.10", "7.52"), wanted, rel_tol=1e-12)


def test_the_egfr_is_exact_on_both_sides_of_its_knot():
    for creatinine in (40, 90, 400):
        relative = creatinine / 88.4 / 0.7
        wanted = 142 * min(relative, 1) ** -0.241 * max(relative, 1) ** -1.2 * 0.9938**54 * 1.012
        assert math.isclose(given("egfr", creatinine), wanted, rel_tol=1e-12)


@pytest.mark.parametrize(("creatinine", "is_given"), [("0", False), ("0.5", True), ("1", True)])
def test_an_egfr_needs_some_creatinine(creatinine, is_given):
    assert (given("egfr", creatinine) is not None) is is_given


@pytest.mark.parametrize(
    ("formula", "numbers"),
    [
        ("femg", ("2", "80", "0", "8000")),
        ("femg", ("2", "80", "0.5", "0")),
        ("fe_potassium", ("40", "80", "3", "0")),
        ("ttkg", ("40", "0", "600", "280")),
        ("urea_creatinine_ratio", ("10", "0")),
        ("cb12", ("64", "360", "0", "10")),
        ("cb12", ("0", "360", "0.17", "10")),
    ],
)
def test_nothing_is_divided_by_zero_and_no_logarithm_is_taken_of_it(formula, numbers):
    assert given(formula, *numbers) is None


def test_the_combined_b12_indicator_takes_small_ratios_and_newborns():
    small = given("cb12", "1", "1", "1", "10", age="50 years")
    ageing = 3.79 / (1 + (50 / 230) ** 2.6)
    assert math.isclose(small, -1 - ageing, rel_tol=1e-9)
    newborn = given("cb12", "10", "10", "1", "10", age="0 days")
    assert math.isclose(newborn, 1 - 3.79, rel_tol=1e-9)


def test_the_combined_b12_indicator_needs_an_age():
    patient = recognise(submission_of_example({"sex": "female"}), knowledge()).patient
    inputs = tuple(map(Fraction, (64, 360, "0.17", 10)))
    constants = knowledge().formulas["cb12"].constants
    assert FORMULAS["cb12"](inputs, constants, patient) is None


FOUR_MARKERS = (
    "holotranscobalamin 64 pmol/L",
    "vitamin_b12 360 pmol/L",
    "methylmalonic_acid 0.17 umol/L",
    "homocysteine 10.0 umol/L",
)


def test_the_combined_b12_indicator_is_worked_out_only_where_a_scheme_for_it_is_chosen():
    about = {"age": "50 years", "sex": "male"}
    assert "cb12" not in {one.measurand for one in interpreted(*FOUR_MARKERS, **about).results}
    chosen = Choices(schemes={"cb12": "fedosov"})
    found = result(interpreted(*FOUR_MARKERS, choices=chosen, **about), "cb12")
    assert str(found.value.number) == "0.41"
    assert [one.name for one in found.decisions] == ["adequate"]
    assert "The formula is not confirmed in a source." in found.notes


@pytest.mark.parametrize(("serum", "is_given"), [(319, True), (320, False), (330, False)])
def test_a_potassium_gradient_needs_urine_more_concentrated_than_serum(serum, is_given):
    answer = interpreted(
        "urine_potassium 40 mmol/L",
        "potassium 2.8 mmol/L",
        "urine_osmolality 320 mosm/kg",
        f"osmolality {serum} mosm/kg",
        age="50 years",
    )
    assert ("ttkg" in {one.measurand for one in answer.results}) is is_given
    assert any("than serum" in one for one in answer.notices) is not is_given


@pytest.mark.parametrize(("magnesium", "is_said"), [("0.50", False), ("0.90", True)])
def test_an_excretion_of_magnesium_that_is_not_low_says_that_its_cut_offs_do_not_hold(
    magnesium, is_said
):
    answer = interpreted(
        "urine_magnesium 2.0 mmol/L",
        f"magnesium {magnesium} mmol/L",
        "creatinine 80 umol/L",
        "urine_creatinine 8000 umol/L",
        age="50 years",
        sex="male",
    )
    notes = result(answer, "femg").notes
    assert any("in hypomagnesaemia only" in one for one in notes) is is_said


def test_an_adjusted_calcium_beside_an_acid_base_disorder_asks_for_ionised_calcium():
    sent = ("calcium 2.30 mmol/L", "albumin 36 g/L")
    plain, acid = (
        result(interpreted(*sent, *more, age="50 years"), "adjusted_calcium").notes
        for more in ((), ("ph 7.20 pH",))
    )
    assert "Acid-base disorder: use ionised calcium." in acid
    assert "Acid-base disorder: use ionised calcium." not in plain


def test_another_equation_for_adjusted_calcium_can_be_chosen_and_says_which_it_is():
    sent = ("calcium 2.00 mmol/L", "albumin 30 g/L")
    chosen = Choices(schemes={"adjusted_calcium": "norway-unilabs"})
    usual = result(interpreted(*sent, age="50 years"), "adjusted_calcium")
    other = result(interpreted(*sent, age="50 years", choices=chosen), "adjusted_calcium")
    assert (str(usual.value.number), str(other.value.number)) == ("2.20", "2.23")
    assert any("baseline 41.3 g/L" in one for one in other.notes)
    assert not any("baseline 40 g/L" in one for one in other.notes)


def test_an_equation_that_nobody_verified_cannot_be_chosen():
    chosen = Choices(schemes={"adjusted_calcium": "payne-1973-original"})
    answer = interpreted("calcium 2.00 mmol/L", "albumin 30 g/L", age="50 years", choices=chosen)
    assert "setting-unknown" in {one.code for one in answer.problems}
    assert str(result(answer, "adjusted_calcium").value.number) == "2.20"
