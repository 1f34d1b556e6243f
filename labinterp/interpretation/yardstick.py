"""The laboratory's interval laid beside ours, unit by unit.

The best witness of which unit a result is really in.

The interval travels with the result and betrays a wrong unit more often than the value does. It
only raises questions;
no unit is ever corrected by it.
"""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Final

from labinterp.interpretation.keeping import kept
from labinterp.interpretation.measure import canonical_per
from labinterp.model import units

if TYPE_CHECKING:
    from collections.abc import Iterator
    from decimal import Decimal

    from labinterp.interpretation.identify import Identified
    from labinterp.interpretation.printed_interval import PrintedInterval
    from labinterp.model.measurand import AcceptedUnit, Measurand

_CLOSE: Final = Fraction(13, 10)
"""Ends within this ratio of ours agree.

Wider than published intervals of one measurand differ among
themselves, narrower than any two of its units do (milliequivalents of magnesium excepted)."""
_FAR: Final = Fraction(16, 10)
"""Ends beyond this ratio of all of ours are another unit's, where that unit agrees."""

_Ends = tuple[Fraction | None, Fraction | None]


def fits(printed: PrintedInterval, unit: AcceptedUnit, identified: Identified) -> bool:
    """Would this interval be a familiar one, if it were in this unit?"""
    return _would_fit(
        identified.measurand, printed.low, printed.high, unit.ucum, identified.molar_mass
    )


def betrayed_unit(
    printed: PrintedInterval, reported: AcceptedUnit, identified: Identified
) -> AcceptedUnit | None:
    """The accepted unit this interval is plainly in; None where it is the reported one."""
    return _betrayed(
        identified.measurand, printed.low, printed.high, reported.ucum, identified.molar_mass
    )


@kept()
def _would_fit(
    measurand: Measurand,
    low: Decimal | None,
    high: Decimal | None,
    unit: str,
    molar_mass: Decimal | None,
) -> bool:
    distance = _distance(measurand, low, high, unit, molar_mass)
    return distance is not None and distance <= _CLOSE


@kept()
def _betrayed(
    measurand: Measurand,
    low: Decimal | None,
    high: Decimal | None,
    reported: str,
    molar_mass: Decimal | None,
) -> AcceptedUnit | None:
    distance = _distance(measurand, low, high, reported, molar_mass)
    if distance is None or distance <= _FAR:
        return None
    others = (unit for unit in measurand.units if unit.ucum != reported)
    fitting = (one for one in others if _would_fit(measurand, low, high, one.ucum, molar_mass))
    return next(fitting, None)


def _distance(
    measurand: Measurand,
    low: Decimal | None,
    high: Decimal | None,
    unit: str,
    molar_mass: Decimal | None,
) -> Fraction | None:
    """The smallest ratio, over our intervals, by which the ends differ.

    None where nothing can be compared.
    """
    try:
        factor = canonical_per(measurand, unit, molar_mass)
    except units.UnitError:
        return None
    ends = (_scaled(low, factor), _scaled(high, factor))
    distances = (_ratio(ends, ours) for ours in _ours(measurand))
    return min((one for one in distances if one is not None), default=None)


def _scaled(number: Decimal | None, factor: Fraction) -> Fraction | None:
    """An end in the canonical unit; zero says nothing and counts as open."""
    return Fraction(number) * factor if number else None


def _ratio(theirs: _Ends, ours: _Ends) -> Fraction | None:
    ratios = [
        max(their / our, our / their)
        for their, our in zip(theirs, ours, strict=True)
        if their is not None and our is not None
    ]
    return max(ratios, default=None)


@kept()
def _ours(measurand: Measurand) -> tuple[_Ends, ...]:
    """Our usable intervals of a measurand in its canonical unit, worked out once."""
    return tuple(_canonical_intervals(measurand))


def _canonical_intervals(measurand: Measurand) -> Iterator[_Ends]:
    fallback = () if measurand.fallback is None else (measurand.fallback,)
    for interval in (*measurand.intervals, *fallback):
        if not interval.usable or interval.unverified:
            continue
        try:
            factor = canonical_per(measurand, interval.unit)
        except units.UnitError:
            continue
        yield _scaled(interval.low, factor), _scaled(interval.high, factor)
