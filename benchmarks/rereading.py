"""Reading a panel again with two kinds of knowledge, beside the obvious reading of it."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pint

from benchmarks import panels
from benchmarks.measure import Figure, beside
from labinterp.formats import json_panel
from labinterp.interpretation import interpret
from labinterp.knowledge import load
from labinterp.usecases.rereading import differences

PANELS = 20


def figures() -> list[Figure]:
    """The ratio; other knowledge that says the same reads no panel differently."""
    old = load()
    new = replace(old, digest="0" * 64)
    submission = json_panel.received_of(panels.PANEL, panels.RECEIVED).submission

    def reread() -> tuple[str, ...]:
        return differences(interpret(submission, old), interpret(submission, new))

    if reread():
        raise SystemExit("the same knowledge reads a panel differently: no ratio is printed")
    units, rows = pint.UnitRegistry(non_int_type=Decimal), panels.rows_of(old)
    return [
        beside(
            "a stored panel read again with two kinds of knowledge",
            "pint for each value and a range scan, no rules",
            lambda: [reread() for _ in range(PANELS)],
            lambda: [panels.obvious(units, rows) for _ in range(PANELS)],
            part="P4",
            goal=1 / 1_000,
            note="the whole of both answers is compared; the yardstick says standings alone",
        )
    ]
