"""Builds measurands, with their units, codes and limits, from `analytes/`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from labinterp.knowledge import notation
from labinterp.model.codes import LOINC
from labinterp.model.interval import (
    AppliesTo,
    Bounds,
    CriticalLimit,
    DecisionLimit,
    Interval,
    Plausibility,
    UnitConfusion,
    Waiver,
)
from labinterp.model.measurand import (
    AcceptedUnit,
    Code,
    Measurand,
    RefusedUnit,
    SeverityBand,
    Variation,
)

if TYPE_CHECKING:
    from labinterp.knowledge.entry import Entry

_PREGNANCY_WORDS = {
    "not_pregnant": "not pregnant",
    "pregnant": "pregnant",
    "trimester_1": "first trimester of pregnancy",
    "trimester_2": "second trimester of pregnancy",
    "trimester_3": "third trimester of pregnancy",
}
_SEX_WORDS = {"female": "women and girls", "male": "men and boys"}


def measurands(analyte: Entry) -> tuple[Measurand, ...]:
    """The measurands of one file of `analytes/`."""
    name = analyte.text("id")
    return tuple(_measurand(name, row) for row in analyte.rows("measurands"))


def _measurand(analyte: str, row: Entry) -> Measurand:
    return Measurand(
        id=row.text("id"),
        analyte=analyte,
        name=row.text("name"),
        system=row.text("system"),
        group=cast("Any", row.text("group")),
        core=row.truth("core"),
        unit=row.text("unit"),
        conventional_unit=row.optional("conventional_unit"),
        units=tuple(map(_accepted, row.rows("units"))),
        about=row.text("about", ""),
        refused_units=tuple(
            RefusedUnit(unit.texts("as_seen"), unit.text("why"))
            for unit in row.rows("refused_units")
        ),
        molar_mass=row.number("molar_mass"),
        valence=row.whole("valence"),
        names=row.texts("names"),
        beware=row.texts("beware"),
        codes=tuple(map(_code, row.rows("codes"))),
        qualitative=row.texts("qualitative"),
        derived_by=row.optional("derived_by"),
        may_be_negative=row.truth("may_be_negative"),
        stands_in_for=row.optional("stands_in_for"),
        interval_donors=row.texts("interval_donors"),
        printed_equivalents=row.words("printed_equivalents"),
        **_limits(row),
    )


def _limits(row: Entry) -> dict[str, Any]:
    """The numbers of a measurand, apart from its names and units."""
    measurand = row.text("id")
    counts: dict[str, int] = {}
    return {
        "intervals": tuple(_interval(measurand, counts, item) for item in row.rows("intervals")),
        "decision_limits": tuple(map(_decision, row.rows("decision_limits"))),
        "critical_limits": tuple(map(_critical, row.rows("critical_limits"))),
        "fallback": _fallback(measurand, row),
        "severity_bands": tuple(map(_band, row.rows("severity_bands"))),
        "plausibility": _plausibility(row),
        "unit_confusions": tuple(map(_confusion, row.rows("unit_confusions"))),
        "variation": tuple(map(_variation, row.rows("variation"))),
    }


def _accepted(row: Entry) -> AcceptedUnit:
    return AcceptedUnit(
        ucum=row.text("ucum"),
        printed=row.text("printed"),
        spellings=row.texts("spellings"),
        decimals=row.whole("decimals"),
        molar_mass=row.number("molar_mass"),
        only_when_named=row.texts("only_when_named"),
    )


def _code(row: Entry) -> Code:
    return Code(
        system=LOINC,
        code=row.text("code"),
        name=row.text("name"),
        property=row.text("property"),
        role=row.text("role"),
        is_other=row.truth("is_other"),
        verified=row.truth("verified", default=True),
        molar_mass=row.number("molar_mass"),
    )


def applies_to(row: Entry) -> AppliesTo:
    """Whom a row of limits fits, in data and in words."""
    age = row.inner("age")
    return AppliesTo(
        sex=cast("Any", row.optional("sex")),
        age_from=_age(age, "from"),
        age_below=_age(age, "below"),
        pregnancy=cast("Any", row.optional("pregnancy")),
        other=row.optional("only"),
        text=_who(row, age),
    )


def _age(age: Entry, key: str) -> Any:
    return notation.days(age.data[key], (*age.where, key)) if key in age.data else None


def _who(row: Entry, age: Entry) -> str:
    words = [
        _SEX_WORDS.get(row.text("sex", "")),
        _ages(age.optional("from"), age.optional("below")),
        _PREGNANCY_WORDS.get(row.text("pregnancy", "")),
        row.optional("only"),
    ]
    return ", ".join(word for word in words if word) or "everyone"


def _ages(start: str | None, below: str | None) -> str | None:
    if start and below:
        return f"{start} to below {below}"
    if start:
        return f"{start} and over"
    return f"below {below}" if below else None


def _interval(measurand: str, counts: dict[str, int], row: Entry) -> Interval:
    name = row.text("set")
    counts[name] = counts.get(name, 0) + 1
    return _as_interval(f"{measurand}/{name}/{counts[name]}", name, row)


def _as_interval(identifier: str, name: str, row: Entry) -> Interval:
    return Interval(
        id=identifier,
        set=name,
        unit=row.text("unit"),
        low=row.number("low"),
        high=row.number("high"),
        applies_to=applies_to(row),
        sources=row.texts("sources"),
        kind=cast("Any", row.text("kind", "reference")),
        also_printed=_second_column(row),
        basis=row.optional("basis"),
        usable=row.truth("usable", default=True),
        unverified=row.truth("unverified"),
        note=row.optional("note"),
    )


def _second_column(row: Entry) -> Any:
    """The source's other unit column, only where it agrees with the first."""
    other = row.inner("also_printed")
    if not other.data or not other.truth("agrees", default=True):
        return None
    return other.text("unit"), other.number("low"), other.number("high")


