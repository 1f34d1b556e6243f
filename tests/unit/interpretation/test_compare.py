"""How a result moved since the latest earlier one, in words a clinician expects."""

from decimal import Decimal

from labinterp.interpretation.compare import reference_change_value
from tests.build import earlier, interpreted, knowledge, result


def change(sent, *before, measurand=None, **about):
    answer = interpreted(sent, age="54 years", sex="male", previous=before, **about)
    return result(answer, measurand or answer.results[0].measurand).change


def test_the_reference_change_value_is_that_of_the_sheet():
    for measurand, wanted in {"potassium": "10.9", "sodium": "1.8"}.items():
        found = reference_change_value(knowledge().measurands[measurand], knowledge())
        assert found is not None
        assert abs(Decimal(float(found)) - Decimal(wanted)) < Decimal("2.5")


def test_a_fall_beyond_the_reference_change_value_is_more_than_expected():
    found = change("potassium 3.2 mmol/L", earlier("potassium 4.1 mmol/L"))
    assert found.significant
    assert found.text.startswith("down 22 % since 3 Dec 2025, more than expected variation")
    assert found.difference == Decimal("-0.9")


def test_a_small_move_is_within_expected_variation():
    found = change("potassium 4.1 mmol/L", earlier("potassium 4.2 mmol/L"))
    assert found.significant is False
    assert "within expected variation" in found.text


def test_the_latest_earlier_result_counts():
    found = change(
        "potassium 4.2 mmol/L",
        earlier("potassium 2.9 mmol/L", days_ago=300),
        earlier("potassium 4.2 mmol/L", days_ago=5),
    )
    assert found.text.startswith("unchanged")


def test_units_may_differ_between_the_two():
    found = change("magnesium 0.82 mmol/L", earlier("magnesium 1.0 mg/dL"))
    assert found.percent == Decimal("99.3")


def test_a_comparator_forbids_reckoning_a_difference():
    found = change("potassium 4.1 mmol/L", earlier("potassium <3.0 mmol/L"))
    assert found.difference is None
    assert found.significant is None
    assert "cannot be reckoned" in found.text


def test_without_variation_data_nothing_is_claimed():
    found = change("zinc 10 umol/L", earlier("zinc 14 umol/L"))
    assert found.reference_change_value is None
    assert found.significant is None


def test_an_implausible_earlier_result_is_passed_over():
    assert change("potassium 4.1 mmol/L", earlier("potassium 41 mmol/L")) is None
