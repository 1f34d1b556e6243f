"""Every derived quantity gives what its own file says it gives."""

from decimal import Decimal

import pytest

from labinterp.interpretation.formulas import FORMULAS
from labinterp.interpretation.measure import canonical_per
from labinterp.interpretation.recognise import recognise
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
        from fractions import Fraction

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
