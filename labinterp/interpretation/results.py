"""Each classified result as the answer prints it: exactly as sent, converted, judged, doubted.

One file, so that whatever is printed of one result is put together in one place.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal, localcontext
from fractions import Fraction
from typing import TYPE_CHECKING, Final, Literal, cast

from labinterp.interpretation import conditions
from labinterp.interpretation.critical import critical_limits, critical_text, in_force
from labinterp.interpretation.intervals import person_like, with_decimals
from labinterp.interpretation.keeping import kept
from labinterp.interpretation.line_inputs import line_inputs
from labinterp.interpretation.measure import (
    bounds_text,
    compared_bounds,
    extent_in,
)
from labinterp.interpretation.numerals import clean
from labinterp.interpretation.printed_interval import is_given
from labinterp.interpretation.reading import places_of
from labinterp.model import units
from labinterp.model.codes import FLAG_OF_STANDING, LOINC
from labinterp.model.interpretation import (
    Amount,
    ChangeRecord,
    ConversionRecord,
    DecisionRecord,
    InterpretedResult,
    IntervalRecord,
    LineGeometryInputs,
    ReportedValue,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from labinterp.interpretation.facts import Facts
    from labinterp.interpretation.findings import Doubts
    from labinterp.interpretation.settings import Settings
    from labinterp.model.interval import DecisionLimit
    from labinterp.model.knowledge import Formula, Knowledge
    from labinterp.model.measurand import Code, Measurand
    from labinterp.model.panel import Change, Classification, Result, UsedInterval
    from labinterp.model.patient import Patient
    from labinterp.model.submission import ReportedResult

UNCONFIRMED_FORMULA: Final = "The formula is not confirmed in a source."
_PRECISION: Final = 34
_FACTOR_DIGITS: Final = 8
_DEFAULT_DECIMALS: Final = 2
_GROUP_ORDER: Final = ("electrolytes", "minerals", "vitamins", "supporting", "urine", "specimen")


@dataclass(frozen=True, slots=True)
class _Numbers:
    """What is printed of a value, whoever's it is.

    Attributes:
        decisions: None where they depend on what else was found.
    """

    value: Amount | None
    conventional: Amount | None
    conversion: ConversionRecord | None
    interval: IntervalRecord | None
    decisions: tuple[DecisionRecord, ...] | None
    line: LineGeometryInputs | None


@dataclass(frozen=True, slots=True)
class Printer:
    """What the printing of results needs besides the classification."""

    knowledge: Knowledge
    settings: Settings
    patient: Patient
    facts: Facts
    doubts: Doubts
    changes: Mapping[str, Change]
    found: frozenset[str] = frozenset()
    """The rules that were found, for labels that some of them contradict."""

    def result(self, one: Classification) -> InterpretedResult:
        """A classified result as the answer shows it."""
        result, measurand = one.result, one.result.measurand
        usual = self.knowledge.formulas.get(result.formula or "")
        formula = usual.by(result.equation) if usual else None
        change = self.changes.get(measurand.id)
        numbers = self._numbers(one, change)
        return InterpretedResult(
            measurand=measurand.id,
            name=_name(result),
            loinc=_loinc(result),
            group=measurand.group,
            where=result.where,
            reported=_reported(result.reported),
            value=numbers.value,
            conventional=numbers.conventional,
            conversion=numbers.conversion,
            interval=numbers.interval,
            standing=one.standing,
            why_unknown=one.why_unknown,
            at_the_limit=one.at_the_limit,
            at_the_limit_note=one.at_the_limit_note,
            flag=FLAG_OF_STANDING[one.standing],
            decisions=numbers.decisions
            if numbers.decisions is not None
            else _decisions(one, self.found),
            change=_change(change, result) if result.usable else None,
            doubts=self._doubts(result),
            derived_from=result.inputs,
            derivation=formula.expression.strip() if formula else None,
            notes=(*result.notes, *self._unsaid(one), *self._cautions(formula)),
            band=one.band.name if one.band else None,
            band_label=one.band.label if one.band else None,
            provisional=result.provisional,
            line=numbers.line,
            matched_by=result.matched_by,
            read_in_words=result.usable and result.text is not None,
        )

    def _numbers(self, one: Classification, change: Change | None) -> _Numbers:
        """What is printed of the value itself; made once for all results that are alike."""
        if one.alike is None:
            return self._made_numbers(one, change)
        key = ("numbers", one.band and one.band.name)
        made = one.alike.get(key)
        if made is None:
            made = one.alike[key] = self._made_numbers(one, change)
        return cast("_Numbers", made)

    def _made_numbers(self, one: Classification, change: Change | None) -> _Numbers:
        result, measurand = one.result, one.result.measurand
        person = person_like(self.patient, self.knowledge)
        limits = critical_limits(measurand, person, self.settings, self.knowledge)
        depends = any(limit.unless_found for limit in one.decisions)
        return _Numbers(
            _value(result),
            _other_system(result),
            _conversion(result),
            _interval_of(one.interval, measurand),
            None if depends else _decisions(one, frozenset()),
            line_inputs(
                one,
                _rounded_derived(result),
                in_force(limits, measurand, self.patient, change),
                change,
            ),
        )

    def _doubts(self, result: Result) -> tuple[str, ...]:
        if not result.usable:
            return ()
        return tuple(doubt.sentence for doubt in self.doubts.get(result.measurand.id, ()))

    def _unsaid(self, one: Classification) -> Iterable[str]:
        """What a limit would say of this result, and why it is not said."""
        if one.why_not_critical is not None:
            yield f"{one.why_not_critical}."
        for limit in one.decisions:
            titles = [self._title(rule) for rule in limit.unless_found if rule in self.found]
            if titles:
                said = f"“{limit.label}” ({limit.scheme_title})"
                yield f"{said} is not said beside: {'; '.join(titles)}."

    def _title(self, rule: str) -> str:
        known = self.knowledge
        found = known.patterns.get(rule) or known.artefacts.get(rule)
        return found.title if found else rule

    def _cautions(self, formula: Formula | None) -> tuple[str, ...]:
        """The formula's cautions that apply to this panel; first that nobody has confirmed it."""
        if formula is None:
            return ()
        doubt = (UNCONFIRMED_FORMULA,) if formula.unverified else ()
        applying = (
            text.strip()
            for condition, text in formula.cautions
            if condition is None or conditions.holds(condition, self.facts) is True
        )
        return (*doubt, *applying)


