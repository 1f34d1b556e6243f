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
from labinterp.reporting import scripts

TURNED: Final = "turned"
"""Name of the call in a paragraph's markup where right-to-left text begins, and where it ends."""
_SPACES: Final = frozenset("\t\n\r\x0b\x0c\x85\u2028\u2029")
_INVISIBLE: Final = frozenset({"Cc", "Cf", "Cs"})
"""Unicode categories that leave no mark: control, format (direction, joining), surrogate."""


def escape(text: str) -> str:
    """A text for a paragraph: nothing in it is markup, nothing of it is lost.

    Args:
        text: from outside or from the knowledge; never markup of ours.

    Raises:
        ReportFailure: a character has no glyph.
    """
    shown = drawable(text)
    if scripts.is_plain(shown):
        return escape_markup(shown)
    return "".join(map(_marked_up, scripts.stretches(shown)))


def _marked_up(part: scripts.Stretch) -> str:
    """A stretch in its face; one that is turned is called so in the file."""
    drawn = escape_markup(part.drawn)
    told = f'<font name="{part.face}">{drawn}</font>' if part.face else drawn
    if not part.turned:
        return told
    return f'<onDraw name="{TURNED}" label="begins"/>{told}<onDraw name="{TURNED}" label="ends"/>'


def drawable(text: str) -> str:
    """A text that some face can draw: composed, its invisible characters shown by code point.

    Raises:
        ReportFailure: a character has no glyph.
    """
    if text.isascii() and text.isprintable():
        return text
    shown = "".join(_shown(character) for character in unicodedata.normalize("NFC", text))
    try:
        scripts.stretches(shown)
    except scripts.Unwritten as missing:
        raise _refused(missing.args[0]) from missing
    return shown


def _refused(missing: str) -> ReportFailure:
    return ReportFailure(
        f"A report cannot print “{missing}” ({_called(missing)}): its fonts have Latin, Greek, "
        "Cyrillic, Armenian, Georgian, Hebrew, Arabic, Chinese, Japanese and Korean. No character "
        "is left out silently, so no report is made.",
        code="glyph-missing",
    )


def _shown(character: str) -> str:
    if character in _SPACES:
        return " "
    if unicodedata.category(character) in _INVISIBLE:
        return f"<U+{ord(character):04X}>"
    return character


def _called(character: str) -> str:
    code = f"U+{ord(character):04X}"
    return f"{code} {unicodedata.name(character, '')}".rstrip()
