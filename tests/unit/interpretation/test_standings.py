"""By which interval a result stands, and where it honestly does not."""

from dataclasses import replace
from decimal import Decimal

import pytest

from labinterp.interpretation import classify, intervals
from labinterp.interpretation.reading import read
from labinterp.interpretation.recognise import recognise
from labinterp.interpretation.settings import settle
from labinterp.model.interval import AppliesTo, Interval
from labinterp.model.patient import Patient
from labinterp.model.submission import Choices
from tests.build import a_panel, a_result, codes, interpreted, knowledge, result, standings


def standing(sent, measurand=None, **about):
    about = {"age": "54 years", "sex": "female"} | about
    answer = interpreted(sent, **about)
    return result(answer, measurand or answer.results[0].measurand).standing


# ---- limits


@pytest.mark.parametrize(
    ("sent", "wanted"),
    [
        ("potassium 3.5 mmol/L", "within"),
        ("potassium 3.49 mmol/L", "low"),
        ("potassium 5.3 mmol/L", "within"),
        ("potassium 5.31 mmol/L", "high"),
        ("potassium 5.3 mEq/L", "within"),
        ("sodium 133 mmol/L", "within"),
        ("sodium 132.9 mmol/L", "low"),
        ("magnesium 0.70 mmol/L", "within"),
        ("magnesium 1.69 mg/dL", "low"),
        ("magnesium 1.71 mg/dL", "within"),
        ("potassium 2.5 mmol/L", "critically_low"),
        ("potassium 2.51 mmol/L", "low"),
        ("potassium 6.5 mmol/L", "critically_high"),
        ("potassium 6.49 mmol/L", "high"),
    ],
)
def test_limits_are_inclusive_and_nothing_is_rounded_before_it_is_compared(sent, wanted):
    assert standing(sent) == wanted


@pytest.mark.hazard("lost-comparator")
def test_a_bare_less_than_excludes_its_number():
    answer = interpreted("potassium 5.0 mmol/L (<5.0)", age="54 years")
    found = result(answer, "potassium")
    assert found.standing == "high"
    assert found.at_the_limit


def test_a_result_on_an_inclusive_limit_is_within_and_says_that_it_lies_there():
    found = result(interpreted("potassium 5.3 mmol/L", age="54 years"), "potassium")
    assert (found.standing, found.at_the_limit_note) == ("within", "exactly on the limit")


@pytest.mark.hazard("wrong-unit")
def test_twenty_nanograms_of_vitamin_d_are_not_below_fifty_nanomoles():
    assert standing("vitamin_d_25oh 20 ng/mL") == "within"
    assert standing("vitamin_d_25oh 49.9 nmol/L") == "low"
    assert standing("vitamin_d_25oh 19.9 ng/mL") == "low"


def test_twenty_nanograms_per_millilitre_are_no_pattern_of_deficiency():
    answer = interpreted("vitamin_d_25oh 20 ng/mL", "adjusted_calcium 2.35 mmol/L", age="54 years")
    assert not [one for one in answer.patterns if one.rule == "vitd-deficiency-isolated"]


def test_where_the_other_rounding_would_change_the_standing_it_is_said():
    found = result(interpreted("magnesium 1.7 mg/dL", age="54 years"), "magnesium")
    assert found.standing == "low"
    assert found.at_the_limit
    assert "would differ" in found.at_the_limit_note


# ---- units


@pytest.mark.parametrize(
    ("sent", "number"),
    [("calcium 2 meq/L", "1.00"), ("sodium 120 meq/L", "120"), ("magnesium 2.0 meq/L", "1.00")],
)
def test_milliequivalents_become_moles_through_the_valence(sent, number):
    assert str(interpreted(sent).results[0].value.number) == number


def test_the_conversion_is_recorded_with_its_basis():
    found = result(interpreted("magnesium 2.0 mg/dL", age="54 years"), "magnesium")
    assert found.conversion.basis == "molar mass 24.305 g/mol"
    assert str(found.value.number) == "0.82"
    assert str(found.reported.value) == "2.0"


