"""One interpreted result as a FHIR Observation: its value in the unit that it was judged in."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any, Final

from labinterp.model.codes import LOINC
from labinterp.model.interpretation import Amount
from labinterp.reporting import fhir_words as words
from labinterp.reporting.fhir_words import Resource, present

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from labinterp.model.interpretation import InterpretedResult, IntervalRecord
    from labinterp.model.knowledge import Knowledge

_STATUS: Final = {
    "preliminary": "preliminary",
    "corrected": "corrected",
    "amended": "corrected",
    "cancelled": "cancelled",
    "entered-in-error": "entered-in-error",
}
_ABSENT: Final = f"{words.TERMINOLOGY}/data-absent-reason"


def observation(
    result: InterpretedResult, knowledge: Knowledge, sent: Mapping[str, Any], panel_status: str
) -> Resource:
    """What of an Observation follows from the result alone.

    Args:
        result: the interpreted result.
        knowledge: for the LOINC code of the unit's property, and for how units are printed.
        sent: the row of the panel it was read from.
        panel_status: final, preliminary, corrected, cancelled.
    """
    shown = _shown(result)
    said = (result.reported.status if result.reported else None) or panel_status
    return {
        "status": _STATUS.get(said, "final"),
        "category": [words.laboratory()],
        "code": _code(result, shown, knowledge),
        "effectiveDateTime": sent.get("collected_at"),
        **_value(result, shown, sent),
        "interpretation": [words.flag(result.standing)] if shown else [],
        "note": [{"text": text} for text in _notes(result, shown) if text],
        "referenceRange": [_range(result.interval)] if result.interval and shown else [],
        "derivedFrom": [_source(result, sent)] if result.reported else [],
    }


def _shown(result: InterpretedResult) -> Amount | None:
    """The value in its interval's unit, so that whoever compares them compares like with like."""
    wanted = result.interval.unit if result.interval else None
    known = [one for one in (_as_reported(result), result.value, result.conventional) if one]
    chosen = next((one for one in known if one.unit == wanted), result.value)
    return chosen or None


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
