"""Dates and times as tables write them."""

from datetime import date

import pytest

from labinterp.formats.dates import order_of, read_date, read_moment


@pytest.mark.parametrize(
    ("text", "order", "expected"),
    [
        ("1980-02-03", None, date(1980, 2, 3)),
        ("19800203", None, date(1980, 2, 3)),
        ("1980/02/03", None, date(1980, 2, 3)),
        ("3.2.1980", None, date(1980, 2, 3)),
        ("03.02.1980", None, date(1980, 2, 3)),
        ("3 Feb 1980", None, date(1980, 2, 3)),
        ("03-Feb-1980", None, date(1980, 2, 3)),
        ("3. März 1980", None, date(1980, 3, 3)),
        ("13/02/1980", None, date(1980, 2, 13)),
        ("02/13/1980", None, date(1980, 2, 13)),
        ("03/03/1980", None, date(1980, 3, 3)),
        ("03/02/1980", "day-first", date(1980, 2, 3)),
        ("03/02/1980", "month-first", date(1980, 3, 2)),
    ],
)
def test_a_date_that_is_certain_is_read(text, order, expected):
    assert read_date(text, order) == (expected, None)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("03/02/1980", "date-ambiguous"),
        ("3/2/80", "bad-date"),
        ("30.2.1980", "bad-date"),
        ("0001-01-01", "bad-date"),
        ("yesterday", "bad-date"),
        ("3 Foo 1980", "bad-date"),
        ("", "bad-date"),
        ("９", "bad-date"),
    ],
)
def test_a_date_that_is_not_is_asked_about(text, code):
    day, problem = read_date(text)
    assert day is None
    assert problem[0] == code


@pytest.mark.parametrize(
    ("cells", "order"),
    [
        (["03/02/1980", "13/02/1980"], "day-first"),
        (["03/02/1980", "02/13/1980"], "month-first"),
        (["13/02/1980", "02/13/1980"], None),
        (["03/02/1980"], None),
        (["13.02.1980"], None),
    ],
)
def test_a_column_proves_its_order_or_it_does_not(cells, order):
    assert order_of(cells) == order


@pytest.mark.parametrize(
    ("text", "clock", "expected", "code"),
    [
        ("2026-01-02T08:00:00Z", "", "2026-01-02T08:00:00Z", None),
        ("2026-01-02T08:00:00+01:00", "", "2026-01-02T08:00:00+01:00", None),
        ("2026-01-02 08:00", "", "2026-01-02T08:00:00Z", "time-zone-assumed"),
        ("02.01.2026 08:15", "", "2026-01-02T08:15:00Z", "time-zone-assumed"),
        ("2.1.2026, 8:15", "", "2026-01-02T08:15:00Z", "time-zone-assumed"),
        ("202601020815", "", "2026-01-02T08:15:00Z", "time-zone-assumed"),
        ("2026-01-02", "8:15", "2026-01-02T08:15:00Z", "time-zone-assumed"),
        ("2026-01-02", "", "2026-01-02T00:00:00Z", "time-of-day-missing"),
        ("2026-01-02 25:00", "", None, "bad-time"),
        ("2026-01-02 08:00 +99:99", "", None, "bad-time"),
        ("2026-13-02 08:00", "", None, "bad-date"),
        ("03/02/2026 08:00", "", None, "date-ambiguous"),
        ("soon", "", None, "bad-date"),
    ],
)
def test_a_collection_time_says_what_was_assumed(text, clock, expected, code):
    moment = read_moment(text, clock)
    assert moment.text == expected
    assert (moment.problem[0] if moment.problem else None) == code


def test_minutes_of_an_offset_end_at_59():
    moment = read_moment("2026-01-02 08:00 +05:75")
    assert moment.text is None
    assert moment.problem is not None
    assert moment.problem[0] == "bad-time"
