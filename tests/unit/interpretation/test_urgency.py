"""How soon: dangerous numbers lead whatever is missing, and only the sheet's exceptions lower them."""

from datetime import UTC, datetime

import pytest

from labinterp.formats import json_panel
from labinterp.interpretation import interpret
from labinterp.model.codes import URGENCIES
from tests.build import codes, interpreted, knowledge, rules

EMERGENCIES = [
    "sodium 115 mmol/L",
    "sodium 165 mmol/L",
    "potassium 1.9 mmol/L",
    "potassium 7.2 mmol/L",
    "adjusted_calcium 1.6 mmol/L",
    "adjusted_calcium 3.6 mmol/L",
    "calcium 1.6 mmol/L",
    "ionized_calcium 0.78 mmol/L",
]


def at_least(answer, urgency):
    return URGENCIES.index(answer.urgency) >= URGENCIES.index(urgency)


@pytest.mark.parametrize("result", EMERGENCIES)
@pytest.mark.parametrize(
    "about", [{}, {"age": "54 years", "sex": "female"}], ids=["unknown", "adult"]
)
@pytest.mark.hazard("lost-critical")
def test_a_dangerous_result_leads_as_an_emergency_even_when_age_and_sex_are_missing(result, about):
    assert interpreted(result, **about).urgency == "emergency"


def test_a_magnesium_of_0_3_leads_as_same_day_alone():
    assert interpreted("magnesium 0.3 mmol/L", age="54 years", sex="female").urgency == "same_day"


@pytest.mark.parametrize(
    "more",
    [
        {"symptoms": ["tetany"]},
        {"symptoms": ["seizure"]},
        {"symptoms": ["syncope"]},
        {"history": ["prolonged-qtc"]},
    ],
)
def test_a_magnesium_of_0_3_with_a_sign_is_an_emergency(more):
    assert (
        interpreted("magnesium 0.3 mmol/L", age="54 years", sex="female", **more).urgency
        == "emergency"
    )


@pytest.mark.parametrize("other", ["adjusted_calcium 1.89 mmol/L", "potassium 2.5 mmol/L"])
def test_a_magnesium_of_0_3_beside_another_low_is_an_emergency(other):
    answer = interpreted("magnesium 0.3 mmol/L", other, age="54 years", sex="female")
    assert answer.urgency == "emergency"


@pytest.mark.parametrize(
    "result",
    [
        "haemoglobin 40 g/L",
        "ph 7.05 [pH]",
        "bicarbonate 5 mmol/L",
        "creatinine 800 umol/L",
        "phosphate 0.25 mmol/L",
        "urea 45 mmol/L",
        "chloride 60 mmol/L",
        "osmolality 240 mosm/kg",
    ],
)
def test_any_result_beyond_a_critical_limit_is_at_least_same_day(result):
    answer = interpreted(result, age="54 years", sex="male")
    assert answer.results[0].standing.startswith("critically")
    assert at_least(answer, "same_day")
    assert "u-critical-limit" in rules(answer.urgency_findings)


@pytest.mark.parametrize(
    ("value", "symptoms", "urgency"),
    [
        ("0.90", (), "same_day"),
        ("0.89", (), "same_day"),
        ("0.89", ("tetany",), "emergency"),
        ("0.79", (), "same_day"),
        ("0.78", (), "emergency"),
        ("1.58", (), "same_day"),
    ],
)
def test_ionised_calcium_has_its_own_limits(value, symptoms, urgency):
    answer = interpreted(f"ionized_calcium {value} mmol/L", age="54 years", symptoms=symptoms)
    assert at_least(answer, urgency)


@pytest.mark.hazard("artefact-hides")
def test_a_normal_ecg_alone_never_lowers_a_dangerous_potassium():
    answer = interpreted("potassium 7.2 mmol/L", age="54 years", history=["normal-ecg"])
    assert answer.urgency == "emergency"


@pytest.mark.hazard("artefact-hides")
def test_a_probable_artefact_in_a_well_patient_lowers_an_emergency_to_same_day_and_no_further():
    answer = interpreted(
        "potassium 7.2 mmol/L",
        "calcium 1.5 mmol/L",
        "albumin 40 g/L",
        age="54 years",
        history=["normal-ecg"],
    )
    assert [one.strength for one in answer.artefacts] == ["probable"]
    assert answer.urgency == "same_day"
    assert "repeat-sample-clean" in {one.id for one in answer.next_steps}


