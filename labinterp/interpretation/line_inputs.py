"""What a number line needs of a result: its value and every limit, in the reported unit."""

from __future__ import annotations

from decimal import Decimal, localcontext
from fractions import Fraction
from typing import TYPE_CHECKING, Final

from labinterp.interpretation.judging import printed_unit, region
from labinterp.interpretation.keeping import kept
from labinterp.interpretation.measure import canonical_per, compared_column
from labinterp.model import units
from labinterp.model.interpretation import LineGeometryInputs

if TYPE_CHECKING:
    from labinterp.model.interval import Bounds, CriticalLimit
    from labinterp.model.measurand import Measurand
    from labinterp.model.panel import Change, Classification, Result, UsedInterval

_DIGITS: Final = 8
_Pair = tuple["Decimal | None", "Decimal | None"]


def line_inputs(
    one: Classification,
    value: Decimal,
    limits: tuple[CriticalLimit, ...],
    change: Change | None,
) -> LineGeometryInputs | None:
    """Everything a number line needs, in the unit the result was reported in.

    Args:
        one: the classified result.
        value: the number as it is printed in that unit.
        limits: the critical limits in force.
        change: since the latest earlier result, if there was one.
    """
    result = one.result
    if result.quantity is None or result.extent is None:
        return None
    unit = result.quantity.unit
    low, high = _ends(one.interval, result, unit)
    critical = (
        (_edge(result, limits[0].low, unit), _edge(result, limits[0].high, unit))
        if limits
        else (None, None)
    )
    bounds = result.measurand.plausibility
    earlier = change.earlier if change else None
    return LineGeometryInputs(
        unit=printed_unit(result.measurand, unit),
        value=value,
        comparator=result.quantity.comparator,
        low=low,
        high=high,
        critical_low=critical[0],
        critical_high=critical[1],
        decision=_decision_points(one, unit),
        plausible_low=_in_unit(result, bounds.reject_below, bounds.unit, unit) if bounds else None,
        plausible_high=_in_unit(result, bounds.reject_above, bounds.unit, unit) if bounds else None,
        previous=_in_unit(result, earlier.number, earlier.unit, unit) if earlier else None,
    )


def _in_unit(result: Result, number: Decimal | None, unit: str, wanted: str) -> Decimal | None:
    """A number of another unit in the wanted one, for drawing."""
    if number is None or unit == wanted:
        return number
    return _converted(result.measurand, number, unit, wanted)


@kept()
def _converted(measurand: Measurand, number: Decimal, unit: str, wanted: str) -> Decimal | None:
    try:
        factor = canonical_per(measurand, unit) / canonical_per(measurand, wanted)
    except units.UnitError:
        return None
    with localcontext() as context:
        context.prec = _DIGITS
        exact = Fraction(number) * factor
        return Decimal(exact.numerator) / Decimal(exact.denominator)


def _ends(used: UsedInterval | None, result: Result, unit: str) -> _Pair:
    if used is None:
        return None, None
    if used.row is not None:
        column, low, high = compared_column(result, used.row)
        return _in_unit(result, low, column, unit), _in_unit(result, high, column, unit)
    low, high = (Decimal(end) if end is not None else None for end in (used.low, used.high))
    return _in_unit(result, low, used.unit, unit), _in_unit(result, high, used.unit, unit)


def _edge(result: Result, bounds: Bounds | None, unit: str) -> Decimal | None:
    if bounds is None:
        return None
    return _in_unit(result, next(iter(_edges(bounds)), None), bounds.unit, unit)


def _edges(bounds: Bounds) -> tuple[Decimal, ...]:
    edges = (bounds.lt, bounds.le, bounds.gt, bounds.ge)
    return tuple(edge for edge in edges if edge is not None)


def _decision_points(one: Classification, unit: str) -> tuple[Decimal, ...]:
    """The edges of the scheme's regions, for the marks on the line."""
    result = one.result
    schemes = {limit.scheme for limit in one.decisions}
    points: set[Decimal | None] = set()
    for limit in result.measurand.decision_limits:
        if limit.scheme in schemes:
            bounds = region(result, limit)
            points |= {_in_unit(result, edge, bounds.unit, unit) for edge in _edges(bounds)}
    return tuple(sorted(point for point in points if point is not None))
