"""The one door to unit algebra: exact factors between two UCUM units of one measurand.

ucumvert's grammar reads the code, pint says what one known unit is, the first time it is met; both
are imported only then, and never where the answers are kept beside the knowledge. Everything is a
fraction, so that converting there and back returns the very number. What neither can know is
settled here: mass becomes substance through the measurand's own molar mass, charge through its
valence, and arbitrary units ([IU], pH) become nothing else.

Only the units listed here are known, and no text from outside reaches either library: what a
laboratory writes is first matched with a unit that the measurand accepts.
"""

from __future__ import annotations

from fractions import Fraction
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping
    from decimal import Decimal

    from lark import Lark, Token, Tree

Dimension = frozenset[tuple[str, int]]
Measure = tuple[Fraction, Dimension]

_PREFIXES: Final = {
    "f": "femto",
    "p": "pico",
    "n": "nano",
    "u": "micro",
    "m": "milli",
    "c": "centi",
    "d": "deci",
    "da": "deca",
    "h": "hecto",
    "k": "kilo",
    "M": "mega",
    "G": "giga",
}
_ATOMS: Final = {
    "g": "gram",
    "L": "liter",
    "l": "liter",
    "m": "meter",
    "mol": "mole",
    "kat": "katal",
    "U": "enzyme_unit",
    "s": "second",
    "min": "minute",
    "h": "hour",
    "d": "day",
    "Pa": "pascal",
    "bar": "bar",
    "%": "percent",
}
_MILLIMETRE_OF_MERCURY: Final = "mmHg"
_ARBITRARY: Final = {
    "eq": "equivalent",
    "[IU]": "international",
    "[iU]": "international",
    "[pH]": "ph",
    "osm": "substance",  # an osmole is a mole of particles
}
_TEN: Final = ("10*", "10^")
_LONGEST_CODE: Final = 64
_LARGEST_EXPONENT: Final = 30
_NOTHING: Final[Measure] = (Fraction(1), frozenset())


class UnitError(ValueError):
    """No exact factor exists between these units for this measurand."""


@lru_cache(maxsize=4096)
def factor(
    from_unit: str, to_unit: str, molar_mass: Decimal | None = None, valence: int | None = None
) -> Fraction:
    """What a number in one unit is multiplied by to become the same quantity in the other, exactly.

    Args:
        from_unit: UCUM code of the number.
        to_unit: UCUM code wanted.
        molar_mass: of the measurand [g/mol]; None when mass and substance are never converted.
        valence: charges per particle; None when equivalents are refused.

    Raises:
        UnitError: the units do not measure the same, or the needed molar mass or valence is
            missing.
    """
    if from_unit == to_unit:
        return Fraction(1)
    source, target = _measure(from_unit), _measure(to_unit)
    return source[0] / target[0] * _bridge(source[1], target[1], molar_mass, valence)


def is_unit(code: str) -> bool:
    """Is this a UCUM code that this module can read?"""
    try:
        _measure(code)
    except UnitError:
        return False
    return True


@lru_cache(maxsize=1024)
def kind(code: str) -> str:
    """What a unit counts: `mass`, `substance`, `equivalent` or `other`; LOINC's property agrees."""
    try:
        counted = {name for name, exponent in _measure(code)[1] if exponent > 0}
    except UnitError:
        return "other"
    return next((name for name in ("mass", "substance", "equivalent") if name in counted), "other")


def _bridge(
    source: Dimension, target: Dimension, molar_mass: Decimal | None, valence: int | None
) -> Fraction:
    """What turns one dimension into the other: substance is the pivot between mass and charge."""
    if source == target:
        return Fraction(1)
    gained, lost = target - source, source - target
    kinds = {name for name, _ in gained ^ lost}
    if not kinds <= {"mass", "substance", "equivalent"} or _sum(gained) != _sum(lost):
        raise UnitError("these units do not measure the same kind of quantity")
    return _per_substance(lost, molar_mass, valence) / _per_substance(gained, molar_mass, valence)


def _per_substance(parts: Dimension, molar_mass: Decimal | None, valence: int | None) -> Fraction:
    """Moles in one gram, in one equivalent or in one mole, whichever this is."""
    (counted, exponent) = next(iter(parts), ("substance", 1))
    if len(parts) > 1 or exponent != 1:
        raise UnitError("these units do not measure the same kind of quantity")
    if counted == "mass":
        if molar_mass is None:
            raise UnitError("mass and substance are not converted for this measurand")
        return 1 / Fraction(molar_mass)
    if counted == "equivalent":
        if valence is None:
            raise UnitError(
                "this measurand has no fixed valence, so milliequivalents are not converted"
            )
        return Fraction(1, valence)
    return Fraction(1)


