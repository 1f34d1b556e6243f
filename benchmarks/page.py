"""What was measured, as a table, and as the page of the documentation."""

from __future__ import annotations

import os
import platform
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from labinterp import __version__, knowledge

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from benchmarks.measure import Figure

PAGE = Path(__file__).parents[1] / "docs" / "reference" / "performance.md"
_LIBRARIES = ("pint", "pyarrow", "reportlab", "sqlalchemy", "simplejson")
_BEGINNING = """\
# How fast it is

Measured by `make bench`, which writes this page with `--write`. Machines differ, so each figure
is a ratio: the time that labinterp takes, divided by that of a yardstick, both taken in turn in
one run, after both were seen to give the same answer. The spread is that of the rounds; the times
are medians, and only for orientation. Less is better; a goal is the highest ratio that is aimed at.
"""


def machine(now: datetime) -> dict[str, str]:
    """On what it was measured."""
    load = "/".join(f"{one:.0f}" for one in os.getloadavg())
    return {
        "day": now.date().isoformat(),
        "machine": f"{_processor()}, {os.cpu_count()} processors, load {load}",
        "system": f"{platform.system()}, {platform.machine()}",
        "Python": platform.python_version(),
        "labinterp": f"{__version__}, knowledge {knowledge.load().version}",
        "libraries": ", ".join(f"{name} {version(name)}" for name in _LIBRARIES),
    }


def table(figures: Sequence[Figure]) -> list[str]:
    """A row a figure, in Markdown, which reads well enough on a terminal."""
    rows = [
        "| goal | what | beside | ratio | spread | at most | | ours | theirs |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for one in sorted(figures, key=lambda figure: figure.part or "–"):
        met = "" if one.goal is None else "met" if one.is_met else "**not met**"
        goal = "" if one.goal is None else _number(one.goal)
        spread = f"{_number(min(one.ratios))} to {_number(max(one.ratios))}"
        times = f"{one.ours * 1000:.3g} ms | {one.theirs * 1000:.3g} ms"
        cells = (one.part, one.name, one.yardstick, _number(one.median), spread, goal, met)
        rows.append(f"| {' | '.join(cells)} | {times} |")
    return rows


def write(figures: Sequence[Figure], machine: dict[str, str]) -> None:
    """The page, of this run."""
    notes = dict.fromkeys(f"- {one.name}: {one.note}." for one in figures if one.note)
    parts = [
        _BEGINNING,
        "\n".join(f"- {name}: {value}" for name, value in machine.items()),
        "\n".join(table(figures)),
        "\n".join(notes),
    ]
    PAGE.write_text("\n\n".join(part.strip() for part in parts if part) + "\n", encoding="utf-8")


def _number(ratio: float) -> str:
    return f"{ratio:,.0f}" if ratio >= 100 else f"{ratio:.3g}"  # noqa: PLR2004 - three digits


def _processor() -> str:
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        return platform.processor() or "unknown processor"
    names = (line.partition(":")[2].strip() for line in text.splitlines() if "model name" in line)
    return next(names, "unknown processor")
