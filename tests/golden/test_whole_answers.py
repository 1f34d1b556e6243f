"""Whole answers, word for word: <case>.json in, <case>.words.txt out, rewritten only by --update-golden and then read.

Each object of an answer is a line: a sentence that changes, or is no longer said, shows in the difference. Left out are
what follows from the files alone (sources, versions, how many rules there are) and what is said of every panel.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from labinterp.formats import json_panel
from labinterp.interpretation import interpret
from labinterp.store.records import to_document
from tests.build import knowledge

CASES = sorted((Path(__file__).parent / "whole").glob("*.json"))
RECEIVED = datetime(2026, 1, 2, 12, tzinfo=UTC)
NOT_READ = {
    "sources",
    "knowledge",
    "engine",
    "statements",
    "version",
    "id",
    "artefact_checks",
    "not_assessed",
    "rules_looked_at",
}
EMPTY = (None, "", [], (), {}, False)


def lines_of(node, place):
    """A line for each object: its place, then its plain members; then what is inside it."""
    members = {
        name: inner for name, inner in node.items() if name not in NOT_READ and inner not in EMPTY
    }
    plain = {name: inner for name, inner in members.items() if not holds_objects(inner)}
    if plain:
        yield f"{place}: " + "; ".join(f"{name} {text_of(inner)}" for name, inner in plain.items())
    for name, inner in members.items():
        if name not in plain:
            for one in [inner] if isinstance(inner, dict) else inner:
                yield from (
                    lines_of(one, f"{place}.{name}")
                    if isinstance(one, dict)
                    else [f"{place}.{name}: {text_of(one)}"]
                )


def holds_objects(node):
    return isinstance(node, dict) or (
        isinstance(node, list | tuple) and any(isinstance(one, dict) for one in node)
    )


def text_of(node):
    return ", ".join(map(text_of, node)) if isinstance(node, list | tuple) else str(node)


def words_of(path):
    panel = json.loads(path.read_text("utf-8"), parse_float=Decimal)
    answer = interpret(json_panel.received_of(panel, RECEIVED).submission, knowledge())
    return "\n".join(lines_of(to_document(answer), "answer")) + "\n"


@pytest.mark.parametrize("path", CASES, ids=[path.stem for path in CASES])
def test_an_answer_says_what_it_said_word_for_word(path, request):
    expected = path.with_suffix(".words.txt")
    found = words_of(path)
    if request.config.getoption("--update-golden"):
        expected.write_text(found, "utf-8")
    assert found == expected.read_text("utf-8")