# ---- comparators


def test_above_two_thousand_b12_is_high_by_every_set():
    assert standing("vitamin_b12 >2000 pg/mL") == "high"
    us = Choices(range_set="us-abim-2026")
    danish = Choices(range_set="dk-b12")
    assert standing("vitamin_b12 850 pg/mL", choices=us) == "high"
    assert standing("vitamin_b12 850 pg/mL") == "within"
    assert standing("vitamin_b12 610 pmol/L", choices=danish) == "high"


@pytest.mark.parametrize(
    ("sent", "wanted"),
    [
        ("vitamin_b12 <50 ng/L", "low"),
        ("vitamin_b12 <500 ng/L", "unknown"),
        ("sodium >150 mmol/L", "unknown"),
        ("potassium <3.0 mmol/L", "unknown"),
        ("creatinine >500 umol/L", "critically_high"),
        ("alp >500 U/L", "high"),
    ],
)
@pytest.mark.hazard("lost-comparator")
def test_a_comparator_has_a_standing_only_if_all_its_values_have_the_same(sent, wanted):
    assert standing(sent) == wanted


def test_an_open_comparator_still_feeds_the_rules_it_must():
    answer = interpreted("potassium <3.0 mmol/L", "magnesium <0.4 mmol/L", age="54 years")
    assert "mg-driven-hypokalaemia" in {one.rule for one in answer.patterns}
    assert "low or critically low" in result(answer, "potassium").why_unknown


# ---- sets and persons


def test_potassium_of_5_3_is_within_in_london_and_high_in_oslo():
    assert standing("potassium 5.3 mmol/L") == "within"
    assert standing("potassium 5.3 mmol/L", choices=Choices(range_set="nordic-norip")) == "high"


@pytest.mark.hazard("wrong-interval")
def test_the_laboratorys_own_interval_goes_first_unless_the_policy_says_otherwise():
    sent = "potassium 5.1 mmol/L (3.5-5.0)"
    assert standing(sent) == "high"
    assert standing(sent, choices=Choices(range_policy="service-only")) == "within"
    assert standing("potassium 5.1 mmol/L", choices=Choices(range_policy="lab-only")) == "unknown"


def test_a_critical_limit_holds_whatever_the_laboratorys_interval_says():
    assert standing("potassium 6.6 mmol/L (3.5-7.0)") == "critically_high"


@pytest.mark.parametrize("flag", ["LL", "HH"])
@pytest.mark.hazard("lost-critical")
def test_the_laboratorys_critical_flag_is_never_weakened(flag):
    answer = interpreted(a_result("potassium 4.2 mmol/L", flag=flag), age="54 years")
    assert (
        result(answer, "potassium").standing
        == {"LL": "critically_low", "HH": "critically_high"}[flag]
    )
    assert codes(answer) == ["flag-differs"]
    assert answer.urgency == "same_day"


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("3.5-5.3", "within"),
        ("3.5 – 5.3 mmol/L", "within"),
        ("3,5 - 5,3", "within"),
        ("[4.5-5.3]", "low"),
        ("3.5 to 4.1", "high"),
        ("<= 4.2", "within"),
        ("≤ 4.1", "high"),
        ("(3.5-5.3)", "within"),
    ],
)
def test_the_interval_is_read_as_laboratories_print_it(text, wanted):
    from labinterp.model.submission import ReportedInterval

    sent = a_result("potassium 4.2 mmol/L", interval=ReportedInterval(text=text))
    answer = interpreted(sent, age="54 years")
    assert standings(answer) == {"potassium": wanted}
    assert result(answer, "potassium").interval.owner == "laboratory"


def test_a_printed_lower_limit_of_zero_does_not_hide_a_suppressed_pth():
    answer = interpreted("pth 1.0 pmol/L (0-6.9)", age="54 years")
    assert result(answer, "pth").standing == "low"
    assert "lower limit" in result(answer, "pth").at_the_limit_note


