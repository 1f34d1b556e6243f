"""Do the results explain the twitching: grades, caps, signs, and what an artefact hides."""

import pytest

from labinterp.interpretation.paths import active_paths
from labinterp.model.submission import ReportedResult, ReportedTerm
from tests.build import a_result, interpreted, knowledge, rules

ADULT = {"age": "54 years", "sex": "female"}


def strengths(answer):
    return {one.rule: one.strength for one in answer.mechanisms}


def for_symptoms(answer):
    return {one.symptom: one.strength for one in answer.twitching.per_symptom}


@pytest.mark.hazard("false-cause")
def test_a_bare_flag_is_never_enough_for_likely():
    answer = interpreted("magnesium 0.68 mmol/L", symptoms=["facial-twitch"], **ADULT)
    assert strengths(answer)["magnesium-low"] == "unlikely"
    assert answer.twitching.verdict == "unlikely"


def test_a_severely_low_magnesium_is_a_likely_cause():
    answer = interpreted("magnesium 0.45 mmol/L", symptoms=["fasciculation"], **ADULT)
    assert answer.twitching.verdict == "likely"
    assert answer.twitching.drivers == ("magnesium-low",)


@pytest.mark.parametrize(
    "results",
    [("magnesium 1.6 mmol/L",), ("adjusted_calcium 2.9 mmol/L",), ("potassium 6.6 mmol/L",)],
)
def test_high_magnesium_calcium_and_potassium_oppose_twitching(results):
    answer = interpreted(*results, symptoms=["facial-twitch"], **ADULT)
    assert set(strengths(answer).values()) == {"opposes"}
    assert answer.twitching.verdict == "not_explained"
    assert "no explanation" in answer.twitching.text
    assert not answer.twitching.drivers
    assert all(path.opposes for path in answer.twitching.paths)


def test_a_high_potassium_opposes_fasciculation_and_explains_weakness():
    answer = interpreted(
        "potassium 7.2 mmol/L", symptoms=["fasciculation", "muscle-weakness"], **ADULT
    )
    assert for_symptoms(answer) == {"fasciculation": "opposes", "muscle-weakness": "likely"}


@pytest.mark.hazard("false-cause")
def test_an_isolated_eyelid_twitch_caps_every_result_at_possible():
    answer = interpreted(
        "magnesium 0.62 mmol/L", "adjusted_calcium 2.00 mmol/L", symptoms=["eyelid-twitch"], **ADULT
    )
    assert answer.twitching.verdict == "possible"
    assert "eyelid-only-cap" in answer.twitching.rules


@pytest.mark.parametrize(
    ("symptoms", "verdict"),
    [
        (["eyelid-twitch"], "possible"),
        (["fasciculation"], "likely"),
        (["eyelid-twitch", "fasciculation"], "likely"),
        ([], "likely"),
    ],
)
def test_the_cap_is_for_an_eyelid_alone(symptoms, verdict):
    results = ("magnesium 0.55 mmol/L", "adjusted_calcium 2.05 mmol/L")
    answer = interpreted(*results, symptoms=symptoms, age="54 years", sex="female")
    assert answer.twitching.verdict == verdict


def test_a_severe_band_lifts_the_cap_and_the_eyelid_itself_stays_possible():
    answer = interpreted("adjusted_calcium 1.80 mmol/L", symptoms=["eyelid-twitch"], **ADULT)
    assert answer.twitching.verdict == "likely"
    assert for_symptoms(answer) == {"eyelid-twitch": "possible"}


def test_tingling_round_the_mouth_lifts_the_cap():
    answer = interpreted(
        "adjusted_calcium 2.05 mmol/L", symptoms=["eyelid-twitch", "perioral-paraesthesia"], **ADULT
    )
    assert answer.twitching.verdict == "likely"


@pytest.mark.parametrize(
    "symptom",
    ["hemifacial-spasm", ReportedTerm("symptoms[0]", "facial-twitch", side="left")],
    ids=["hemifacial", "left"],
)
@pytest.mark.hazard("false-cause")
def test_a_one_sided_face_is_never_attributed_to_a_metabolic_cause_alone(symptom):
    answer = interpreted("adjusted_calcium 1.60 mmol/L", symptoms=[symptom], **ADULT)
    assert answer.twitching.verdict == "unlikely"
    assert set(for_symptoms(answer).values()) == {"unlikely"}


def test_marked_hyperglycaemia_may_be_a_focal_seizure_of_one_side():
    answer = interpreted("glucose 33 mmol/L", symptoms=["hemifacial-spasm"], **ADULT)
    assert for_symptoms(answer)["hemifacial-spasm"] == "possible"


