"""What was decided about the medicine stands in the files, and every claim is sourced."""

import itertools
from dataclasses import replace
from decimal import Decimal

import pytest

from labinterp import knowledge as knowledge_package
from labinterp.knowledge.phrases import phrase
from labinterp.model.spelling import folded_name, folded_unit
from tests.build import knowledge

KNOWN = knowledge()


def test_the_whole_folder_holds_together():
    assert knowledge_package.check() == ()


def test_the_defaults_are_those_of_the_contract():
    chosen = KNOWN.defaults
    assert (chosen.range_set, chosen.range_policy, chosen.critical_policy) == (
        "uk-conventional",
        "lab-then-service",
        "swlp",
    )
    assert chosen.schemes["vitamin_d_25oh"] == "iom-2011"
    assert chosen.schemes["vitamin_b12"] == "nice-ng239-2024"


@pytest.mark.parametrize(
    "name", ["pediatric-caliper", "pregnancy-abbassi-ghanavati-2009", "us-ucsf-patient"]
)
@pytest.mark.hazard("unproven-number")
def test_sets_from_memory_or_at_odds_with_themselves_cannot_be_chosen(name):
    assert not KNOWN.range_sets[name].shipped


@pytest.mark.parametrize("policy", ["rcpath-g158", "mayo"])
def test_unverified_critical_policies_cannot_be_chosen(policy):
    assert policy not in KNOWN.critical_policies


def test_a_scheme_with_unverified_bands_cannot_be_chosen():
    assert "ros-2018" not in KNOWN.schemes["vitamin_d_25oh"]


def test_the_doubted_third_trimester_limit_of_calcium_is_off():
    rows = KNOWN.measurands["adjusted_calcium"].intervals
    doubted = [row for row in rows if row.high == Decimal("2.8") and row.set == "uk-pregnancy-t3"]
    assert doubted
    assert not any(row.usable for row in doubted)


@pytest.mark.hazard("unproven-number")
def test_no_unverified_interval_serves_as_a_fallback():
    for measurand in KNOWN.measurands.values():
        assert measurand.fallback is None or measurand.fallback.sources, measurand.id


def test_total_and_adjusted_calcium_lend_each_other_their_interval():
    assert KNOWN.measurands["calcium"].interval_donors == ("adjusted_calcium",)
    assert KNOWN.measurands["adjusted_calcium"].interval_donors == ("calcium",)
    assert all(row.basis != "albumin_adjusted" for row in KNOWN.measurands["calcium"].intervals)


def test_vitamin_d_acts_only_through_calcium_and_only_when_itself_deficient():
    lines = KNOWN.mechanisms["vitamin-d-low"].grading
    assert [phrase(line.when).split(" and ")[0] for line in lines[:2]] == [
        "vitamin_d_25oh < 25 nmol/L",
        "vitamin_d_25oh < 50 nmol/L",
    ]
    assert [(line.inherits_from, line.at_most) for line in lines[:2]] == [
        ("calcium-low", None),
        ("calcium-low", "possible"),
    ]


@pytest.mark.parametrize(
    ("rule", "when", "urgency"),
    [
        ("u-ca-ionised-critical-low", "ionized_calcium ≤ 0.78 mmol/L", "emergency"),
        ("u-ca-ionised-severe-low", "ionized_calcium < 0.90 mmol/L", "same_day"),
        ("u-ca-ionised-critical-high", "ionized_calcium ≥ 1.58 mmol/L", "same_day"),
        ("u-critical-limit", "computed: beyond critical limit", "same_day"),
    ],
)
def test_the_urgencies_decided_on_review_are_built_in(rule, when, urgency):
    assert (phrase(KNOWN.urgency_rules[rule].when), KNOWN.urgency_rules[rule].urgency) == (
        when,
        urgency,
    )


@pytest.mark.hazard("artefact-believed")
def test_every_artefact_asks_for_a_repeat_or_a_confirmation():
    for artefact in KNOWN.artefacts.values():
        assert artefact.next_steps, artefact.id
        asked = artefact.action.casefold()
        assert any(word in asked for word in ("repeat", "confirm", "fresh", "plasma")), artefact.id


