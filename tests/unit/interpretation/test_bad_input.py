"""What bad input gets: it says what is wrong, where, and what would be right; the rest is interpreted."""

from dataclasses import replace

import pytest

from labinterp.interpretation import readable
from labinterp.model.codes import LOINC
from labinterp.model.submission import Choices, ReportedInterval, ReportedResult
from tests.build import (
    RECEIVED,
    a_result,
    coded,
    codes,
    earlier,
    interpreted,
    knowledge,
    result,
    standings,
)

GOOD = "sodium 139 mmol/L"


def problem(answer, code):
    return next(one for one in answer.problems if one.code == code)


@pytest.mark.parametrize(
    ("value", "code"),
    [
        ("NaN", "value-not-numeric"),
        ("1e400", "value-not-numeric"),
        ("inf", "value-not-numeric"),
        ("1_000", "value-not-numeric"),
        ("٣", "value-not-numeric"),
        ("1,250", "value-not-numeric"),
        ("4.2.1", "value-not-numeric"),
        ("-4.2", "value-implausible"),
        ("pending", "not-measured"),
    ],
)
@pytest.mark.hazard("wrong-number")
def test_a_value_that_is_no_number_is_told_and_the_rest_is_interpreted(value, code):
    answer = interpreted(a_result("potassium 4 mmol/L", value=value), GOOD)
    assert code in codes(answer)
    assert problem(answer, code).where == "results[0]"
    assert standings(answer) == {"potassium": "unknown", "sodium": "within"}
    assert result(answer, "potassium").reported.value == value


@pytest.mark.hazard("wrong-number")
def test_an_ambiguous_comma_offers_both_readings():
    answer = interpreted(a_result("vitamin_b12 1 ng/L", value="1,250"))
    assert "1.250 or 1250" in answer.problems[0].message


@pytest.mark.parametrize(
    ("value", "number"), [("2,40", "2.40"), ("0,250", "0.250"), ("+4.1", "4.1")]
)
def test_a_comma_that_can_only_be_decimal_is_read(value, number):
    answer = interpreted(a_result("potassium 4 mmol/L", value=value))
    assert str(answer.results[0].value.number) == number if answer.results[0].value else True
    assert "value-not-numeric" not in codes(answer)


@pytest.mark.hazard("wrong-unit")
def test_mg_alone_lacks_a_volume():
    answer = interpreted("calcium 9.4 mg", GOOD)
    message = problem(answer, "unit-unknown").message
    assert "did you mean mg/dL or mg/L" in message
    assert standings(answer)["sodium"] == "within"


@pytest.mark.hazard("wrong-unit")
def test_an_unknown_unit_names_those_that_are_taken():
    message = problem(interpreted("potassium 4.2 furlong"), "unit-unknown").message
    assert "mmol/L" in message


def test_a_dose_of_vitamin_d_is_no_blood_level():
    answer = interpreted("vitamin_d_25oh 1000 IU")
    assert "dose" in problem(answer, "unit-unknown").message


def test_phosphate_in_milliequivalents_is_refused_with_the_reason():
    answer = interpreted("phosphate 2 mEq/L")
    assert codes(answer) == ["unit-unknown"]
    assert answer.results[0].standing == "unknown"


@pytest.mark.parametrize(
    "unit", ["MEQ/L", "meq/l", "mEq/L", "mval/L", "mmol/L ", "MMOLL", "ｍｍｏｌ/Ｌ", "mmol / l"]
)
def test_potassium_in_every_spelling_of_feeds_is_read(unit):
    answer = interpreted(a_result("potassium 4.2 x", unit=unit))
    assert standings(answer) == {"potassium": "within"}


@pytest.mark.parametrize("unit", ["umol/L", "µmol/L", "μmol/L", "UMOLL"])
def test_micromoles_are_read_with_u_and_with_both_micro_signs(unit):
    answer = interpreted(a_result("creatinine 80 x", unit=unit), age="54 years", sex="male")
    assert result(answer, "creatinine").standing == "within"


@pytest.mark.hazard("wrong-test")
def test_an_unknown_test_names_near_matches_and_guesses_none():
    answer = interpreted("Magnesum 0.8 mmol/L", GOOD)
    assert "did you mean Magnesium" in problem(answer, "unmapped-code").message
    assert standings(answer) == {"sodium": "within"}


