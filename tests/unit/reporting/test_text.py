"""The text forms paste cleanly into a record and say what matters first."""

import re

from labinterp.reporting.text import long_text, summary
from tests.unit.reporting.orders import a_plain_answer, a_result, an_answer, an_order


def test_the_summary_has_at_most_25_lines():
    results = [a_result(f"Test {n}", "2.9") for n in range(40)]
    assert len(summary(an_order()).splitlines()) <= 25
    assert len(summary(an_order(an_answer(results=tuple(results)))).splitlines()) <= 25


def test_the_summary_has_no_tabs_no_markup_and_no_long_lines():
    lines = summary(an_order()).splitlines()
    assert all(len(line) <= 80 and "\t" not in line for line in lines)


def test_the_summary_names_patient_urgency_results_verdict_and_next_steps():
    text = summary(an_order())
    for part in (
        "MRN-4711",
        "URGENCY: Emergency",
        "Potassium 2.9 mmol/L low",
        "Explains twitching: Likely",
        "12-lead ECG",
        "LI-2026-000123",
    ):
        assert part in text


def test_a_summary_that_leaves_results_out_says_how_many():
    results = [a_result(f"Test {n}", "2.9") for n in range(40)]
    text = summary(an_order(a_plain_answer(results)))
    assert text.count("Test ") + int(re.search(r"and (\d+) more", text)[1]) == 40


def test_the_long_text_ends_with_end_of_report():
    assert long_text(an_order()).rstrip().endswith("End of report")


def test_test_data_are_marked_in_both():
    assert "TEST DATA" in long_text(an_order(demo=True))
    assert "TEST DATA" in summary(an_order(demo=True))
