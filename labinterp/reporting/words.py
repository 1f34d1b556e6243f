"""The fixed words of a report, and how dates and numbers are written: one style everywhere.

Locale formats the sentence, not the science: digits stay as they are, a minus is U+2212, a range
takes an en dash, a unit follows its number after a no-break space, and months are letters.
"""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING, Final

from babel.dates import format_date

if TYPE_CHECKING:
    from labinterp.model.codes import Certainty, Standing, Strength, Urgency, Verdict

NBSP: Final = "\u00a0"
MINUS: Final = "\u2212"
MICRO: Final = "\u00b5"
_LOCALE: Final = "en"  # whose months have three letters, as in the engine's sentences
_NUMBER: Final = re.compile(r"[+\-\u2212]?\d+(?:[.,]\d+)*")
_COMPARATORS: Final = {"<=": "≤", ">=": "≥"}

FLAG_WORDS: Final[dict[Standing, str]] = {
    "critically_low": "Critical low",
    "critically_high": "Critical high",
    "low": "Low",
    "high": "High",
    "within": "Within interval",
    "unknown": "Not classified",
}
URGENCY_WORDS: Final[dict[Urgency, str]] = {
    "emergency": "Emergency",
    "same_day": "Same day",
    "soon": "Soon",
    "routine": "Routine",
    "none": "No urgency found",
}
STEP_TITLES: Final[dict[Urgency, str]] = {
    "emergency": "Now",
    "same_day": "The same day",
    "soon": "Within about 1 to 2 weeks",
    "routine": "At the next planned contact",
    "none": "No set time",
}
CERTAINTY_WORDS: Final[dict[Certainty, str]] = {
    "strong": "strong",
    "moderate": "moderate",
    "limited": "limited",
    "cannot_tell": "cannot tell",
}
STRENGTH_WORDS: Final[dict[str, str]] = {
    "likely": "a likely explanation",
    "possible": "a possible contributor",
    "unlikely": "an unlikely explanation",
    "opposes": "would reduce it, not cause it",
    "not_explained": "not explained by these results",
    "cannot_tell": "cannot tell from these results",
}
VERDICT_WORDS: Final[dict[Verdict, str]] = {
    "likely": "Likely",
    "possible": "Possibly",
    "unlikely": "Unlikely",
    "not_explained": "Not explained",
    "cannot_tell": "Cannot tell",
}
SEX_WORDS: Final[dict[str, str]] = {
    "female": "female",
    "male": "male",
    "other": "other (no sex-specific interval used)",
    "unknown": "not known (no sex-specific interval used)",
}
STATUS_WORDS: Final = {
    "preliminary": "Preliminary",
    "final": "Final",
    "corrected": "Corrected",
    "superseded": "Superseded",
    "cancelled": "Cancelled",
}


def day(moment: date) -> str:
    """A date with its month in letters: `20 Nov 2026`."""
    return str(format_date(moment, "d MMM y", locale=_LOCALE))


def moment(at: datetime) -> str:
    """A date and a 24 h time with its offset: `20 Nov 2026 08:05 (UTC+01:00)`."""
    return f"{day(at)} {at:%H:%M} ({offset(at)})"


def offset(at: datetime) -> str:
    """The UTC offset as printed; a time without one says so."""
    difference = at.utcoffset()
    if difference is None:
        return "offset not stated"
    if not difference:
        return "UTC"
    sign = "+" if difference > timedelta(0) else MINUS
    minutes = abs(int(difference.total_seconds())) // 60
    return f"UTC{sign}{minutes // 60:02}:{minutes % 60:02}"


def day_of(text: str | None) -> str:
    """The day of an RFC 3339 text; a text that is none stays as it is."""
    if not text:
        return ""
    try:
        return day(datetime.fromisoformat(text))
    except ValueError:
        return text


def moment_of(text: str | None) -> str:
    """An RFC 3339 text as a printed moment; a text that is none stays as it is."""
    if not text:
        return ""
    try:
        return moment(datetime.fromisoformat(text))
    except ValueError:
        return text


