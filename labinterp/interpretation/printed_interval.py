"""The laboratory's own interval, read from the text it was printed as.

`3.5-5.3`, `<5.0`, `(3,5 – 5,3) mmol/L`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from labinterp.interpretation.numerals import clean, read_number

if TYPE_CHECKING:
    from decimal import Decimal

    from labinterp.model.submission import ReportedInterval

_NUMBER: Final = r"[+]?[0-9]{1,15}(?:[.,][0-9]{1,15})?"
_BETWEEN: Final = re.compile(
    rf"[\[(]?\s*({_NUMBER})\s*(?:-|–|—|‐|‑|~|\.\.|to|bis|until|and)\s*({_NUMBER})\s*[\])]?\s*(.*)",
    re.IGNORECASE,
)
_ONE_SIDED: Final = re.compile(
    r"[\[(]?\s*([<>]=?|=[<>]|[≤≥⩽⩾]|up to|less than|below|under|above|over|more than|at least)"
    rf"\s*({_NUMBER})\s*[\])]?\s*(.*)",
    re.IGNORECASE,
)
_LABEL: Final = re.compile(
    r"\s*(?:(?:normal|ref(?:erence)?)\.?(?:\s+(?:range|interval|values?))?|range|interval)"
    r"(?:\s*:\s*|\s+)",
    re.IGNORECASE,
)
_SECOND_RANGE: Final = re.compile(r"[-–—_]|.*[0-9]\s*(?:-|–|to)\s*[0-9]")
"""What stands behind an interval and is no unit: `1-2-3`, `3.5-5.3 mmol/L; 4-6`."""
_UPPER: Final = {
    "<": False,
    "less than": False,
    "below": False,
    "under": False,
    "up to": True,
    "<=": True,
    "=<": True,
    "≤": True,
    "⩽": True,
}
_LOWER: Final = {
    ">": False,
    "more than": False,
    "above": False,
    "over": False,
    "at least": True,
    ">=": True,
    "=>": True,
    "≥": True,
    "⩾": True,
}
_LONGEST: Final = 80


@dataclass(frozen=True, slots=True)
class PrintedInterval:
    """The laboratory's interval as numbers; an end is None where it is open.

    Attributes:
        unit: the unit printed with it, as text; None when there was none.
        text: as it was sent, for the report.
    """

    low: Decimal | None
    high: Decimal | None
    text: str
    low_included: bool = True
    high_included: bool = True
    unit: str | None = None

    @property
    def contradicts_itself(self) -> bool:
        """Is the lower limit above the upper one?"""
        return self.low is not None and self.high is not None and self.low > self.high


def is_given(interval: ReportedInterval | None) -> bool:
    """Was any part of an interval sent?"""
    return interval is not None and any(
        part and part.strip() for part in (interval.low, interval.high, interval.text)
    )


def read_interval(interval: ReportedInterval) -> PrintedInterval | None:
    """The interval as numbers, or None where it cannot be read."""
    sent = (interval.low, interval.high, interval.text, interval.unit)
    if any(part is not None and len(part) > _LONGEST for part in sent):
        return _read_anew(interval)
    return _read_once(interval)


@lru_cache(maxsize=8192)
def _read_once(interval: ReportedInterval) -> PrintedInterval | None:
    return _read_anew(interval)


def _read_anew(interval: ReportedInterval) -> PrintedInterval | None:
    if interval.low or interval.high:
        return _two_ends(interval)
    return _from_text(interval.text or "", interval.unit)


def _two_ends(interval: ReportedInterval) -> PrintedInterval | None:
    low, high = read_number(interval.low), read_number(interval.high)
    if {low.trouble, high.trouble} - {None, "empty"}:
        return None
    text = interval.text or f"{interval.low or ''}–{interval.high or ''}"
    return PrintedInterval(
        low.number,
        high.number,
        text,
        low_included=low.comparator != ">",
        high_included=high.comparator != "<",
        unit=interval.unit,
    )


def _from_text(text: str, unit: str | None) -> PrintedInterval | None:
    plain = _LABEL.sub("", clean(text[:_LONGEST]).strip(), count=1).strip()
    if match := _BETWEEN.fullmatch(plain):
        return _read(text, unit or match[3], low=match[1], high=match[2])
    if match := _ONE_SIDED.fullmatch(plain):
        word = match[1].lower()
        if word in _UPPER:
            return _read(text, unit or match[3], high=match[2], high_included=_UPPER[word])
        return _read(text, unit or match[3], low=match[2], low_included=_LOWER[word])
    return None


def _read(
    text: str,
    unit: str | None,
    *,
    low: str | None = None,
    high: str | None = None,
    low_included: bool = True,
    high_included: bool = True,
) -> PrintedInterval | None:
    """Both ends as numbers; a second range in the place of a unit means that nothing is read."""
    ends = [read_number(end.replace(" ", "") if end else None) for end in (low, high)]
    if any(end.trouble not in (None, "empty") for end in ends):
        return None
    unit = (unit or "").strip(" ,;") or None
    if unit and _SECOND_RANGE.match(unit):
        return None
    return PrintedInterval(ends[0].number, ends[1].number, text, low_included, high_included, unit)
