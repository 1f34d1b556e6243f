"""A value against a number that rules name, in the unit the number is printed in.

A rule's number may be printed in two units; in either it is met by the very digits that are
printed, so that no rounding of ours decides.
"""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING

from labinterp.interpretation.keeping import kept
from labinterp.interpretation.measure import canonical_per, exact
from labinterp.model import units
from labinterp.model.quantity import Extent

if TYPE_CHECKING:
    from labinterp.interpretation.facts import Fact
    from labinterp.model.measurand import Measurand
    from labinterp.model.rule import Compared
    from labinterp.model.truth import Truth


def compare(fact: Fact, leaf: Compared) -> Truth:
    """The value against a number of ours.

    In the reported unit where the source prints the number in it too, else converted exactly.
    """
    if fact.extent is None:
        return None
    canonical, printed = _limit(leaf, fact.measurand)
    if printed is not None and fact.quantity is not None:
        limit, unit = printed
        if _same_number(fact.measurand, fact.quantity.unit, unit):
            reported = Extent(exact(fact.quantity.number), fact.quantity.comparator)
            return reported.compare(leaf.operator, limit)
    return fact.extent.compare(leaf.operator, canonical)


_Limit = tuple[Fraction, "tuple[Fraction, str] | None"]


@kept(identical=2)
def _limit(leaf: Compared, measurand: Measurand) -> _Limit:
    """A rule's number in the canonical unit, and in another if its source prints it; kept."""
    printed = _equivalents(measurand).get((Fraction(leaf.limit), leaf.unit))
    return Fraction(leaf.limit) * canonical_per(measurand, leaf.unit), printed


def _same_number(measurand: Measurand, one: str, other: str) -> bool:
    try:
        return canonical_per(measurand, one) == canonical_per(measurand, other)
    except units.UnitError:
        return False


_Table = dict[tuple[Fraction, str], tuple[Fraction, str]]


@kept()
def _equivalents(measurand: Measurand) -> _Table:
    """Cut-offs printed in two units, read once per measurand."""
    pairs = measurand.printed_equivalents.items()
    return {_amount(one, measurand): _amount(other, measurand) for one, other in pairs}


def _amount(text: str, measurand: Measurand) -> tuple[Fraction, str]:
    number, _, printed = text.partition(" ")
    ucum = next((one.ucum for one in measurand.units if one.printed == printed), printed)
    return Fraction(Decimal(number)), ucum