@pytest.mark.hazard("unsafe-step")
def test_steps_are_considerations_and_give_no_dose():
    for step in KNOWN.next_steps.values():
        assert step.label.startswith("Consider"), step.id
        assert " mg " not in f"{step.label} {step.detail} ", step.id


@pytest.mark.hazard("unsafe-step")
def test_calcium_does_not_wait_for_magnesium_in_tetany_but_is_not_offered_beside_a_fair_calcium():
    assert "calcium-before-magnesium-in-tetany" in KNOWN.red_flags["rf-tetany"].next_steps
    for step in ("calcium-before-magnesium-in-tetany", "hypocalcaemia-protocol"):
        assert KNOWN.next_steps[step].offered_unless is not None


def test_bands_printed_in_whole_numbers_leave_no_gap():
    limits = KNOWN.measurands["potassium"].decision_limits
    bands = [one.bounds for one in limits if one.scheme == "hyperkalaemia-ukka-2023"]
    assert [(b.ge, b.lt) for b in bands] == [
        (Decimal("5.5"), Decimal("6.0")),
        (Decimal("6.0"), Decimal("6.5")),
        (Decimal("6.5"), None),
    ]


@pytest.mark.parametrize(
    "spelling",
    [
        *("MEQ/L", "meq/l", "mval/L", "umol/L", "µmol/L", "μmol/L", "mcg/L", "ug/dL", "gm/dL"),
        *("MMOLL", "mmol/L  ", "ｍｍｏｌ／Ｌ", "mL/min/1.73 m²", "×10⁹/L", "IU/L", "mOsm/kg"),
    ],
)
def test_spellings_of_real_feeds_are_known(spelling):
    assert folded_unit(spelling) in KNOWN.unit_spellings


@pytest.mark.parametrize("spelling", ["mg", "mmol", "IU", "umol/mL", "mEq", "mg/day/kg"])
def test_doses_and_scraps_of_units_are_not(spelling):
    assert folded_unit(spelling) not in KNOWN.unit_spellings


def test_case_matters_where_it_changes_the_meaning():
    assert KNOWN.case_sensitive_spellings["mM"] == "mmol/L"
    assert "MM" not in KNOWN.case_sensitive_spellings
    assert folded_unit("mM") not in KNOWN.unit_spellings


@pytest.mark.hazard("wrong-test")
def test_a_name_of_two_measurands_is_asked_about():
    assert set(KNOWN.ambiguous_names[folded_name("Ca++")]) == {"calcium", "ionized_calcium"}


def test_a_code_of_another_measurand_is_marked():
    codes = {one.code: one for one in KNOWN.measurands["vitamin_d_25oh"].codes}
    assert codes["1990-1"].is_other
    assert not codes["62292-8"].is_other
    assert codes["49054-0"].molar_mass == Decimal("412.65")


def test_what_opposes_excitability_is_marked_on_the_map():
    opposing = {step.start for step in KNOWN.paths if step.opposes}
    assert {"high-calcium", "high-magnesium", "high-potassium"} <= opposing


def test_the_first_path_of_the_map_runs_from_magnesium_to_the_face():
    way = ["low-magnesium", "pth-falls", "low-calcium", "sodium-channels-open-earlier"]
    way += ["nerve-fires-spontaneously", "facial-twitching"]
    steps = {(step.start, step.end) for step in KNOWN.paths}
    assert set(itertools.pairwise(way)) <= steps


def test_every_mechanism_has_its_place_on_the_map_or_needs_none():
    drawn = {step.mechanism for step in KNOWN.paths}
    explaining = {
        mechanism.id
        for mechanism in KNOWN.mechanisms.values()
        if any(line.strength in ("likely", "possible") for line in mechanism.grading)
    }
    markers = {"b12-spuriously-normal-or-high", "functional-b12-markers-high"}
    assert explaining - markers <= drawn


@pytest.mark.hazard("unproven-number")
def test_nothing_is_called_reviewed_that_nobody_has_reviewed():
    for name, review in KNOWN.reviews.items():
        if review.status == "reviewed":
            assert review.checked_by, name
            assert review.reviewed_on, name


def test_the_same_files_give_the_same_knowledge():
    knowledge_package.load.cache_clear()
    again = knowledge_package.load()
    assert replace(again) == KNOWN
