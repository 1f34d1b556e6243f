"""The summary that is pasted into a record: at most 25 lines of 80 plain characters.

Records take text and little else, so only letters and ASCII are written, and lines are broken here.
What matters is said first and in full. Where the room does not suffice, the longest lists are
shortened, those that matter least first, and each says how much of it is left out.
"""

from __future__ import annotations

import textwrap
import unicodedata
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Final

from labinterp.reporting import words
from labinterp.reporting.blocks import Bullets, Facts, Paragraph, ResultRow, ResultTable, text_of
from labinterp.reporting.conclusion_blocks import Findings, Steps, UndecidedList, VerdictBlock

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from labinterp.reporting.blocks import Block, View

    _Lines = Callable[[int], list[str]]

LINES: Final = 25
"""Most lines."""
WIDTH: Final = 80
"""Longest line [characters]."""
TEST_DATA: Final = "TEST DATA, NOT A PATIENT"
SUPERSEDED: Final = "SUPERSEDED: replaced by a newer version"
_SUPPORT: Final = "Automatic. Adds to the laboratory's report and does not replace it."
_INDENT: Final = "  "
_LONGEST: Final = 300
"""A single statement is told so far [characters]; a cut shows."""
_SHORT: Final = 90
"""The same of a name, an identifier, and what would settle a question."""
_NAMED: Final = 160
"""The same of why a result is not classified."""
_PLAIN: Final = {
    "\u2013": "-",
    "\u2014": "-",
    "\u2212": "-",
    "\u2264": "<=",
    "\u2265": ">=",
    "\u00d7": "x",
    "\u2018": "'",
    "\u2019": "'",
    "\u201c": '"',
    "\u201d": '"',
    "\u2026": "...",
    "\u00b7": ",",
    "\u2192": "->",
    "\u00b1": "+/-",
    "\u00b0": " degrees",
    "\u2032": "'",
}
_LETTERS: Final = ("L", "M")
_UNSEEN: Final = ("C", "Z")


@dataclass(frozen=True, slots=True)
class _Part:
    """A list of statements under one label.

    Attributes:
        left: what the items are called where they are only counted.
        weight: a list with a greater one gives way later.
        floor: so many are told as long as another list can give way.
        least: so many are told whatever happens.
        apart: each has a line of its own.
    """

    label: str
    items: tuple[str, ...]
    left: str
    weight: int
    floor: int = 0
    least: int = 0
    apart: bool = False

    def lines(self, shown: int) -> list[str]:
        """The list with its first items; nothing where none is shown, as they are counted below."""
        if not shown:
            return []
        more = len(self.items) - shown
        if self.apart:
            rest = (f"{self.label}: and {more} more in the report",) if more else ()
            told = (f"{self.label}: {item}" for item in self.items[:shown])
            return [line for each in (*told, *rest) for line in _wrapped(each)]
        rest_told = f"; and {more} more" if more else ""
        return _wrapped(f"{self.label}: {'; '.join(self.items[:shown])}{rest_told}")


def summary(view: View) -> str:
    """Who, how urgent, the results that matter, what they mean, what next, what is not decided."""
    head, tail = list(_head(view)), list(_tail(view))
    parts = tuple(part for part in _parts(view) if part.items)
    told: list[_Lines] = [cache(part.lines) for part in parts]
    shown = _fitting(parts, told, LINES - len(head) - len(tail))
    return "\n".join((*head, *_body(parts, told, shown), *tail)) + "\n"


def plain(text: str) -> str:
    """Letters and ASCII; what has neither form is shown by its code point, never dropped."""
    return "".join(map(_plain, unicodedata.normalize("NFC", text)))


