"""One panel, the whole answer, beside a first version of the same: the obvious implementation.

The obvious one converts each value with pint, looks through the intervals for the first that fits,
and walks twenty of our rules as trees; it gives standings and the rules that hold, and no sentence.
Ours gives everything of the contract. No two panels of a round are alike, and in the second figure
hardly two values: what is kept of one panel helps the next only as far as laboratories repeat
themselves.
"""

from __future__ import annotations

import random
from datetime import UTC, datetime
from decimal import Decimal
from itertools import islice
from typing import TYPE_CHECKING

import pint

from benchmarks.measure import Figure, beside
from labinterp.formats import json_panel
from labinterp.interpretation import conditions, interpret
from labinterp.knowledge import load
from labinterp.model.rule import All, AnyOf, AtLeast, NoneOf, StatusIs

if TYPE_CHECKING:
    from labinterp.model.interpretation import Interpretation
    from labinterp.model.knowledge import Knowledge
    from labinterp.model.submission import Submission

RECEIVED = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
GOAL = 0.1
PANELS = 60
ROUNDS = 7
RULES = 20
SET = "uk-pathology-harmony"
MEASURED = (
    ("magnesium", "mg/dL", "mg/dL", 1.2, 2.8),
    ("potassium", "mmol/L", "mmol/L", 2.6, 6.4),
    ("phosphate", "mg/dL", "mg/dL", 1.8, 5.4),
    ("albumin", "g/dL", "g/dL", 2.8, 5.4),
    ("sodium", "mmol/L", "mmol/L", 122, 156),
    ("adjusted_calcium", "mg/dL", "mg/dL", 7.4, 12.4),
    ("chloride", "mmol/L", "mmol/L", 88, 115),
    ("bicarbonate", "mmol/L", "mmol/L", 15, 36),
    ("creatinine", "mg/dL", "mg/dL", 0.5, 2.4),
    ("urea", "mmol/L", "mmol/L", 2, 16),
    ("alp", "U/L", "U/L", 25, 220),
    ("ck", "U/L", "U/L", 20, 420),
)
"""Measurand, the unit as sent, the same for pint, and between what the values are drawn."""
_MOLAR = {
    "magnesium": "24.305",
    "phosphate": "30.973762",
    "adjusted_calcium": "40.078",
    "creatinine": "113.12",
}
_KNOWN_STATUSES = ("low", "high", "within", "not_low", "not_high", "present", "missing")


def figures() -> list[Figure]:
    """Both sides on the same panels, after they were seen to agree."""
    return [
        _figure(6, 1, "values as laboratories print them"),
        _figure(12, 1, "values as laboratories print them"),
        _figure(6, 4, "hardly a value twice"),
    ]


def _figure(count: int, decimals: int, what: str) -> Figure:
    knowledge = load()
    given = [_values(number, count, decimals) for number in range(PANELS * (ROUNDS + 1))]
    panels = [_submission(values) for values in given]
    obvious = Obvious(knowledge)
    for values, submission in islice(zip(given, panels, strict=True), PANELS):
        _compare(obvious, values, interpret(submission, knowledge))
    ours, theirs = (_in_turn(panels), _in_turn(given))
    return beside(
        f"one panel of {count}, the whole answer; {what}",
        f"pint for each value, a range scan, {RULES} rules as trees, no sentence",
        lambda: [interpret(one, knowledge) for one in islice(ours, PANELS)],
        lambda: [obvious.answer(one) for one in islice(theirs, PANELS)],
        rounds=ROUNDS,
        part="P1",
        goal=GOAL,
        note=f"{knowledge.rule_count} rules with their evidence, sources and problems in ours",
    )


def _in_turn(items):
    while True:
        yield from items


def _values(number: int, count: int, decimals: int) -> list[tuple[str, str, str]]:
    chance = random.Random(number)  # noqa: S311 - no secret
    return [
        (name, _printed(chance.uniform(low, high), decimals, high), unit)
        for name, unit, _, low, high in MEASURED[:count]
    ]


def _printed(value: float, decimals: int, high: float) -> str:
    """With so many decimals; of values in the hundreds none, unless many are asked for."""
    places = 0 if high > 100 and decimals == 1 else decimals  # noqa: PLR2004 - as said
    return f"{value:.{places}f}"


