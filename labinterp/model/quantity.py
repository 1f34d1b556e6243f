"""A measured value: exact decimal, UCUM unit, and the comparator that is part of it everywhere."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from operator import ge, gt, le, lt
from typing import TYPE_CHECKING, Final, Literal

from labinterp.model.truth import Truth

if TYPE_CHECKING:
    from collections.abc import Callable

Comparator = Literal["<", "<=", ">", ">="]
Operator = Literal["lt", "le", "gt", "ge"]

SYMBOL_OF: Final[dict[Operator, str]] = {"lt": "<", "le": "≤", "gt": ">", "ge": "≥"}
_OF_POINTS: Final[dict[Operator, Callable[[int, int], bool]]] = {
    "lt": lt, "le": le, "gt": gt, "ge": ge,
}  # fmt: skip
"""Of fractions multiplied out: their own comparison first asks what kind of number the other is."""
PRINTED_COMPARATOR: Final[dict[Comparator, str]] = {"<": "<", "<=": "≤", ">": ">", ">=": "≥"}


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number with its unit, as reported; `<0.5` is not 0.5.

    Attributes:
        number: the exact decimal, with the digits that were sent.
        unit: UCUM code.
        comparator: how the true value relates to the number; None for a plain value.
    """

    number: Decimal
    unit: str
    comparator: Comparator | None = None


@dataclass(frozen=True, slots=True)
class Extent:
    """The set of values a result allows, exact, in some unit.

    A point, or a half-line for `<` and `>`.

    Attributes:
        number: the exact end, as a fraction, so that unit conversion loses nothing.
        comparator: None for the point itself.
    """

    number: Fraction
    comparator: Comparator | None = None

    def scaled(self, factor: Fraction) -> Extent:
        """The same values in another unit; `factor` is positive."""
        return Extent(self.number * factor, self.comparator)

    def compare(self, operator: Operator, limit: Fraction) -> Truth:
        """Does every value satisfy `value operator limit` (true), none (false).

        Or only some (unknown)?
        """
        if self.comparator is None:
            number = self.number
            return _OF_POINTS[operator](
                number.numerator * limit.denominator, limit.numerator * number.denominator
            )
        lower, lower_closed, upper, upper_closed = self._ends()
        if operator == "lt":
            return _below(upper, upper_closed, lower, limit, strict=True)
        if operator == "le":
            return _below(
                upper, upper_closed, lower, limit, strict=False, lower_closed=lower_closed
            )
        below = self.compare("le" if operator == "gt" else "lt", limit)
        return None if below is None else not below

    def _ends(self) -> tuple[Fraction | None, bool, Fraction | None, bool]:
        if self.comparator in ("<", "<="):
            return None, False, self.number, self.comparator == "<="
        return self.number, self.comparator == ">=", None, False


def _below(
    upper: Fraction | None,
    upper_closed: bool,
    lower: Fraction | None,
    limit: Fraction,
    *,
    strict: bool,
    lower_closed: bool = True,
) -> Truth:
    """Is the whole interval below the limit, none of it, or some?"""
    if upper is not None and (upper < limit or (upper == limit and not (strict and upper_closed))):
        return True
    if lower is not None and (lower > limit or (lower == limit and (strict or not lower_closed))):
        return False
    return None
