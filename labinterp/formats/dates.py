"""Dates and times as tables and people write them; the order of day and month is not guessed."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, timezone
from typing import TYPE_CHECKING, Final, Literal
from zoneinfo import ZoneInfo

if TYPE_CHECKING:
    from collections.abc import Iterable

Order = Literal["day-first", "month-first"]

_MONTHS: Final = {
    name: number
    for number, names in enumerate(
        (
            ("jan",), ("feb", "fev", "fév"), ("mar", "mär", "mae"), ("apr", "avr"),
            ("may", "mai"), ("jun", "juin"), ("jul", "juil"), ("aug", "aou", "aoû"),
            ("sep",), ("oct", "okt"), ("nov",), ("dec", "dez", "déc"),
        ),
        start=1,
    )
    for name in names
}  # fmt: skip
_ISO: Final = re.compile(r"([0-9]{4})[-/.]?([0-9]{2})[-/.]?([0-9]{2})", re.ASCII)
_NUMERIC: Final = re.compile(r"([0-9]{1,2})([-/.])([0-9]{1,2})\2([0-9]{4})", re.ASCII)
_NAMED: Final = re.compile(r"([0-9]{1,2})[-. ]{1,2}([^\W\d_]{3,12})\.?[-. ,]{1,2}([0-9]{4})")
_CLOCK: Final = re.compile(
    r"([0-9]{1,2}):?([0-9]{2})(?::?([0-9]{2})(?:[.,][0-9]{1,9})?)?\s*(Z|[+-][0-9]{2}:?[0-5][0-9])?",
    re.ASCII | re.IGNORECASE,
)
_SPLIT: Final = re.compile(r"(.{8,24}?)(?:[T ]|, ?)\s{0,3}([0-9]{1,2}:?[0-9]{2}.{0,20})", re.DOTALL)
_MONTHS_A_YEAR: Final = 12
_YEARS: Final = range(1850, 2201)


@dataclass(frozen=True, slots=True)
class ReadMoment:
    """A collection time as an RFC 3339 text, and what had to be assumed for it."""

    text: str | None
    problem: tuple[str, str] | None = None


def order_of(cells: Iterable[str]) -> Order | None:
    """The order of day and month that a column of dates proves; None where none or both are."""
    proved: set[Order] = set()
    for cell in cells:
        found = _NUMERIC.match(cell.strip())
        if found is None or found[2] == ".":
            continue
        first, second = int(found[1]), int(found[3])
        if first > _MONTHS_A_YEAR >= second:
            proved.add("day-first")
        elif second > _MONTHS_A_YEAR >= first:
            proved.add("month-first")
    return proved.pop() if len(proved) == 1 else None


def read_date(text: str, order: Order | None = None) -> tuple[date | None, tuple[str, str] | None]:
    """A calendar date, or code and sentence saying why it is none.

    Args:
        text: `1980-02-03`, `19800203`, `3.2.1980`, `3 Feb 1980`, or `03/02/1980`.
        order: what the rest of the column proves.
    """
    plain = text.strip()
    if match := _ISO.fullmatch(plain):
        return _calendar(plain, match[1], match[2], match[3])
    if match := _NAMED.fullmatch(plain):
        month = _month(match[2])
        if month:
            return _calendar(plain, match[3], str(month), match[1])
    if match := _NUMERIC.fullmatch(plain):
        return _numeric(plain, match, order)
    return None, (
        "bad-date",
        f"“{plain[:40]}” is not a date such as 1980-02-03; it counts as unknown",
    )


def _numeric(
    text: str, match: re.Match[str], order: Order | None
) -> tuple[date | None, tuple[str, str] | None]:
    first, second = int(match[1]), int(match[3])
    certain = match[2] == "." or first > _MONTHS_A_YEAR or first == second
    if certain or order == "day-first":
        return _calendar(text, match[4], match[3], match[1])
    if second > _MONTHS_A_YEAR or order == "month-first":
        return _calendar(text, match[4], match[1], match[3])
    message = f"{text}: day or month first? Write {match[4]}-MM-DD; it counts as unknown"
    return None, ("date-ambiguous", message)


def _calendar(
    text: str, year: str, month: str, day: str
) -> tuple[date | None, tuple[str, str] | None]:
    try:
        found = date(int(year), int(month), int(day))
    except ValueError:
        return None, ("bad-date", f"{text[:40]} is not in the calendar; it counts as unknown")
    if found.year not in _YEARS:
        return None, ("bad-date", f"the year of {text[:40]} cannot be right; it counts as unknown")
    return found, None


def _month(word: str) -> int | None:
    folded = word.casefold()
    return _MONTHS.get(folded[:4]) or _MONTHS.get(folded[:3])


def read_moment(
    text: str, clock: str = "", order: Order | None = None, *, zone: str = ""
) -> ReadMoment:
    """A collection time; an offset left out is read as UTC, a time left out as midnight.

    Args:
        text: the date, with or without its time.
        clock: the time, when it was sent apart.
        order: of day and month, as for `read_date`.
        zone: in which a time without an offset is meant; UTC where it is empty, and that is said.
    """
    plain = text.strip()
    day_text, clock_text = plain, clock.strip()
    if not clock_text and (match := _SPLIT.fullmatch(plain)):
        day_text, clock_text = match[1], match[2]
    elif not clock_text and re.fullmatch(r"[0-9]{12}(?:[0-9]{2})?", plain, re.ASCII):
        day_text, clock_text = plain[:8], plain[8:]
    day, problem = read_date(day_text, order)
    if day is None:
        return ReadMoment(None, problem)
    if not clock_text:
        message = f"{plain[:40]} has no time of day; read as midnight, UTC"
        return ReadMoment(f"{day.isoformat()}T00:00:00Z", ("time-of-day-missing", message))
    return _with_clock(day, clock_text, zone)


def _with_clock(day: date, clock: str, agreed: str) -> ReadMoment:
    match = _CLOCK.fullmatch(clock.strip())
    try:
        at = time(int(match[1]), int(match[2]), int(match[3] or 0)) if match else None
        zone = _zone(match[4]) if match and match[4] else None
    except ValueError:
        at, zone = None, None
    if at is None:
        message = f"“{clock[:40]}” is not a time such as 08:00; the time counts as unknown"
        return ReadMoment(None, ("bad-time", message))
    if zone is None and agreed:
        return ReadMoment(datetime.combine(day, at, ZoneInfo(agreed)).isoformat(), None)
    moment = datetime.combine(day, at, zone or UTC)
    problem = None
    if zone is None:
        problem = ("time-zone-assumed", f"{day} {clock.strip()[:40]} has no time zone; read as UTC")
    return ReadMoment(moment.isoformat().replace("+00:00", "Z"), problem)


def _zone(text: str) -> timezone:
    if text in "Zz":
        return UTC
    digits = text[1:].replace(":", "")
    offset = timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
    return timezone(-offset if text[0] == "-" else offset)
