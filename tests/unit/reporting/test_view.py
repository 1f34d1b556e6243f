"""The view says everything a report must, in reading order, and no more than is known."""

from dataclasses import replace
from decimal import Decimal

import pytest

from labinterp.model.interpretation import (
    Amount,
    Completeness,
    DecisionRecord,
    ProblemRecord,
    ReportedValue,
)
from labinterp.model.submission import Identity
from labinterp.reporting.text import long_text
from labinterp.reporting.view import build
from tests.unit.reporting.orders import (
    a_change,
    a_finding,
    a_line,
    a_plain_answer,
    a_result,
    an_answer,
    an_order,
    the_results,
    the_twitching,
)


def the_rows(order):
    return {row.name: row for row in build(order).section("results").blocks[0].rows}


def one_row(result):
    return build(an_order(a_plain_answer([result]))).section("results").blocks[0].rows[0]


def test_the_sections_stand_in_reading_order():
    view = build(an_order())
    assert [section.id for section in view.sections] == [
        "identity",
        "red_flags",
        "urgency",
        "critical",
        "completeness",
        "results",
        "sample_doubts",
        "twitching",
        "findings",
        "next_steps",
        "other_causes",
        "undecided",
        "not_shown",
        "sources",
        "about",
    ]


@pytest.mark.hazard("missed-cause")
def test_a_red_flag_is_the_first_clinical_statement():
    view = build(an_order())
    assert view.sections[1].id == "red_flags"
    assert view.sections[1].blocks[0].leading[0].title == "Tetany"


def test_a_value_is_printed_as_it_was_sent():
    row = one_row(a_result("Potassium", "2.90"))
    assert row.value == "2.90"
    assert row.value_and_unit == "2.90\u00a0mmol/L"


@pytest.mark.hazard("lost-comparator")
def test_a_result_below_a_limit_of_detection_keeps_its_sign():
    row = one_row(
        a_result("Vitamin B12", "50", "ng/L", "180", None, comparator="<", group="vitamins")
    )
    assert row.value == "<\u00a050"
    assert row.line.kind == "below"


def test_the_second_unit_has_no_more_figures_than_the_first():
    assert the_rows(an_order())["Magnesium"].second == "0.45\u00a0mmol/L"


def test_the_interval_has_the_decimals_of_the_result_and_its_owner():
    row = one_row(a_result("Magnesium", "0.65", low="0.7", high="1", group="minerals"))
    assert row.interval == "0.70–1.00"
    assert row.interval_whose == "laboratory’s own"


def test_an_interval_in_another_unit_says_its_unit():
    result = a_result("Magnesium", "1.1", "mg/dL", "1.7", "2.4", owner="service")
    other = replace(result.interval, unit="mmol/L", low=Decimal("0.70"), high=Decimal("1.00"))
    assert one_row(replace(result, interval=other)).interval == "0.70–1.00\u00a0mmol/L"


def test_a_bound_that_is_excluded_is_printed_without_its_equals_sign():
    result = a_result("Calcium", "4", low=None, high="5.0")
    open_end = replace(result.interval, high_included=False)
    assert one_row(result).interval == "≤\u00a05.0"
    assert one_row(replace(result, interval=open_end)).interval == "<\u00a05.0"


def test_without_an_interval_the_words_say_so_and_nothing_is_drawn():
    row = one_row(a_result("Zinc", "9", "µmol/L", None, None, "unknown", "minerals"))
    assert row.flag == "Not classified"
    assert row.why_unknown == "No interval for this patient."
    assert row.interval_whose == "no interval for this patient"
    assert row.line is None


def test_a_reason_that_the_interval_column_gives_is_not_given_again():
    row = one_row(a_result("Zinc", "9", "µmol/L", None, None, "unknown", "minerals"))
    assert not row.unsaid_reason
    row = one_row(
        a_result("Zinc", "9", "furlong", None, None, "unknown", why_unknown="the unit is not known")
    )
    assert row.interval_whose == "none used"
    assert row.unsaid_reason == "The unit is not known."