def _sum(parts: Dimension) -> int:
    return sum(exponent for _, exponent in parts)


_KNOWN: dict[str, Measure] = {}
"""What was once asked for, so that a start need not ask again."""


def measure(code: str) -> Measure:
    """A UCUM code as a multiple of gram, mole, metre, second and the arbitrary units.

    Raises:
        UnitError: it is none that is known here.
    """
    return _measure(code)


def recall(measures: Mapping[str, Measure]) -> None:
    """Take over what `measure` gave for these codes before, in another process."""
    _KNOWN.update(measures)


def forget() -> None:
    """Ask pint again from now on."""
    _KNOWN.clear()
    _asked_anew.cache_clear()


def _measure(code: str) -> Measure:
    known = _KNOWN.get(code)
    return _asked_anew(code) if known is None else known


@lru_cache(maxsize=1024)
def _asked_anew(code: str) -> Measure:
    from lark.exceptions import LarkError  # noqa: PLC0415 - only what was not kept is parsed

    unknown = UnitError(f"{code!r} is no UCUM unit that is known here")
    if len(code) > _LONGEST_CODE:
        raise unknown
    try:
        return _value(_grammar().parse(code))
    except (LarkError, KeyError):
        raise unknown from None


def _value(node: Tree[Token] | Token) -> Measure:
    """What a part of the code measures; an annotation in braces measures nothing."""
    if isinstance(node, str):
        return _NOTHING  # a token
    parts = node.children
    if node.data == "simple_unit":
        return _unit(*map(str, parts))
    if node.data == "annotatable":
        return _power(_value(parts[0]), int(str(parts[1])))
    if node.data == "term":
        left, operator, right = parts
        return _product(_value(left), _power(_value(right), -1 if operator == "/" else 1))
    if len(parts) > 1 and parts[0] == "/":
        return _power(_value(parts[1]), -1)
    return _value(parts[0])


def _product(left: Measure, right: Measure) -> Measure:
    powers = dict(left[1])
    for name, exponent in right[1]:
        powers[name] = powers.get(name, 0) + exponent
    return left[0] * right[0], frozenset((name, power) for name, power in powers.items() if power)


def _power(base: Measure, exponent: int) -> Measure:
    if abs(exponent) > _LARGEST_EXPONENT:
        raise UnitError("no unit of a laboratory has such an exponent")
    return base[0] ** exponent, frozenset((name, power * exponent) for name, power in base[1])


def _unit(*parts: str) -> Measure:
    """One unit with or without its prefix, or a whole number; KeyError if it is not known here."""
    *prefix, atom = parts
    name = _PREFIXES[prefix[0]] if prefix else ""
    if atom.isdigit():
        return Fraction(int(atom)), frozenset()
    if atom in _TEN:
        return Fraction(10), frozenset()
    if atom in _ARBITRARY:
        return _prefix(name), frozenset({(_ARBITRARY[atom], 1)})
    if atom == "m[Hg]":
        scale, dimension = _asked(_MILLIMETRE_OF_MERCURY)
        return scale * _prefix(name) / _prefix("milli"), dimension
    return _asked(name + _ATOMS[atom])


def _prefix(name: str) -> Fraction:
    return _asked(name + "gram")[0] / _asked("gram")[0] if name else Fraction(1)


@cache
def _asked(name: str) -> Measure:
    """Ask pint what one unit is; the only place where pint is used."""
    quantity = _registry().Quantity(Fraction(1), name).to_root_units()
    dimensions: Mapping[str, Any] = quantity.dimensionality
    return Fraction(quantity.magnitude), frozenset(
        (kind.strip("[]"), int(exponent)) for kind, exponent in dimensions.items()
    )


@cache
def _registry() -> Any:
    """Pint's registry on fractions; imported at the first unit, for that takes its time."""
    import pint  # noqa: PLC0415 - lazily, see above

    return pint.UnitRegistry(non_int_type=Fraction)


@cache
def _grammar() -> Lark:
    """The grammar of UCUM; imported at the first unit too."""
    from ucumvert import get_ucum_parser  # noqa: PLC0415 - lazily, as pint

    grammar: Lark = get_ucum_parser()
    return grammar
