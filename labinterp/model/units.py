"""The one door to pint: exact factors between two UCUM units of one measurand.

Pint is asked for single, known units only (`milligram`, `liter`), never for text from outside, and
only the first time
a unit is met; everything is a fraction, so that converting there and back returns the very number.
What pint cannot
know is settled here: mass becomes substance through the measurand's own molar mass, charge through
its valence, and
arbitrary units ([IU], pH) become nothing else.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal
from fractions import Fraction
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

Dimension = frozenset[tuple[str, int]]

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
}
_ARBITRARY: Final = {
    "eq": "equivalent",
    "[IU]": "international",
    "[iU]": "international",
    "[pH]": "ph",
}
_WHOLE: Final = {"mm[Hg]": "mmHg", "%": "percent"}
_PART: Final = re.compile(
    r"\{[^}]*\}|\(|\)|/|\.|10[*^]-?\d+|\d+|[A-Za-z%\[\]]+[A-Za-z%\]]*(?:-?\d)?"
)
_DANGLING: Final = re.compile(r"^[.)]|[./(]$|[./][./)]|\([./)]")
_LONGEST_CODE: Final = 64


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


def kind(code: str) -> str:
    """What a unit counts: `mass`, `substance`, `equivalent`, or `other`.

    The LOINC property must agree.
    """
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
    (kind, exponent) = next(iter(parts), ("substance", 1))
    if len(parts) > 1 or exponent != 1:
        raise UnitError("these units do not measure the same kind of quantity")
    if kind == "mass":
        if molar_mass is None:
            raise UnitError("mass and substance are not converted for this measurand")
        return 1 / Fraction(molar_mass)
    if kind == "equivalent":
        if valence is None:
            raise UnitError(
                "this measurand has no fixed valence, so milliequivalents are not converted"
            )
        return Fraction(1, valence)
    return Fraction(1)


def _sum(parts: Dimension) -> int:
    return sum(exponent for _, exponent in parts)


def _is_well_formed(code: str) -> bool:
    """Is this text made of known signs, each operator between two units, every bracket closed?"""
    if not code or len(code) > _LONGEST_CODE or "".join(_PART.findall(code)) != code:
        return False
    is_balanced = code.count("(") == code.count(")")
    return is_balanced and not _DANGLING.search(code)


@lru_cache(maxsize=1024)
def _measure(code: str) -> tuple[Fraction, Dimension]:
    """A UCUM code as a multiple of gram, mole, metre, second and the arbitrary units."""
    if not _is_well_formed(code):
        raise UnitError(f"{code!r} is no UCUM unit that is known here")
    parts = iter(_PART.findall(code))
    return _product(parts, code)


def _product(parts: Iterator[str], code: str) -> tuple[Fraction, Dimension]:
    """Read factors up to the end or the closing bracket; `/` inverts what follows it."""
    scale, powers, sign = Fraction(1), dict[str, int](), 1
    for part in parts:
        if part == ")":
            break
        if part in "./":
            sign = -1 if part == "/" else 1
            continue
        if part.startswith("{"):
            continue
        number, dimension = _product(parts, code) if part == "(" else _component(part, code)
        scale *= number**sign
        for name, exponent in dimension:
            powers[name] = powers.get(name, 0) + sign * exponent
        sign = 1
    return scale, frozenset((name, exponent) for name, exponent in powers.items() if exponent)


def _component(part: str, code: str) -> tuple[Fraction, Dimension]:
    """One unit with its exponent, or a number."""
    if part.isdigit():
        return Fraction(int(part)), frozenset()
    if part.startswith(("10*", "10^")):
        return Fraction(10) ** int(part[3:]), frozenset()
    symbol, exponent = _split_exponent(part)
    number, dimension = _unit(symbol, code)
    return number**exponent, frozenset((name, power * exponent) for name, power in dimension)


def _split_exponent(part: str) -> tuple[str, int]:
    digits = part[len(part.rstrip("0123456789-")) :]
    return (part[: -len(digits)], int(digits)) if digits.strip("-") else (part, 1)


@lru_cache(maxsize=1024)
def _unit(symbol: str, code: str) -> tuple[Fraction, Dimension]:
    """One UCUM symbol, with or without a prefix."""
    if symbol in _WHOLE:
        return _asked(_WHOLE[symbol])
    for prefix, name in _prefixed(symbol):
        if name in _ATOMS:
            return _asked(prefix + _ATOMS[name])
        if name in _ARBITRARY:
            return _prefix(prefix), frozenset({(_ARBITRARY[name], 1)})
        if name == "osm":  # an osmole is a mole of particles
            return _prefix(prefix), frozenset({("substance", 1)})
    raise UnitError(f"{code!r} is no UCUM unit that is known here")


def _prefixed(symbol: str) -> Iterator[tuple[str, str]]:
    """Every way to read a symbol as prefix and unit.

    Without prefix first (`min` is no milli-inch).
    """
    yield "", symbol
    for length in (1, 2):
        if symbol[:length] in _PREFIXES:
            yield _PREFIXES[symbol[:length]], symbol[length:]


def _prefix(name: str) -> Fraction:
    return _asked(name + "gram")[0] if name else Fraction(1)


@cache
def _asked(name: str) -> tuple[Fraction, Dimension]:
    """Ask pint what one unit is; the only place where pint is used."""
    quantity = _registry().Quantity(Fraction(1), name).to_root_units()
    dimensions: Mapping[str, Any] = quantity.dimensionality
    return Fraction(quantity.magnitude), frozenset(
        (kind.strip("[]"), int(exponent)) for kind, exponent in dimensions.items()
    )


@cache
def _registry() -> Any:
    """Pint's registry on fractions.

    Imported at the first conversion, for it takes a third of a second.
    """
    import pint  # noqa: PLC0415 - lazily, so that a panel in canonical units never waits for it

    return pint.UnitRegistry(non_int_type=Fraction)
