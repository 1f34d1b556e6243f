"""Times and birth dates as HL7 v2 writes them: `YYYY[MM[DD[HH[MM[SS[.S]]]]]][+/-ZZZZ]`."""

from __future__ import annotations

import re
import zoneinfo
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any, Final

from labinterp.formats.dates import ReadMoment
from labinterp.formats.fhir_document import line

_MOMENT: Final = re.compile(
    r"(\d{4})(\d\d)(\d\d)(?:(\d\d)(?:(\d\d)(?:(\d\d)(?:\.\d{1,6})?)?)?)?\s*([+-]\d{4})?", re.ASCII
)
_BIRTH: Final = re.compile(
    r"(\d{4})(?:(\d\d)(?:(\d\d)\d{0,6}(?:\.\d+)?(?:[+-]\d{4})?)?)?", re.ASCII
)
_OLDEST: Final = 130


def moment_of(said: str, zone: str = "") -> ReadMoment:
    """A time as an RFC 3339 text; one without offset is in the sender's zone, else in UTC."""
    plain = said.strip()
    if not plain:
        return ReadMoment(None)
    match = _MOMENT.fullmatch(plain)
    try:
        made = _made(match, zone) if match else None
    except (ValueError, OverflowError):
        made = None
    if match is None or made is None:
        message = f"“{line(plain, 40)}” is no time such as 202603040810; it counts as unknown"
        return ReadMoment(None, ("bad-time", message))
    text = made.isoformat().replace("+00:00", "Z")
    if match[4] is None:
        message = f"{line(plain, 40)} has no time of day; read as midnight"
        return ReadMoment(text, ("time-of-day-missing", message))
    if match[7] is None and not zone:
        message = f"{line(plain, 40)} has no time zone; read as UTC"
        return ReadMoment(text, ("time-zone-assumed", message))
    return ReadMoment(text)


def _made(match: re.Match[str], zone: str) -> datetime:
    numbers = (int(part or 0) for part in match.group(*range(1, 7)))
    if match[7]:
        offset = timedelta(hours=int(match[7][1:3]), minutes=int(match[7][3:]))
        own: Any = timezone(-offset if match[7][0] == "-" else offset)
        own = UTC if not offset else own
    else:
        own = zoneinfo.ZoneInfo(zone) if zone else UTC
    made = datetime(*numbers, tzinfo=own)  # type: ignore[misc, arg-type]  # six numbers
    made.utcoffset()
    return made


def birth_of(said: str, at: datetime) -> tuple[dict[str, Any], tuple[str, str] | None]:
    """The birth date, or an age where only its year or month was sent."""
    plain = said.strip()
    if not plain:
        return {}, None
    match = _BIRTH.fullmatch(plain)
    bad = ("bad-date", "what was sent is no date such as 19790614; age is unknown")
    if match is None:
        return {}, bad
    if match[3]:
        try:
            return {"birth_date": date(*map(int, match.groups())).isoformat()}, None
        except ValueError:
            return {}, bad
    months = (at.year - int(match[1])) * 12 + (at.month - int(match[2]) if match[2] else 0)
    years = max(0, months // 12 - (0 if match[2] else 1))
    if not 0 <= at.year - int(match[1]) <= _OLDEST:
        return {}, bad
    message = f"only {plain} was sent; the age was taken as {years} years, and may be one more"
    return {"age": {"value": years, "unit": "years"}}, ("demographics-missing", message)
