"""Names in other letters than the report's own: which face has them, how they are drawn.

Source Sans 3 has Latin, Greek and Cyrillic. A name from outside may be in others: for those there
is one more face each, loaded when a text first asks for it. Right-to-left letters are joined by
`arabic_reshaper` and put in the order they are drawn in by `bidi`; the file says of such a stretch
that it is turned, so that it is read aloud, found and copied as it was sent. A script whose letters
need more than that (Devanagari, Thai, …) has no face here, and stops the report.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby
from typing import TYPE_CHECKING, Any, Final

from reportlab.lib.fonts import addMapping
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont

from labinterp.reporting import fonts

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

HAN: Final = "DroidSansFallback"
HANGUL: Final = "NanumSquare"
NEAR_EAST: Final = "DejaVuSans"
_FILES: Final = {
    HAN: "DroidSansFallbackFull.ttf",
    HANGUL: "NanumSquareR.ttf",
    NEAR_EAST: "DejaVuSans.ttf",
}
_BLOCKS: Final = (
    (0x0530, 0x074F, NEAR_EAST),  # Armenian, Hebrew, Arabic
    (0x0750, 0x077F, NEAR_EAST),  # Arabic supplement
    (0x10A0, 0x10FF, NEAR_EAST),  # Georgian
    (0xFB13, 0xFDFF, NEAR_EAST),  # presentation forms
    (0xFE70, 0xFEFC, NEAR_EAST),
    (0x1100, 0x11FF, HANGUL),
    (0x3130, 0x318F, HANGUL),
    (0xAC00, 0xD7A3, HANGUL),
    (0x3000, 0x312F, HAN),  # punctuation, kana, bopomofo
    (0x31A0, 0x9FFF, HAN),
    (0xF900, 0xFAFF, HAN),
    (0xFF01, 0xFFEF, HAN),  # forms as wide as an ideograph
)
_RIGHT_TO_LEFT: Final = frozenset({"R", "AL", "NSM"})
_MAY_STAND_BETWEEN: Final = frozenset({"WS", "CS", "ES", "ON"})
"""Kinds of sign that belong to a right-to-left text if such letters stand on both sides."""


class Unwritten(LookupError):
    """No face has a character; it is the only argument."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """Part of a text that is drawn in one face.

    Attributes:
        face: empty for the report's own.
        drawn: the characters in the order and shape they are drawn in.
        turned: whether that is from the last to the first.
    """

    face: str
    drawn: str
    turned: bool = False


def is_plain(text: str) -> bool:
    """Whether the report's own face has all of it, as of nearly every text."""
    return text.isascii() or fonts.covered().issuperset(map(ord, text))


def stretches(text: str) -> tuple[Stretch, ...]:
    """A text in the stretches it is drawn in, from left to right.

    Raises:
        Unwritten: no face has a character.
    """
    if is_plain(text):
        return (Stretch("", text),)
    return tuple(_made(face, part) for face, part in _parted(text))


def width(text: str, size: float, face: str = fonts.REGULAR) -> float:
    """The width of a text [pt] at this size [pt].

    Raises:
        Unwritten: no face has a character.
    """
    return sum(fonts.width(part.drawn, size, part.face or face) for part in stretches(text))


def draw(canvas: Any, place: tuple[float, float], text: str, size: float, face: str) -> None:
    """A text directly on a canvas, from a point on [pt].

    Raises:
        Unwritten: no face has a character.
    """
    x, y = place
    for part in stretches(text):
        canvas.setFont(part.face or face, size)
        canvas.drawString(x, y, part.drawn)
        x += fonts.width(part.drawn, size, part.face or face)


def _parted(text: str) -> Iterator[tuple[str, str]]:
    """Face and text of each stretch; signs between right-to-left letters are theirs."""
    faces = [_face_of(character) for character in text]
    for start, end in _right_to_left(text):
        faces[start:end] = [NEAR_EAST] * (end - start)
    marked = zip(faces, text, strict=True)
    for face, part in groupby(marked, key=lambda one: one[0]):
        yield face, "".join(character for _, character in part)


def _right_to_left(text: str) -> Iterator[tuple[int, int]]:
    """Where right-to-left text begins and ends, with the signs inside it."""
    kinds = [unicodedata.bidirectional(character) for character in text]
    place = 0
    while place < len(kinds):
        if kinds[place] not in _RIGHT_TO_LEFT:
            place += 1
            continue
        end = at = place + 1
        while at < len(kinds) and kinds[at] in _RIGHT_TO_LEFT | _MAY_STAND_BETWEEN:
            at += 1
            end = at if kinds[at - 1] in _RIGHT_TO_LEFT else end
        yield place, end
        place = end


def _face_of(character: str) -> str:
    code = ord(character)
    if code in fonts.covered():
        return ""
    for first, last, face in _BLOCKS:
        if first <= code <= last and code in _covered(face):
            return face
    raise Unwritten(character)


def _made(face: str, text: str) -> Stretch:
    if face != NEAR_EAST or not any(map(_runs_left, text)):
        return Stretch(face, text)
    drawn = _in_drawing_order(text)
    _all_in(face, drawn)
    return Stretch(face, drawn.replace(" ", "\u00a0"), turned=True)


def _runs_left(character: str) -> bool:
    return unicodedata.bidirectional(character) in _RIGHT_TO_LEFT


def _in_drawing_order(text: str) -> str:
    """Letters joined and turned round; no sign of the text is taken away."""
    from bidi import get_display  # noqa: PLC0415 - seldom needed

    return str(get_display(_reshaper().reshape(text), base_dir="R"))


@lru_cache(maxsize=1)
def _reshaper() -> Any:
    """The joiner of Arabic letters; vowel signs stay, and no word becomes one sign."""
    from arabic_reshaper import ArabicReshaper  # noqa: PLC0415 - seldom needed

    return ArabicReshaper(
        configuration={
            "delete_harakat": False,
            "ARABIC LIGATURE ALLAH": False,
        }
    )


def _all_in(face: str, drawn: Iterable[str]) -> None:
    missing = next((one for one in drawn if ord(one) not in _covered(face)), None)
    if missing is not None:
        raise Unwritten(missing)


@lru_cache(maxsize=len(_FILES))
def _covered(face: str) -> frozenset[int]:
    """Code points of a face; registers it when first asked, for bold and italic alike."""
    made = TTFont(face, str(fonts.FOLDER / _FILES[face]))
    pdfmetrics.registerFont(made)
    for bold in (0, 1):
        for italic in (0, 1):
            addMapping(face, bold, italic, face)
    return frozenset(made.face.charToGlyph)
