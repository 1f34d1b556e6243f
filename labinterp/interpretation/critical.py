"""The thresholds of the critical policy in force, and whether a result is at or beyond one of them.

Where that policy is silent on a measurand (haemoglobin, pH), another one is asked and named: a
dangerous result must not pass unnoticed because one laboratory's list does not speak of it.
"""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import TYPE_CHECKING, Literal

from labinterp.interpretation.intervals import fits_anyone
from labinterp.interpretation.keeping import kept
from labinterp.interpretation.measure import bounds_text, canonical_per, lies_in

if TYPE_CHECKING:
    from labinterp.interpretation.settings import Settings
    from labinterp.model.interval import Bounds, CriticalLimit
    from labinterp.model.knowledge import Knowledge
    from labinterp.model.measurand import Measurand
    from labinterp.model.panel import Change, Classification
    from labinterp.model.patient import Patient


@kept(identical=4)
def critical_limits(
    measurand: Measurand, patient: Patient, settings: Settings, knowledge: Knowledge
) -> tuple[CriticalLimit, ...]:
    """The limits in force; they stay in force in childhood and pregnancy."""
    person = replace(patient, pregnancy="unknown", gestation_weeks=None)
    policy = _policy(measurand, settings, knowledge)
    return tuple(
        limit
        for limit in measurand.critical_limits
        if limit.policy == policy and not limit.unverified and fits_anyone(limit.applies_to, person)
    )


def _policy(measurand: Measurand, settings: Settings, knowledge: Knowledge) -> str:
    """The policy in force; the first that speaks of this measurand where that one is silent.

    A policy that limits adjusted calcium is not silent on total calcium.
    """
    in_force = settings.critical_policy
    donors = (knowledge.measurands.get(one) for one in measurand.interval_donors)
    spoken = {limit.policy for limit in measurand.critical_limits if not limit.unverified}
    nearby = {limit.policy for one in donors if one is not None for limit in one.critical_limits}
    if in_force in spoken | nearby:
        return in_force
    return next((one for one in knowledge.critical_fallbacks if one in spoken), in_force)


def in_force(
    limits: tuple[CriticalLimit, ...],
    measurand: Measurand,
    patient: Patient,
    change: Change | None,
) -> tuple[CriticalLimit, ...]:
    """The limits that their own policy does not waive for this patient."""
    return tuple(one for one in limits if _why_waived(one, measurand, patient, change) is None)


def _why_waived(
    limit: CriticalLimit, measurand: Measurand, patient: Patient, change: Change | None
) -> str | None:
    """Why a policy passes over this limit in a known condition; None where it stands.

    A rise that cannot be reckoned may have been as great as the policy asks: the limit stands.
    """
    waiver = limit.waiver
    if waiver is None or set(waiver.conditions).isdisjoint(patient.conditions):
        return None
    if change is None:
        needs_earlier = set(waiver.without_earlier).isdisjoint(patient.conditions)
        return None if needs_earlier else f"{waiver.text}; no earlier result is known"
    rise = Fraction(waiver.unless_rise) * canonical_per(measurand, waiver.unit)
    if change.difference is None or change.difference >= rise:
        return None
    return f"{waiver.text}; {change.text}"


def with_critical(
    placed: Classification,
    limits: tuple[CriticalLimit, ...],
    patient: Patient,
    change: Change | None,
) -> Classification:
    """A value at or beyond a critical limit is critical, whatever its interval says.

    But where the policy itself makes an exception of this patient: that is said instead.
    """
    measurand = placed.result.measurand
    standing = in_force(limits, measurand, patient, change)
    judged = _judged(placed, standing)
    if judged.critical is not None:
        return judged
    for limit in limits:
        why = _why_waived(limit, measurand, patient, change)
        if why is not None and _judged(placed, (limit,)) is not placed:
            return replace(judged, why_not_critical=f"Not critical by {limit.policy_name}: {why}")
    return judged


def _judged(placed: Classification, limits: tuple[CriticalLimit, ...]) -> Classification:
    may_be_critical = False
    for limit in limits:
        for side, bounds in (("low", limit.low), ("high", limit.high)):
            truth = False if bounds is None else lies_in(placed.result, bounds)
            if truth is True and bounds is not None:
                return _critical(placed, limit, bounds, is_low=side == "low")
            may_be_critical = may_be_critical or truth is None
    return _open_end(placed) if may_be_critical else placed


def _critical(
    placed: Classification, limit: CriticalLimit, bounds: Bounds, *, is_low: bool
) -> Classification:
    return replace(
        placed,
        standing="critically_low" if is_low else "critically_high",
        why_unknown=None,
        critical=limit,
        critical_bounds=bounds,
        settled_by=(),
    )


def _open_end(placed: Classification) -> Classification:
    """`<0.5` is low, and some of what it allows is critically so: the side is known, no more."""
    if placed.standing not in ("low", "high"):
        return placed
    side: Literal["low", "high"] = "low" if placed.standing == "low" else "high"
    why = f"{side} or critically {side}: the comparator allows both"
    return replace(placed, standing="unknown", why_unknown=why, known_side=side)


def is_critical(classification: Classification) -> bool:
    """Is the result at or beyond a critical limit?"""
    return classification.standing in ("critically_low", "critically_high")


def critical_text(classification: Classification) -> str | None:
    """The critical limit a result is at or beyond, in words."""
    bounds = classification.critical_bounds
    if bounds is None:
        return None
    accepted = classification.result.measurand.accepted(bounds.unit)
    return bounds_text(bounds, accepted.printed if accepted else bounds.unit)
