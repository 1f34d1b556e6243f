"""Ages at collection."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labinterp.formats.ages import YEAR_DAYS, age_as_sent, age_from_birth, completed_years

NOW = datetime(2026, 1, 10, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("birth", "collected", "text"),
    [
        ("2026-01-10", "2026-01-10", "0 days"),
        ("2026-01-09", "2026-01-10", "1 day"),
        ("2025-12-14", "2026-01-10", "27 days"),
        ("2025-12-11", "2026-01-10", "30 days"),
        ("2025-12-10", "2026-01-10", "1 month"),
        ("2024-01-11", "2026-01-10", "23 months"),
        ("2024-01-10", "2026-01-10", "2 years"),
        ("2008-01-10", "2026-01-10", "18 years"),
        ("1971-05-01", "2026-01-10", "54 years"),
    ],
)
def test_an_age_is_written_as_clinicians_write_it(birth, collected, text):
    at = datetime.fromisoformat(collected).replace(tzinfo=UTC)
    age, problem = age_from_birth(date.fromisoformat(birth), at, NOW)
    assert problem is None
    assert age.text == text


@given(st.dates(date(1900, 1, 1), date(2026, 1, 10)), st.dates(date(1900, 1, 1), date(2026, 1, 10)))
def test_whole_years_by_the_calendar_are_whole_years_by_days(birth, day):
    if birth > day:
        birth, day = day, birth
    at = datetime(day.year, day.month, day.day, tzinfo=UTC)
    age, _ = age_from_birth(birth, at, NOW)
    assert age.days // YEAR_DAYS == completed_years(birth, day)


@pytest.mark.parametrize(
    ("value", "unit", "days", "text"),
    [
        ("54", "years", "19723.5", "54 years"),
        ("1", "years", "365.25", "1 year"),
        ("6", "weeks", "42", "6 weeks"),
        ("0.5", "years", "182.625", "0.5 years"),
        ("48", "hours", "2", "48 hours"),
    ],
)
def test_an_age_that_was_sent_is_turned_into_days(value, unit, days, text):
    age, _ = age_as_sent(Decimal(value), unit)
    assert age.text == text
    assert age.days == Decimal(days)
