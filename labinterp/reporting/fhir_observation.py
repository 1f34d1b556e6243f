"""One interpreted result as a FHIR Observation: its value in the unit that it was judged in."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal, InvalidOperation, localcontext
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Final

from labinterp.model import units
from labinterp.model.codes import LOINC
from labinterp.model.interpretation import Amount
from labinterp.reporting import fhir_words as words
from labinterp.reporting.fhir_words import Resource, present

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from labinterp.model.interpretation import InterpretedResult, IntervalRecord
    from labinterp.model.knowledge import Knowledge
    from labinterp.model.measurand import Measurand

_STATUS: Final = {
    "preliminary": "preliminary",
    "corrected": "corrected",
    "amended": "corrected",
    "cancelled": "cancelled",
    "entered-in-error": "entered-in-error",
}
_FIGURES: Final = 6
_ABSENT: Final = f"{words.TERMINOLOGY}/data-absent-reason"


def observation(
    result: InterpretedResult,
    knowledge: Knowledge,
    sent: Mapping[str, Any],
    panel_status: str,
    leads: str = "",
) -> Resource:
    """What of an Observation follows from the result alone.

    Args:
        result: the interpreted result.
        knowledge: for the LOINC code of the unit's property, and for how units are printed.
        sent: the row of the panel it was read from.
        panel_status: final, preliminary, corrected, cancelled.
        leads: the unit system shown first, `si` or `conventional`; the interval's unit where empty.
    """
    shown = shown_amount(result, leads)
    interval = interval_in_unit(result.interval, shown, knowledge.measurands.get(result.measurand))
    said = (result.reported.status if result.reported else None) or panel_status
    return {
        "status": _STATUS.get(said, "final"),
        "category": [words.laboratory()],
        "code": _code(result, shown, knowledge),
        "effectiveDateTime": sent.get("collected_at"),
        **_value(result, shown, sent),
        "interpretation": [words.flag(result.standing)] if shown else [],
        "note": [{"text": text} for text in _notes(result, shown) if text],
        "referenceRange": [_range(interval)] if interval and shown else [],
        "derivedFrom": [_source(result, sent)] if result.reported else [],
    }


def shown_amount(result: InterpretedResult, leads: str) -> Amount | None:
    """The value in the unit that leads, else in its interval's.

    So whoever compares the two compares like with like.
    """
    wanted = result.interval.unit if result.interval else None
    if leads and result.value:
        leading = result.conventional if leads == "conventional" else result.value
        wanted = (leading or result.value).unit
    known = [one for one in (_as_reported(result), result.value, result.conventional) if one]
    chosen = next((one for one in known if one.unit == wanted), result.value)
    return chosen or None


def interval_in_unit(
    interval: IntervalRecord | None, shown: Amount | None, measurand: Measurand | None
) -> IntervalRecord | None:
    """The interval in the unit of the value that stands above it; as it is where it cannot be."""
    if interval is None or shown is None or measurand is None or interval.unit == shown.unit:
        return interval
    try:
        factor = units.factor(interval.unit, shown.unit, measurand.molar_mass, measurand.valence)
    except units.UnitError:
        return interval
    printed = interval.printed_unit or interval.unit
    ends = " to ".join(f"{one:f}" for one in (interval.low, interval.high) if one is not None)
    return replace(
        interval,
        low=_times(interval.low, factor),
        high=_times(interval.high, factor),
        unit=shown.unit,
        printed_unit=shown.printed_unit,
        text=f"{interval.text or f'{interval.kind} {ends} {printed}'}, converted",
    )


def _times(number: Decimal | None, factor: Fraction) -> Decimal | None:
    """Exactly, or to more figures than any limit is printed with."""
    if number is None:
        return None
    exact = Fraction(number) * factor
    with localcontext() as context:
        context.prec = _FIGURES
        made = (Decimal(exact.numerator) / Decimal(exact.denominator)).normalize()
    return made.quantize(Decimal(1)) if made == made.to_integral_value() else made


def _as_reported(result: InterpretedResult) -> Amount | None:
    """The very number sent, where its unit is one of the answer's own."""
    sent = result.reported
    if sent is None or result.value is None or not sent.value or not sent.unit:
        return None
    if sent.unit not in (result.value.unit, result.conventional and result.conventional.unit):
        return None
    try:
        return Amount(Decimal(sent.value), sent.unit, result.value.comparator)
    except InvalidOperation:
        return None


