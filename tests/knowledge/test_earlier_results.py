"""What only an earlier result shows: another patient's specimen, and a rise in known kidney failure."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from labinterp.formats import json_panel
from labinterp.interpretation import interpret
from labinterp.model.codes import URGENCIES
from tests.build import RECEIVED, earlier, interpreted, knowledge, result, rules

ADULT = {"age": "54 years", "sex": "female"}
MIX_UP = "specimen-mix-up"
SWAPPED = ("creatinine 40 umol/L", "albumin 25 g/L")
BEFORE = ("creatinine 160 umol/L", "albumin 42 g/L")
WHOLE = Path(__file__).parents[1] / "golden" / "whole" / "a-specimen-mix-up.json"


def mix_up(answer):
    return next((one for one in answer.artefacts if one.rule == MIX_UP), None)


def answered(*sent, before=(), days_ago=1, **about):
    previous = [earlier(*before, days_ago=days_ago)] if before else []
    return interpreted(*sent, previous=previous, **{**ADULT, **about})


# ---- a mix-up of specimens or patients


@pytest.mark.hazard("artefact-believed")
def test_unrelated_steady_quantities_that_moved_together_ask_whose_specimen_it_was():
    found = mix_up(answered(*SWAPPED, before=BEFORE))
    assert found.strength == "suspect"
    assert found.urgency == "none"
    assert found.steps[:2] == ("confirm-identity", "repeat-sample-clean")
    assert [one.about for one in found.evidence] == [("creatinine",), ("albumin",)]
    assert found.evidence[0].sentence == (
        "Creatinine 40 µmol/L down 75 % since 1 Jan 2026, more than expected variation (13 %): "
        "more than 5 times that, from the lower value"
    )


def test_the_earlier_specimen_may_be_the_wrong_one_as_well():
    assert mix_up(answered(*BEFORE, before=SWAPPED)) is not None


def test_a_whole_panel_of_somebody_else_is_asked_about():
    panel = json_panel.received_of(json.loads(WHOLE.read_text("utf-8")), RECEIVED).submission
    answer = interpret(panel, knowledge())
    assert mix_up(answer) is not None
    alone = interpret(replace(panel, previous=()), knowledge())
    assert mix_up(alone) is None
    assert alone.urgency == answer.urgency == "same_day"


@pytest.mark.parametrize(
    ("sent", "before"),
    [
        (("creatinine 310 umol/L", "urea 24 mmol/L"), ("creatinine 80 umol/L", "urea 5 mmol/L")),
        (
            ("creatinine 310 umol/L", "urea 24 mmol/L", "albumin 33 g/L", "mcv 91 fL"),
            ("creatinine 80 umol/L", "urea 5 mmol/L", "albumin 40 g/L", "mcv 90 fL"),
        ),
        (
            ("potassium 6.1 mmol/L", "sodium 128 mmol/L"),
            ("potassium 3.1 mmol/L", "sodium 141 mmol/L"),
        ),
        (SWAPPED, ("creatinine 45 umol/L", "albumin 26 g/L")),
    ],
    ids=[
        "kidney injury",
        "kidney injury with some dilution",
        "what moves quickly",
        "hardly a move",
    ],
)
def test_what_a_patient_can_do_within_days_is_no_mix_up(sent, before):
    assert mix_up(answered(*sent, before=before)) is None


def test_one_unrelated_quantity_less_is_said_to_be_what_would_settle_it():
    answer = answered("creatinine 310 umol/L", before=["creatinine 80 umol/L"])
    (said,) = [one.text for one in answer.undecided if one.rule == MIX_UP]
    assert "Albumin cannot be compared with an earlier one of the last 7 days" in said


@pytest.mark.parametrize(("days_ago", "is_found"), [(0, True), (7, True), (8, False), (400, False)])
def test_only_the_last_days_speak_of_a_mix_up(days_ago, is_found):
    answer = answered(*SWAPPED, before=BEFORE, days_ago=days_ago)
    assert (mix_up(answer) is not None) is is_found


def test_a_time_after_this_specimen_or_none_at_all_cannot_tell():
    later = answered(*SWAPPED, before=BEFORE, days_ago=-3)
    undated = interpreted(
        *SWAPPED, **ADULT, previous=[replace(earlier(*BEFORE), collected_at=None)]
    )
    for answer in (later, undated):
        assert mix_up(answer) is None
        assert MIX_UP in answer.not_assessed


def test_without_earlier_results_the_question_is_not_listed_at_all():
    answer = answered(*SWAPPED)
    assert MIX_UP not in rules(answer.undecided)
    assert MIX_UP in answer.not_assessed


def test_a_value_with_a_comparator_or_of_zero_is_not_reckoned_with():
    assert mix_up(answered("creatinine <40 umol/L", "albumin 25 g/L", before=BEFORE)) is None


@pytest.mark.parametrize("conditions", [[], ["dialysis"], ["critical-illness"]])
@pytest.mark.parametrize(
    "sent",
    [
        ("potassium 7.2 mmol/L", *SWAPPED),
        ("magnesium 0.3 mmol/L", *SWAPPED),
        ("creatinine 400 umol/L", "albumin 25 g/L"),
        SWAPPED,
    ],
)
def test_a_suspected_mix_up_makes_nothing_less_urgent(sent, conditions):
    alone = answered(*sent, conditions=conditions)
    beside = answered(*sent, before=BEFORE, conditions=conditions)
    assert URGENCIES.index(beside.urgency) >= URGENCIES.index(alone.urgency)


# ---- creatinine in known kidney failure


def creatinine(number, before=None, *conditions, **about):
    earlier_one = [f"creatinine {before} umol/L"] if before else []
    answer = answered(
        f"creatinine {number} umol/L", before=earlier_one, conditions=conditions, **about
    )
    return answer, result(answer, "creatinine")


@pytest.mark.parametrize("condition", ["dialysis", "ckd-4-5"])
@pytest.mark.parametrize(
    ("before", "standing"),
    [(700, "critically_high"), (800, "critically_high"), (801, "high"), (950, "high")],
)
def test_in_known_kidney_failure_the_limit_waits_for_a_rise(condition, before, standing):
    answer, row = creatinine(900, before, condition)
    assert row.standing == standing
    assert (answer.urgency == "same_day") is (standing == "critically_high")
    assert any("known kidney failure" in note for note in row.notes) is (standing == "high")


def test_in_dialysis_without_an_earlier_result_the_row_says_why_it_is_not_critical():
    answer, row = creatinine(900, None, "dialysis")
    assert (row.standing, row.flag) == ("high", "H")
    assert row.notes[0] == (
        "Not critical by South West London Pathology (UK): not telephoned in known kidney failure "
        "unless it rose by 100 µmol/L or more; no earlier result is known."
    )
    assert row.line.critical_high is None
    assert "u-critical-limit" not in rules(answer.urgency_findings)


def test_a_stage_that_may_be_short_of_failure_needs_the_earlier_result():
    _, row = creatinine(900, None, "ckd-4-5")
    assert row.standing == "critically_high"


@pytest.mark.parametrize("conditions", [(), ("ckd-3",), ("hypertension",)])
def test_in_everybody_else_the_limit_stands(conditions):
    answer, row = creatinine(900, 890, *conditions)
    assert row.standing == "critically_high"
    assert answer.urgency == "same_day"
    assert not any("Not critical" in note for note in row.notes)


def test_below_the_limit_nothing_is_said_of_it():
    _, row = creatinine(349, None, "dialysis")
    assert row.notes == ()


def test_a_rise_that_cannot_be_reckoned_leaves_the_limit_standing():
    answer = answered(
        "creatinine >900 umol/L", before=["creatinine 700 umol/L"], conditions=["dialysis"]
    )
    assert result(answer, "creatinine").standing == "critically_high"


def test_the_rise_is_the_same_in_the_other_unit_system():
    answer = answered(
        "creatinine 10.2 mg/dL", before=["creatinine 9.0 mg/dL"], conditions=["dialysis"]
    )
    assert result(answer, "creatinine").standing == "critically_high"  # 106 umol/L more
    answer = answered(
        "creatinine 10.1 mg/dL", before=["creatinine 9.0 mg/dL"], conditions=["dialysis"]
    )
    assert result(answer, "creatinine").standing == "high"  # 97 umol/L more


def test_a_child_in_dialysis_has_the_same_exception_to_its_own_limit():
    child = {"age": "9 years"}
    assert creatinine(210, None, **child)[1].standing == "critically_high"
    assert creatinine(210, None, "dialysis", **child)[1].standing != "critically_high"
    assert creatinine(210, 110, "dialysis", **child)[1].standing == "critically_high"


# ---- what may not stand beside a finding


@pytest.mark.parametrize(
    ("sent", "is_said"),
    [("methylmalonic_acid 2400 nmol/L", False), ("methylmalonic_acid 200 nmol/L", True)],
)
@pytest.mark.parametrize("b12", ["vitamin_b12 410 ng/L", "holotranscobalamin 90 pmol/L"])
def test_deficiency_is_not_called_unlikely_beside_a_functional_deficiency(b12, sent, is_said):
    answer = answered(b12, sent)
    row = result(answer, b12.split()[0])
    assert ("deficiency unlikely" in {one.name for one in row.decisions}) is is_said
    assert any("is not said beside" in note for note in row.notes) is not is_said


USUAL = (
    "magnesium 0.85 mmol/L",
    "adjusted_calcium 2.35 mmol/L",
    "potassium 4.2 mmol/L",
    "sodium 140 mmol/L",
)


@pytest.mark.parametrize(
    ("symptoms", "is_offered"),
    [
        (["eyelid-twitch"], True),
        (["fasciculation"], True),
        (["fasciculation", "muscle-wasting"], False),
        (["fasciculation", "limb-weakness"], False),
        (["fasciculation", "tongue-fasciculation", "dysphagia"], False),
    ],
)
@pytest.mark.hazard("missed-cause")
def test_sleep_and_coffee_are_not_what_to_consider_beside_a_red_flag_of_nerve_or_muscle(
    symptoms, is_offered
):
    answer = answered(*USUAL, symptoms=symptoms)
    assert ("lifestyle-triggers" in {one.id for one in answer.next_steps}) is is_offered
    told = [one.id for one in answer.twitching.other_causes]
    assert (told.index("fatigue-poor-sleep") < told.index("tics")) is is_offered