@lru_cache(maxsize=1024)
def _plain(mark: str) -> str:
    if mark in _PLAIN:
        return _PLAIN[mark]
    kind = unicodedata.category(mark)[0]
    if mark.isascii():
        return " " if kind == "C" else mark
    if kind in _LETTERS:
        return mark
    alike = unicodedata.normalize("NFKD", mark)
    if alike.isascii():
        return alike
    return " " if kind in _UNSEEN and mark.isspace() else f"<U+{ord(mark):04X}>"


def _wrapped(text: str) -> list[str]:
    return textwrap.wrap(
        " ".join(plain(text).split()), WIDTH, subsequent_indent=_INDENT, break_on_hyphens=False
    )


def _told(text: str, longest: int = _LONGEST) -> str:
    """A statement, cut visibly where it is longer than any record wants."""
    shown = " ".join(plain(text).split())
    return shown if len(shown) <= longest else f"{shown[:longest].rstrip()} ..."


# ---- room


def _fitting(parts: tuple[_Part, ...], told: list[_Lines], room: int) -> list[int]:
    """How many items of each part are told, so that all of it fits."""
    shown = [len(part.items) for part in parts]
    order = sorted(range(len(parts)), key=lambda n: parts[n].weight)
    for lowest in ([part.floor for part in parts], [part.least for part in parts]):
        for place in order:
            while len(_body(parts, told, shown)) > room and shown[place] > lowest[place]:
                shown[place] -= 1
    return shown


def _body(parts: tuple[_Part, ...], told: list[_Lines], shown: list[int]) -> list[str]:
    """Every part as far as it is told, and what has no line of its own."""
    lines = [line for lines_of, count in zip(told, shown, strict=True) for line in lines_of(count)]
    unsaid = [
        f"{len(part.items)} {part.left}"
        for part, count in zip(parts, shown, strict=True)
        if not count
    ]
    return [*lines, *(_wrapped(f"In the report: {'; '.join(unsaid)}") if unsaid else ())]


# ---- what is said


def _head(view: View) -> Iterator[str]:
    for mark, holds in ((TEST_DATA, view.demo), (SUPERSEDED, view.superseded)):
        if holds:
            yield mark
    yield from _wrapped(_told(f"{view.title}: {view.status_line.replace(' · ', ', ')}"))
    collected = _fact(view, "Collected")
    who = (*view.running.split(" · "), f"collected {collected}" if collected else "")
    yield from _wrapped("; ".join(_told(part, _SHORT) for part in who if part))
    if view.section("withdrawn") is None:
        yield from _wrapped(f"URGENCY: {view.urgency_words}")


def _tail(view: View) -> Iterator[str]:
    yield _SUPPORT
    yield from _wrapped(f"{view.number} v{view.version}; {view.footer.replace(' · ', '; ')}")


def _fact(view: View, label: str) -> str:
    rows = (
        row for block in _blocks(view, "identity") if isinstance(block, Facts) for row in block.rows
    )
    return next((row.value for row in rows if row.label == label), "")


def _parts(view: View) -> Iterator[_Part]:
    """In reading order; a greater weight gives way later."""
    changed = tuple(_paragraphs(view, "superseded", "changes", "withdrawn", "nothing_readable"))
    yield _Part("Note", changed, "further changes", weight=9, floor=3, least=1)
    yield _Part("RED FLAG", _titles(view, "red_flags"), "red flags", weight=10, floor=4, least=1)
    yield from _results(view)
    yield _Part("Sample in doubt", _titles(view, "sample_doubts"), "doubts", weight=7, floor=2)
    yield _Part("Explains twitching", _verdict(view), "", weight=12, floor=1, least=1)
    yield from _findings(view)
    yield _Part("To consider", tuple(_steps(view)), "further steps", weight=5, floor=2, least=1)
    yield _Part(
        "Not decided; would settle", _undecided(view), "undecided", weight=3, floor=2, least=1
    )


