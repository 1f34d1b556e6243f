"""What `check` proves beyond what a start needs: arithmetic, and the state of the evidence."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Final

from labinterp.knowledge import walking
from labinterp.model import units
from labinterp.model.rule import Compared, DifferenceAtLeast

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from labinterp.errors import Place
    from labinterp.knowledge.reader import Document
    from labinterp.knowledge.walking import Spot
    from labinterp.model.knowledge import Knowledge, Source
    from labinterp.model.measurand import AcceptedUnit, Measurand

FACTOR_TOLERANCE: Final = Fraction(3, 1000)
"""Published factors are rounded; the roundest of them (0.25 for calcium) is 0.2 percent off."""

_SECOND_HAND: Final = ("transcription", "copy", "excerpt", "quoted", "summary")


def faults(documents: Sequence[Document], knowledge: Knowledge) -> Iterator[Place]:
    """Everything that does not add up."""
    analytes = [document for document in documents if document.name.startswith("analytes/")]
    for row in walking.rows(analytes, "measurands"):
        measurand = knowledge.measurands[row.value["id"]]
        yield from _units_convert(row, measurand)
        yield from _factors_agree(row, measurand)
    yield from _conditions_convert(documents, knowledge)
    yield from _bands_leave_no_gap(analytes)


def factor(measurand: Measurand, unit: AcceptedUnit | str, to: str) -> Fraction:
    """How many of `to` one of `unit` is, for this measurand.

    Raises:
        UnitError: they do not convert.
    """
    accepted = measurand.accepted(unit) if isinstance(unit, str) else unit
    code = unit if isinstance(unit, str) else unit.ucum
    mass = (accepted.molar_mass if accepted else None) or measurand.molar_mass
    return units.factor(code, to, mass, measurand.valence)


def _units_convert(row: Spot, measurand: Measurand) -> Iterator[Place]:
    """Every accepted unit, and every unit of a limit, converts to the canonical one."""
    used: dict[str, AcceptedUnit | str] = {unit.ucum: unit for unit in measurand.units}
    limits = (measurand.fallback, measurand.plausibility, *measurand.intervals)
    used |= {limit.unit: limit.unit for limit in limits if limit and limit.unit not in used}
    for unit in used.values():
        try:
            factor(measurand, unit, measurand.unit)
        except units.UnitError as error:
            yield row.place(f"{measurand.id}: {error}")


def _factors_agree(row: Spot, measurand: Measurand) -> Iterator[Place]:
    """The published factors agree with the one that follows from molar mass and valence."""
    for n, item in enumerate(row.value.get("published_factors") or ()):
        published = Fraction(Decimal(item["factor"]))
        try:
            ours = factor(measurand, item["from"], measurand.unit) / factor(
                measurand, item["to"], measurand.unit
            )
        except units.UnitError as error:
            yield row.place(f"{measurand.id}: {error}")
            continue
        if abs(published / ours - 1) > FACTOR_TOLERANCE:
            where = (*row.where, "published_factors", n)
            yield row.document.place(
                where, f"{item['factor']} differs from ours, {float(ours):.6g}"
            )


def _conditions_convert(documents: Sequence[Document], knowledge: Knowledge) -> Iterator[Place]:
    """A bound's unit converts to its measurand's."""
    for spot, condition in walking.conditions(documents):
        for leaf in walking.leaves(condition):
            if not isinstance(leaf, Compared | DifferenceAtLeast):
                continue
            name = leaf.measurand if isinstance(leaf, Compared) else leaf.first
            measurand = knowledge.measurands[name]
            try:
                factor(measurand, leaf.unit, measurand.unit)
            except units.UnitError as error:
                yield spot.place(str(error))


def _bands_leave_no_gap(analytes: Sequence[Document]) -> Iterator[Place]:
    """Neighbouring regions of a scheme meet: no value falls between two printed whole numbers."""
    for spot in walking.spots(analytes, "decision_limits"):
        by_scheme: dict[tuple[str, str], list[dict[str, Any]]] = {}
        for row in spot.value:
            by_scheme.setdefault((row["scheme"], row["unit"]), []).append(row)
        for (scheme, _), rows in by_scheme.items():
            for upper, lower in _gaps(rows):
                yield spot.place(f"{scheme}: a value between {upper} and {lower} is in no region")


def _gaps(rows: Sequence[dict[str, Any]]) -> Iterator[tuple[Decimal, Decimal]]:
    """Pairs of an end and the next start that are one printed digit apart."""
    ends = sorted(Decimal(row["le"]) for row in rows if "le" in row)
    starts = sorted(Decimal(row["ge"]) for row in rows if "ge" in row)
    for end in ends:
        following = next((start for start in starts if start > end), None)
        step = Decimal(1).scaleb(int(end.as_tuple().exponent))
        if following is not None and following - end <= step:
            yield end, following


# ---- the state of the evidence


def unverified(documents: Sequence[Document]) -> tuple[str, ...]:
    """Everything that nobody has confirmed in a source, as `file:line: what`."""
    found = []
    for document in documents:
        for spot in walking.spots([document], "unverified"):
            if spot.value:
                owner = ".".join(map(str, spot.where[:-1])) or document.data.get("id", "")
                found.append(f"{document.name}:{document.line(spot.where)}: {owner}")
        for spot in walking.spots([document], "unverified_fields"):
            line = document.line(spot.where)
            found.append(f"{document.name}:{line}: {'; '.join(map(str, spot.value))}")
    return tuple(found)


def second_hand(knowledge: Knowledge) -> tuple[Source, ...]:
    """The sources that were read in a transcription, copy, excerpt or summary only."""
    return tuple(
        source
        for source in knowledge.sources.values()
        if any(word in source.access.casefold() for word in _SECOND_HAND)
    )
