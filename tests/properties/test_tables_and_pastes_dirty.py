"""Generated dirty tables and pasted texts: read or refused, never a fault, and no row or line lost."""

from __future__ import annotations

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from labinterp import formats
from labinterp.errors import SubmissionError
from labinterp.formats.registry import names_of
from labinterp.interpretation import interpret
from tests.build import knowledge

NOW = datetime(2026, 1, 3, tzinfo=UTC)
NAMES = names_of(knowledge())
HEADER = ("patient_id", "birth_date", "sex", "collected_at", "test", "value", "unit", "range")
JUNK = st.text(
    st.characters(exclude_categories=("Cs", "Cc"), exclude_characters=',;\t|"\r\n\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029'),
    max_size=20,
)  # fmt: skip
CELLS = {
    "patient_id": st.sampled_from(["A", "B", "", "C 7"]),
    "birth_date": st.sampled_from(["1971-05-01", "01.05.1971", "", "31/02/1971"]),
    "sex": st.sampled_from(["F", "male", "", "?"]),
    "collected_at": st.sampled_from(["2026-01-02T08:00:00Z", "2026-01-02", "", "yesterday"]),
    "test": st.sampled_from(["Potassium", "Kalium", "Mg", "Frobnication", ""]),
    "value": st.sampled_from(["2.9", "2,9", "<0.5", "pending", "", "1e99", "3.5.1"]),
    "unit": st.sampled_from(["mmol/L", "mEq/L", "MMOLL", "", "furlongs"]),
    "range": st.sampled_from(["3.5-5.3", "<5", "", "1-2-3"]),
}


@st.composite
def rows(draw):
    """A row: cells of its columns, some of them junk, some missing at the end, some too many."""
    cells = [draw(st.one_of(CELLS[name], CELLS[name], JUNK)) for name in HEADER]
    kept = draw(st.integers(0, len(cells) + 2))
    return [*cells, "", "x"][:kept] if draw(st.integers(0, 4)) == 0 else cells


def told_of(reading):
    for one in reading.refused:
        yield one.where
    for received in reading.received:
        yield received.where
        for result in received.submission.results:
            yield result.where
        for where, _, _ in received.submission.problems:
            yield where


def numbers_in(places, word):
    """The row or line numbers that places name: `row 4`, `rows 2-7`, `line 3, column 2`."""
    found = set()
    for place in places:
        head = place.removeprefix(f"{word}s ").removeprefix(f"{word} ").split(",")[0].split(" ")[0]
        first, _, last = head.partition("-")
        if place.startswith(word) and first.isdigit():
            found.update(range(int(first), int(last or first) + 1))
    return found


@given(
    st.lists(rows(), min_size=1, max_size=12),
    st.sampled_from([",", ";", "\t"]),
    st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "cp1252"]),
    st.sampled_from(["\n", "\r\n"]),
)
def test_a_dirty_table_loses_no_row(table, delimiter, encoding, ending):
    lines = [delimiter.join(cells) for cells in (HEADER, *table)]
    body = ending.join(lines).encode(encoding, errors="replace")
    try:
        reading = formats.read("csv", body, NOW)
    except SubmissionError as error:
        assert error.message  # noqa: PT017 - a refusal says why
        return
    named = numbers_in(told_of(reading), "row")
    for number, cells in enumerate(table, start=2):
        if any(cell.strip() for cell in cells):
            assert number in named, (number, cells)
    for received in reading.received:
        interpret(received.submission, knowledge())


TESTS = st.sampled_from(
    ["Potassium", "S-Kalium", "Mg", "Calcium (adjusted)", "Vitamin B12", "Nonsense"]
)
VALUES = st.sampled_from(["2.9", "2,9", "< 0.5", ">2000", "pending", "H 5.9", "5.9*"])
UNITS = st.sampled_from(["mmol/L", "mEq/l", "ng/L", "", "furlongs"])
RANGES = st.sampled_from(["3.5-5.3", "(3,5 - 5,3)", "[<5]", "", "ref 1 to 2"])
GAPS = st.sampled_from([" ", "\t", "   ", " : ", " ....... "])
WORDS = st.sampled_from(
    ["Dear colleague", "see comment", "----------", "Thank you", "specimen received", "1 2 3 4 5"]
)


@st.composite
def pasted_lines(draw):
    if draw(st.integers(0, 3)) == 0:
        return draw(st.one_of(WORDS, JUNK.filter(lambda text: ":" not in text)))
    parts = [draw(TESTS), draw(VALUES), draw(UNITS), draw(RANGES)]
    return draw(GAPS).join(part for part in parts if part)


@given(st.lists(pasted_lines(), min_size=1, max_size=12))
def test_a_dirty_paste_loses_no_line(lines):
    try:
        reading = formats.read("pasted", "\n".join(lines).encode(), NOW, names=NAMES)
    except SubmissionError as error:
        assert error.message  # noqa: PT017 - a refusal says why
        return
    named = numbers_in(told_of(reading), "line")
    for number, line in enumerate(lines, start=1):
        if any(sign.isalnum() for sign in line):
            assert number in named, (number, line)
    for received in reading.received:
        interpret(received.submission, knowledge())
