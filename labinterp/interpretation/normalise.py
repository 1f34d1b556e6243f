"""Text becomes quantity: units read by the measurand's own spellings, numbers converted exactly.

Exact spellings go before folded ones, and nothing outside the tables is tried: a unit that is not
understood is asked
about. A missing unit is inferred only where the laboratory's interval fits one accepted unit and
no other.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction
from typing import Final

from labinterp.interpretation.identify import Identified
from labinterp.interpretation.keeping import kept
from labinterp.interpretation.lookup import Lookup, name_key
from labinterp.interpretation.measure import canonical_per
from labinterp.interpretation.numerals import Numeral, clean, read_number
from labinterp.interpretation.printed_interval import is_given, read_interval
from labinterp.interpretation.yardstick import fits
from labinterp.model import units
from labinterp.model.measurand import AcceptedUnit, Measurand
from labinterp.model.panel import Conversion, Problem, Result
from labinterp.model.quantity import Extent, Quantity
from labinterp.model.spelling import exact_unit, folded_unit
from labinterp.model.submission import ReportedCode, ReportedResult

WORDS: Final = {
    "normal": "within",
    "within": "within",
    "within range": "within",
    "in range": "within",
    "low": "low",
    "below": "low",
    "decreased": "low",
    "high": "high",
    "above": "high",
    "raised": "high",
    "elevated": "high",
    "increased": "high",
}
"""Results reported in words, and the standing they amount to."""
_SHORT_WORDS: Final = {
    "pos": "positive",
    "neg": "negative",
    "detected": "positive",
    "not detected": "negative",
    "+": "positive",
    "reactive": "positive",
    "non reactive": "negative",
    "nonreactive": "negative",
    "-": "negative",
}
_NOT_MEASURED: Final = frozenset(
    {
        "pending",
        "not done",
        "not measured",
        "not tested",
        "n/a",
        "na",
        "unable",
        "cancelled",
        "haemolysed",
        "hemolyzed",
        "insufficient",
        "see comment",
        "nil",
        "none",
        "null",
        "tnp",
        "qns",
        "-",
        "--",
        "---",
        "*",
    }
)
_NO_UNIT: Final = frozenset({"[pH]", "1", "%", "{ratio}"})
_DUMMY_UNITS: Final = frozenset({"", "-", "none", "n/a", "null", "1", "ratio", "unknown"})
_LONGEST_SHOWN: Final = 40
_LONGEST_KEPT: Final = 200


@dataclass(frozen=True, slots=True)
class _Unit:
    """The unit understood, or the Problem instead; an inferred unit comes with both."""

    accepted: AcceptedUnit | None
    problem: Problem | None = None


def normalise(
    reported: ReportedResult, identified: Identified, lookup: Lookup
) -> tuple[Result, tuple[Problem, ...]]:
    """One identified result as a quantity in its measurand's canonical unit.

    A result that cannot be used is kept, with the reason, so that it is shown and never dropped.
    """
    measurand = identified.measurand
    base = Result(measurand, reported.where, reported, matched_by=identified.matched_by)
    if reported.value is None or not reported.value.strip():
        return _not_measured(base, reported)
    numeral = read_number(reported.value, reported.comparator)
    if numeral.number is None:
        return _in_words(base, reported, numeral)
    if measurand.qualitative:
        return _refused(base, "value-not-numeric", _expected_words(measurand, reported))
    unit = _unit(reported, identified, lookup)
    problems = (unit.problem,) if unit.problem else ()
    if unit.accepted is None:
        return _unusable(base, problems)
    result, more = _converted(base, numeral, unit.accepted, identified)
    return result, (*problems, *more)


def _converted(
    base: Result, numeral: Numeral, unit: AcceptedUnit, identified: Identified
) -> tuple[Result, tuple[Problem, ...]]:
    """The number in the canonical unit, exactly, with what the conversion rests on."""
    number = numeral.number or Decimal(0)
    if number < 0 and not base.measurand.may_be_negative:
        text = f"{base.measurand.spoken} {number} is negative, which cannot be"
        return _refused(base, "value-implausible", text)
    try:
        conversion = conversion_of(identified.measurand, unit, identified.molar_mass)
    except units.UnitError as error:
        return _refused(base, "unit-unknown", f"{unit.printed} of {base.measurand.spoken}: {error}")
    quantity = Quantity(number, unit.ucum, numeral.comparator)
    mismatch = _property_mismatch(base, identified, unit)
    result = replace(
        base,
        quantity=quantity,
        extent=Extent(Fraction(number) * conversion.factor, numeral.comparator),
        conversion=conversion,
    )
    return result, mismatch


def factor_to_canonical(identified: Identified, unit: AcceptedUnit) -> Fraction:
    """Canonical units in one of the accepted unit, for a result under this code.

    Raises:
        UnitError: the unit's kind needs a molar mass or valence the measurand does not have.
    """
    return canonical_per(identified.measurand, unit.ucum, identified.molar_mass)


@kept(identical=2)
def conversion_of(
    measurand: Measurand, unit: AcceptedUnit, molar_mass: Decimal | None
) -> Conversion:
    """How an accepted unit becomes the canonical one, with its record; one object for all results.

    Raises:
        UnitError: the unit's kind needs a molar mass or valence the measurand does not have.
    """
    factor = canonical_per(measurand, unit.ucum, molar_mass)
    basis = _basis(measurand, unit, molar_mass)
    return Conversion(unit.ucum, measurand.unit, factor, basis)


def _basis(measurand: Measurand, unit: AcceptedUnit, molar_mass: Decimal | None) -> str:
    """In words, what turned one unit into the other."""
    from_kind, to_kind = units.kind(unit.ucum), units.kind(measurand.unit)
    if unit.ucum == measurand.unit:
        return "same unit"
    if from_kind == to_kind:
        return "metric prefix"
    parts = []
    if "mass" in (from_kind, to_kind):
        parts.append(f"molar mass {unit.molar_mass or molar_mass} g/mol")
    if "equivalent" in (from_kind, to_kind):
        parts.append(f"valence {measurand.valence}")
    return " and ".join(parts) or "same quantity"


def _property_mismatch(
    base: Result, identified: Identified, unit: AcceptedUnit
) -> tuple[Problem, ...]:
    """The code says mass and the unit says moles (or the other way round).

    The unit is trusted, and asked about.
    """
    if identified.code is None or identified.code.property not in ("mass", "moles"):
        return ()
    kind = units.kind(unit.ucum)
    counted = {"mass": "mass", "substance": "moles", "equivalent": "moles"}.get(kind)
    if counted is None or counted == identified.code.property:
        return ()
    text = (
        f"code {identified.code.code} is for {base.measurand.spoken} by "
        f"{identified.code.property}, the unit "
        f"{unit.printed} is by {counted}; the unit was trusted. Please confirm it"
    )
    return (Problem("unit-property-mismatch", text, base.where, base.measurand.id),)


# ---- units


def _unit(reported: ReportedResult, identified: Identified, lookup: Lookup) -> _Unit:
    found = (
        _understood(
            lookup, identified.measurand, reported.unit, reported.name or "", reported.codes
        )
        if reported.unit and len(reported.unit) + len(reported.name or "") <= _LONGEST_KEPT
        else None
    )
    return _Unit(found) if found is not None else _unit_anew(reported, identified, lookup)


@kept(identical=2)
def _understood(
    lookup: Lookup, measurand: Measurand, unit: str, name: str, codes: tuple[ReportedCode, ...]
) -> AcceptedUnit | None:
    """The unit, where nothing has to be said about it."""
    bare = ReportedResult("", None, unit, name, codes)
    found = _unit_anew(bare, Identified(measurand, ""), lookup)
    return None if found.problem else found.accepted


def _unit_anew(reported: ReportedResult, identified: Identified, lookup: Lookup) -> _Unit:
    measurand = identified.measurand
    text = clean(reported.unit or "").strip()
    if text.casefold() in _DUMMY_UNITS:
        if measurand.unit in _NO_UNIT:
            return _Unit(measurand.accepted(measurand.unit) or AcceptedUnit(measurand.unit, ""))
        return _missing_unit(reported, identified)
    coded = measurand.accepted(text)
    if coded is not None:
        return _Unit(coded)
    spellings = lookup.units[measurand.id]
    for found in (
        spellings.exact.get(exact_unit(text), ()),
        spellings.folded.get(folded_unit(text), ()),
    ):
        if found:
            return _the_one_meant(found, reported, identified)
    return _Unit(None, _unknown_unit(text, measurand, reported, lookup))


def _the_one_meant(
    found: tuple[AcceptedUnit, ...], reported: ReportedResult, identified: Identified
) -> _Unit:
    """One spelling may stand for two units of a measurand (urea and urea nitrogen in mg/dL).

    The name decides.
    """
    names = {name_key(reported.name or ""), *(code.code for code in reported.codes)}
    fitting = [unit for unit in found if _is_named(unit, names)]
    named = [unit for unit in fitting if unit.only_when_named] or fitting
    if len(named) == 1:
        return _Unit(named[0])
    text = (
        f"{identified.measurand.spoken} in {reported.unit!r} could mean "
        f"{' or '.join(unit.printed for unit in found)}; the name or a LOINC code must say which"
    )
    return _Unit(None, Problem("unit-unknown", text, reported.where, identified.measurand.id))


def _is_named(unit: AcceptedUnit, names: set[str]) -> bool:
    """Does the unit need no name beside it, or stands one of those it needs there?"""
    needed = unit.only_when_named
    return not needed or not names.isdisjoint((*needed, *map(name_key, needed)))


def _unknown_unit(
    text: str, measurand: Measurand, reported: ReportedResult, lookup: Lookup
) -> Problem:
    """Why this unit is not taken, and what would be right."""
    shown = text[:_LONGEST_SHOWN]
    folded = folded_unit(text)
    near = [
        unit.printed for unit in measurand.units if folded_unit(unit.ucum).startswith(folded + "/")
    ]
    guess = f" did you mean {' or '.join(near)}?" if near else ""
    for refused in measurand.refused_units:
        seen = {folded_unit(spelling) for spelling in refused.as_seen}
        meant = {lookup.spelled[one] for one in seen if one in lookup.spelled}
        if folded in seen or lookup.spelled.get(folded) in meant:
            message = (
                f"{measurand.spoken} in {shown!r} is not taken: "
                f"{refused.why}{';' + guess if guess else ''}"
            )
            return Problem("unit-unknown", message, reported.where, measurand.id)
    known = ", ".join(unit.printed for unit in measurand.units)
    missing = "lacks a volume;" if near else "is not in a unit known for it;"
    message = f"{measurand.spoken} in {shown!r} {missing}{guess or f' known are {known}'}"
    return Problem("unit-unknown", message, reported.where, measurand.id)


def _missing_unit(reported: ReportedResult, identified: Identified) -> _Unit:
    """Infer the unit where the laboratory's interval fits exactly one, and say so; else ask."""
    measurand = identified.measurand
    printed = (
        read_interval(reported.interval)
        if reported.interval and is_given(reported.interval)
        else None
    )
    fitting = (
        []
        if printed is None
        else [unit for unit in measurand.units if fits(printed, unit, identified)]
    )
    same = {factor_to_canonical(identified, unit) for unit in fitting}
    if fitting and len(same) == 1:
        unit = next((one for one in fitting if one.ucum == measurand.unit), fitting[0])
        text = (
            f"{measurand.spoken} came without a unit; its interval fits {unit.printed} "
            "only, which was taken. "
            "Please confirm it"
        )
        return _Unit(unit, Problem("unit-inferred", text, reported.where, measurand.id))
    known = " or ".join(unit.printed for unit in measurand.units)
    text = f"{measurand.spoken} came without a unit and was not interpreted; is it {known}?"
    return _Unit(None, Problem("unit-missing", text, reported.where, measurand.id))


