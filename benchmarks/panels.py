"""One panel, the whole answer, beside the obvious: pint for each value and a range scan."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pint

from benchmarks.measure import Figure, beside
from labinterp.formats import json_panel
from labinterp.interpretation import interpret
from labinterp.knowledge import load

RECEIVED = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
PANEL = {
    "patient": {"age": {"value": 54, "unit": "years"}, "sex": "female"},
    "collected_at": "2026-11-24T08:00:00Z",
    "results": [
        {"test": "Magnesium", "value": "1.5", "unit": "mg/dL"},
        {"test": "Potassium", "value": "2.9", "unit": "mmol/L"},
        {"test": "Calcium", "value": "8.0", "unit": "mg/dL"},
        {"test": "Albumin", "value": "4.1", "unit": "g/dL"},
        {"test": "Sodium", "value": "139", "unit": "mmol/L"},
        {"test": "Vitamin B12", "value": "410", "unit": "pg/mL"},
    ],
    "symptoms": ["facial-twitch"],
}
PANELS = 20


def figures() -> list[Figure]:
    """The ratio, after both sides were seen to give the same standings."""
    knowledge = load()
    submission = json_panel.received_of(PANEL, RECEIVED).submission
    units = pint.UnitRegistry(non_int_type=Decimal)
    rows = rows_of(knowledge)
    answer = interpret(submission, knowledge)
    standings = {result.measurand: result.standing for result in answer.results}
    for measurand, standing in obvious(units, rows).items():
        if standings[measurand].removeprefix("critically_") != standing:
            raise SystemExit(f"the two sides differ on {measurand}: no ratio is printed")
    return [
        beside(
            "one panel of six, the whole answer",
            "pint for each value and a range scan, no rules",
            lambda: [interpret(submission, knowledge) for _ in range(PANELS)],
            lambda: [obvious(units, rows) for _ in range(PANELS)],
        )
    ]


def rows_of(knowledge):
    chosen = {"magnesium": "2", "potassium": "", "sodium": ""}
    return {
        measurand: [
            row
            for row in knowledge.measurands[measurand].intervals
            if row.set == "uk-pathology-harmony"
        ]
        for measurand in chosen
    }


def obvious(units, rows):
    """What a first version would do: convert with pint, look through the intervals."""
    found = {}
    for result in PANEL["results"]:
        measurand = result["test"].lower()
        value = Decimal(result["value"]) * units(result["unit"])
        if measurand == "magnesium":
            value = value.to("g/L") / (Decimal("24.305") * units("g/mol"))
        for row in rows.get(measurand, ()):
            amount = value.to(row.unit).magnitude
            low, high = amount < row.low, amount > row.high
            found[measurand] = "low" if low else "high" if high else "within"
    return found
