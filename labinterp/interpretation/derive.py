"""Quantities that follow from others, worked out before anything is classified.

So that they are judged like any other.

What the laboratory reported itself is never recomputed. Calcium always gets an adjusted value to
be read by: reported,
else computed, else the unadjusted total, marked provisional.
"""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal, localcontext
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from labinterp.interpretation import conditions
from labinterp.interpretation.facts import ADJUSTED_CALCIUM, TOTAL_CALCIUM, before_standing
from labinterp.interpretation.formulas import FORMULAS
from labinterp.interpretation.keeping import kept
from labinterp.interpretation.measure import canonical_per, extent_in
from labinterp.model.panel import Conversion, Panel, Result
from labinterp.model.patient import Patient
from labinterp.model.quantity import Extent, Quantity

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from fractions import Fraction

    from labinterp.model.codes import Sex
    from labinterp.model.knowledge import Formula, Knowledge
    from labinterp.model.measurand import Measurand

PROVISIONAL: Final = (
    "the unadjusted total, used provisionally: no adjusted value could be had; albumin or "
    "ionised calcium would settle it"
)
_KEPT_DIGITS: Final = 30
NOTHING: Final[Mapping[str, str]] = MappingProxyType({})


def derive(panel: Panel, knowledge: Knowledge, asked_for: Mapping[str, str] = NOTHING) -> Panel:
    """The panel with every quantity that its results allow, in an order that inputs come first.

    Args:
        panel: the results as read.
        knowledge: everything we know.
        asked_for: quantity to the scheme or equation chosen for it.
    """
    results = _usable(panel)
    for formula, inputs in _formulas(knowledge, tuple(asked_for.items())):
        if results.keys() >= inputs:
            panel = _with_derived(panel, results, formula, knowledge, asked_for.get(formula.id))
            results = _usable(panel)
    return _with_provisional_calcium(panel, knowledge)


@kept(most=500)
def _formulas(
    knowledge: Knowledge, asked_for: tuple[tuple[str, str], ...]
) -> list[tuple[Formula, frozenset[str]]]:
    """The formulas in force with their inputs, in an order that inputs come first."""
    asked = dict(asked_for)
    ordered = _in_order(
        one.by(asked.get(one.id))
        for one in knowledge.formulas.values()
        if one.enabled or one.id in asked
    )
    return [(one, frozenset(one.inputs)) for one in ordered]


def _usable(panel: Panel) -> dict[str, Result]:
    return {one.measurand.id: one for one in panel.results if one.usable}


def _in_order(formulas: Iterable[Formula]) -> list[Formula]:
    """Formulas whose inputs are themselves derived come after those that derive them."""
    waiting = [one for one in formulas if one.id in FORMULAS]
    ordered: list[Formula] = []
    while waiting:
        names = {one.id for one in waiting}
        ready = [one for one in waiting if not names & (set(one.inputs) | _asked(one))] or waiting[
            :1
        ]
        ordered += ready
        waiting = [one for one in waiting if one not in ready]
    return ordered


def _asked(formula: Formula) -> set[str]:
    """Measurands that the formula's validity asks about, itself excepted."""
    if formula.valid_when is None:
        return set()
    named = {
        name
        for leaf in conditions.leaves(formula.valid_when)
        for name in conditions.measurands_of(leaf)
    }
    return named - {formula.id}


def _with_derived(
    panel: Panel,
    results: Mapping[str, Result],
    formula: Formula,
    knowledge: Knowledge,
    equation: str | None,
) -> Panel:
    """The panel with one more result, if the formula gives one that nobody reported."""
    measurand = knowledge.measurands.get(formula.id)
    if measurand is None or any(one.measurand.id == formula.id for one in panel.results):
        return panel
    inputs = [results.get(name) for name in formula.inputs]
    present = [one for one in inputs if one is not None and one.extent is not None]
    if len(present) < len(inputs) or any(one.extent and one.extent.comparator for one in present):
        return panel
    if formula.valid_when is not None:
        facts = before_standing(panel, knowledge.measurands)
        if conditions.holds(formula.valid_when, facts) is False:
            return replace(panel, notes=(*panel.notes, *_not_computed(formula)))
    derived = _computed(formula, measurand, present, panel)
    if derived is None:
        return replace(panel, notes=(*panel.notes, *_not_computed(formula)))
    if equation in formula.equations:
        derived = replace(derived, equation=equation)
    return replace(panel, results=(*panel.results, derived))


def _not_computed(formula: Formula) -> tuple[str, ...]:
    return (f"{formula.title}: {formula.invalid_note.strip()}",) if formula.invalid_note else ()


def _computed(
    formula: Formula, measurand: Measurand, inputs: list[Result], panel: Panel
) -> Result | None:
    """The formula's value as a result of its measurand."""
    handed = tuple(
        extent.number
        for one, unit in zip(inputs, formula.units, strict=True)
        if (extent := extent_in(one, unit)) is not None
    )
    given = _given(formula, measurand, handed, panel.patient.age_days, panel.patient.sex)
    if given is None:
        return None
    return Result(
        measurand,
        where="derived",
        quantity=given[0],
        extent=given[1],
        conversion=given[2],
        inputs=tuple(one.measurand.id for one in inputs),
        formula=formula.id,
        notes=(*_borrowed_notes(inputs),),
    )


@kept(identical=2)
def _given(
    formula: Formula,
    measurand: Measurand,
    handed: tuple[Fraction, ...],
    age_days: Decimal | None,
    sex: Sex,
) -> tuple[Quantity, Extent, Conversion] | None:
    """What a formula gives of these very numbers; of the patient it asks age and sex only."""
    value = FORMULAS[formula.id](handed, formula.constants, Patient(sex=sex, age_days=age_days))
    if value is None:
        return None
    factor = canonical_per(measurand, formula.unit)
    return (
        Quantity(_decimal(value), formula.unit),
        Extent(value * factor),
        Conversion(formula.unit, measurand.unit, factor, "same unit"),
    )


def _borrowed_notes(inputs: list[Result]) -> tuple[str, ...]:
    """What holds for an input holds for what follows from it."""
    return tuple(dict.fromkeys(note for one in inputs for note in one.notes))


def _decimal(value: Fraction) -> Decimal:
    """A fraction as a decimal, long enough to lose nothing before the one rounding for print."""
    with localcontext() as context:
        context.prec = _KEPT_DIGITS
        return Decimal(value.numerator) / Decimal(value.denominator)


def _with_provisional_calcium(panel: Panel, knowledge: Knowledge) -> Panel:
    """Total calcium stands in for an adjusted value that cannot be had.

    It may warn, and it is marked.
    """
    measurand = knowledge.measurands.get(ADJUSTED_CALCIUM)
    total = _usable(panel).get(TOTAL_CALCIUM)
    if (
        measurand is None
        or total is None
        or any(one.measurand.id == ADJUSTED_CALCIUM for one in panel.results)
    ):
        return panel
    provisional = replace(
        total,
        measurand=measurand,
        where="derived",
        reported=None,
        inputs=(TOTAL_CALCIUM,),
        notes=(*total.notes, PROVISIONAL),
        provisional=True,
    )
    return replace(panel, results=(*panel.results, provisional))