@pytest.mark.parametrize(
    ("vitamin_d", "calcium", "wanted"),
    [
        ("20", "1.85", "likely"),
        ("40", "1.85", "possible"),
        ("20", "2.35", "unlikely"),
    ],
)
def test_vitamin_d_explains_only_through_a_low_calcium_and_only_when_deficient(
    vitamin_d, calcium, wanted
):
    answer = interpreted(
        f"vitamin_d_25oh {vitamin_d} nmol/L",
        f"adjusted_calcium {calcium} mmol/L",
        symptoms=["tetany"],
        **ADULT,
    )
    assert strengths(answer)["vitamin-d-low"] == wanted


@pytest.mark.hazard("artefact-hides")
def test_haemolysis_doubts_what_it_raises_and_believes_a_low_magnesium():
    answer = interpreted(
        "potassium 5.9 mmol/L",
        "magnesium 0.45 mmol/L",
        specimen={"haemolysis": "gross"},
        symptoms=["fasciculation"],
        **ADULT,
    )
    doubts = {one.measurand: one.doubts for one in answer.results}
    assert doubts["potassium"]
    assert not doubts["magnesium"]
    assert answer.twitching.verdict == "likely"


def test_haemolysis_doubts_a_magnesium_within_its_interval():
    answer = interpreted(
        "magnesium 0.85 mmol/L",
        specimen={"haemolysis": "gross"},
        symptoms=["fasciculation"],
        **ADULT,
    )
    assert answer.results[0].doubts
    assert answer.twitching.verdict == "cannot_tell"


@pytest.mark.hazard("artefact-believed")
def test_a_probable_artefact_hides_mechanisms_and_shows_their_doubt():
    answer = interpreted(
        "potassium 7.9 mmol/L",
        "calcium 1.0 mmol/L",
        "albumin 40 g/L",
        symptoms=["facial-twitch"],
        **ADULT,
    )
    assert strengths(answer)["calcium-low"] is None
    shown = next(one for one in answer.mechanisms if one.rule == "calcium-low")
    assert shown.certainty == "cannot_tell"
    assert shown.doubts
    assert for_symptoms(answer) == {"facial-twitch": "cannot_tell"}
    assert answer.artefacts[0].not_measured


def test_edta_is_only_suspected_where_the_kidney_could_explain_it():
    answer = interpreted(
        "potassium 7.9 mmol/L",
        "calcium 1.0 mmol/L",
        "albumin 40 g/L",
        "phosphate 2.4 mmol/L",
        **ADULT,
    )
    edta = next(one for one in answer.artefacts if one.rule == "edta-contamination-gross")
    assert edta.strength == "suspect"
    assert edta.weakened_by


def test_a_plasma_potassium_takes_the_place_of_a_serum_one_in_thrombocytosis():
    answer = interpreted(
        "potassium 6.3 mmol/L",
        "potassium_plasma 4.6 mmol/L",
        "platelets 1305 10*9/L",
        specimen={"type": "serum"},
        **ADULT,
    )
    assert [one.strength for one in answer.artefacts] == ["probable"]
    assert "true-hyperkalaemia-renal-or-drug" not in rules(answer.patterns)
    assert answer.urgency == "same_day"


def test_a_lone_plasma_potassium_is_a_potassium():
    answer = interpreted("potassium_plasma 7.2 mmol/L", **ADULT)
    assert answer.urgency == "emergency"


def test_the_paths_start_with_magnesium_and_end_in_what_was_seen():
    answer = interpreted(
        "magnesium 0.40 mmol/L", "adjusted_calcium 1.80 mmol/L", symptoms=["tetany"], **ADULT
    )
    path = answer.twitching.paths[0]
    assert path.starts_with == "Low magnesium"
    assert "Low ionised or adjusted calcium" in path.labels
    assert path.labels[-1].startswith("Tetany")
    assert path.sources


def test_no_path_leads_through_a_calcium_that_is_within():
    answer = interpreted(
        "magnesium 0.40 mmol/L", "adjusted_calcium 2.40 mmol/L", symptoms=["tetany"], **ADULT
    )
    assert answer.twitching.paths
    assert not [
        one for one in answer.twitching.paths if "Low ionised or adjusted calcium" in one.labels
    ]


def test_a_path_names_its_steps_and_the_findings_it_rests_on():
    answer = interpreted(
        "magnesium 0.40 mmol/L", "adjusted_calcium 1.80 mmol/L", symptoms=["tetany"], **ADULT
    )
    path = answer.twitching.paths[0]
    assert path.edges[:2] == ("mg-pth", "pth-ca")
    assert len(path.edges) == len(path.steps) == len(path.nodes) - 1
    assert path.mechanisms == ("magnesium-low", "calcium-low")
    assert set(path.mechanisms) <= rules(answer.mechanisms)
    assert path.recorded