def _submission(values: list[tuple[str, str, str]]) -> Submission:
    panel = {
        "patient": {"age": {"value": 54, "unit": "years"}, "sex": "female"},
        "collected_at": "2026-11-24T08:00:00Z",
        "results": [{"test": name, "value": value, "unit": unit} for name, value, unit in values],
        "symptoms": ["facial-twitch"],
    }
    return json_panel.received_of(panel, RECEIVED).submission


def _compare(obvious: Obvious, values: list[tuple[str, str, str]], answer: Interpretation) -> None:
    standings, found = obvious.answer(values)
    ours = {one.measurand: one.standing.removeprefix("critically_") for one in answer.results}
    differing = [name for name, standing in standings.items() if ours[name] != standing]
    if answer.artefacts:
        return  # the first version believes every value
    said = {one.rule for one in answer.patterns}
    differing += sorted(found ^ (said & obvious.patterns))
    if differing:
        raise SystemExit(f"the two sides differ on {differing}: no ratio is printed")


class Obvious:
    """A first version."""

    def __init__(self, knowledge: Knowledge) -> None:
        self.units = pint.UnitRegistry(non_int_type=Decimal)
        self.intervals = [
            (measurand.id, row)
            for measurand in knowledge.measurands.values()
            for row in measurand.intervals
            if row.usable
        ]
        known = (*knowledge.patterns.values(), *knowledge.mechanisms.values())
        simple = [one for one in known if _is_simple(one.when)]
        self.rules = [(one.id, one.when) for one in simple[:RULES]]
        self.patterns = {name for name, _ in self.rules} & knowledge.patterns.keys()

    def answer(self, values: list[tuple[str, str, str]]) -> tuple[dict[str, str], set[str]]:
        """Standings, and which of the patterns hold."""
        standings = {name: self.standing(name, value, unit) for name, value, unit in values}
        held = {name for name, when in self.rules if _holds(when, standings) is True}
        return standings, held & self.patterns

    def standing(self, name: str, value: str, unit: str) -> str:
        amount = self.units.Quantity(Decimal(value), unit.replace("U/L", "enzyme_unit/L"))
        for measurand, row in self.intervals:
            if measurand != name or row.set != SET or not _fits(row.applies_to):
                continue
            wanted = row.unit.replace("U/L", "enzyme_unit/L")
            if "mol" in wanted and "mol" not in unit:
                amount = amount / self.units.Quantity(Decimal(_MOLAR[name]), "g/mol")
            number = amount.to(wanted).magnitude
            return "low" if number < row.low else "high" if number > row.high else "within"
        return "unknown"


def _fits(applies) -> bool:
    """A woman of 54 years who is not pregnant."""
    days = Decimal(54) * Decimal("365.25")
    return (
        applies.sex in (None, "female")
        and (applies.age_from is None or applies.age_from <= days)
        and (applies.age_below is None or days < applies.age_below)
        and applies.pregnancy in (None, "not_pregnant")
        and applies.other is None
    )


def _is_simple(when) -> bool:
    return all(
        isinstance(leaf, StatusIs) and leaf.status in _KNOWN_STATUSES
        for leaf in conditions.leaves(when)
    )


def _holds(node, standings):
    """Kleene's logic over the tree."""
    if isinstance(node, StatusIs):
        return _status(node, standings)
    parts = [_holds(part, standings) for part in node.parts]
    if isinstance(node, All):
        return False if False in parts else None if None in parts else True
    if isinstance(node, AnyOf):
        return True if True in parts else None if None in parts else False
    if isinstance(node, NoneOf):
        return True not in parts
    assert isinstance(node, AtLeast)
    certain = parts.count(True)
    if certain >= node.count:
        return True
    return None if certain + parts.count(None) >= node.count else False


def _status(leaf, standings):
    standing = standings.get(leaf.measurand)
    if leaf.status in ("present", "missing"):
        return (standing is not None) == (leaf.status == "present")
    if standing is None or standing == "unknown":
        return None
    if leaf.status.startswith("not_"):
        return standing != leaf.status.removeprefix("not_")
    return standing == leaf.status