# ---- values that are no numbers


def _in_words(
    base: Result, reported: ReportedResult, numeral: Numeral
) -> tuple[Result, tuple[Problem, ...]]:
    """A result in words is used where the measurand or the rules know the word.

    All else is asked about.
    """
    value = (reported.value or "").strip()
    word = name_key(value) or value.casefold()
    word = _SHORT_WORDS.get(word, word)
    if word in base.measurand.qualitative:
        return replace(base, text=word), ()
    if not base.measurand.qualitative and numeral.trouble == "words":
        if word in WORDS:
            return replace(base, text=WORDS[word]), ()
        if value.casefold() in _NOT_MEASURED or word in _NOT_MEASURED:
            return _not_measured(base, reported)
    if base.measurand.qualitative:
        return _refused(base, "value-not-numeric", _expected_words(base.measurand, reported))
    return _refused(base, "value-not-numeric", _not_numeric(base.measurand, value, numeral))


def _not_numeric(measurand: Measurand, value: str, numeral: Numeral) -> str:
    shown = repr(value[:_LONGEST_SHOWN])
    if numeral.trouble == "ambiguous_comma":
        point, group = value.replace(",", "."), value.replace(",", "")
        return (
            f"{measurand.spoken} {shown} could be {point} or {group}; send it with a decimal point"
        )
    if numeral.trouble == "two_comparators":
        return f"{measurand.spoken} {shown} comes with two different comparators"
    if numeral.trouble == "too_long":
        return (
            f"{measurand.spoken} {shown} is no number that a laboratory reports: too large, "
            "too small or too long"
        )
    return (
        f"{measurand.spoken} {shown} is no number; send digits with a decimal point, such "
        "as 2.4 or <0.5"
    )


def _expected_words(measurand: Measurand, reported: ReportedResult) -> str:
    words = ", ".join(measurand.qualitative)
    return f"{measurand.spoken} {(reported.value or '')[:_LONGEST_SHOWN]!r} is none of: {words}"


def _not_measured(base: Result, reported: ReportedResult) -> tuple[Result, tuple[Problem, ...]]:
    reason = reported.not_measured or (reported.value or "").strip() or "no value was sent"
    text = f"{base.measurand.spoken} was not measured: {reason[:_LONGEST_SHOWN]}"
    return _refused(base, "not-measured", text)


def _refused(base: Result, code: str, message: str) -> tuple[Result, tuple[Problem, ...]]:
    return _unusable(base, (Problem(code, message, base.where, base.measurand.id),))


def _unusable(base: Result, problems: tuple[Problem, ...]) -> tuple[Result, tuple[Problem, ...]]:
    why = problems[0].message if problems else "it could not be read"
    return replace(base, usable=False, why_unusable=why), problems