def _results(view: View) -> Iterator[_Part]:
    rows = [row for block in _blocks(view, "results") for row in _rows(block)]
    critical = tuple(_row(row) for row in rows if row.critical)
    outside = tuple(_row(row) for row in rows if row.standing in ("low", "high"))
    unjudged = sorted((row for row in rows if row.standing == "unknown"), key=_is_derived)
    unknown = tuple(map(_unknown, unjudged))
    within = tuple(_value(row) for row in rows if row.standing == "within")
    yield _Part("CRITICAL", critical, "critical results", weight=11, floor=6, least=2, apart=True)
    yield _Part("Outside interval", outside, "outside their interval", weight=8, floor=6, least=1)
    yield _Part("Within interval", within, "within their interval", weight=1, floor=3)
    yield _Part("Not classified", unknown, "not classified", weight=2, floor=3)


def _rows(block: Block) -> tuple[ResultRow, ...]:
    return block.rows if isinstance(block, ResultTable) else ()


def _is_derived(row: ResultRow) -> bool:
    return row.derived


def _value(row: ResultRow) -> str:
    return _told(f"{row.name} {row.value_and_unit}".strip())


def _row(row: ResultRow) -> str:
    """`Potassium 2.9 mmol/L low (3.5-5.3, laboratory's own)`."""
    whose = row.interval_whose.split(":")[0]
    interval = f" ({row.interval}, {whose})" if row.interval else ""
    remarks = ", doubtful" if row.doubtful else ""
    limit = ", at the limit" if row.at_the_limit else ""
    return _told(f"{_value(row)} {row.flag.lower()}{remarks}{limit}{interval}")


def _unknown(row: ResultRow) -> str:
    """What could not be judged; why, where it is not merely that no interval is held."""
    why = "" if row.why_unknown.startswith("No interval") else f" ({row.why_unknown.rstrip('.')})"
    return _told(f"{_value(row)}{why}", _NAMED)


def _verdict(view: View) -> tuple[str, ...]:
    blocks = _blocks(view, "twitching")
    return tuple(block.headline for block in blocks if isinstance(block, VerdictBlock))


def _findings(view: View) -> Iterator[_Part]:
    blocks = [block for block in _blocks(view, "findings") if isinstance(block, Findings)]
    leading = tuple(
        f"{item.title} ({item.certainty_words})" for block in blocks for item in block.leading
    )
    also = tuple(item.title for block in blocks for item in block.also)
    yield _Part("Leading finding", leading[:1], "", weight=12, floor=1, least=1)
    yield _Part("Further findings", leading[1:], "further findings", weight=4, floor=1)
    yield _Part("Also noted", also, "also noted", weight=0)


def _titles(view: View, section: str) -> tuple[str, ...]:
    return tuple(
        item.title
        for block in _blocks(view, section)
        if isinstance(block, Findings)
        for item in block.leading
    )


def _steps(view: View) -> Iterator[str]:
    """Each step; the first of a kind says how soon."""
    for block in _blocks(view, "next_steps"):
        for group in block.groups if isinstance(block, Steps) else ():
            for place, step in enumerate(group.steps):
                told = step.text.rstrip(".").removeprefix("Consider ")
                yield told if place else f"{group.title.upper()}: {told}"


def _undecided(view: View) -> tuple[str, ...]:
    """What is missing, with how many rules each would decide."""
    return tuple(
        f"{_told(missing or 'no single result', _SHORT)} ({_rules(len(titles))})"
        for block in _blocks(view, "undecided")
        if isinstance(block, UndecidedList)
        for missing, titles in block.together
    )


def _rules(count: int) -> str:
    return words.plural(count, "rule", "rules")


def _paragraphs(view: View, *sections: str) -> Iterator[str]:
    for block in (block for name in sections for block in _blocks(view, name)):
        if isinstance(block, Paragraph):
            yield _told(text_of(block.line))
        elif isinstance(block, Bullets):
            yield from (_told(text_of(item)) for item in block.items)


def _blocks(view: View, section: str) -> Iterable[Block]:
    found = view.section(section)
    return found.blocks if found else ()