def test_low_magnesium_makes_nerve_fire_even_with_a_calcium_that_is_within():
    answer = interpreted(
        "magnesium 0.40 mmol/L", "adjusted_calcium 2.40 mmol/L", symptoms=["tetany"], **ADULT
    )
    (path,) = [one for one in answer.twitching.paths if one.recorded]
    assert path.nodes == (
        "low-magnesium",
        "magnesium-block-lost",
        "nerve-fires-spontaneously",
        "tetany",
    )


@pytest.mark.parametrize(
    ("sent", "start"),
    [
        ("adjusted_calcium 3.20 mmol/L", "High ionised or adjusted calcium"),
        ("magnesium 2.50 mmol/L", "High magnesium"),
        ("potassium 7.2 mmol/L", "High potassium"),
    ],
)
def test_a_high_calcium_magnesium_or_potassium_opposes_twitching_and_says_so(sent, start):
    answer = interpreted(sent, symptoms=["tetany"], **ADULT)
    (path,) = answer.twitching.paths
    assert path.starts_with == start
    assert path.opposes
    assert "opposes twitching" in path.sentence


def test_however_many_paths_are_active_those_that_oppose_are_among_them():
    known = knowledge()
    every = {step.mechanism for step in known.paths if step.mechanism}
    paths = active_paths(known, every)
    opposing = {path.starts_with for path in paths if path.opposes}
    assert len(paths) == 12
    assert {"High magnesium", "High potassium"} <= opposing
    assert paths[0].starts_with == "Low magnesium"


@pytest.mark.hazard("false-cause")
def test_commoner_causes_are_always_named_and_those_that_something_recorded_suggests_stand_first():
    answer = interpreted(
        "potassium 4.2 mmol/L",
        symptoms=["eyelid-twitch"],
        medications=["topiramate 50 mg"],
        **ADULT,
    )
    suggested = [one for one in answer.twitching.other_causes if one.suggested_by]
    assert "medication-effect" in {one.id for one in suggested}
    assert answer.twitching.other_causes[: len(suggested)] == tuple(suggested)


@pytest.mark.hazard("unsafe-step")
def test_calcium_steps_are_offered_by_the_calcium_that_was_found():
    low = interpreted("adjusted_calcium 1.8 mmol/L", symptoms=["tetany"], **ADULT)
    within = interpreted("adjusted_calcium 2.4 mmol/L", symptoms=["tetany"], **ADULT)
    assert "hypocalcaemia-protocol" in {one.id for one in low.next_steps}
    assert "hypocalcaemia-protocol" not in {one.id for one in within.next_steps}


def test_low_potassium_without_magnesium_asks_for_it():
    answer = interpreted("potassium 3.1 mmol/L", **ADULT)
    assert "repeat-mg-k-ca" in {one.id for one in answer.next_steps}


@pytest.mark.hazard("missed-cause")
def test_a_twitch_of_more_than_three_weeks_is_a_red_flag_of_its_own():
    long = ReportedTerm("symptoms[0]", "eyelid-twitch", duration_days=30)
    assert "rf-persistent-twitch" in rules(
        interpreted("potassium 4 mmol/L", symptoms=[long], **ADULT).twitching.red_flags
    )


def test_strengthening_and_weakening_shift_the_certainty_by_one_step():
    plain = interpreted("magnesium 0.62 mmol/L", "potassium 3.2 mmol/L", **ADULT)
    weak = interpreted(
        "magnesium 0.62 mmol/L", "potassium 3.2 mmol/L", specimen={"type": "edta-plasma"}, **ADULT
    )
    certainties = [
        next(one.certainty for one in answer.patterns if one.rule == "mg-driven-hypokalaemia")
        for answer in (plain, weak)
    ]
    assert certainties == ["strong", "moderate"]


@pytest.mark.hazard("invented-normal")
def test_a_missing_result_leaves_a_pattern_open_and_names_what_would_settle_it():
    answer = interpreted("potassium 3.0 mmol/L", **ADULT)
    left = next(one for one in answer.undecided if one.rule == "mg-driven-hypokalaemia")
    assert left.missing == ("magnesium",)
    assert "magnesium would settle it" in left.text


@pytest.mark.hazard("invented-normal")
@pytest.mark.parametrize(
    "sent",
    [
        a_result("potassium 4.1 mmol/L", status="cancelled"),
        ReportedResult("results[0]", None, "mmol/L", "potassium", not_measured="clotted"),
    ],
    ids=["cancelled", "clotted"],
)
def test_a_result_that_was_taken_back_or_never_made_leaves_the_verdict_open(sent):
    assert interpreted(sent, symptoms=["facial-twitch"]).twitching.verdict == "cannot_tell"


def test_a_result_reported_anew_after_it_was_cancelled_decides():
    again = a_result("potassium 4.1 mmol/L", "results[1]")
    taken_back = a_result("potassium 6.9 mmol/L", status="cancelled")
    answer = interpreted(taken_back, again, symptoms=["facial-twitch"])
    assert answer.twitching.verdict == "not_explained"
