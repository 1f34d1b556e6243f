"""The few colours, and what each stands for: always the third signal, after word and symbol."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, Literal

if TYPE_CHECKING:
    from labinterp.model.codes import Standing

INK: Final = "#16202A"
MUTED: Final = "#4A5560"
LINK: Final = "#0B5CAD"
CRITICAL: Final = "#7A1F2B"
CRITICAL_GROUND: Final = "#FBEDEE"
ABNORMAL: Final = "#8A4B00"
BAND: Final = "#D5E3EF"
BAND_EDGE: Final = "#2B5C86"
TRACK: Final = "#EEF1F4"
TRACK_EDGE: Final = "#8995A1"
RULE: Final = "#B9C2CB"
PALE: Final = "#F3F6F9"

LOOKS: Final = re.compile(r' (?:fill|stroke|stroke-width|stroke-dasharray|font-size)="[^"]*"')
"""What SVG says of looks, and what a page with a style sheet of its own need not carry."""

Symbol = Literal["double-down", "double-up", "down", "up", "disc", "circle", "diamond"]

SYMBOL_OF: Final[dict[Standing, Symbol]] = {
    "critically_low": "double-down",
    "critically_high": "double-up",
    "low": "down",
    "high": "up",
    "within": "disc",
    "unknown": "circle",
}

COLOUR_OF: Final[dict[Standing, str]] = {
    "critically_low": CRITICAL,
    "critically_high": CRITICAL,
    "low": ABNORMAL,
    "high": ABNORMAL,
    "within": INK,
    "unknown": MUTED,
}
