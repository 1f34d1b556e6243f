"""Source Sans 3, registered once per process, and which characters it covers."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Final

from reportlab.lib.fonts import addMapping
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont

REGULAR: Final = "SourceSans3"
BOLD: Final = "SourceSans3-Bold"
ITALIC: Final = "SourceSans3-Italic"
FOLDER: Final = Path(__file__).parent / "fonts"
_FILES: Final = {
    REGULAR: "SourceSans3-Regular.ttf",
    BOLD: "SourceSans3-Bold.ttf",
    ITALIC: "SourceSans3-It.ttf",
}


class _Face(TTFont):  # type: ignore[misc]
    """A face that remembers how wide its words are: most stand in every report, many times."""

    def __init__(self, name: str, file: str) -> None:
        super().__init__(name, file)
        self._units = lru_cache(maxsize=20_000)(self._measured)

    def _measured(self, text: str) -> float:
        """The width of a text at a size of 1000 [pt]."""
        width_of, otherwise = self.face.charWidths.get, self.face.defaultWidth
        return float(sum(width_of(ord(character), otherwise) for character in text))

    def stringWidth(self, text: str, size: float, encoding: str = "utf8") -> float:  # noqa: N802
        """The width of a text [pt]; reckoned as ReportLab does, so that lines break alike."""
        del encoding
        return 0.001 * size * self._units(text)


@lru_cache(maxsize=1)
def covered() -> frozenset[int]:
    """Code points that all three faces can draw; registers the faces when first asked."""
    faces = [_Face(name, str(FOLDER / file)) for name, file in _FILES.items()]
    for face in faces:
        pdfmetrics.registerFont(face)
    for bold in (0, 1):
        addMapping(REGULAR, bold, 0, BOLD if bold else REGULAR)
        addMapping(REGULAR, bold, 1, BOLD if bold else ITALIC)
    glyphs = (set(face.face.charToGlyph) for face in faces)
    return frozenset(set.intersection(*glyphs))


def width(text: str, size: float, face: str = REGULAR) -> float:
    """The width of a text [pt] at this size [pt]."""
    covered()
    return float(pdfmetrics.stringWidth(text, face, size))
