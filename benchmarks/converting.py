"""Unit conversion with its record, beside pint used naively: every unit of every measurand."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING

import pint

from benchmarks.measure import Figure, beside
from labinterp.interpretation.normalise import conversion_of
from labinterp.knowledge import load
from labinterp.model import units

if TYPE_CHECKING:
    from labinterp.model.knowledge import Knowledge
    from labinterp.model.measurand import AcceptedUnit, Measurand

GOAL = 1 / 1000
ROUNDS = 7
REPEATED = 100
"""Ours is too quick for the clock otherwise."""
VALUE = Decimal("2.47")
_OF_PINT = {"umol": "micromole", "ug": "microgram", "meq": "mmol", "U": "enzyme_unit"}


def figures() -> list[Figure]:
    """After every entry was seen to equal what pint, asked exactly, gives."""
    knowledge = load()
    entries = list(_entries(knowledge))
    registry = pint.UnitRegistry(non_int_type=Fraction)
    plain = [(m, u) for m, u in entries if _is_plain(m, u)]
    for measurand, unit in plain:
        exact = _with_pint(registry, measurand, unit)
        if conversion_of(measurand, unit, measurand.molar_mass).factor * Fraction(VALUE) != exact:
            raise SystemExit(f"{measurand.id} in {unit.ucum} differs from pint")
    naive = pint.UnitRegistry()
    measured = beside(
        "one value converted, with its record",
        "pint, a quantity made and converted for each value",
        lambda: [_ours(m, u) for _ in range(REPEATED) for m, u in plain],
        lambda: [_with_pint(naive, m, u, number=2.47) for m, u in plain],
        rounds=ROUNDS,
        part="P2",
        goal=GOAL,
        note=f"{len(plain)} of {len(entries)} entries: those whose units pint can read",
    )
    return [
        replace(
            measured,
            ratios=tuple(one / REPEATED for one in measured.ratios),
            ours=measured.ours / REPEATED / len(plain),
            theirs=measured.theirs / len(plain),
        )
    ]


def _entries(knowledge: Knowledge):
    for measurand in knowledge.measurands.values():
        for unit in measurand.units:
            try:
                conversion_of(measurand, unit, measurand.molar_mass)
            except units.UnitError:
                continue
            yield measurand, unit


def _ours(measurand: Measurand, unit: AcceptedUnit):
    """The number as an exact fraction, and the record that says what it rests on."""
    made = conversion_of(measurand, unit, measurand.molar_mass)
    return made, VALUE_AS_FRACTION * made.factor


VALUE_AS_FRACTION = Fraction(VALUE)


def _is_plain(measurand: Measurand, unit: AcceptedUnit) -> bool:
    """Mass and substance in a volume: what the obvious program converts."""
    kinds = {units.kind(unit.ucum), units.kind(measurand.unit)}
    written = unit.ucum + measurand.unit
    return kinds <= {"mass", "substance"} and not any(
        sign in written for sign in "{}[]*^%0123456789"
    )


def _with_pint(registry, measurand: Measurand, unit: AcceptedUnit, number=None):
    value = Fraction(VALUE) if number is None else number
    exact = type(value)
    amount = registry.Quantity(value, _spelled(unit.ucum))
    mass = unit.molar_mass or measurand.molar_mass
    from_kind, to_kind = units.kind(unit.ucum), units.kind(measurand.unit)
    if from_kind == "mass" and to_kind == "substance":
        amount = amount / registry.Quantity(exact(mass), "g/mol")
    elif from_kind == "substance" and to_kind == "mass":
        amount = amount * registry.Quantity(exact(mass), "g/mol")
    return amount.to(_spelled(measurand.unit)).magnitude


def _spelled(code: str) -> str:
    """A UCUM code in pint's words."""
    return "/".join(_OF_PINT.get(part, part) for part in code.replace("osm", "mol").split("/"))
