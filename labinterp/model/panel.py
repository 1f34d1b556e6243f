"""The same panel in canonical measurands and units.

What the pipeline's steps hand to one another.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from fractions import Fraction
from typing import Any

from labinterp.model.codes import Standing
from labinterp.model.interval import Bounds, CriticalLimit, DecisionLimit, Interval
from labinterp.model.measurand import Measurand, SeverityBand
from labinterp.model.patient import Patient
from labinterp.model.quantity import Extent, Quantity
from labinterp.model.specimen import Specimen
from labinterp.model.submission import ReportedResult


@dataclass(frozen=True, slots=True)
class Problem:
    """What we could not read, place or believe; an answer always, an exception never.

    Attributes:
        code: kebab-case, one list for all doors.
        message: what is wrong, and what would be right.
        where: the place in what was sent.
        measurand: the result it is about, when known.
    """

    code: str
    message: str
    where: str
    measurand: str | None = None


@dataclass(frozen=True, slots=True)
class Conversion:
    """How a reported unit became the canonical one: exact factor, and what it rests on."""

    from_unit: str
    to_unit: str
    factor: Fraction
    basis: str
    sources: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Result:
    """One result, placed and converted.

    Attributes:
        reported: as sent; None for a derived result.
        quantity: number, unit and comparator as reported, in UCUM; None for a result in words.
        extent: the values it allows, in the measurand's canonical unit, exact; None when not
            usable.
        text: a result in words (`normal`, `positive`), folded; None for a number.
        usable: false when it must not be interpreted (implausible, doubtful unit, duplicate, stale,
            not final).
        inputs: ids of the measurands it was derived from; empty for a measured one.
        equation: the other form of the formula that was chosen.
    """

    measurand: Measurand
    where: str
    reported: ReportedResult | None = None
    quantity: Quantity | None = None
    extent: Extent | None = None
    text: str | None = None
    conversion: Conversion | None = None
    matched_by: str | None = None
    usable: bool = True
    why_unusable: str | None = None
    inputs: tuple[str, ...] = ()
    formula: str | None = None
    equation: str | None = None
    notes: tuple[str, ...] = ()
    provisional: bool = False

    def as_reported(self, reported: ReportedResult) -> Result:
        """The same of a result that was sent with this value, unit, name and interval."""
        return Result(
            self.measurand,
            reported.where,
            reported,
            self.quantity,
            self.extent,
            self.text,
            self.conversion,
            self.matched_by,
            self.usable,
            self.why_unusable,
            notes=self.notes,
        )


@dataclass(frozen=True, slots=True)
class Panel:
    """One patient's results at one collection, canonical; `problems` grow along the steps."""

    patient: Patient
    specimen: Specimen
    results: tuple[Result, ...]
    collected_at: datetime | None
    problems: tuple[Problem, ...] = ()
    earlier: tuple[tuple[datetime | None, tuple[Result, ...]], ...] = ()
    doubts: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    """What was deliberately not computed, and why."""


@dataclass(frozen=True, slots=True)
class UsedInterval:
    """The interval a standing rests on, whose it is, and why it was chosen.

    Attributes:
        unit: unit the comparison was made in.
        owner: laboratory or service.
        set: range set or scheme id; `laboratory` for the laboratory's own; `fallback`.
        title: the set's or scheme's name for readers.
        fallback: true for the sheet's default interval.
        low, high: as printed.
        others: other candidates that nearly fitted, in words.
    """

    unit: str
    low: str | None
    high: str | None
    low_included: bool
    high_included: bool
    owner: str
    kind: str
    set: str
    applies_to: str
    sources: tuple[str, ...]
    fallback: bool = False
    row: Interval | None = None
    others: tuple[str, ...] = ()
    text: str = ""
    title: str = ""


@dataclass(frozen=True, slots=True)
class Classification:
    """Where a result stands, by which interval, and every limit it crosses."""

    result: Result
    standing: Standing
    why_unknown: str | None = None
    interval: UsedInterval | None = None
    at_the_limit: bool = False
    at_the_limit_note: str | None = None
    critical: CriticalLimit | None = None
    critical_bounds: Bounds | None = None
    decisions: tuple[DecisionLimit, ...] = ()
    band: SeverityBand | None = None
    position: Fraction | None = None
    """Where in its interval a value within lies: 0 at the lower limit, 1 at the upper."""
    urgent_standing: Standing | None = None
    """An adult's standing, for urgency, where an unknown age or sex leaves the standing open."""
    known_side: Standing | None = None
    """`low` or `high`, certain, where only how far beyond is open (`<0.5` may be critical)."""
    settled_by: tuple[str, ...] = ()
    """What of the patient would settle an unknown standing: age, sex, pregnancy."""
    why_not_critical: str | None = None
    """Why a value beyond a critical limit is not critical for this patient, by the policy."""
    adults_only: bool = False
    """Age is unknown and the set in use knows adults only, so that an adult was assumed."""
    alike: dict[object, Any] | None = field(default=None, repr=False, compare=False)
    """Where the core keeps what it makes of any result that is classified just so; None for one
    whose classification rests on more than its value, its interval and the patient's kind."""

    def of_result(self, result: Result) -> Classification:
        """The same of another result with this value, unit and interval."""
        return Classification(
            result,
            self.standing,
            self.why_unknown,
            self.interval,
            self.at_the_limit,
            self.at_the_limit_note,
            self.critical,
            self.critical_bounds,
            self.decisions,
            self.band,
            self.position,
            self.urgent_standing,
            self.known_side,
            self.settled_by,
            self.why_not_critical,
            self.adults_only,
            self.alike,
        )


@dataclass(frozen=True, slots=True)
class Change:
    """How a result moved since the latest earlier one.

    Attributes:
        difference: canonical unit, exact.
        percent: of the earlier value; None when that is zero or open.
        reference_change_value: [percent] a change must exceed to be more than expected; None
            without variation data.
        significant: None when it cannot be said.
    """

    measurand: str
    earlier: Quantity
    earlier_at: datetime | None
    difference: Fraction | None
    percent: Fraction | None
    reference_change_value: Fraction | None
    significant: bool | None
    text: str


@dataclass(frozen=True, slots=True)
class Move:
    """How far a result moved, counted in what biology and method alone seldom exceed.

    Attributes:
        times: reference change values between the two results, measured from the lower of them,
            so that a rise and the fall back count alike.
        days: from the earlier collection to this one.
        text: the change in words.
    """

    times: Fraction
    days: Fraction
    text: str
