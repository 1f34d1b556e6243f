"""What a laboratory measures.

The analyte in its system by a kind of quantity, with everything known of it.

Every medical number here came from `reference_ranges/analytes/`, with the ids of its sources.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Literal

from labinterp.model.interval import (
    CriticalLimit,
    DecisionLimit,
    Interval,
    Plausibility,
    UnitConfusion,
)
from labinterp.model.rule import Condition

Group = Literal["electrolytes", "minerals", "vitamins", "supporting", "urine", "specimen"]


@dataclass(frozen=True, slots=True)
class AcceptedUnit:
    """A unit this measurand is reported in.

    Attributes:
        ucum: its UCUM code (`mg/dL`, `meq/L`).
        printed: how it is printed (`mEq/L`, `µmol/L`).
        spellings: further spellings seen in feeds, for this measurand only.
        decimals: digits after the point when we print in this unit.
        molar_mass: [g/mol] for this unit alone, where it counts another thing than the measurand
            (`mg{N}/dL` counts nitrogen); None for the measurand's.
        only_when_named: folded names, or codes, that must accompany a spelling shared with another
            unit of this measurand: `mg/dL` is nitrogen only beside `BUN` or 3094-0.
    """

    ucum: str
    printed: str
    spellings: tuple[str, ...] = ()
    decimals: int | None = None
    molar_mass: Decimal | None = None
    only_when_named: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RefusedUnit:
    """A unit that is never converted for this measurand, and why (a dose, an output.

    An unfixed valence).
    """

    as_seen: tuple[str, ...]
    why: str


@dataclass(frozen=True, slots=True)
class Code:
    """A code that names this measurand, or a neighbour it must not be taken for.

    Attributes:
        system: a code system of `labinterp.model.codes`.
        code: the code.
        name: its long name.
        property: mass, moles, mass_or_moles, or another LOINC property; decides the kind of unit
            expected.
        role: what it stands for, in words.
        is_other: true when the code names another measurand (ionised, urine, red cells): never read
            as this one.
        verified: false for a code known only second hand.
        molar_mass: [g/mol] where a result under this code has another one (pure D2).
    """

    system: str
    code: str
    name: str
    property: str
    role: str
    is_other: bool = False
    verified: bool = True
    molar_mass: Decimal | None = None


@dataclass(frozen=True, slots=True)
class SeverityBand:
    """A named grade of severity; the first band that holds is the result's."""

    name: str
    label: str
    when: Condition
    certainty: str
    sources: tuple[str, ...]
    unverified: bool = False
    note: str | None = None


@dataclass(frozen=True, slots=True)
class Variation:
    """Biological and analytical variation [percent] from one study.

    Feeds the reference change value.
    """

    study: str
    within_subject: Decimal | None
    between_subject: Decimal | None
    analytical: Decimal | None
    sources: tuple[str, ...]
    unverified: bool = False


@dataclass(frozen=True, slots=True)
class Measurand:
    """One quantity a result can be of. A bare id means serum or plasma; others carry their system.

    Attributes:
        id: snake_case, as in the clinical sheets; never renamed.
        analyte: the component (`calcium` for total, ionised and urine calcium).
        system: `serum or plasma`, `whole blood`, `urine`, …
        unit: canonical UCUM unit, in which rules speak.
        conventional_unit: the other unit system's unit, None where both agree.
        molar_mass: [g/mol]; None where mass and substance are never converted.
        valence: charges per particle; None where `mEq` is refused.
        qualitative: the values of a result in words; empty for a numeric measurand.
        printed_equivalents: cut-offs that sources print in two units: canonical text to the other,
            for example {"50 nmol/L": "20 ng/mL"}; a result in the other unit is compared with that.
        derived_by: id of the formula, when it can also be calculated.
        may_be_negative: it is a difference or a logarithm; anything else below zero cannot be.
    """

    id: str
    analyte: str
    name: str
    system: str
    group: Group
    core: bool
    unit: str
    conventional_unit: str | None
    units: tuple[AcceptedUnit, ...]
    about: str = ""
    refused_units: tuple[RefusedUnit, ...] = ()
    molar_mass: Decimal | None = None
    valence: int | None = None
    names: tuple[str, ...] = ()
    beware: tuple[str, ...] = ()
    codes: tuple[Code, ...] = ()
    intervals: tuple[Interval, ...] = ()
    decision_limits: tuple[DecisionLimit, ...] = ()
    critical_limits: tuple[CriticalLimit, ...] = ()
    fallback: Interval | None = None
    severity_bands: tuple[SeverityBand, ...] = ()
    plausibility: Plausibility | None = None
    unit_confusions: tuple[UnitConfusion, ...] = ()
    variation: tuple[Variation, ...] = ()
    qualitative: tuple[str, ...] = ()
    printed_equivalents: Mapping[str, str] = field(default_factory=dict, hash=False)
    derived_by: str | None = None
    may_be_negative: bool = False
    stands_in_for: str | None = None
    """The measurand this one is read as when that one was not reported: a lone potassium in heparin
    plasma is a potassium."""
    interval_donors: tuple[str, ...] = ()
    """Measurands whose interval is used, and said so.

    Where the set in use has none of this one's own
    (total calcium in a set whose calcium interval is for adjusted calcium)."""

    def accepted(self, ucum: str) -> AcceptedUnit | None:
        """The accepted unit with this UCUM code, or None."""
        return next((unit for unit in self.units if unit.ucum == ucum), None)

    @property
    def spoken(self) -> str:
        """The name as it stands in a sentence: `Calcium, total` is total calcium."""
        head, comma, tail = self.name.partition(", ")
        if not comma or ", " in tail or tail[:1].isupper():
            return self.name
        return f"{tail} {head[:1].lower()}{head[1:]}"