def test_labels_of_the_number_line_have_the_decimals_of_the_interval():
    row = one_row(a_result("Homocysteine", "19", "µmol/L", "5.0", "15.0", "high"))
    assert [label.text for label in row.line.labels] == ["5.0", "15.0"]
    row = one_row(
        a_result("Magnesium", "0.60", "mmol/L", "0.70", "1.00", "low", critical=("0.4", None))
    )
    assert [label.text for label in row.line.labels] == ["0.40", "0.70", "1.00"]


def test_converted_labels_are_rounded_alike():
    line = a_line("1.4", "1.701351", "2.4304987", "mg/dL", critical=("0.972", None))
    magnesium = a_result("Magnesium", "1.4", "mg/dL", "0.70", "1.00", "low", line=line)
    magnesium = replace(magnesium, interval=replace(magnesium.interval, unit="mmol/L"))
    row = one_row(magnesium)
    assert [label.text for label in row.line.labels] == ["0.97", "1.70", "2.43"]
    line = a_line("7.1", "8.8374", "45.319", "nmol/L")
    folate = a_result("Folate", "7.1", "nmol/L", "3.9", "20.0", "low", line=line)
    folate = replace(folate, interval=replace(folate.interval, unit="µg/L"))
    assert [label.text for label in one_row(folate).line.labels] == ["8.8", "45.3"]


def test_a_unit_with_the_same_numbers_is_not_printed_again():
    sodium = a_result("Sodium", "139", "mEq/L", "133", "146", "within", second=("139", "mmol/L"))
    sodium = replace(sodium, interval=replace(sodium.interval, unit="mmol/L"))
    row = one_row(sodium)
    assert row.interval == "133–146"
    assert not row.second


def test_an_unverified_region_says_so():
    region = DecisionRecord(
        "anaemia, men", "< 130 g/L", (), "who-anaemia", "decision", unverified=True
    )
    row = one_row(a_result("Haemoglobin", "118", "g/L", None, None, "unknown", decisions=(region,)))
    assert row.grade == "anaemia, men (unverified)"


def test_a_plain_number_has_no_unit():
    ratio = a_result("Ratio", None, None, None, None, "unknown", "supporting", reported=None)
    ratio = replace(ratio, value=Amount(Decimal(70), "1", None), derived_from=("urea",))
    assert one_row(ratio).value_and_unit == "70"


def test_a_line_is_not_lacking_twice():
    message = "Sodium came without a unit and was not interpreted; is it mmol/L?"
    answer = a_plain_answer(
        [a_result()],
        problems=(ProblemRecord("unit-missing", message, "results[4]"),),
        completeness=(
            Completeness("unit", message),
            Completeness("haemolysis", "not stated: a falsely high potassium cannot be excluded"),
        ),
    )
    text = long_text(build(an_order(answer)))
    assert text.count("Sodium came without a unit") == 1
    assert "is it mmol/L (result 5)?" in text
    assert "Haemolysis not stated: a falsely high potassium cannot be excluded." in text


@pytest.mark.hazard("lost-critical")
def test_critical_results_come_first_and_then_the_groups():
    groups = build(an_order()).section("results").blocks[0].groups
    assert [group.id for group in groups] == [
        "critical",
        "electrolytes",
        "minerals",
        "vitamins",
        "supporting",
    ]
    assert [row.name for row in groups[0].rows] == ["Magnesium", "Adjusted calcium (calculated)"]


def test_a_result_of_an_unknown_group_is_still_shown():
    view = build(an_order(a_plain_answer([a_result("Urine calcium", group="urine")])))
    assert [group.id for group in view.section("results").blocks[0].groups] == ["supporting"]