@pytest.mark.hazard("wrong-unit")
def test_a_value_impossible_in_its_unit_names_the_unit_that_would_fit():
    answer = interpreted("calcium 9.5 mmol/L", GOOD)
    assert "mg/dL" in problem(answer, "value-implausible").message
    assert answer.results[-1].measurand == "calcium" or "calcium" in standings(answer)
    assert standings(answer)["calcium"] == "unknown"


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        ("calcium 2.4 mg/dL", "value-implausible"),
        ("calcium 4.8 mg/dL", "unit-doubtful"),
        ("magnesium 2.0 mmol/L", "unit-doubtful"),
        ("potassium 16.4 mmol/L", "value-implausible"),
        ("potassium 140 mmol/L", "value-implausible"),
        ("sodium 14.0 mmol/L", "value-implausible"),
        ("sodium 322 mmol/L", "value-implausible"),
        ("vitamin_b12 0.35 pg/mL", "value-implausible"),
        ("vitamin_d_25oh 400 nmol/L", "unit-doubtful"),
        ("ionized_calcium 4.8 mmol/L", "value-implausible"),
        ("albumin 4.2 g/L", "value-implausible"),
        ("creatinine 0.9 umol/L", "value-implausible"),
        ("haemoglobin 13.5 g/L", "unit-doubtful"),
        ("methylmalonic_acid 0.25 nmol/L", "value-implausible"),
    ],
)
def test_the_plausibility_cases_of_the_sheet(sent, code):
    assert code in codes(interpreted(sent))


@pytest.mark.parametrize(
    "sent",
    [
        "calcium 9.5 mg/dL",
        "magnesium 0.85 mmol/L",
        "potassium 4.2 mmol/L",
        "vitamin_b12 350 pmol/L",
        "vitamin_d_25oh 30 ng/mL",
    ],
)
def test_an_ordinary_value_raises_no_question(sent):
    assert not {"value-implausible", "unit-doubtful"} & set(codes(interpreted(sent)))


def test_a_questioned_value_is_interpreted_at_once():
    answer = interpreted("magnesium 1.1 mg/dL", age="54 years")
    assert codes(answer) == ["unit-doubtful"]
    assert answer.results[0].standing == "low"


def test_an_interval_that_supports_the_unit_silences_the_question():
    answer = interpreted("magnesium 1.1 mg/dL (1.7-2.4)", age="54 years")
    assert not codes(answer)


def test_an_earlier_result_that_supports_the_value_silences_the_question():
    answer = interpreted(
        "magnesium 1.1 mg/dL", age="54 years", previous=[earlier("magnesium 1.2 mg/dL")]
    )
    assert not codes(answer)


@pytest.mark.hazard("wrong-interval")
def test_an_interval_of_another_unit_raises_the_question_and_is_not_used():
    answer = interpreted("calcium 9.5 mg/dL (2.20-2.60)", age="54 years")
    assert {"unit-doubtful", "range-ambiguous"} == set(codes(answer))
    assert result(answer, "calcium").interval.owner == "service"


@pytest.mark.hazard("wrong-unit")
def test_a_missing_unit_is_inferred_only_from_an_interval_that_fits_one():
    answer = interpreted(
        a_result("calcium 9.5 x", unit=None, interval=ReportedInterval(text="8.6-10.2"))
    )
    assert "unit-inferred" in codes(answer)
    assert str(result(answer, "calcium").value.number) == "2.37"


@pytest.mark.hazard("wrong-unit")
def test_a_missing_unit_without_an_interval_is_asked_about():
    answer = interpreted(a_result("calcium 9.5 x", unit=None))
    assert codes(answer) == ["unit-missing"]
    assert not readable(answer)


@pytest.mark.hazard("old-results")
def test_a_collection_time_in_the_future_is_not_used():
    answer = interpreted(GOOD, collected_at=RECEIVED.replace(year=2030))
    assert "collected-in-future" in codes(answer)
    assert standings(answer) == {"sodium": "within"}


def test_two_equal_results_of_one_test_count_once():
    answer = interpreted("potassium 4.2 mmol/L", "potassium 4.2 mEq/L", age="54 years")
    assert codes(answer) == ["repeated-result"]
    assert standings(answer) == {"potassium": "within"}


def test_an_empty_panel_is_not_readable():
    assert not readable(interpreted())


@pytest.mark.hazard("invented-normal")
def test_a_cancelled_result_is_shown_and_not_interpreted():
    answer = interpreted(a_result("potassium 7.9 mmol/L", status="cancelled"), GOOD)
    assert "status-ignored" in codes(answer)
    assert standings(answer)["potassium"] == "unknown"
    assert answer.urgency == "none"


