"""Numbers as laboratories write them.

A strict, bounded reading that refuses whatever could mean two things.

Python's own parsers take too much (`1_000`, `٣`, `nan`, `1e400`); here only plain ASCII digits
with one decimal sign
count. A comma is read as a decimal comma only where it cannot be a thousands separator.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import TYPE_CHECKING, Final, Literal

if TYPE_CHECKING:
    from labinterp.model.quantity import Comparator

Trouble = Literal["empty", "words", "ambiguous_comma", "too_long", "two_comparators"]

_INVISIBLE: Final = re.compile("[\u200b-\u200f\u2060\ufeff\u00ad]")
_WIDE: Final = {code: chr(code - 0xFEE0) for code in range(0xFF01, 0xFF5F)} | {0x2212: "-"}
_COMPARATORS: Final[dict[str, Comparator]] = {
    "<": "<",
    ">": ">",
    "<=": "<=",
    ">=": ">=",
    "=<": "<=",
    "=>": ">=",
    "≤": "<=",
    "≥": ">=",
    "⩽": "<=",
    "⩾": ">=",
}
_WITH_SIGN: Final = re.compile(r"\s*([<>]=?|=[<>]|[≤≥⩽⩾])?\s*(.*?)\s*", re.DOTALL)
_NUMBER: Final = re.compile(r"[+-]?[0-9]{1,15}(\.[0-9]{1,15})?([eE][+-]?[0-9]{1,2})?")
_COMMA: Final = re.compile(r"[+-]?[0-9]{1,15},[0-9]{1,15}")
_THOUSANDS_LIKE: Final = re.compile(r"[+-]?[1-9][0-9]{0,2},[0-9]{3}")
_GROUPED: Final = re.compile(
    r"[+-]?[1-9][0-9]{0,2}(,[0-9]{3})+\.[0-9]{1,9}|[+-]?[1-9][0-9]{0,2}(,[0-9]{3}){2,4}"
)
_LONGEST: Final = 40
_LONGEST_SIGN: Final = 3
"""Longer than any comparator: what is longer still is none either."""
_LARGEST: Final = Decimal("1e15")
_SMALLEST: Final = Decimal("1e-15")


@dataclass(frozen=True, slots=True)
class Numeral:
    """A number as read, its comparator, or what stood in the way."""

    number: Decimal | None
    comparator: Comparator | None = None
    trouble: Trouble | None = None


def clean(text: str) -> str:
    """The text without invisible characters and with full-width signs made plain.

    Digits are never invented.
    """
    return _INVISIBLE.sub("", text).translate(_WIDE).replace("\u00a0", " ").replace("\u202f", " ")


def read_number(text: str | None, comparator: str | None = None) -> Numeral:
    """Read a value: `2.40`, `<0.5`, `≤ 3`, `2,4`, each digit kept.

    Args:
        text: the value as sent.
        comparator: when it was sent apart from the value.
    """
    if text is None or not text.strip():
        return Numeral(None, trouble="empty")
    return _read(text[: _LONGEST + 1], (comparator or "").strip()[:_LONGEST_SIGN])


@lru_cache(maxsize=8192)
def _read(text: str, comparator: str) -> Numeral:
    match = _WITH_SIGN.fullmatch(clean(text))
    sign, digits = (match[1], match[2]) if match else (None, "")
    apart = _COMPARATORS.get(comparator)
    inside = _COMPARATORS.get(sign or "")
    if inside and apart and inside != apart:
        return Numeral(None, trouble="two_comparators")
    number, trouble = _digits(digits)
    return Numeral(number, inside or apart, trouble)


def _digits(text: str) -> tuple[Decimal | None, Trouble | None]:
    if len(text) >= _LONGEST:
        return None, "too_long"
    if _COMMA.fullmatch(text):
        if _THOUSANDS_LIKE.fullmatch(text):
            return None, "ambiguous_comma"
        text = text.replace(",", ".")
    elif _GROUPED.fullmatch(text):
        text = text.replace(",", "")
    if not _NUMBER.fullmatch(text):
        return None, "words"
    number = Decimal(text)
    if number and not _SMALLEST <= abs(number) <= _LARGEST:
        return None, "too_long"
    return number, None


def plain(number: Decimal) -> str:
    """A decimal as people write it, its digits kept: never `1E+1`."""
    return f"{number:f}"
