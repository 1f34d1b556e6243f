"""A result laid against numbers.

In the unit it was reported in where the source prints that, else converted exactly.
"""

from __future__ import annotations

from fractions import Fraction
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from labinterp.interpretation.keeping import kept
from labinterp.model import units
from labinterp.model.quantity import SYMBOL_OF, Extent, Operator
from labinterp.model.truth import Truth, all_of

if TYPE_CHECKING:
    from decimal import Decimal

    from labinterp.model.codes import Standing
    from labinterp.model.interval import Bounds, Interval
    from labinterp.model.measurand import Measurand
    from labinterp.model.panel import Result

OPERATORS: Final[tuple[Operator, ...]] = ("ge", "gt", "lt", "le")

Column = tuple[str, "Decimal | None", "Decimal | None"]


@lru_cache(maxsize=20_000)
def exact(number: Decimal | Fraction) -> Fraction:
    """The same number as a fraction."""
    return Fraction(number)


@kept()
def canonical_per(measurand: Measurand, unit: str, molar_mass: Decimal | None = None) -> Fraction:
    """Canonical units of a measurand in one of this unit.

    Args:
        measurand: what is measured; a unit that counts another thing (urea nitrogen) has its own
            molar mass, which goes before every other.
        unit: UCUM code.
        molar_mass: the result's own [g/mol], where its code has one; else the measurand's.

    Raises:
        UnitError: the unit does not measure this.
    """
    if unit == measurand.unit:
        return Fraction(1)
    accepted = measurand.accepted(unit)
    own = accepted.molar_mass if accepted else None
    mass = own or molar_mass or measurand.molar_mass
    return units.factor(unit, measurand.unit, mass, measurand.valence)


def to_canonical(result: Result, unit: str) -> Fraction:
    """Canonical units of this result's measurand in one `unit`.

    Raises:
        UnitError: the knowledge uses a unit its own measurand cannot be converted to.
    """
    quantity = result.quantity
    if quantity is not None and result.conversion is not None and quantity.unit == unit:
        return result.conversion.factor
    return canonical_per(result.measurand, unit)


def extent_in(result: Result, unit: str) -> Extent | None:
    """The values a result allows, in this unit.

    The very number reported where the units are the same.
    """
    if result.extent is None:
        return None
    factor = to_canonical(result, unit)
    if factor == 1:
        return result.extent
    return Extent(result.extent.number / factor, result.extent.comparator)


def is_reported_in(result: Result, unit: str) -> bool:
    """Does one reported unit count the same as one of this unit?"""
    if result.quantity is None or result.conversion is None:
        return unit == result.measurand.unit
    try:
        return to_canonical(result, unit) == result.conversion.factor
    except units.UnitError:
        return False


def columns(row: Interval) -> tuple[Column, ...]:
    """The unit columns of an interval as its source prints them."""
    first: Column = (row.unit, row.low, row.high)
    return (first, row.also_printed) if row.also_printed else (first,)


def compared_column(result: Result, row: Interval) -> Column:
    """The column to compare in.

    The reported unit's, if the source prints one, else the source's own.
    """
    printed = columns(row)
    return next((one for one in printed if is_reported_in(result, one[0])), printed[0])


def side(
    extent: Extent,
    low: Decimal | Fraction | None,
    high: Decimal | Fraction | None,
    *,
    low_included: bool = True,
    high_included: bool = True,
) -> Standing | None:
    """Low, within or high; None where the values a result allows are not all on one side."""
    below: Truth = False
    above: Truth = False
    if low is not None:
        below = extent.compare("lt" if low_included else "le", exact(low))
    if high is not None:
        above = extent.compare("gt" if high_included else "ge", exact(high))
    if below is True:
        return "low"
    if above is True:
        return "high"
    return "within" if below is False and above is False else None


def lies_in(result: Result, bounds: Bounds) -> Truth:
    """Do all the values the result allows lie in this region (true), none (false), or only some?"""
    extent = result.extent
    if extent is None:
        return None
    factor = to_canonical(result, bounds.unit)
    limits = _limits(bounds, factor.numerator, factor.denominator)
    return all_of([extent.compare(operator, limit) for operator, limit in limits])


@kept()
def _limits(
    bounds: Bounds, numerator: int, denominator: int
) -> tuple[tuple[Operator, Fraction], ...]:
    """The limits of a region times a factor, which is given in two parts to be found quickly."""
    factor = Fraction(numerator, denominator)
    parts = ((operator, getattr(bounds, operator)) for operator in OPERATORS)
    return tuple(
        (operator, Fraction(limit) * factor) for operator, limit in parts if limit is not None
    )


def compared_bounds(result: Result, *printed: Bounds | None) -> Bounds | None:
    """Of a region printed in several units, the one in the reported unit, else the first."""
    known = [one for one in printed if one is not None]
    if len(known) == 1:
        return known[0]
    return next(
        (one for one in known if is_reported_in(result, one.unit)), known[0] if known else None
    )


def bounds_text(bounds: Bounds, printed_unit: str) -> str:
    """A region in words: `≥ 30 and < 50 nmol/L`."""
    parts = [
        f"{SYMBOL_OF[operator]} {getattr(bounds, operator):f}"
        for operator in OPERATORS
        if getattr(bounds, operator) is not None
    ]
    return f"{' and '.join(parts)} {printed_unit}".strip()


def position_in(extent: Extent, low: Decimal | None, high: Decimal | None) -> Fraction | None:
    """Where a value lies between two ends: 0 at the lower, 1 at the upper.

    None for open ends and `<`, `>`.
    """
    if low is None or high is None or high <= low or extent.comparator is not None:
        return None
    return (extent.number - exact(low)) / (exact(high) - exact(low))
