"""Cards as a client of CDS Hooks gets them."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from itertools import count
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from labinterp.formats import json_panel
from labinterp.interpretation import interpret
from labinterp.knowledge import load
from labinterp.reporting.cds import LONGEST_SUMMARY, Source, cards, escaped

TESTS = Path(__file__).parents[2]
SCHEMA = TESTS / "contract/cds/response.schema.json"
GOLDEN = TESTS / "golden"
SOURCE = Source("labinterp", "https://labinterp.example.org/")
LOW = {"Magnesium": "0.45 mmol/L", "Potassium": "2.9 mmol/L", "Calcium": "1.50 mmol/L"}
WITHIN = {"Potassium": "4.4 mmol/L", "Sodium": "139 mmol/L"}


def answer_to(results, symptoms=("facial-twitch",)):
    panel = {
        "patient": {"birth_date": "1972-02-03", "sex": "female"},
        "collected_at": "2026-11-20T08:00:00Z",
        "results": [
            {"test": test, "value": text.split()[0], "unit": text.split()[1]}
            for test, text in results.items()
        ],
        "symptoms": list(symptoms),
    }
    received = json_panel.received_of(panel, datetime(2026, 11, 20, 9, tzinfo=UTC), "json")
    return interpret(received.submission, load())


def cards_of(answer):
    numbers = count(1)
    return cards(answer, SOURCE, lambda: f"card-{next(numbers)}")


@pytest.mark.parametrize("results", [LOW, WITHIN])
def test_every_answer_is_valid_under_the_schema(results):
    answer = {"cards": [card.document for card in cards_of(answer_to(results))]}
    schema = Draft202012Validator(json.loads(SCHEMA.read_text()))
    assert [error.message for error in schema.iter_errors(answer)] == []


def test_nothing_found_gives_no_card():
    assert cards_of(answer_to(WITHIN, symptoms=())) == ()


def test_at_most_three_cards_come_the_most_severe_first_each_with_its_own_id():
    shown = cards_of(answer_to(LOW))
    order = ["critical", "warning", "info"]
    assert 1 <= len(shown) <= 3
    assert [card.indicator for card in shown] == sorted(
        (card.indicator for card in shown), key=order.index
    )
    assert len({card.uuid for card in shown}) == len(shown)


def test_only_a_value_past_a_critical_limit_makes_a_card_critical():
    assert "critical" in {card.indicator for card in cards_of(answer_to(LOW))}
    mild = {"Magnesium": "0.65 mmol/L", "Potassium": "4.1 mmol/L"}
    assert {card.indicator for card in cards_of(answer_to(mild))} <= {"warning", "info"}


def test_a_summary_carries_the_number_and_stays_short_whatever_was_sent():
    (first, *_) = cards_of(answer_to({"Magnesium": "0.65 mmol/L"}))
    assert "0.65 mmol/L" in first.document["summary"]
    answer = answer_to({"Magnesium": "0.65 mmol/L"})
    long = replace(answer, results=tuple(replace(r, name="x" * 500) for r in answer.results))
    assert all(len(card.document["summary"]) <= LONGEST_SUMMARY for card in cards_of(long))


def test_a_finding_is_told_with_its_own_number_though_another_result_is_critical():
    sent = json.loads((GOLDEN / "omeprazole-three-lows-si.json").read_text())
    received = json_panel.received_of(sent, datetime(2026, 11, 20, 9, tzinfo=UTC), "json")
    shown = cards_of(interpret(received.submission, load()))
    by_rule = {card.rule: card.document["summary"] for card in shown}
    assert shown[0].indicator == "critical"
    assert "2.9 mmol/L" in by_rule["potassium-low"]


def test_text_from_outside_cannot_become_markup_a_link_or_a_new_row():
    sent = "<img src=x> [a](http://e.example) | *b*\n# c & www.e.example"
    shown = escaped(sent)
    assert "<" not in shown
    assert "\n" not in shown
    assert r"\[a\]\(http\://e\.example\)" in shown
    assert r"\| \*b\*" in shown
    assert r"www\.e" in shown
    assert escaped("2.90") == "2.90"


def test_a_hostile_unit_stays_text_in_the_table():
    answer = answer_to({"Magnesium": "0.65 mmol/L"})
    hostile = tuple(
        replace(r, reported=replace(r.reported, unit="<script>|")) if r.reported else r
        for r in answer.results
    )
    details = [c.document["detail"] for c in cards_of(replace(answer, results=hostile))]
    assert details
    assert not any("<script" in detail for detail in details)
    assert any(r"&lt;script&gt;\|" in detail for detail in details)


def golden(name):
    sent = json.loads((GOLDEN / f"{name}.json").read_text())
    received = json_panel.received_of(sent, datetime(2026, 11, 24, 9, tzinfo=UTC), "json")
    return interpret(received.submission, load())


def test_a_contaminated_specimen_stands_before_what_it_explains():
    first, *others = cards_of(golden("edta-contamination"))
    assert (first.rule, first.indicator) == ("edta-contamination-gross", "critical")
    assert others
    assert all(card.rule != first.rule for card in others)


@pytest.mark.parametrize("name", ["edta-contamination", "omeprazole-three-lows-si"])
def test_what_an_earlier_card_covers_is_named_beside_it(name):
    answer = golden(name)
    first, *others = cards_of(answer)
    shown = {card.rule for card in (first, *others)}
    wanted = (*answer.patterns, *answer.mechanisms, *answer.urgency_findings, *answer.artefacts)
    unnamed = [
        one.title
        for one in wanted
        if one.leading and one.rule not in shown
        if escaped(one.title) not in first.document["detail"]
    ]
    assert unnamed == []
    assert not any("Also found" in card.document["detail"] for card in others)
