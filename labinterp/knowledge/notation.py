"""The notation of the files (conditions, bounds, ages, quantities) read into the model's nouns."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any, Final, get_args

from labinterp.knowledge.reader import Fault, Where
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
    Status,
    StatusIs,
    SymptomIs,
    TextIs,
)

if TYPE_CHECKING:
    from labinterp.model.quantity import Operator

HOURS: Final = {
    "hour": Decimal(1),
    "day": Decimal(24),
    "week": Decimal(168),
    "month": Decimal("730.5"),
    "year": Decimal(8766),
}
"""Hours in each unit of age; the Julian year and its twelfth, as laboratories count partitions."""

OPERATORS: Final[dict[str, Operator]] = {"<": "lt", "<=": "le", ">": "gt", ">=": "ge"}
STATUSES: Final[dict[str, Status]] = {word.replace("_", " "): word for word in get_args(Status)}
_BOUND = re.compile(r"^(<=|>=|<|>)\s*(-?\d+(?:\.\d+)?)\s*(\S*)$")
_QUANTITY = re.compile(r"^(-?\d+(?:\.\d+)?)\s+(\S+)$")
_AGE = re.compile(r"^(\d+(?:\.\d+)?)\s+(hour|day|week|month|year)s?$")


def decimal(value: Any, where: Where) -> Decimal:
    """A number of the file as an exact decimal."""
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise Fault(where, f"“{value}” is not a number")
    return Decimal(value)


def optional_decimal(value: Any, where: Where) -> Decimal | None:
    """A number, or None where the file says null or nothing."""
    return None if value is None else decimal(value, where)


def quantity(text: Any, where: Where) -> tuple[Decimal, str]:
    """`0.4 mmol/L` as number and UCUM unit."""
    found = _QUANTITY.match(str(text))
    if not found:
        raise Fault(where, f"“{text}” is not a number with a unit, such as 0.4 mmol/L")
    return Decimal(found[1]), found[2]


def days(text: Any, where: Where) -> Decimal:
    """`18 years` in days."""
    found = _AGE.match(str(text))
    if not found:
        raise Fault(where, f"“{text}” is not an age, such as 18 years or 12 hours")
    return Decimal(found[1]) * HOURS[found[2]] / 24


def condition(tree: Any, where: Where) -> Condition:
    """A condition tree, `{all: [{magnesium: low}, {potassium: "< 3.0 mmol/L"}]}`.

    Raises:
        Fault: a node is not one of the notation's forms.
    """
    if not isinstance(tree, Mapping) or not tree:
        raise Fault(where, "a condition is a mapping such as {magnesium: low}")
    special = next((key for key in tree if key in _FORMS), None)
    if special is not None:
        return _FORMS[special](tree, where)
    if len(tree) != 1:
        raise Fault(where, f"a condition has one key, not {', '.join(tree)}")
    measurand, claim = next(iter(tree.items()))
    return _about_result(measurand, claim, (*where, measurand))


def _parts(tree: Mapping[str, Any], key: str, where: Where) -> tuple[Condition, ...]:
    parts = tree[key]
    if not isinstance(parts, Sequence) or isinstance(parts, str) or not parts:
        raise Fault((*where, key), f"“{key}” needs a list of conditions")
    _only(tree, {key}, where)
    return tuple(condition(part, (*where, key, n)) for n, part in enumerate(parts))


def _only(tree: Mapping[str, Any], allowed: set[str], where: Where) -> None:
    unknown = sorted(set(tree) - allowed)
    if unknown:
        raise Fault((*where, unknown[0]), f"“{unknown[0]}” does not belong here")


def _at_least(tree: Mapping[str, Any], where: Where) -> Condition:
    inner = tree["at_least"]
    if not isinstance(inner, Mapping) or set(inner) != {"n", "of"}:
        raise Fault((*where, "at_least"), "at_least is {n: 2, of: [conditions]}")
    parts = tuple(
        condition(part, (*where, "at_least", "of", n)) for n, part in enumerate(inner["of"])
    )
    if not isinstance(inner["n"], int) or not 1 <= inner["n"] <= len(parts):
        raise Fault((*where, "at_least", "n"), "n must lie between 1 and the number of conditions")
    return AtLeast(inner["n"], parts)


def _difference(tree: Mapping[str, Any], where: Where) -> Condition:
    _only(tree, {"difference", "at_least"}, where)
    limit, unit = quantity(tree.get("at_least"), (*where, "at_least"))
    first, second = words(tree["difference"], (*where, "difference"), exactly=2)
    return DifferenceAtLeast(first, second, limit, unit)


def _moved(tree: Mapping[str, Any], where: Where) -> Condition:
    _only(tree, {"moved", "beyond", "within"}, where)
    (name,) = words(tree["moved"], (*where, "moved"), exactly=1)
    times = decimal(tree.get("beyond"), (*where, "beyond"))
    return Moved(name, times, days(tree.get("within"), (*where, "within")))


def words(value: Any, where: Where, *, exactly: int | None = None) -> tuple[str, ...]:
    """A list of words; a single word stands for a list of one."""
    listed = [value] if isinstance(value, str) else value
    if not isinstance(listed, list) or not all(isinstance(word, str) for word in listed):
        raise Fault(where, "needs a list of words")
    if not listed or (exactly is not None and len(listed) != exactly):
        raise Fault(where, f"needs {exactly or 'at least one'} of them")
    return tuple(listed)


def _symptom(tree: Mapping[str, Any], where: Where) -> Condition:
    _only(tree, {"symptom", "onset"}, where)
    onset = words(tree["onset"], (*where, "onset")) if "onset" in tree else ()
    return SymptomIs(words(tree["symptom"], (*where, "symptom")), onset)


def _specimen(tree: Mapping[str, Any], where: Where) -> Condition:
    _only(tree, {"specimen"}, where)
    inner = tree["specimen"]
    if not isinstance(inner, Mapping) or len(inner) != 1:
        raise Fault((*where, "specimen"), "specimen is {field: [words]} or {field: '>= 6'}")
    name, claim = next(iter(inner.items()))
    if isinstance(claim, str) and claim.startswith(">="):
        _, number, _ = bound(claim, (*where, "specimen", name))
        return SpecimenAtLeast(name, number)
    return SpecimenIs(name, words(claim, (*where, "specimen", name)))


def bound(text: Any, where: Where) -> tuple[Operator, Decimal, str]:
    """`< 3.0 mmol/L` as operator, number and unit."""
    found = _BOUND.match(str(text))
    if not found:
        raise Fault(where, f"“{text}” is neither a standing nor a bound such as < 3.0 mmol/L")
    try:
        return OPERATORS[found[1]], Decimal(found[2]), found[3]
    except InvalidOperation as error:
        raise Fault(where, f"“{text}” holds no number") from error


def _age(tree: Mapping[str, Any], where: Where) -> Condition:
    _only(tree, {"age"}, where)
    operator, number, unit = bound(str(tree["age"]).replace(" years", "years"), (*where, "age"))
    if unit != "years":
        raise Fault((*where, "age"), "an age in a condition is in years, such as >= 50 years")
    return AgeIs(operator, number)


def _sex(tree: Mapping[str, Any], where: Where) -> Condition:
    _only(tree, {"sex"}, where)
    if tree["sex"] not in ("female", "male"):
        raise Fault((*where, "sex"), "sex is female or male")
    return SexIs(tree["sex"])


def _one_word(kind: Callable[[str], Condition], key: str) -> Callable[..., Condition]:
    def read(tree: Mapping[str, Any], where: Where) -> Condition:
        _only(tree, {key}, where)
        return kind(words(tree[key], (*where, key), exactly=1)[0])

    return read


def _several(kind: Callable[[tuple[str, ...]], Condition], key: str) -> Callable[..., Condition]:
    def read(tree: Mapping[str, Any], where: Where) -> Condition:
        _only(tree, {key}, where)
        return kind(words(tree[key], (*where, key)))

    return read


_FORMS: Final[dict[str, Callable[..., Condition]]] = {
    "all": lambda tree, where: All(_parts(tree, "all", where)),
    "any": lambda tree, where: AnyOf(_parts(tree, "any", where)),
    "none": lambda tree, where: NoneOf(_parts(tree, "none", where)),
    "difference": _difference,
    "moved": _moved,
    "at_least": _at_least,
    "symptom": _symptom,
    "specimen": _specimen,
    "age": _age,
    "sex": _sex,
    "condition": _several(ConditionIs, "condition"),
    "medication": _several(MedicationIs, "medication"),
    "history": _one_word(HistoryIs, "history"),
    "finding": _one_word(FindingIs, "finding"),
    "computed": _one_word(Computed, "computed"),
}
"""The keys that are not measurands; `difference` comes before its own `at_least`."""


def _about_result(measurand: str, claim: Any, where: Where) -> Condition:
    if isinstance(claim, list):
        return All(
            tuple(_about_result(measurand, part, (*where, n)) for n, part in enumerate(claim))
        )
    if isinstance(claim, str) and claim in STATUSES:
        return StatusIs(measurand, STATUSES[claim])
    if isinstance(claim, str) and claim.startswith("= "):
        return TextIs(measurand, claim.removeprefix("= ").strip())
    operator, limit, unit = bound(claim, where)
    if not unit:
        raise Fault(where, f"“{claim}” lacks its unit")
    return Compared(measurand, operator, limit, unit)
