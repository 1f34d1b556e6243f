"""The summary for a record, of every panel we know: 25 lines of 80 plain characters, nothing cut without a word."""

from __future__ import annotations

import re
import unicodedata

import pytest

from labinterp.reporting.record_text import LINES, WIDTH, plain
from labinterp.reporting.text import summary
from labinterp.reporting.view import build
from tests.knowledge.test_patient_page import PANELS, golden_answer
from tests.unit.reporting.orders import an_order


def flat(text):
    return " ".join(plain(text).split())


@pytest.fixture(scope="module", params=PANELS, ids=[path.stem for path in PANELS])
def told(request):
    answer, panel = golden_answer(request.param)
    order = an_order(answer, panel=panel)
    return answer, build(order), summary(order)


def test_it_pastes_cleanly_into_any_record(told):
    _, _, text = told
    lines = text.removesuffix("\n").split("\n")
    assert len(lines) <= LINES
    assert all(line and len(line) <= WIDTH and line == line.rstrip() for line in lines)
    for mark in set(text) - {"\n"}:
        assert mark.isprintable()
        assert mark.isascii() or unicodedata.category(mark)[0] in "LM", mark


def test_what_matters_is_said_whole(told):
    answer, view, text = told
    whole = flat(text)
    assert f"URGENCY: {view.urgency_words}" in whole
    assert "EXAMPLE, Anna; MRN-4711" in whole
    assert f"{view.number} v{view.version}" in whole
    leading = [
        item for section in view.sections if section.id == "findings"
        for block in section.blocks for item in getattr(block, "leading", ())
    ]  # fmt: skip
    if leading:
        assert f"Leading finding: {flat(leading[0].title)} ({leading[0].certainty_words})" in whole
    flags = answer.twitching.red_flags
    if flags:
        assert f"RED FLAG: {flat(flags[0].title)}" in whole


def test_critical_results_have_lines_of_their_own(told):
    _, view, text = told
    rows = [
        row
        for block in view.section("results").blocks
        for group in getattr(block, "groups", ())
        for row in group.rows
        if row.critical
    ] if view.section("results") else []  # fmt: skip
    lines = [line for line in text.split("\n") if line.startswith("CRITICAL: ")]
    left = re.search(r"CRITICAL: and (\d+) more", text)
    assert len(lines) - bool(left) + int(left[1] if left else 0) == len(rows)
    assert not rows or len(lines) >= min(2, len(rows))


def test_what_is_left_out_is_counted(told):
    _, view, text = told
    whole = flat(text)
    if view.section("undecided"):
        assert "Not decided; would settle: " in whole
    rows = [
        row
        for block in view.section("results").blocks
        for group in getattr(block, "groups", ())
        for row in group.rows
    ] if view.section("results") else []  # fmt: skip
    for standing, label in (("within", "Within interval"), ("unknown", "Not classified")):
        total = sum(row.standing == standing for row in rows)
        if not total:
            continue
        counted = re.search(rf"In the report: .*?(\d+) {label.lower().split()[0]}", whole)
        assert f"{label}: " in whole or (counted and int(counted[1]) == total)
