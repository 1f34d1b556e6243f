"""`make bench`: every figure with its yardstick, as a table; with `--json` as JSON.

    python -m benchmarks [--only bulking --only drawing] [--json FILE] [--write]

`--write` makes docs/reference/performance.md of this run.
"""

from __future__ import annotations

import argparse
import importlib
import json
import sys
import time
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks import growing, page

if TYPE_CHECKING:
    from benchmarks.measure import Figure

MODULES = (
    "panels",
    "answering",
    "converting",
    "serving",
    "loading",
    "bulking",
    "rereading",
    "drawing",
    "handing_over",
    "starting",
    "growing",
    "listening",
)
"""Each has `figures()`; a line here is all that another one needs."""


def main() -> None:
    """Measure, then print the ratio, its spread, and the medians it was made of."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks")
    parser.add_argument("--only", action="append", choices=MODULES, help="not all of them")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write what was measured")
    parser.add_argument("--write", action="store_true", help=f"write {page.PAGE.name} of this run")
    parser.add_argument("--panels", type=int, help="stored for what grows (default: 20,000)")
    given = parser.parse_args()
    growing.MANY = given.panels or growing.MANY
    found: list[Figure] = []
    for name in given.only or MODULES:
        began = time.monotonic()
        found += importlib.import_module(f"benchmarks.{name}").figures()
        print(f"{name}: {time.monotonic() - began:.0f} s", file=sys.stderr)
    machine = page.machine(datetime.now(UTC))  # noqa: TID251 - the day of the run
    print("\n".join(page.table(found)))
    if given.json:
        figures = [{**asdict(one), "median": one.median, "met": one.is_met} for one in found]
        text = json.dumps({"machine": machine, "figures": figures}, indent=2)
        given.json.write_text(text + "\n", encoding="utf-8")
    if given.write:
        page.write(found, machine)


if __name__ == "__main__":
    main()
