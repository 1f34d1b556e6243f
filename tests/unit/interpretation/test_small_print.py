"""Edges that whole panels seldom reach: the words and limits at the margins of reading a result."""

from dataclasses import replace
from decimal import Decimal

import pytest

from labinterp.interpretation import readable
from labinterp.interpretation.identify import is_valid_loinc
from labinterp.model.codes import at_least_as_urgent
from labinterp.model.submission import ReportedResult
from tests.build import a_result, earlier, interpreted, result


def problems(*sent, **about):
    return [one.message for one in interpreted(*sent, **about).problems]


@pytest.mark.parametrize(
    ("code", "valid"),
    [
        ("2823-3", True), ("17861-6", True), ("19123-9", True), ("1-8", True), ("9999999-3", False),
        ("2823-4", False), ("28233", False), ("2823-33", False), ("12345678-1", False), ("-3", False), ("", False), ("٢٨٢٣-3", False),
    ],
)  # fmt: skip
def test_the_check_digit_of_a_loinc_code(code, valid):
    assert is_valid_loinc(code) is valid


@pytest.mark.hazard("wrong-test")
def test_a_name_of_two_tests_is_asked_about_with_both():
    assert problems(ReportedResult("results[0]", "2.3", "mmol/L", "Ca++")) == [
        "'Ca++' could mean Calcium, total or Calcium, ionised; send a LOINC code or the full name"
    ]


def test_a_result_without_name_or_code_says_so():
    (message,) = problems(ReportedResult("results[0]", "2.3", "mmol/L"))
    assert message == "No test here is called anything: it has neither a name nor a code"


def test_a_long_name_is_cut_where_it_is_told():
    (message,) = problems(ReportedResult("results[0]", "2.3", "mmol/L", "x" * 100))
    assert message == f"No test here is called '{'x' * 60}'"


def test_each_urgency_is_at_least_as_urgent_as_itself_and_what_is_below():
    order = ["none", "routine", "soon", "same_day", "emergency"]
    for place, urgency in enumerate(order):
        for other, floor in enumerate(order):
            assert at_least_as_urgent(urgency, floor) is (place >= other)


def test_a_panel_is_readable_when_one_result_has_a_number_or_a_word():
    assert readable(interpreted("potassium 4.1 mmol/L"))
    assert readable(interpreted("intrinsic_factor_antibody positive"))
    assert not readable(interpreted("potassium 4.1 furlongs"))
    assert not readable(interpreted(a_result("potassium pending mmol/L")))


def test_an_interval_that_leaves_a_comparator_open_is_quoted_with_the_value():
    answer = interpreted("potassium <4.0 mmol/L (3.5-5.0)", age="54 years")
    assert result(answer, "potassium").why_unknown == (
        "<4.0 allows values inside and outside the laboratory's interval 3.5-5.0 mmol/L"
    )


def test_without_an_age_adults_are_the_candidates():
    answer = interpreted("alp 100 U/L", sex="female")
    assert any(one.code == "demographics-missing" for one in answer.problems)


def test_an_earlier_result_that_was_withdrawn_is_not_compared_with():
    before = earlier("potassium 4.1 mmol/L")
    withdrawn = replace(before, results=(replace(before.results[0], status="entered-in-error"),))
    answer = interpreted("potassium 3.2 mmol/L", previous=[withdrawn])
    assert result(answer, "potassium").change is None


def test_an_earlier_result_needs_no_support_for_its_unit():
    before = earlier("magnesium 1.9 mmol/L")
    assert interpreted("magnesium 1.8 mmol/L", previous=[before]).results[0].change is not None


def test_a_result_that_cannot_be_used_keeps_its_reason_and_no_value():
    one = result(interpreted("potassium 4.1 furlongs"), "potassium")
    assert one.why_unknown.startswith("Potassium in 'furlongs' is not in a unit known for it")
    assert one.value is None


def test_the_osmolar_gap_is_measured_less_calculated():
    answer = interpreted(
        "osmolality 330 mosm/kg", "sodium 140 mmol/L", "glucose 5 mmol/L", "urea 5 mmol/L"
    )
    assert result(answer, "osmolar_gap").value.number == Decimal(40)
