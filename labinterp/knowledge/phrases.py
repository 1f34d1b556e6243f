"""Conditions back in the words of the files, for people who read the knowledge."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from labinterp.model.quantity import SYMBOL_OF
from labinterp.model.rule import (
    AgeIs,
    All,
    AnyOf,
    AtLeast,
    Compared,
    Computed,
    Condition,
    ConditionIs,
    DifferenceAtLeast,
    FindingIs,
    HistoryIs,
    MedicationIs,
    Moved,
    NoneOf,
    SexIs,
    SpecimenAtLeast,
    SpecimenIs,
    StatusIs,
    SymptomIs,
    TextIs,
)

if TYPE_CHECKING:
    from collections.abc import Callable


def phrase(condition: Condition) -> str:
    """A condition tree on one line: `magnesium low and (potassium < 3.0 mmol/L or history …)`."""
    return _PHRASES[type(condition)](condition)


def _joined(parts: tuple[Condition, ...], word: str) -> str:
    return f" {word} ".join(_bracketed(part) for part in parts)


def _bracketed(condition: Condition) -> str:
    text = phrase(condition)
    is_group = isinstance(condition, All | AnyOf | AtLeast) and len(condition.parts) > 1
    return f"({text})" if is_group else text


def _listed(words: tuple[str, ...]) -> str:
    return words[0] if len(words) == 1 else f"any of {', '.join(words)}"


def _symptom(leaf: SymptomIs) -> str:
    onset = f" with onset {' or '.join(leaf.onset)}" if leaf.onset else ""
    return f"symptom {_listed(leaf.symptoms)}{onset}"


_PHRASES: Final[dict[type, Callable[[Any], str]]] = {
    All: lambda c: _joined(c.parts, "and"),
    AnyOf: lambda c: _joined(c.parts, "or"),
    NoneOf: lambda c: f"none of: {'; '.join(phrase(part) for part in c.parts)}",
    AtLeast: lambda c: f"at least {c.count} of: {'; '.join(phrase(part) for part in c.parts)}",
    StatusIs: lambda c: f"{c.measurand} {c.status.replace('_', ' ')}",
    Compared: lambda c: f"{c.measurand} {SYMBOL_OF[c.operator]} {c.limit} {c.unit}",
    DifferenceAtLeast: lambda c: f"{c.first} − {c.second} ≥ {c.limit} {c.unit}",
    Moved: lambda c: (
        f"{c.measurand} moved by more than {c.times} reference change values within {c.days} days"
    ),
    TextIs: lambda c: f"{c.measurand} is “{c.text}”",
    SymptomIs: _symptom,
    ConditionIs: lambda c: f"condition {_listed(c.conditions)}",
    MedicationIs: lambda c: f"medicine {_listed(c.medications)}",
    HistoryIs: lambda c: f"history {c.history}",
    SpecimenIs: lambda c: f"specimen {c.field} {_listed(c.values)}",
    SpecimenAtLeast: lambda c: f"specimen {c.field} ≥ {c.limit}",
    AgeIs: lambda c: f"age {SYMBOL_OF[c.operator]} {c.years} years",
    SexIs: lambda c: f"sex {c.sex}",
    FindingIs: lambda c: f"finding {c.rule}",
    Computed: lambda c: f"computed: {c.name.replace('_', ' ')}",
}
