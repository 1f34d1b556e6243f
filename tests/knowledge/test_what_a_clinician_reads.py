"""Sentences that whole answers must, and must not, say: each was once wrong, unsafe or missing."""

from __future__ import annotations

import re

import pytest

from tests.build import interpreted, knowledge, rules


def _steps(answer):
    return {one.id for one in answer.next_steps}


def _path_ends(answer):
    return {(path.nodes[0], path.nodes[-1]) for path in answer.twitching.paths}


def test_a_low_glucose_is_an_emergency_with_something_to_do():
    answer = interpreted("glucose 1.9 mmol/L", age="28 years", sex="female")
    assert answer.urgency == "emergency"
    assert "hypoglycaemia-protocol" in _steps(answer)


@pytest.mark.hazard("unsafe-step")
def test_every_rule_that_asks_for_action_by_today_says_what_to_consider():
    silent = {
        rule.id
        for rule in knowledge().urgency_rules.values()
        if rule.urgency in ("emergency", "same_day") and not rule.next_steps
    }
    assert silent == {"u-critical-limit"}  # whose steps are those of the analyte's own rules


def test_low_sodium_has_a_path_to_the_face_as_the_verdict_says():
    answer = interpreted(
        "sodium 117 mmol/L", symptoms=["facial-twitch"], age="54 years", sex="female"
    )
    assert answer.twitching.verdict == "possible"
    assert ("low-sodium", "facial-twitching") in _path_ends(answer)


def test_a_low_sodium_that_high_glucose_explains_does_not_swell_the_brain():
    answer = interpreted(
        "sodium 124 mmol/L", "glucose 38 mmol/L", "bicarbonate 8 mmol/L", age="22 years", sex="male"
    )
    starts = {path.nodes[0] for path in answer.twitching.paths}
    assert "low-sodium" not in starts
    strengths = {one.rule: one.strength for one in answer.mechanisms}
    assert strengths["sodium-low"] == "unlikely"


def test_a_sodium_that_is_low_beside_a_high_glucose_and_hypotonic_still_counts():
    answer = interpreted("sodium 110 mmol/L", "glucose 15 mmol/L", age="22 years", sex="male")
    strengths = {one.rule: one.strength for one in answer.mechanisms}
    assert strengths["sodium-low"] == "possible"


def test_jerks_of_a_patient_on_dialysis_are_not_left_unexplained():
    answer = interpreted(
        "creatinine 920 umol/L",
        "urea 28 mmol/L",
        symptoms=["myoclonus"],
        conditions=["dialysis"],
        age="62 years",
        sex="male",
    )
    assert answer.twitching.verdict == "possible"
    assert "uraemia" in rules(answer.mechanisms)


def test_an_unsteady_gait_alone_does_not_call_the_stroke_team():
    answer = interpreted(
        "vitamin b12 120 ng/L", symptoms=["gait-disturbance"], age="64 years", sex="female"
    )
    assert "red-flag-with-abnormal-lab" in rules(answer.patterns)
    assert "stroke-pathway" not in _steps(answer)


@pytest.mark.hazard("missed-cause")
def test_a_sudden_facial_droop_does():
    answer = interpreted("sodium 128 mmol/L", symptoms=["facial-droop"], age="69 years", sex="male")
    assert "stroke-pathway" in _steps(answer)


def test_no_text_is_an_instruction_to_the_program():
    instructions = re.compile(r"\btake [a-z0-9-]+ text\b|\bprint above\b|\braise to the\b")
    told = [
        f"{rule.id}: {text}"
        for kind in ("patterns", "mechanisms", "artefacts", "red_flags", "urgency_rules")
        for rule in getattr(knowledge(), kind).values()
        for text in (
            rule.text,
            getattr(rule, "twitch_note", "") or "",
            *getattr(rule, "caveats", ()),
            *(line.note or "" for line in getattr(rule, "grading", ())),
        )
        if instructions.search(text)
    ]
    assert told == []


def test_a_title_does_not_call_every_result_within_beside_a_high_one():
    answer = interpreted(
        "adjusted calcium 2.40 mmol/L",
        "magnesium 0.90 mmol/L",
        "potassium 4.3 mmol/L",
        "sodium 140 mmol/L",
        "ck 480 U/L",
        symptoms=["fasciculation"],
        age="58 years",
        sex="male",
    )
    titles = {one.rule: one.title for one in answer.patterns}
    assert "every result" not in titles["normal-panel-with-twitch"]