@pytest.mark.hazard("old-results")
def test_a_stale_result_is_not_combined():
    old = a_result("magnesium 0.5 mmol/L", collected_at=RECEIVED.replace(year=2025, month=9))
    answer = interpreted(old, "potassium 3.0 mmol/L", collected_at=RECEIVED, age="54 years")
    assert "stale-result" in codes(answer)
    assert not [one for one in answer.patterns if one.rule == "mg-driven-hypokalaemia"]


@pytest.mark.hazard("old-results")
def test_of_two_times_the_latest_is_interpreted_and_the_earlier_is_trend():
    before = a_result("potassium 4.9 mmol/L", collected_at=RECEIVED.replace(day=1))
    answer = interpreted(
        before,
        a_result("potassium 3.1 mmol/L", "results[1]"),
        collected_at=RECEIVED,
        age="54 years",
    )
    found = result(answer, "potassium")
    assert found.standing == "low"
    assert found.change.text.startswith("down 37 %")


def test_an_unknown_range_set_is_told_and_the_default_used():
    answer = interpreted(
        GOOD, age="54 years", choices=Choices(range_set="atlantis", critical_policy="nobody")
    )
    assert codes(answer) == ["setting-unknown", "setting-unknown"]
    assert answer.range_set == "uk-conventional"


def test_an_unknown_symptom_is_kept_and_told():
    answer = interpreted(GOOD, symptoms=["purple ears"])
    assert "purple ears" in problem(answer, "term-unknown").message


@pytest.mark.hazard("wrong-test")
def test_a_code_and_a_name_that_disagree_are_not_interpreted():
    answer = interpreted(coded("17861-6", "4.2", "mmol/L", "Potassium"))
    assert codes(answer) == ["code-name-conflict"]
    assert not answer.results


def test_a_code_with_a_wrong_check_digit_is_told_and_the_name_used():
    answer = interpreted(coded("2823-4", "4.2", "mmol/L", "Potassium"), age="54 years")
    assert codes(answer) == ["code-invalid"]
    assert standings(answer) == {"potassium": "within"}


@pytest.mark.hazard("wrong-test")
def test_red_cell_magnesium_is_never_read_as_serum_magnesium():
    answer = interpreted(coded("26746-8", "4.5", "mg/dL", "Magnesium"))
    assert codes(answer) == ["unmapped-code"]
    assert not answer.results


def test_a_mass_code_with_a_molar_unit_trusts_the_unit_and_asks():
    answer = interpreted(coded("17861-6", "2.31", "mmol/L", "Calcium"), age="54 years")
    assert codes(answer) == ["unit-property-mismatch"]
    assert result(answer, "calcium").standing == "within"


def test_an_absurd_interval_is_told_and_ours_is_used():
    answer = interpreted("potassium 4.2 mmol/L (5.3-3.5)", age="54 years")
    assert codes(answer) == ["range-ambiguous"]
    assert result(answer, "potassium").interval.set == "uk-pathology-harmony"


def test_an_interval_that_cannot_be_read_is_told():
    answer = interpreted("potassium 4.2 mmol/L (see comment)", age="54 years")
    assert codes(answer) == ["range-unparsed"]


@pytest.mark.hazard("wrong-test")
def test_sodium_in_urine_is_not_a_serum_sodium():
    answer = interpreted("sodium 40 mmol/L", specimen_material="urine")
    assert "sodium" not in standings(answer)


@pytest.mark.parametrize("sent", ["osmolar_gap -3 mosm/kg", "anion_gap -2 mmol/L", "cb12 -0.4 1"])
def test_a_difference_or_a_logarithm_may_be_negative(sent):
    answer = interpreted(sent, age="54 years", sex="female")
    assert codes(answer) == []
    assert answer.results[0].value.number < 0


@pytest.mark.parametrize("sent", ["potassium -3.1 mmol/L", "egfr -3 mL/min/{1.73_m2}"])
def test_nothing_else_is_negative(sent):
    answer = interpreted(sent, age="54 years", sex="female")
    assert codes(answer) == ["value-implausible"]
    assert answer.results[0].value is None


def test_an_interval_printed_in_another_unit_is_told_and_ours_is_used():
    answer = interpreted("vitamin_b12 300 ng/L (200-700 pmol/L)", age="54 years")
    (problem,) = [one for one in answer.problems if one.code == "range-ambiguous"]
    assert (
        "the interval 200-700 pmol/L is printed in pmol/L, which is not the result's unit"
        in problem.message
    )
    assert result(answer, "vitamin_b12").interval.owner == "service"


def test_an_interval_in_a_unit_of_the_same_size_is_the_laboratorys():
    answer = interpreted("potassium 4.1 mmol/L (3.5-5.0 mEq/L)", age="54 years")
    assert answer.problems == ()
    assert result(answer, "potassium").interval.owner == "laboratory"


