"""How a result moved since the latest earlier one, in words a clinician expects."""

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from labinterp.interpretation.compare import reference_change_value
from tests.build import earlier, interpreted, knowledge, result


def change(sent, *before, measurand=None, **about):
    answer = interpreted(sent, age="54 years", sex="male", previous=before, **about)
    return result(answer, measurand or answer.results[0].measurand).change


@pytest.mark.parametrize(
    ("measurand", "within", "analytical"),
    [("potassium", "3.92", "0.41"), ("sodium", "0.53", "0.40"), ("creatinine", "4.4", "1.1")],
)
def test_the_reference_change_value_follows_from_both_variations(measurand, within, analytical):
    found = reference_change_value(knowledge().measurands[measurand], knowledge())
    wanted = 1.96 * (2 * (float(within) ** 2 + float(analytical) ** 2)) ** 0.5
    assert float(found) == pytest.approx(wanted, abs=1e-9)


def test_a_measurand_whose_method_variation_is_unknown_has_no_reference_change_value():
    assert reference_change_value(knowledge().measurands["magnesium"], knowledge()) is None
    assert reference_change_value(knowledge().measurands["zinc"], knowledge()) is None


def with_variation(*studies):
    changed = replace(knowledge().measurands["zinc"], variation=studies)
    found = reference_change_value(changed, knowledge())
    return None if found is None else round(float(found), 3)


def test_only_a_verified_study_with_both_variations_counts():
    potassium = knowledge().measurands["potassium"].variation[0]
    half = replace(potassium, analytical=None)
    doubted = replace(potassium, unverified=True)
    assert with_variation(half) is None
    assert with_variation(replace(potassium, within_subject=None)) is None
    assert with_variation(doubted) is None
    assert with_variation(half, doubted, potassium) == 10.925


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


@pytest.mark.parametrize(
    ("sent", "before", "text"),
    [
        (
            "sodium 140 mmol/L",
            "sodium 139 mmol/L",
            "up 0.7 % since 3 Dec 2025, within expected variation (1.8 %)",
        ),
        (
            "sodium 138 mmol/L",
            "sodium 139 mmol/L",
            "down 0.7 % since 3 Dec 2025, within expected variation (1.8 %)",
        ),
        (
            "potassium 4.4 mmol/L",
            "potassium 4.0 mmol/L",
            "up 10 % since 3 Dec 2025, within expected variation (11 %)",
        ),
        (
            "potassium 4.6 mmol/L",
            "potassium 4.0 mmol/L",
            "up 15 % since 3 Dec 2025, more than expected variation (11 %)",
        ),
        (
            "zinc 10 umol/L",
            "zinc 14 umol/L",
            "down 29 % since 3 Dec 2025; no variation data to judge it by",
        ),
        ("zinc 14 umol/L", "zinc 14 umol/L", "unchanged since 3 Dec 2025"),
        ("anion_gap 4 mmol/L", "anion_gap 0 mmol/L", "was 0 mmol/L on 3 Dec 2025"),
        (
            "vitamin_b12 <50 ng/L",
            "vitamin_b12 300 ng/L",
            "was 300 ng/L on 3 Dec 2025; a difference from or to a value with < or > cannot be reckoned",
        ),
    ],
)
def test_a_change_in_words(sent, before, text):
    assert change(sent, earlier(before)).text == text


def test_an_earlier_result_without_a_time_is_older_than_any_other():
    undated = replace(earlier("potassium 3.0 mmol/L"), collected_at=None)
    assert change("potassium 4.0 mmol/L", undated).text == (
        "up 33 % since an earlier result, more than expected variation (11 %)"
    )
    assert change("potassium 4.0 mmol/L", undated, earlier("potassium 4.0 mmol/L")).text == (
        "unchanged since 3 Dec 2025"
    )


def test_every_month_has_its_name():
    names = set()
    for month in range(1, 13):
        before = replace(
            earlier("potassium 4.0 mmol/L"), collected_at=datetime(2025, month, 9, tzinfo=UTC)
        )
        names.add(change("potassium 4.0 mmol/L", before).text)
    assert names == {
        f"unchanged since 9 {name} 2025"
        for name in [
            "Jan",
            "Feb",
            "Mar",
            "Apr",
            "May",
            "Jun",
            "Jul",
            "Aug",
            "Sep",
            "Oct",
            "Nov",
            "Dec",
        ]
    }