def test_a_potassium_that_cannot_be_right_still_shows_the_additive_that_made_it():
    answer = interpreted(
        "potassium 14.5 mmol/L",
        "adjusted calcium 0.90 mmol/L",
        "magnesium 0.40 mmol/L",
        "alp 12 U/L",
        age="55 years",
        sex="female",
    )
    assert "edta-contamination-gross" in rules(answer.artefacts)
    assert answer.twitching.verdict == "cannot_tell"
    assert answer.urgency == "emergency"


def test_a_potassium_that_cannot_be_right_is_asked_about_on_the_same_day():
    answer = interpreted("potassium 14.5 mmol/L", age="55 years", sex="female")
    assert answer.urgency == "same_day"


def test_what_cannot_be_right_is_named():
    answer = interpreted("potassium 14.5 mmol/L", age="55 years", sex="female")
    (found,) = [one for one in answer.artefacts if one.rule == "implausible-value"]
    assert [one.about for one in found.evidence] == [("potassium",)]


def test_an_adjusted_calcium_beside_a_very_low_albumin_is_no_likely_cause():
    about = {"age": "60 years", "sex": "female"}
    answer = interpreted("adjusted calcium 1.40 mmol/L", "albumin 20 g/L", **about)
    assert (answer.urgency, answer.twitching.verdict) == ("emergency", "possible")
    with_signs = interpreted(
        "adjusted calcium 1.40 mmol/L", "albumin 20 g/L", symptoms=["carpopedal-spasm"], **about
    )
    assert with_signs.twitching.verdict == "likely"


def test_a_calcium_low_for_a_child_of_three_is_no_less_urgent_than_in_an_adult():
    answer = interpreted("adjusted calcium 1.95 mmol/L", age="3 years", sex="male")
    assert answer.urgency == "same_day"
    assert any("adult band" in one for found in answer.urgency_findings for one in found.caveats)


def test_a_potassium_without_an_interval_for_a_neonate_is_not_judged_by_the_adult_band():
    answer = interpreted("potassium 5.8 mmol/L", age="4 days", sex="male")
    assert answer.urgency == "none"


def test_what_was_measured_is_not_said_to_be_wanted_but_its_repeat_is():
    answer = interpreted(
        "potassium 6.8 mmol/L",
        "sodium 139 mmol/L",
        specimen={"haemolysis": "gross"},
        age="40 years",
        sex="female",
    )
    told = {one.rule: one.text for one in answer.undecided}
    assert "a clean repeat of potassium" in told["potassium-low"].lower()


def test_only_what_lowers_excitability_by_itself_is_said_to_and_by_its_own_name():
    answer = interpreted(
        "adjusted calcium 3.62 mmol/L", "pth 0.4 pmol/L", age="70 years", sex="female"
    )
    assert "High calcium lowers excitability" in answer.twitching.text
    assert "pth" not in answer.twitching.text.lower()


def test_a_recorded_medicine_that_lowers_a_low_result_is_named_beside_it():
    answer = interpreted(
        "magnesium 0.42 mmol/L",
        "potassium 4.2 mmol/L",
        medications=["omeprazole", "lithium"],
        age="71 years",
        sex="male",
    )
    told = {one.rule: one.caveats for one in answer.mechanisms}
    assert "Recorded, and able to lower it: proton-pump inhibitor." in told["magnesium-low"]


def test_an_abbreviation_keeps_its_capitals_in_evidence():
    answer = interpreted(
        "sodium 121 mmol/L", "osmolality 252 mosm/kg", medications=["sertraline"], age="68 years"
    )
    told = " ".join(one for found in answer.patterns for one in found.strengthened_by)
    assert "SSRI" in told
    assert "sSRI" not in told


def test_why_a_unit_is_doubted_never_calls_a_figure_normal():
    told = [
        confusion.why
        for measurand in knowledge().measurands.values()
        for confusion in measurand.unit_confusions
    ]
    assert told
    assert not [why for why in told if re.search(r"\bnormal\b", why)]