def test_total_calcium_is_compared_with_the_adjusted_interval_and_says_so():
    found = result(interpreted("calcium 2.30 mmol/L", age="54 years"), "calcium")
    assert found.standing == "within"
    assert "adjusted" in found.interval.text


@pytest.mark.hazard("wrong-interval")
def test_a_neonate_and_a_man_of_85_get_their_own_interval_or_none():
    neonate = interpreted("magnesium 0.8 mmol/L", age="3 days")
    assert result(neonate, "magnesium").why_unknown == "no interval for this patient"
    us = interpreted(
        "magnesium 1.9 mg/dL", age="3 days", choices=Choices(range_set="us-conventional")
    )
    assert result(us, "magnesium").interval.set == "us-fairview"
    assert standing("potassium 4.2 mmol/L", age="85 years", sex="male") == "within"


def test_a_pregnant_woman_in_her_third_trimester_gets_its_interval():
    found = result(
        interpreted(
            "magnesium 0.65 mmol/L",
            age="30 years",
            sex="female",
            pregnancy="pregnant",
            gestation_weeks=34,
        ),
        "magnesium",
    )
    assert "uk-pregnancy-t3" in (found.interval.set if found.interval else "") or found.why_unknown


@pytest.mark.hazard("wrong-interval")
def test_a_pregnant_woman_in_her_first_trimester_gets_an_honest_none():
    found = result(
        interpreted(
            "magnesium 0.65 mmol/L",
            age="30 years",
            sex="female",
            pregnancy="pregnant",
            gestation_weeks=8,
        ),
        "magnesium",
    )
    assert found.why_unknown == "no interval for this patient"


def test_weeks_that_are_not_known_leave_open_what_only_the_third_trimester_has_an_interval_for():
    answer = interpreted(
        "magnesium 0.62 mmol/L",
        "potassium 3.3 mmol/L",
        age="30 years",
        sex="female",
        pregnancy="pregnant",
    )
    for name in ("magnesium", "potassium"):
        found = result(answer, name)
        assert (found.standing, "weeks of gestation" in found.why_unknown) == ("unknown", True)


def test_a_trimester_is_a_closer_fit_than_pregnancy():
    rows = [
        Interval(
            f"x/{state}", "x", "mmol/L", Decimal(1), Decimal(2), AppliesTo(pregnancy=state), ()
        )
        for state in ("trimester_3", "pregnant")
    ]
    assert max(rows, key=intervals._specificity).id == "x/trimester_3"


def test_what_nearly_fitted_is_told_of_rows_that_could_be_chosen_only():
    known = knowledge()
    for choices in ({"range_set": name} for name, one in known.range_sets.items() if one.shipped):
        answer = interpreted(
            "albumin 40 g/L",
            "magnesium 0.8 mmol/L",
            "calcium 2.3 mmol/L",
            age="30 years",
            sex="female",
            choices=Choices(**choices),
        )
        for row in answer.results:
            measurand = known.measurands[row.measurand]
            doubtful = {
                f"{one.applies_to.text}: {intervals.ends(one, measurand)}"
                for one in measurand.intervals
                if one.set == (row.interval.set if row.interval else "")
                and (one.unverified or not one.usable)
            }
            assert doubtful.isdisjoint(row.interval.others if row.interval else ())


def test_without_an_age_the_adult_interval_is_used_and_a_problem_says_so():
    answer = interpreted("potassium 4.2 mmol/L")
    assert standings(answer) == {"potassium": "within"}
    assert codes(answer) == ["demographics-missing"]


@pytest.mark.hazard("wrong-interval")
def test_without_a_sex_a_standing_needs_both_to_agree():
    nordic = Choices(range_set="nordic-norip")
    about = {"age": "54 years", "choices": nordic}
    between = result(interpreted("creatinine 95 umol/L", **about), "creatinine")
    assert (between.standing, "sex" in between.why_unknown) == ("unknown", True)
    assert result(interpreted("creatinine 75 umol/L", **about), "creatinine").standing == "within"
    assert result(interpreted("creatinine 200 umol/L", **about), "creatinine").standing == "high"