def number(value: Decimal, decimals: int = 0) -> str:
    """All digits of a number as it was given, and at least so many after the point; no exponent.

    Args:
        value: printed without rounding.
        decimals: least digits after the point.
    """
    own = -int(value.as_tuple().exponent)
    shown = value or abs(value)  # no minus before a zero
    return f"{shown:.{max(own, decimals, 0)}f}".replace("-", MINUS)


def rounded(value: Decimal, figures: int) -> str:
    """A number with no more figures than this, and none it did not have."""
    places = value.adjusted() - max(figures, 1) + 1
    if not value or int(value.as_tuple().exponent) >= places:
        return number(value)
    kept = value.quantize(Decimal((0, (1,), places)), rounding=ROUND_HALF_UP)
    if kept.adjusted() > value.adjusted():
        kept = value.quantize(Decimal((0, (1,), places + 1)), rounding=ROUND_HALF_UP)
    return f"{kept:f}".replace("-", MINUS)


def as_sent(value: str, comparator: str | None) -> str:
    """A reported value digit for digit, its comparator before it."""
    shown = re.sub(r"^([+-])(?=[\d.,])", lambda sign: MINUS if sign[0] == "-" else "+", value)
    return with_comparator(shown, comparator)


def with_comparator(shown: str, comparator: str | None) -> str:
    """`< 50`, with a space that does not break."""
    if not comparator or shown.startswith(comparator):
        return shown
    return f"{_COMPARATORS.get(comparator, comparator)}{NBSP}{shown}"


def with_unit(shown: str, unit: str) -> str:
    """A number and its unit, never parted by a line end.

    Words in place of a number, and what a unit adds in brackets, may go to the next line.
    """
    if not (unit and shown):
        return shown or unit
    gap = NBSP if _NUMBER.search(shown) else " "
    code, bracket, more = unit.partition(" (")
    return f"{shown}{gap}{code.replace(' ', NBSP)}{bracket}{more}"


def figures(value: str) -> int:
    """Significant figures of a number as sent; trailing zeros count."""
    found = _NUMBER.search(value)
    digits = re.sub(r"\D", "", found[0]).lstrip("0") if found else ""
    return len(digits) or 1


def decimals(value: str) -> int:
    """Digits after the decimal point (or comma) of a number as sent."""
    found = re.search(r"\d[.,](\d+)\s*$", value.strip())
    return len(found[1]) if found else 0


def own_decimals(value: Decimal) -> int:
    """Digits after the point of a number as it is kept."""
    return max(-int(value.as_tuple().exponent), 0)


def one_unit_form(unit: str) -> str:
    """A unit for comparing: case, spaces and the two micro signs make no difference."""
    return unit.replace("\u03bc", "u").replace(MICRO, "u").replace(" ", "").casefold()


def clipped(text: str, length: int) -> str:
    """A text of at most about so many characters; a cut says how much more the record has."""
    if len(text) <= length:
        return text
    return f"{text[:length]} … [{len(text) - length} more characters are in the record]"


def formula(text: str) -> str:
    """A formula with the signs of print: × and −, ^ for powers, and names without underscores."""
    spoken = text.replace("**-", f"^{MINUS}").replace("**", "^").replace("_", " ")
    return spoken.replace(" * ", " × ").replace(" - ", f" {MINUS} ")


def ended(text: str) -> str:
    """A text that ends as a sentence does."""
    bare = text.strip()
    return bare if not bare or bare.endswith((".", "!", "?", ":")) else f"{bare}."


def plural(count: int, one: str, many: str) -> str:
    """`1 rule`, `4 rules`."""
    return f"{count} {one if count == 1 else many}"


def capital(text: str) -> str:
    """With a capital first letter, the rest as it is; `pH` and `eGFR` stay."""
    return text if text[1:2].isupper() else text[:1].upper() + text[1:]


def strength_words(strength: Strength | str) -> str:
    """How far something accounts for a symptom, in words."""
    return STRENGTH_WORDS.get(strength, strength.replace("_", " "))