def in_order(
    classifications: Iterable[Classification], knowledge: Knowledge
) -> list[Classification]:
    """Results by group, core analytes first, then as the knowledge lists them."""
    places = places_of(knowledge)

    def key(one: Classification) -> tuple[int, bool, int, str, str]:
        measurand = one.result.measurand
        group = (
            _GROUP_ORDER.index(measurand.group)
            if measurand.group in _GROUP_ORDER
            else len(_GROUP_ORDER)
        )
        number = f"{one.result.quantity.number:f}" if one.result.quantity else ""
        return group, not measurand.core, places.get(measurand.id, 0), number, one.result.where

    return sorted(classifications, key=key)


# ---- the parts of a row


def _name(result: Result) -> str:
    return (
        f"{result.measurand.name} (unadjusted total, provisional)"
        if result.provisional
        else result.measurand.name
    )


def _loinc(result: Result) -> str | None:
    """The code that was sent, where it was understood; else the measurand's first."""
    if result.reported is not None and result.reported.codes:
        known = {one.code for one in _loinc_codes(result.measurand)}
        chosen = next((one.code for one in result.reported.codes if one.code in known), None)
        if chosen is not None:
            return chosen
    return _usual_loinc(result.measurand, _property(result))


def _loinc_codes(measurand: Measurand) -> list[Code]:
    return [code for code in measurand.codes if code.system == LOINC and not code.is_other]