@pytest.mark.hazard("artefact-hides")
def test_a_probable_artefact_without_word_of_the_patient_lowers_nothing():
    answer = interpreted(
        "potassium 7.2 mmol/L", "calcium 1.5 mmol/L", "albumin 40 g/L", age="54 years"
    )
    assert answer.urgency == "emergency"


@pytest.mark.hazard("missed-cause")
def test_a_red_flag_stops_any_lowering():
    answer = interpreted(
        "potassium 7.2 mmol/L",
        "calcium 1.5 mmol/L",
        "albumin 40 g/L",
        age="54 years",
        history=["normal-ecg"],
        symptoms=["tetany"],
    )
    assert answer.urgency == "emergency"


def test_a_normal_ionised_calcium_lowers_an_adjusted_one_but_never_below_same_day():
    answer = interpreted(
        "adjusted_calcium 1.6 mmol/L", "ionized_calcium 1.20 mmol/L", age="54 years"
    )
    assert answer.urgency == "same_day"


@pytest.mark.parametrize("turned", [False, True])
def test_a_critical_flag_is_not_lost_where_its_result_came_twice(turned):
    twins = [
        {"test": "Potassium", "value": "2.9", "unit": "mmol/L"},
        {"test": "K", "value": "2.90", "unit": "mEq/L", "flag": "LL"},
    ]
    panel = {"results": twins[::-1] if turned else twins}
    received = json_panel.received_of(panel, datetime(2026, 3, 5, tzinfo=UTC))
    answer = interpret(received.submission, knowledge())
    assert [(one.where, one.standing) for one in answer.results if one.reported] == [
        ("results[0]" if turned else "results[1]", "critically_low")
    ]
    (told,) = [one for one in answer.problems if one.code == "repeated-result"]
    assert told.where == ("results[1]" if turned else "results[0]")


def test_of_two_unlike_results_of_one_time_the_more_dangerous_sets_the_urgency():
    answer = interpreted("potassium 4.2 mmol/L", "potassium 7.1 mmol/L", age="54 years")
    assert codes(answer) == ["duplicate-result", "duplicate-result"]
    assert answer.urgency == "emergency"
    assert {one.standing for one in answer.results} == {"unknown"}
    assert "discordant-duplicate" in rules(answer.artefacts)


@pytest.mark.hazard("lost-comparator")
def test_a_value_beyond_the_analyser_is_reckoned_as_dangerous_as_it_may_be():
    assert interpreted("potassium >6.0 mmol/L", age="54 years").urgency == "emergency"


def test_a_panel_within_everything_asks_for_nothing():
    answer = interpreted("potassium 4.2 mmol/L", "sodium 140 mmol/L", age="54 years", sex="male")
    assert answer.urgency == "none"
    assert not answer.urgency_because


@pytest.mark.hazard("lost-critical")
def test_a_question_about_a_value_never_delays_or_lowers_it():
    answer = interpreted("potassium 1.9 mmol/L", age="54 years")
    assert "unit-doubtful" in codes(answer)
    assert answer.urgency == "emergency"


def test_under_eighteen_a_critical_result_keeps_its_urgency():
    assert interpreted("potassium 7.2 mmol/L", age="9 years").urgency == "emergency"


def test_under_eighteen_rules_for_adults_are_left_open_with_a_notice():
    answer = interpreted("magnesium 0.62 mmol/L", "potassium 3.0 mmol/L", age="9 years")
    assert not answer.patterns
    assert not answer.mechanisms
    assert answer.twitching.verdict == "cannot_tell"
    assert answer.notices


def test_in_pregnancy_a_red_flag_stays():
    answer = interpreted(
        "magnesium 0.7 mmol/L",
        age="30 years",
        sex="female",
        pregnancy="pregnant",
        symptoms=["tetany"],
    )
    assert "rf-tetany" in rules(answer.twitching.red_flags)
    assert answer.urgency == "emergency"
