"""Whole panels: <case>.json in, <case>.expected.json out, rewritten only by --update-golden and then read.

The expectation holds what a clinician would check: standings, findings, verdict, urgency, steps, questions.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from labinterp.formats import json_panel
from labinterp.interpretation import interpret
from labinterp.model.interpretation import Interpretation
from labinterp.store.records import from_document, to_document
from tests.build import knowledge

FOLDER = Path(__file__).parent
RECEIVED = datetime(2026, 1, 2, 12, tzinfo=UTC)
CASES = sorted(path for path in FOLDER.glob("*.json") if not path.name.endswith(".expected.json"))


def answer_to(path):
    panel = json.loads(path.read_text("utf-8"), parse_float=Decimal)
    return interpret(json_panel.received_of(panel, RECEIVED).submission, knowledge())


def extract(answer):
    """What a reader checks of an answer, short enough to be read."""
    twitching = answer.twitching
    return {
        "urgency": answer.urgency,
        "because": [one.rule for one in answer.urgency_because],
        "results": {one.measurand: _row(one) for one in answer.results},
        "artefacts": {
            one.rule: f"{one.strength}: {', '.join(one.affects)}" for one in answer.artefacts
        },
        "not_measured": {
            one.rule: list(one.not_measured) for one in answer.artefacts if one.not_measured
        },
        "red_flags": [one.rule for one in twitching.red_flags],
        "patterns": {one.rule: f"{one.urgency}, {one.certainty}" for one in answer.patterns},
        "mechanisms": {one.rule: f"{one.strength}, {one.certainty}" for one in answer.mechanisms},
        "verdict": twitching.verdict,
        "verdict_text": twitching.text,
        "drivers": list(twitching.drivers),
        "symptoms": {one.symptom: one.strength for one in twitching.per_symptom},
        "paths": [" > ".join(one.labels) for one in twitching.paths],
        "next_steps": [f"{one.id}: {one.urgency}" for one in answer.next_steps],
        "undecided": {one.rule: list(one.missing) for one in answer.undecided},
        "problems": [f"{one.code}: {one.message}" for one in answer.problems],
        "first_causes": [one.id for one in twitching.other_causes[:3]],
    }


def _row(one):
    value = f"{one.value.number} {one.value.unit}" if one.value else None
    row = {
        "value": value,
        "standing": one.standing,
        "band": one.band,
        "interval": one.interval.text if one.interval else None,
        "decisions": [f"{decision.name} {decision.limit}".strip() for decision in one.decisions],
        "why_unknown": one.why_unknown,
        "at_the_limit": one.at_the_limit_note,
        "doubts": list(one.doubts),
        "provisional": one.provisional or None,
    }
    return {name: content for name, content in row.items() if content}


@pytest.mark.parametrize("path", CASES, ids=[path.stem for path in CASES])
def test_a_golden_panel_is_answered_as_before(path, request):
    expected = path.with_suffix("").with_suffix(".expected.json")
    found = extract(answer_to(path))
    if request.config.getoption("--update-golden"):
        expected.write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n", "utf-8")
    assert found == json.loads(expected.read_text("utf-8"))


@pytest.mark.parametrize("path", CASES, ids=[path.stem for path in CASES])
@pytest.mark.hazard("changed-answer")
def test_a_golden_answer_comes_back_whole_from_the_store(path):
    answer = answer_to(path)
    kept = json.loads(json.dumps(to_document(answer), default=str), parse_float=Decimal)
    assert from_document(Interpretation, kept) == answer