@kept()
def _usual_loinc(measurand: Measurand, kind: str) -> str | None:
    codes = _loinc_codes(measurand)
    return next(
        (code.code for code in codes if code.property == kind), codes[0].code if codes else None
    )


def _property(result: Result) -> str:
    kind = units.kind(result.quantity.unit) if result.quantity else "other"
    return {"mass": "mass", "substance": "moles", "equivalent": "moles"}.get(kind, kind)


def _reported(reported: ReportedResult | None) -> ReportedValue | None:
    if reported is None:
        return None
    interval = reported.interval
    text = None
    if interval is not None and is_given(interval):
        text = interval.text or f"{interval.low or ''}–{interval.high or ''}"
    value = reported.value
    comparator = reported.comparator
    if value is not None and comparator is None:
        head = clean(value).strip()[:2]
        comparator = next(
            (sign for sign in ("<=", ">=", "<", ">", "≤", "≥") if head.startswith(sign)), None
        )
    return ReportedValue(
        value,
        comparator,
        reported.unit,
        text,
        reported.flag,
        reported.note,
        reported.name,
        reported.status,
    )


def _value(result: Result) -> Amount | None:
    """The value in the canonical unit, rounded once, to the decimals that unit is printed with."""
    if result.extent is None or result.quantity is None:
        return None
    measurand = result.measurand
    if result.quantity.unit == measurand.unit and not result.inputs:
        number = result.quantity.number
    else:
        number = _rounded(result.extent.number, (_figures(result, measurand.unit)[0], _PRECISION))
    return Amount(
        number, measurand.unit, result.extent.comparator, _printed(measurand, measurand.unit)
    )


def _other_system(result: Result) -> Amount | None:
    """The same value in the other unit system, to no more figures than were reported."""
    measurand = result.measurand
    unit = measurand.conventional_unit
    if result.extent is None or result.quantity is None or unit is None:
        return None
    if result.quantity.unit == unit and not result.inputs:
        number = result.quantity.number
    else:
        try:
            extent = extent_in(result, unit)
        except units.UnitError:
            return None
        if extent is None:
            return None
        number = _rounded(extent.number, _figures(result, unit))
    return Amount(number, unit, result.extent.comparator, _printed(measurand, unit))


def _figures(result: Result, unit: str) -> tuple[int, int]:
    """Decimals that this unit is printed with, and the significant figures that were reported."""
    accepted = result.measurand.accepted(unit)
    decimals = (
        accepted.decimals if accepted and accepted.decimals is not None else _DEFAULT_DECIMALS
    )
    digits = result.quantity.number.as_tuple().digits if result.quantity else (0, 0, 0)
    significant = _PRECISION if result.inputs else len(digits)
    return decimals, significant


def _rounded(number: Fraction, figures: tuple[int, int]) -> Decimal:
    """Rounded once, half to even: to the unit's decimals, to no more figures than reported."""
    decimals, significant = figures
    with localcontext() as context:
        context.prec = _PRECISION
        exact = Decimal(number.numerator) / Decimal(number.denominator)
        magnitude = exact.adjusted() + 1 if exact else 1
        places = (
            min(decimals, max(significant - magnitude, 0)) if significant < _PRECISION else decimals
        )
        places = max(places, min(decimals, 2 - magnitude)) if exact else decimals
        return round(exact, places) if places > 0 else exact.quantize(Decimal(1))


def _rounded_derived(result: Result) -> Decimal:
    """The number in its reported unit; a derived one is rounded as it is printed."""
    if result.quantity is None:
        return Decimal(0)
    if not result.inputs or result.provisional:
        return result.quantity.number
    return _rounded(Fraction(result.quantity.number), _figures(result, result.quantity.unit))


def _conversion(result: Result) -> ConversionRecord | None:
    conversion = result.conversion
    if conversion is None or conversion.from_unit == conversion.to_unit:
        return None
    with localcontext() as context:
        context.prec = _FACTOR_DIGITS
        factor = Decimal(conversion.factor.numerator) / Decimal(conversion.factor.denominator)
    return ConversionRecord(
        conversion.from_unit, conversion.to_unit, factor, conversion.basis, conversion.sources
    )


