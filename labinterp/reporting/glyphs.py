"""Text from outside becomes text in the PDF: whole, as text, or not at all.

ReportLab's paragraphs are a markup language and drop characters their font lacks. Everything
printed passes through `escape` or `drawable`: a sign that reads as markup is escaped, an invisible
character is shown by its code point, and a character the fonts lack stops the report with its name.
"""

from __future__ import annotations

import unicodedata
from typing import Final
from xml.sax.saxutils import escape as escape_markup

from labinterp.errors import ReportFailure

_SPACES: Final = frozenset("\t\n\r\x0b\x0c\x85\u2028\u2029")
_INVISIBLE: Final = frozenset({"Cc", "Cf", "Cs"})
"""Unicode categories that leave no mark: control, format (direction, joining), surrogate."""


def escape(text: str, covered: frozenset[int]) -> str:
    """A text for a paragraph: nothing in it is markup, nothing of it is lost.

    Args:
        text: from outside or from the knowledge; never markup of ours.
        covered: code points every font of the report can draw.

    Raises:
        ReportFailure: a character has no glyph.
    """
    return escape_markup(drawable(text, covered))


def drawable(text: str, covered: frozenset[int]) -> str:
    """A text as it can be drawn directly: composed, its invisible characters shown by code point.

    Raises:
        ReportFailure: a character has no glyph.
    """
    if text.isascii() and text.isprintable() and covered.issuperset(map(ord, text)):
        return text
    shown = "".join(_shown(character) for character in unicodedata.normalize("NFC", text))
    missing = next((character for character in shown if ord(character) not in covered), None)
    if missing is not None:
        raise ReportFailure(
            f"A report cannot print “{missing}” ({_called(missing)}): its fonts have Latin, Greek "
            "and Cyrillic. No character is left out silently, so no report is made.",
            code="glyph-missing",
        )
    return shown


def _shown(character: str) -> str:
    if character in _SPACES:
        return " "
    if unicodedata.category(character) in _INVISIBLE:
        return f"<U+{ord(character):04X}>"
    return character


def _called(character: str) -> str:
    code = f"U+{ord(character):04X}"
    return f"{code} {unicodedata.name(character, '')}".rstrip()