def _fallback(measurand: str, row: Entry) -> Interval | None:
    if row.data.get("fallback") is None:
        return None
    return _as_interval(f"{measurand}/fallback/1", "fallback", row.inner("fallback"))


def bounds(row: Entry, unit: str) -> Bounds:
    """A region `lt|le|gt|ge` in one unit."""
    return Bounds(unit, row.number("lt"), row.number("le"), row.number("gt"), row.number("ge"))


def _decision(row: Entry) -> DecisionLimit:
    other = row.inner("also_printed")
    agrees = bool(other.data) and other.truth("agrees", default=True)
    return DecisionLimit(
        scheme=row.text("scheme"),
        label=row.text("label"),
        bounds=bounds(row, row.text("unit")),
        applies_to=applies_to(row),
        sources=row.texts("sources"),
        also_printed=bounds(other, other.text("unit")) if agrees else None,
        standing=cast("Any", row.optional("standing")),
        unverified=row.truth("unverified") or not row.truth("usable", default=True),
        note=row.optional("note"),
        unless_found=row.texts("unless_found"),
    )


def _critical(row: Entry) -> CriticalLimit:
    unit = row.text("unit")
    return CriticalLimit(
        policy=row.text("policy"),
        policy_name=row.text("printed_policy"),
        low=bounds(row.inner("low"), unit) if "low" in row.data else None,
        high=bounds(row.inner("high"), unit) if "high" in row.data else None,
        applies_to=applies_to(row),
        sources=row.texts("sources"),
        basis=row.optional("basis"),
        unverified=row.truth("unverified"),
        note=row.optional("note"),
        waiver=_waiver(row.inner("waived")) if "waived" in row.data else None,
    )


def _waiver(row: Entry) -> Waiver:
    limit, unit = notation.quantity(row.text("unless_rise"), (*row.where, "unless_rise"))
    return Waiver(
        conditions=row.texts("conditions"),
        unless_rise=limit,
        unit=unit,
        without_earlier=row.texts("without_earlier"),
        text=row.text("text"),
    )


def _band(row: Entry) -> SeverityBand:
    return SeverityBand(
        name=row.text("name"),
        label=row.text("label"),
        when=row.condition("when"),
        certainty=row.text("certainty"),
        sources=row.texts("sources"),
        unverified=row.truth("unverified"),
        note=row.optional("note"),
    )


def _plausibility(row: Entry) -> Plausibility | None:
    item = row.inner("plausibility")
    if not item.data:
        return None
    return Plausibility(
        unit=item.text("unit"),
        reject_below=item.number("reject_below"),
        query_below=item.number("query_below"),
        query_above=item.number("query_above"),
        reject_above=item.number("reject_above"),
        note=item.optional("note"),
    )


def _confusion(row: Entry) -> UnitConfusion:
    low, high = row.data["value"]
    return UnitConfusion(
        reported_as=row.text("reported_as"),
        low=notation.decimal(low, (*row.where, "value", 0)),
        high=notation.decimal(high, (*row.where, "value", 1)),
        likely=row.text("likely"),
        detected_by=row.text("detected_by"),
        why=row.text("why"),
    )


def _variation(row: Entry) -> Variation:
    return Variation(
        study=row.text("study"),
        within_subject=row.number("cvi"),
        between_subject=row.number("cvg"),
        analytical=row.number("cva"),
        sources=row.texts("sources"),
        unverified=row.truth("unverified"),
    )