def _end(end: str | None, used: UsedInterval, measurand: Measurand) -> Decimal | None:
    """An end; of our reference intervals with the decimals its unit is printed with, so 0.70."""
    number = None if end is None else Decimal(end)
    if used.owner == "laboratory" or used.kind == "decision":
        return number
    return with_decimals(number, measurand, used.unit)


def _interval_of(used: UsedInterval | None, measurand: Measurand) -> IntervalRecord | None:
    """One of our rows is used for many results; of a laboratory's each is used for its own."""
    if used is None or used.row is None:
        return _interval(used, measurand)
    return _of_row(used, measurand)


@kept(identical=2)
def _of_row(used: UsedInterval, measurand: Measurand) -> IntervalRecord | None:
    return _interval(used, measurand)


def _interval(used: UsedInterval | None, measurand: Measurand) -> IntervalRecord | None:
    if used is None:
        return None
    owner: Literal["laboratory", "service"] = (
        "laboratory" if used.owner == "laboratory" else "service"
    )
    kind: Literal["reference", "decision"] = "decision" if used.kind == "decision" else "reference"
    return IntervalRecord(
        low=_end(used.low, used, measurand),
        high=_end(used.high, used, measurand),
        unit=used.unit,
        owner=owner,
        kind=kind,
        set=used.set,
        applies_to=used.applies_to,
        source=used.sources,
        low_included=used.low_included,
        high_included=used.high_included,
        fallback=used.fallback,
        printed_unit=_printed(measurand, used.unit),
        text=used.text,
        others=used.others,
        title=used.title,
    )


def _decisions(one: Classification, found: frozenset[str]) -> tuple[DecisionRecord, ...]:
    """The severity band, the critical limit and the scheme's regions this result lies in.

    But for a region whose label a finding contradicts.
    """
    result = one.result
    said = (limit for limit in one.decisions if found.isdisjoint(limit.unless_found))
    records = [_as_decision(limit, result) for limit in said]
    critical = critical_text(one)
    if one.critical is not None and critical is not None:
        name = f"critical limit of {one.critical.policy_name}"
        records.insert(
            0, DecisionRecord(name, critical, one.critical.sources, one.critical.policy, "critical")
        )
    if one.band is not None:
        band = one.band
        note = band.note or ""
        records.append(
            DecisionRecord(band.label, note, band.sources, None, "severity", band.unverified)
        )
    return tuple(records)


def _as_decision(limit: DecisionLimit, result: Result) -> DecisionRecord:
    bounds = compared_bounds(result, limit.bounds, limit.also_printed) or limit.bounds
    text = bounds_text(bounds, _printed(result.measurand, bounds.unit))
    return DecisionRecord(
        limit.label,
        text,
        limit.sources,
        limit.scheme,
        "decision",
        limit.unverified,
        limit.scheme_title,
    )


def _change(change: Change | None, result: Result) -> ChangeRecord | None:
    if change is None:
        return None
    measurand = result.measurand
    earlier = change.earlier
    difference = None
    if change.difference is not None:
        difference = _rounded(change.difference, (_figures(result, measurand.unit)[0], _PRECISION))
    return ChangeRecord(
        earlier=Amount(
            earlier.number, earlier.unit, earlier.comparator, _printed(measurand, earlier.unit)
        ),
        earlier_at=change.earlier_at.isoformat() if change.earlier_at else None,
        difference=difference,
        percent=_one_decimal(change.percent),
        reference_change_value=_one_decimal(change.reference_change_value),
        significant=change.significant,
        text=change.text,
    )


def _one_decimal(number: Fraction | None) -> Decimal | None:
    if number is None:
        return None
    with localcontext() as context:
        context.prec = _PRECISION
        return round(Decimal(number.numerator) / Decimal(number.denominator), 1)


def _printed(measurand: Measurand, unit: str) -> str:
    accepted = measurand.accepted(unit)
    return accepted.printed if accepted else unit
