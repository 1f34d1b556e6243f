"""Reference intervals, decision limits, critical limits and plausibility bounds.

And whom they fit.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

IntervalKind = Literal["reference", "decision"]
PregnancyState = Literal["not_pregnant", "pregnant", "trimester_1", "trimester_2", "trimester_3"]


@dataclass(frozen=True, slots=True)
class AppliesTo:
    """Whom an interval fits; what is not said fits everyone (not pregnant unless said).

    Attributes:
        sex: female, male, or None for both.
        age_from: youngest age [days], included; None for no lower end.
        age_below: first age it no longer fits [days]; None for no upper end.
        pregnancy: the state it is for; None means: not for the pregnant.
        other: any further restriction in words (a season, a treatment); such a row is never chosen
            by itself.
        text: the restriction in plain words, for the report.
    """

    sex: Literal["female", "male"] | None = None
    age_from: Decimal | None = None
    age_below: Decimal | None = None
    pregnancy: PregnancyState | None = None
    other: str | None = None
    text: str = "everyone"


@dataclass(frozen=True, slots=True)
class Interval:
    """A reference interval (or the interval that a decision scheme amounts to).

    As its source prints it.

    Attributes:
        id: unique, `<measurand>/<set>/<n>`.
        set: id of the range set, or of the decision scheme, or `fallback`.
        unit: UCUM unit of `low` and `high`.
        low, high: as printed; None is an open end.
        low_included, high_included: whether the end itself is within; true unless the source says
            `<`.
        also_printed: the second unit column of the source where it agrees: (unit, low, high).
        basis: for calcium: total or albumin_adjusted.
        usable: false when the row must not be shown as fact; it is kept, marked, and never chosen.
        unverified: true when nobody has seen the source.
        set_title: the set's name for readers.
    """

    id: str
    set: str
    unit: str
    low: Decimal | None
    high: Decimal | None
    applies_to: AppliesTo
    sources: tuple[str, ...]
    kind: IntervalKind = "reference"
    low_included: bool = True
    high_included: bool = True
    also_printed: tuple[str, Decimal | None, Decimal | None] | None = None
    basis: str | None = None
    usable: bool = True
    unverified: bool = False
    note: str | None = None
    set_title: str = ""


@dataclass(frozen=True, slots=True)
class Bounds:
    """A region `lt|le|gt|ge` in one unit.

    {ge: 30, lt: 50} is 30 to below 50. None means: no such bound.
    """

    unit: str
    lt: Decimal | None = None
    le: Decimal | None = None
    gt: Decimal | None = None
    ge: Decimal | None = None


@dataclass(frozen=True, slots=True)
class DecisionLimit:
    """A named region of a scheme: what a guideline decides on, not what healthy people have.

    Attributes:
        scheme: `iom-2011`, `nice-ng239-2024`, …
        label: the region's name in the scheme.
        bounds: the region as printed; a value in it has the label.
        also_printed: the same region in the source's other unit.
        standing: `low`, `within` or `high` when the scheme serves as an interval; None otherwise.
        scheme_title: the scheme's name for readers.
        unless_found: findings that contradict the label, beside which it is not said.
    """

    scheme: str
    label: str
    bounds: Bounds
    applies_to: AppliesTo
    sources: tuple[str, ...]
    also_printed: Bounds | None = None
    standing: Literal["low", "within", "high"] | None = None
    unverified: bool = False
    note: str | None = None
    scheme_title: str = ""
    unless_found: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Waiver:
    """A policy's own exception: its limit is passed over in a known condition.

    Attributes:
        conditions: any of these recorded.
        unless_rise: [unit] a rise since the earlier result from which the limit stands.
        without_earlier: those in which it is passed over also where no earlier result is known.
        text: the exception in the policy's words.
    """

    conditions: tuple[str, ...]
    unless_rise: Decimal
    unit: str
    without_earlier: tuple[str, ...]
    text: str


@dataclass(frozen=True, slots=True)
class CriticalLimit:
    """The threshold of a laboratory's policy; a result in `low` or `high` is a critical value.

    Attributes:
        policy: the policy's id (`swlp`), and `policy_name` as printed (`swlp (UK)`).
        low, high: the critical regions, either may be None.
        basis: for calcium: total or albumin_adjusted.
        waiver: the policy's own exception.
    """

    policy: str
    policy_name: str
    low: Bounds | None
    high: Bounds | None
    applies_to: AppliesTo
    sources: tuple[str, ...]
    basis: str | None = None
    unverified: bool = False
    note: str | None = None
    waiver: Waiver | None = None


@dataclass(frozen=True, slots=True)
class Plausibility:
    """Design bounds: outside reject no living person is expected.

    Outside query we ask, and interpret at once.
    """

    unit: str
    reject_below: Decimal | None
    query_below: Decimal | None
    query_above: Decimal | None
    reject_above: Decimal | None
    note: str | None = None


@dataclass(frozen=True, slots=True)
class UnitConfusion:
    """A value in `low`…`high` reported in one unit that is likelier another.

    Attributes:
        detected_by: `window` fires by magnitude when the printed interval does not support the
            unit;
            `nothing` says magnitude cannot tell.
    """

    reported_as: str
    low: Decimal
    high: Decimal
    likely: str
    detected_by: str
    why: str