@pytest.mark.parametrize(
    ("about", "wanted"),
    [
        ({"age_days": Decimal(19724), "sex": "female"}, ()),
        ({"age_days": Decimal(19724), "sex": "male"}, ()),
        ({"age_days": Decimal(19724)}, ("sex",)),
        ({"sex": "male"}, ("age",)),
        ({}, ("age", "sex")),
        (
            {"age_days": Decimal(19724), "sex": "female", "pregnancy": "pregnant"},
            ("weeks of gestation",),
        ),
        (
            {
                "age_days": Decimal(19724),
                "sex": "female",
                "pregnancy": "pregnant",
                "gestation_weeks": 8,
            },
            (),
        ),
    ],
)
def test_what_would_settle_a_standing_is_what_is_not_known_of_the_patient(about, wanted):
    assert classify._settling(Patient(**about)) == wanted


def test_the_reason_names_what_would_settle_it():
    answer = interpreted(
        "creatinine 95 umol/L", age="54 years", choices=Choices(range_set="nordic-norip")
    )
    assert result(answer, "creatinine").why_unknown == (
        "the intervals for different people disagree about it; the patient's sex would settle it"
    )


def test_words_that_are_no_standing_are_repeated():
    answer = interpreted(a_result("intrinsic_factor_antibody positive", unit=None))
    (one,) = answer.results
    assert (one.standing, one.why_unknown) == ("unknown", "reported in words: positive")


@pytest.mark.hazard("invented-normal")
def test_missing_is_never_within():
    answer = interpreted(a_result("potassium 4 mmol/L", value=None))
    assert standings(answer) == {"potassium": "unknown"}
    assert codes(answer) == ["not-measured"]


def test_a_result_in_words_has_a_standing_and_no_number():
    answer = interpreted(a_result("potassium 4 mmol/L", value="low", unit=None), age="54 years")
    assert standings(answer) == {"potassium": "low"}
    assert result(answer, "potassium").value is None


# ---- calcium


def test_adjusted_calcium_is_computed_where_the_laboratory_did_not():
    found = result(
        interpreted("calcium 2.00 mmol/L", "albumin 30 g/L", age="54 years"), "adjusted_calcium"
    )
    assert str(found.value.number) == "2.20"
    assert found.standing == "within"
    assert found.derived_from == ("calcium", "albumin")


def test_a_reported_adjusted_calcium_is_never_recomputed():
    answer = interpreted(
        "calcium 2.00 mmol/L", "albumin 30 g/L", "adjusted_calcium 2.31 mmol/L", age="54 years"
    )
    assert str(result(answer, "adjusted_calcium").value.number) == "2.31"


@pytest.mark.parametrize(
    "results", [("calcium 2.00 mmol/L",), ("calcium 2.00 mmol/L", "albumin 24 g/L")]
)
def test_without_a_usable_albumin_the_total_is_provisional_and_ionised_calcium_is_asked_for(
    results,
):
    answer = interpreted(*results, age="54 years")
    found = result(answer, "adjusted_calcium")
    assert found.provisional
    assert "provisional" in found.name
    assert "measure-ionised-calcium" in {one.id for one in answer.next_steps}


def test_a_provisional_calcium_is_at_most_a_possible_cause():
    answer = interpreted(
        "calcium 1.95 mmol/L",
        age="54 years",
        history=["acute-change-48h"],
        symptoms=["facial-twitch"],
    )
    assert answer.twitching.verdict == "possible"


def test_a_low_total_calcium_explained_by_albumin_is_no_hypocalcaemia():
    answer = interpreted("calcium 2.00 mmol/L", "albumin 28 g/L", age="54 years")
    assert "pseudohypocalcaemia-low-albumin" in {one.rule for one in answer.patterns}
    assert answer.twitching.verdict == "not_explained"


