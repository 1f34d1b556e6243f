"""Whatever the knowledge says, in every language, can be printed: no text of it may stop a report."""

from __future__ import annotations

import unicodedata
from pathlib import Path

import pytest

from labinterp.reporting import fonts

FOLDER = Path(__file__).parents[2] / "reference_ranges"
FILES = sorted(FOLDER.rglob("*.yaml"))


def unprintable(text):
    """The characters of a text that the fonts of a report lack, with their names."""
    composed = unicodedata.normalize("NFC", text)
    return sorted(
        f"U+{ord(character):04X} {unicodedata.name(character, '')}"
        for character in set(composed) - {"\n"}
        if ord(character) not in fonts.covered() or unicodedata.category(character) in {"Cc", "Cf"}
    )


@pytest.mark.parametrize(
    "folder", sorted({file.parent for file in FILES}), ids=lambda one: one.name
)
def test_every_character_of_the_knowledge_can_be_printed(folder):
    found = {
        file.name: missing
        for file in FILES
        if file.parent == folder
        for missing in [unprintable(file.read_text("utf-8"))]
        if missing
    }
    assert found == {}


@pytest.mark.parametrize(
    "character", ["−", "≤", "≥", "µ", "→", "–", "…", "°", "×", "β", "₂", "é", "ß", "ñ", "¿", "œ"]
)
def test_the_signs_and_letters_that_reports_need_are_in_all_three_faces(character):
    assert unprintable(character) == []
