"""Plain characters for records that take nothing else, and room for what matters in the worst case."""

import unicodedata
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labinterp.formats import json_panel
from labinterp.interpretation import interpret
from labinterp.reporting.record_text import LINES, WIDTH, plain
from labinterp.reporting.text import summary
from tests.build import knowledge
from tests.unit.reporting.orders import a_plain_answer, a_result, an_answer, an_order


@pytest.mark.parametrize(
    ("written", "pasted"),
    [
        ("0.70–1.00 µmol/L", "0.70-1.00 µmol/L"),
        ("≥ 133 × 10⁹/L", ">= 133 x 109/L"),
        ("1.73 m² · “so”…", '1.73 m2 , "so"...'),
        ("Jürgen Øst, Zoë", "Jürgen Øst, Zoë"),
        ("a\tb\x00c", "a b c"),
        ("tick ✓", "tick <U+2713>"),
    ],
)
def test_signs_have_a_plain_form_and_none_is_lost(written, pasted):
    assert plain(written) == pasted


@given(st.text(max_size=60))
def test_any_text_becomes_plain(text):
    for mark in plain(text):
        assert mark.isascii() or unicodedata.category(mark)[0] in "LM"
        assert mark.isprintable() or unicodedata.category(mark)[0] in "LM"


def test_the_worst_panel_fits_and_says_what_is_left_out():
    results = tuple(
        a_result(f"Test with quite a long name, number {n}", "2.9", standing="critically_high")
        for n in range(40)
    )
    text = summary(an_order(an_answer(results=results), demo=True, status="corrected", version=2))
    lines = text.splitlines()
    assert len(lines) <= LINES
    assert max(map(len, lines)) <= WIDTH
    assert "more in the report" in text
    assert "URGENCY: Emergency" in text
    assert "TEST DATA" in lines[0]


def test_a_name_of_any_length_leaves_room_for_the_rest():
    order = an_order()
    named = replace(order, identity=replace(order.identity, family="X" * 2000))
    text = summary(named)
    assert len(text.splitlines()) <= LINES
    assert "URGENCY:" in text
    assert "..." in text
    assert "MRN-4711" in text


def test_results_that_are_left_out_are_counted():
    results = tuple(a_result(f"Test {n}", "2.9") for n in range(60))
    text = summary(an_order(a_plain_answer(results)))
    assert "more" in text
    assert text.count("Test ") < 60


def test_what_was_withdrawn_is_said_and_nothing_that_could_comfort():
    panel = {
        "status": "cancelled",
        "patient": {"identifier": {"value": "MRN-1"}},
        "results": [{"test": "Potassium", "value": "7.9", "unit": "mmol/L"}],
    }
    received = json_panel.received_of(panel, datetime(2026, 11, 24, 9, tzinfo=UTC))
    answer = interpret(received.submission, knowledge())
    order = an_order(answer, panel=panel, status="cancelled", version=2)
    text = summary(replace(order, changes=("Potassium: was 7.9 mmol/L, now withdrawn.",)))
    assert "now withdrawn" in " ".join(text.split()), text
    assert "WITHDRAWN" in text
    assert "URGENCY" not in text