def test_results_stand_in_the_order_they_were_sent_and_a_calculated_one_behind_its_last_input():
    results = [
        a_result("Chloride", where="results[2]"),
        a_result("Anion gap", where="derived", derived_from=("sodium", "chloride")),
        a_result("Gap corrected", where="derived", derived_from=("anion_gap", "potassium")),
        a_result("Potassium", where="results[10]"),
        a_result("Sodium", where="results[0]"),
    ]
    block = build(an_order(a_plain_answer(results))).section("results").blocks[0]
    assert [row.measurand for row in block.rows] == [
        "sodium",
        "chloride",
        "anion_gap",
        "potassium",
        "gap_corrected",
    ]


def test_a_result_that_nothing_here_is_called_like_is_shown_as_sent_with_the_reason_once():
    unknown = ProblemRecord("unmapped-code", "No test here is called 'Frobnicase'", "results[1]")
    answer = a_plain_answer([a_result(where="results[0]")], problems=(unknown,))
    sent = [
        {"test": "Potassium", "value": "2.9", "unit": "mmol/L"},
        {"test": "Frobnicase", "value": "-4.10", "unit": "kat/L"},
    ]
    view = build(an_order(answer, panel={"results": sent}))
    row = view.section("results").blocks[0].groups[-1].rows[0]
    assert row.name == "Frobnicase"
    assert row.value_and_unit == "−4.10\u00a0kat/L"
    assert row.flag == "Not classified"
    assert long_text(view).count("No test here is called 'Frobnicase'") == 1


def test_the_legend_explains_the_marks_that_are_drawn_and_no_others():
    block = build(an_order(a_plain_answer([a_result()]))).section("results").blocks[0]
    assert block.legend == "Position: band = interval; solid triangle = this result."


def test_a_doubt_about_the_sample_is_told_in_full_once():
    doubt = a_finding("implausible-value", "Value implausible", kind="artefact", text="Long words.")
    answer = replace(
        a_plain_answer([a_result()]), artefacts=(doubt,), urgency="soon", urgency_because=(doubt,)
    )
    assert long_text(build(an_order(answer))).count("Long words.") == 1


def test_a_finding_that_makes_it_urgent_is_told_in_full_once():
    finding = a_finding(text="Long words.", kind="pattern", urgency="same_day", leading=True)
    answer = replace(
        a_plain_answer([a_result()]),
        patterns=(finding,),
        urgency="same_day",
        urgency_because=(finding,),
    )
    text = long_text(build(an_order(answer)))
    assert text.count("Long words.") == 1
    assert f"- {finding.title}. Told below." in text


def test_a_doubted_result_keeps_its_flag_but_not_in_bold():
    row = one_row(a_result(doubts=("Pattern fits EDTA contamination.",)))
    assert (row.flag, row.doubtful, row.strong) == ("Low", True, False)


def test_a_calculated_result_says_so_and_has_a_footnote():
    table = build(an_order()).section("results").blocks[0]
    row = next(row for row in table.rows if row.derived)
    assert row.name == "Adjusted calcium (calculated)"
    assert "albumin" in table.footnotes[row.marks[0] - 1]


def test_a_change_names_the_earlier_result_and_its_day():
    row = one_row(a_result(change=a_change()))
    assert (row.previous, row.previous_at) == ("3.7\u00a0mmol/L", "2 Oct 2026")
    assert row.change.startswith("down 22 %")


def test_without_any_earlier_result_the_table_says_so_once():
    table = build(an_order()).section("results").blocks[0]
    assert not table.history
    assert table.no_history == "No previous result was available for comparison."


def test_at_most_five_findings_lead_and_none_is_lost():
    many = tuple(a_finding(f"rule-{n}", f"Finding {n}") for n in range(8))
    block = build(an_order(an_answer(patterns=many, mechanisms=()))).section("findings").blocks[0]
    assert len(block.leading) == 5
    assert len(block.also) == 3


def test_the_most_urgent_finding_leads():
    block = build(an_order()).section("findings").blocks[0]
    assert block.leading[0].urgency == "emergency"