def regions(sent, **about):
    """The regions of a scheme that grades men, women and the pregnant apart."""
    submission = a_panel(sent, **about)
    patient = recognise(submission, knowledge()).patient
    settings, _ = settle(Choices(), Choices(), knowledge())
    named = replace(settings, named={"haemoglobin": ("who-anaemia",)})
    (sent,) = read(submission, patient, knowledge()).results
    return {one.label for one in classify._decisions(sent, patient, named)}


@pytest.mark.parametrize(
    ("about", "wanted"),
    [
        ({"age": "54 years", "sex": "male"}, {"anaemia, men"}),
        ({"age": "54 years", "sex": "female"}, {"anaemia, women not pregnant"}),
        ({"age": "30 years", "sex": "female", "pregnancy": "pregnant"}, set()),
        ({"age": "3 years", "sex": "male"}, set()),
    ],
)
def test_a_limit_of_one_sex_is_not_held_against_another(about, wanted):
    assert regions("haemoglobin 118 g/L", **about) == wanted


# ---- schemes that grade and give no standing


def named(sent, **about):
    answer = interpreted(sent, age="54 years", sex="female", **about)
    decisions = result(answer, sent.split()[0]).decisions
    return {(one.scheme_title, one.name) for one in decisions if one.kind == "decision"}


UKKA, ESC = (
    "UK Kidney Association, hyperkalaemia, 2023",
    "European Society of Cardiology, hyperkalaemia",
)


def test_a_scheme_that_grades_is_named_by_its_title_and_another_can_be_chosen_in_its_place():
    chosen = {"choices": Choices(schemes={"potassium": "hyperkalaemia-esc"})}
    assert named("potassium 6.2 mmol/L") == {(UKKA, "moderate")}
    assert named("potassium 6.2 mmol/L", **chosen) == {(ESC, "severe")}
    rcem = ("Royal College of Emergency Medicine, hypokalaemia", "moderate")
    assert named("potassium 2.9 mmol/L") == named("potassium 2.9 mmol/L", **chosen) == {rcem}


def test_the_guidelines_hyponatraemia_is_named_beside_an_interval_that_calls_it_within():
    found = result(interpreted("sodium 134 mmol/L", age="54 years"), "sodium")
    assert found.standing == "within"
    assert named("sodium 134 mmol/L") == {("European hyponatraemia guideline, 2014", "mild")}


def test_a_scheme_without_a_standing_leaves_the_one_that_gives_it():
    answer = interpreted(
        "vitamin_d_25oh 45 nmol/L",
        age="54 years",
        choices=Choices(schemes={"vitamin_d_25oh": "toxicity"}),
    )
    assert codes(answer) == []
    assert result(answer, "vitamin_d_25oh").standing == "low"


def test_a_scheme_with_an_unverified_region_is_neither_chosen_nor_named():
    choices = Choices(schemes={"egfr": "kdigo-gfr-category"})
    answer = interpreted("egfr 8 mL/min/1.73m2", age="54 years", choices=choices)
    assert codes(answer) == ["setting-unknown"]
    assert named("egfr 8 mL/min/1.73m2") == set()


def test_readers_see_titles_and_no_ids_of_sets_policies_and_schemes():
    answer = interpreted("vitamin_b12 300 ng/L", "potassium 4.1 mmol/L", age="54 years")
    assert answer.range_set_title == "United Kingdom, composed"
    assert answer.critical_policy_title == "South West London Pathology (UK)"
    assert answer.scheme_titles == (
        "vitamin B12: NICE NG239, 2024",
        "vitamin D: Institute of Medicine, 2011",
    )
    assert result(answer, "vitamin_b12").interval.title == "NICE NG239, 2024"
    assert result(answer, "potassium").interval.title == "UK Pathology Harmony consensus ranges"