@pytest.mark.parametrize(
    "name", ["PTH intact (pmol/L)", "Potassium [mmol/L]", "Magnesium (mmol/l) "]
)
def test_a_unit_behind_a_name_is_no_part_of_it(name):
    sent = ReportedResult(where="results[0]", value="2.1", unit="mmol/L", name=name)
    assert [one.code for one in interpreted(sent).problems if one.code == "unmapped-code"] == []


def test_a_status_that_nobody_knows_is_asked_about_and_read_as_final():
    answer = interpreted(a_result(GOOD, status="quux"), age="54 years")
    assert codes(answer) == ["status-unknown"]
    assert "'quux'" in answer.problems[0].message
    assert standings(answer) == {"sodium": "within"}


@pytest.mark.parametrize("status", ["final", "F", "Corrected", "amended", "U", "", None])
def test_a_status_of_a_finished_result_raises_no_question(status):
    assert codes(interpreted(a_result(GOOD, status=status), age="54 years")) == []


@pytest.mark.parametrize(
    ("sent", "why"),
    [
        ("potassium abc mmol/L", "is no number"),
        ("natrium-xx 140 mmol/L", "no test here"),
        ("sodium 140 bananas", "not in a unit known for it"),
        ("calcium 95 mmol/L", "cannot be right"),
    ],
)
def test_an_earlier_result_that_cannot_be_read_is_told_and_spoils_nothing(sent, why):
    answer = interpreted(GOOD, "potassium 4.1 mmol/L", age="54 years", previous=[earlier(sent)])
    found = problem(answer, "earlier-not-used")
    assert why in found.message
    assert found.where == "previous[0].results[0]"
    assert standings(answer) == {"potassium": "within", "sodium": "within"}
    assert answer.twitching.verdict == interpreted(GOOD, "potassium 4.1 mmol/L").twitching.verdict


def test_an_earlier_result_of_the_store_was_told_when_it_came():
    before = replace(earlier("potassium abc mmol/L"), origin="store")
    assert codes(interpreted(GOOD, age="54 years", previous=[before])) == []


def test_a_pregnant_man_is_asked_about():
    about = {"age": "40 years", "sex": "male"}
    assert codes(interpreted(GOOD, pregnancy="pregnant", **about)) == ["sex-pregnancy-conflict"]
    assert codes(interpreted(GOOD, conditions=["pregnancy"], **about)) == ["sex-pregnancy-conflict"]
    assert codes(interpreted(GOOD, pregnancy="not_pregnant", **about)) == []


@pytest.mark.parametrize("unit", ["mmol/24 h", "mmol/(24.h)", "mmol/day", "mmol/24hrs"])
def test_an_output_of_a_day_is_refused_as_one_however_it_is_written(unit):
    answer = interpreted(a_result("urine_magnesium 2.0 mmol/L", unit=unit))
    assert "a 24-hour output: another measurand" in problem(answer, "unit-unknown").message


@pytest.mark.parametrize("name", ["H+", "cH+", "Hydrogen ion"])
def test_hydrogen_ions_are_no_ph_and_the_reason_is_said(name):
    answer = interpreted(a_result("x 38 nmol/L", name=name))
    assert "does not turn into pH by a factor" in problem(answer, "unit-unknown").message


CODED = [
    (measurand, code)
    for measurand in knowledge().measurands.values()
    for code in measurand.codes
    if code.system == LOINC
]


@pytest.mark.hazard("wrong-test")
def test_the_name_that_loinc_gives_a_code_never_contradicts_it():
    for measurand, code in CODED:
        sent = coded(code.code, "2.4", "mmol/L", code.name)
        assert "code-name-conflict" not in codes(interpreted(sent)), measurand.id


def test_the_volume_of_red_cells_is_known_by_either_of_its_loinc_names():
    for name in ("MCV [Entitic volume]", "MCV [Entitic mean volume] in Red Blood Cells"):
        assert result(interpreted(f"{name} 92 fL"), "mcv").standing == "within"


@pytest.mark.hazard("wrong-test")
@pytest.mark.parametrize(
    "system", ["Urine", "24 hour Urine", "Cerebral spinal fluid", "Red Blood Cells"]
)
def test_a_loinc_name_of_another_system_is_never_read_as_a_result_in_serum(system):
    answer = interpreted(f"Calcium [Moles/volume] in {system} 2.4 mmol/L")
    assert "calcium" not in [one.measurand for one in answer.results if one.measurand]