def test_a_finding_names_its_inputs_rule_and_sources():
    block = build(an_order()).section("findings").blocks[0]
    entry = next(item for item in block.leading if item.rule == "magnesium-refractory")
    assert entry.inputs == ("Magnesium 1.1\u00a0mg/dL", "Potassium 2.9\u00a0mmol/L")
    assert entry.source_numbers == (1, 2)


def test_no_finding_says_how_many_rules_were_looked_at():
    block = build(an_order(a_plain_answer([a_result()]))).section("findings").blocks[0]
    assert block.none == "No finding. 41 rules were looked at; 0 could not be decided."


def test_without_artefacts_the_checks_made_are_named():
    text = long_text(build(an_order()))
    assert "Checks made, none fits: haemolysis; drip-arm dilution." in text


@pytest.mark.hazard("invented-normal")
def test_no_urgency_is_no_all_clear():
    text = long_text(build(an_order(a_plain_answer([a_result(standing="within", value="4.0")]))))
    assert "This is no all-clear." in text
    assert "do not exclude a neurological cause" in text


def test_stress_fatigue_caffeine_and_medicines_stay_visible():
    text = long_text(build(an_order()))
    assert all(word in text for word in ("Stress", "Tiredness", "Caffeine", "Medicines"))


def test_what_is_missing_in_the_input_is_said():
    order = an_order(identity=Identity("MRN-1"), panel={}, collected_at=None, recipients=())
    text = long_text(build(order))
    assert "Laboratory not stated in the data" in text
    assert "Collected: not stated" in text
    assert "Requester: not given" in text
    assert "Recipient: not given" in text


@pytest.mark.hazard("correction-missed")
def test_a_correction_says_first_what_changed():
    change = (
        "Potassium 6.8 → 4.1 mmol/L, laboratory correction 21 Nov 2026 10:05 (UTC), haemolysis."
    )
    view = build(an_order(status="corrected", version=2, changes=(change,)))
    assert view.title.startswith("CORRECTED")
    assert view.sections[0].id == "changes"
    assert change in long_text(view)


def test_an_old_version_says_that_it_is_superseded():
    view = build(an_order(status="superseded"))
    assert view.superseded
    assert view.sections[0].id == "superseded"


def test_when_nothing_can_be_read_the_report_says_what_arrived_and_what_to_send():
    row = a_result(
        "Potassium",
        "see text",
        None,
        None,
        None,
        "unknown",
        reported=ReportedValue("see text", None, None),
    )
    answer = a_plain_answer(
        [row], problems=(ProblemRecord("no-unit", "“see text” is no number.", "results[0].value"),)
    )
    text = long_text(build(an_order(answer)))
    assert "No result could be interpreted" in text
    assert "“see text” is no number (result 1)." in text
    assert "Within interval" not in text


def test_the_file_name_has_no_name_in_it():
    assert build(an_order()).file_name == "lab-summary-LI-2026-000123-v1.pdf"


def test_the_verification_code_changes_with_any_number_said():
    results = list(the_results())
    results[1] = replace(results[1], reported=ReportedValue("2.8", None, "mmol/L"))
    first, second = build(an_order()), build(an_order(an_answer(results=tuple(results))))
    assert first.verification != second.verification
    assert first.verification in first.footer


def test_words_of_the_house_are_kept():
    text = long_text(build(an_order())).lower()
    assert "normal range" not in text
    assert "abnormal" not in text
    assert "reference interval" not in text or "normal interval" not in text


@pytest.mark.hazard("invented-normal")
def test_a_verdict_that_cannot_be_told_is_never_likely():
    doubted = replace(the_twitching(), verdict="cannot_tell", text="The sample is in doubt.")
    view = build(an_order(an_answer(twitching=doubted)))
    assert view.section("twitching").blocks[0].headline == "Cannot tell"
