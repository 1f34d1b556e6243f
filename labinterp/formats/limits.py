"""How much of anything a reader takes, and what it gives back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from labinterp.formats.sender_settings import PLAIN, SenderSettings

if TYPE_CHECKING:
    from datetime import datetime

    from labinterp.errors import Place
    from labinterp.model.submission import Received


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds checked before anything is parsed; the caller takes them from the settings.

    Attributes:
        body_bytes: longest body [bytes].
        depth: deepest nesting of objects and lists.
        elements: most members and items in one JSON document.
        results: most results in one panel.
        rows: most rows in a table, most lines in a pasted text.
        columns: most columns in a table.
        panels: most panels in one file.
        cell_characters: longest cell of a table, longest pasted line.
        pasted_bytes: longest pasted text [bytes].
        errors: most faults named in one answer; the rest are counted.
    """

    body_bytes: int = 10 * 1024 * 1024
    depth: int = 16
    elements: int = 50_000
    results: int = 500
    rows: int = 50_000
    columns: int = 500
    panels: int = 5_000
    cell_characters: int = 2_000
    pasted_bytes: int = 200_000
    errors: int = 100


@dataclass(frozen=True, slots=True)
class Reading:
    """What one body held.

    Attributes:
        received: the panels that could be read, in the order of the body.
        refused: rows, groups or lines that could not, each by name; the others are not touched.
    """

    received: tuple[Received, ...]
    refused: tuple[Place, ...] = ()


@dataclass(frozen=True, slots=True)
class Context:
    """What a reader is told besides the bytes.

    Attributes:
        received_at: when the body arrived (aware).
        limits: how much is taken.
        names: known test names to measurand ids; only a reader of free text asks for them.
        settings: what was agreed with the sender of a table or of HL7 v2.
    """

    received_at: datetime
    limits: Limits = field(default_factory=Limits)
    names: Mapping[str, str] = field(default_factory=dict)
    settings: SenderSettings = PLAIN


DEFAULT_LIMITS: Final = Limits()
Reader = Callable[[bytes, Context], Reading]