def _code(result: InterpretedResult, shown: Amount | None, knowledge: Knowledge) -> Resource:
    found = knowledge.measurands.get(result.measurand)
    wanted = _property(shown.unit) if shown else ""
    codes = [
        one for one in (found.codes if found else ()) if one.system == LOINC and not one.is_other
    ]
    primary = [one for one in codes if one.role.startswith("primary") and one.verified]
    chosen = next((one for one in primary if one.property == wanted), None)
    chosen = chosen or next((one for one in codes if one.code == result.loinc), None)
    chosen = chosen or next(iter(primary), None)
    if chosen is None:
        return {"text": result.name}
    return words.loinc(chosen.code, chosen.name, result.name)


def _property(unit: str) -> str:
    """Whether a unit counts particles or weighs them; anything else has one code alone."""
    numerator = unit.partition("/")[0]
    if numerator.endswith(("mol", "eq")):
        return "moles"
    return "mass" if numerator.endswith("g") else ""


def _value(result: InterpretedResult, shown: Amount | None, sent: Mapping[str, Any]) -> Resource:
    if shown is not None:
        made = words.quantity(shown.number, shown.unit, shown.printed_unit, shown.comparator)
        return {"valueQuantity": made}
    if result.read_in_words and result.reported and result.reported.value:
        return {"valueString": result.reported.value}
    why = sent.get("not_measured") or result.why_unknown
    missing = result.reported is None or not result.reported.value
    code, display = ("not-performed", "Not Performed") if missing else ("error", "Error")
    return {"dataAbsentReason": words.concept(_ABSENT, code, display, why)}


def _notes(result: InterpretedResult, shown: Amount | None) -> Iterator[str]:
    other = [
        f"{one.comparator or ''}{one.number:f} {one.printed_unit or one.unit}"
        for one in (result.value, result.conventional)
        if one and shown and one.unit != shown.unit
    ]
    if other:
        yield f"The same in other units: {'; '.join(other)}."
    if result.conversion and result.conversion.from_unit != result.conversion.to_unit:
        done = result.conversion
        yield f"Converted from {done.from_unit} to {done.to_unit} ({done.basis})."
    if result.derivation:
        yield f"Derived from {', '.join(result.derived_from)}: {result.derivation}."
    yield result.why_unknown or ""
    yield result.at_the_limit_note or ""
    if result.reported and result.reported.flag and result.reported.flag != result.flag:
        yield f"The laboratory's own flag: {result.reported.flag}."
    yield from result.doubts
    yield from result.notes
    if result.reported and result.reported.note:
        yield f"The laboratory's note: {result.reported.note}"


def _range(interval: IntervalRecord) -> Resource:
    def end(number: Decimal | None) -> Resource | None:
        return (
            None
            if number is None
            else words.quantity(number, interval.unit, interval.printed_unit, None)
        )

    owner = (
        "the laboratory's" if interval.owner == "laboratory" else f"the service's ({interval.set})"
    )
    applies = f", for {interval.applies_to}" if interval.applies_to else ""
    return present(
        {
            "low": end(interval.low) if interval.low_included else None,
            "high": end(interval.high) if interval.high_included else None,
            "type": words.concept(
                f"{words.TERMINOLOGY}/referencerange-meaning", "normal", "Normal Range"
            )
            if interval.kind == "reference"
            else None,
            "text": f"{interval.text or interval.kind}: {owner}{applies}",
        }
    )


def _source(result: InterpretedResult, sent: Mapping[str, Any]) -> Resource:
    """The result as it was sent, by the name that its sender knows it by."""
    said = result.reported
    value = " ".join(filter(None, (said.comparator, said.value, said.unit))) if said else ""
    known = sent.get("identifier") or result.where
    return {
        "type": "Observation",
        "identifier": {"value": known},
        "display": f"{result.where}, as received: {value or 'no value'}",
    }
