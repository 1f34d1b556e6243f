"""The patient's age when the specimen was taken: from the birth date, or as it was sent."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Final

YEAR_DAYS: Final = Decimal("365.25")
"""A year wherever ages are compared, so that an age in years and one from a birth date agree."""
_UNIT_DAYS: Final = {
    "years": Fraction(YEAR_DAYS),
    "months": Fraction(YEAR_DAYS) / 12,
    "weeks": Fraction(7),
    "days": Fraction(1),
    "hours": Fraction(1, 24),
}
_OLDEST_YEARS: Final = 130
CLOCK_TOLERANCE: Final = timedelta(hours=1)
"""How far ahead of ours a sender's clock may be before its time counts as one in the future."""
_IN_DAYS_BELOW: Final = 28
_IN_MONTHS_BELOW: Final = 24

PlaceOfProblem = tuple[str, str, str]
"""Where, code, message."""


@dataclass(frozen=True, slots=True)
class Age:
    """An age at collection [days], how it is written, and what it rests on."""

    days: Decimal
    text: str
    basis: str


def is_future(moment: datetime, received_at: datetime) -> bool:
    """Whether a time lies after its own arrival, clocks allowed for."""
    return moment > received_at + CLOCK_TOLERANCE


def future_problem(where: str, sent: str) -> PlaceOfProblem:
    """The problem for such a time; it then counts as unknown."""
    return where, "date-in-future", f"{sent} is in the future; the time counts as unknown"


def age_from_birth(
    birth: date, collected_at: datetime | None, received_at: datetime
) -> tuple[Age | None, PlaceOfProblem | None]:
    """Age on the day of collection (of arrival, when unknown), or the reason there is none."""
    day = (collected_at or received_at).date()
    where = "patient.birth_date"
    if birth > (received_at + timedelta(days=1)).date():
        return None, (where, "date-in-future", f"{birth} is in the future; the age is unknown")
    if birth > day:
        message = f"born {birth}, after the collection on {day}; the age is unknown"
        return None, (where, "birth-after-collection", message)
    years = completed_years(birth, day)
    if years > _OLDEST_YEARS:
        message = f"born {birth} would be {years} years; the age is unknown"
        return None, (where, "age-implausible", message)
    days = max(Decimal((day - birth).days), years * YEAR_DAYS)
    basis = "birth_date" if collected_at else "birth_date_and_received"
    return Age(days, _written(birth, day, years), basis), None


def age_as_sent(value: Decimal, unit: str) -> tuple[Age | None, PlaceOfProblem | None]:
    """The age that was sent, in days."""
    exact = Fraction(value) * _UNIT_DAYS[unit]
    days = Decimal(exact.numerator) / exact.denominator
    if days > _OLDEST_YEARS * YEAR_DAYS:
        message = f"{value} {unit} is older than people become; the age is unknown"
        return None, ("patient.age", "age-implausible", message)
    return Age(days, _counted(value, unit), "age"), None


def completed_years(birth: date, day: date) -> int:
    """Birthdays since birth; someone born on 29 February has theirs on 1 March in other years."""
    return day.year - birth.year - ((day.month, day.day) < (birth.month, birth.day))


def _written(birth: date, day: date, years: int) -> str:
    days = (day - birth).days
    months = (day.year - birth.year) * 12 + day.month - birth.month - (day.day < birth.day)
    if days < _IN_DAYS_BELOW or not months:
        return _counted(days, "days")
    if months < _IN_MONTHS_BELOW:
        return _counted(months, "months")
    return _counted(years, "years")


def _counted(number: Decimal | int, unit: str) -> str:
    return f"{Decimal(number):f} {unit[:-1] if number == 1 else unit}"
