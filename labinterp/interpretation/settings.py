"""Which of our intervals, limits and schemes are in force.

The request's, else the organisation's, else ours.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from labinterp.interpretation.keeping import kept
from labinterp.model.panel import Problem
from labinterp.model.submission import Choices

if TYPE_CHECKING:
    from collections.abc import Mapping

    from labinterp.model.codes import RangePolicy
    from labinterp.model.knowledge import Knowledge

RANGE_POLICIES: Final = ("lab-then-service", "lab-only", "service-only")


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings of one interpretation, each known to exist.

    Attributes:
        schemes: measurand to the decision scheme that serves as its interval.
        named: measurand to the schemes whose regions are named beside its results.
        asked_for: measurand to the scheme or equation chosen for it: a quantity that is off by
            default is worked out for those, one with several equations by that one.
    """

    range_set: str
    range_policy: str
    critical_policy: str
    schemes: Mapping[str, str]
    named: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    asked_for: Mapping[str, str] = field(default_factory=dict)


def settle(
    asked: Choices, defaults: Choices, knowledge: Knowledge
) -> tuple[Settings, tuple[Problem, ...]]:
    """The settings in force, and a Problem for each that was asked for and does not exist."""
    return _settled(knowledge, _as_key(asked), _as_key(defaults))


_Chosen = tuple[str | None, "RangePolicy | None", str | None, tuple[tuple[str, str], ...]]


def _as_key(choices: Choices) -> _Chosen:
    return (
        choices.range_set,
        choices.range_policy,
        choices.critical_policy,
        tuple(choices.schemes.items()),
    )


@kept(most=500)
def _settled(
    knowledge: Knowledge, asked_for: _Chosen, by_default: _Chosen
) -> tuple[Settings, tuple[Problem, ...]]:
    """The same settings for the same choices, as one object, which much else is kept by."""
    asked = Choices(*asked_for[:3], dict(asked_for[3]))
    defaults = Choices(*by_default[:3], dict(by_default[3]))
    problems: list[Problem] = []
    ours = knowledge.defaults

    def chosen(name: str, known: object, fallback: str) -> str:
        for choice, whose in ((asked, "request"), (defaults, "organisation")):
            value = getattr(choice, name)
            if value is not None and value in known:  # type: ignore[operator] # a mapping or a tuple
                return str(value)
            if value is not None:
                problems.append(_unknown(name, value, whose, fallback))
        return fallback

    range_sets = {key for key, one in knowledge.range_sets.items() if one.shipped}
    range_set = chosen("range_set", range_sets, ours.range_set)
    schemes, named = _schemes(asked, defaults, knowledge, range_set, problems)
    settings = Settings(
        range_set=range_set,
        range_policy=chosen("range_policy", RANGE_POLICIES, ours.range_policy),
        critical_policy=chosen(
            "critical_policy", knowledge.critical_policies, ours.critical_policy
        ),
        schemes=schemes,
        named=named,
        asked_for={
            measurand: scheme
            for choice in (defaults, asked)
            for measurand, scheme in choice.schemes.items()
            if scheme in knowledge.schemes.get(measurand, ())
        },
    )
    return settings, tuple(problems)


def _schemes(
    asked: Choices, defaults: Choices, knowledge: Knowledge, range_set: str, problems: list[Problem]
) -> tuple[dict[str, str], dict[str, tuple[str, ...]]]:
    """Schemes by measurand: those that serve as an interval, and those that only name regions.

    A set that was chosen brings its own, the default set takes ours. One that is chosen takes the
    place of those about the same, and never of an interval it cannot give.
    """
    own = knowledge.range_sets[range_set].schemes if range_set in knowledge.range_sets else {}
    ours = knowledge.defaults.schemes
    is_default_set = range_set == knowledge.defaults.range_set
    settled = {**own, **ours} if is_default_set else {**ours, **own}
    named = dict(knowledge.defaults.named)
    for choice, whose in ((defaults, "organisation"), (asked, "request")):
        for measurand, scheme in choice.schemes.items():
            if scheme not in knowledge.schemes.get(measurand, ()):
                used = settled.get(measurand) or ", ".join(named.get(measurand, ())) or "none"
                problems.append(_unknown(f"schemes.{measurand}", scheme, whose, used))
            elif _gives_standing(measurand, scheme, knowledge):
                settled[measurand] = scheme
            elif scheme in knowledge.decision_schemes:
                named[measurand] = _in_place(named.get(measurand, ()), scheme, knowledge)
    return settled, named


def _gives_standing(measurand: str, scheme: str, knowledge: Knowledge) -> bool:
    limits = knowledge.measurands[measurand].decision_limits
    return any(one.standing is not None for one in limits if one.scheme == scheme)


def _in_place(named: tuple[str, ...], scheme: str, knowledge: Knowledge) -> tuple[str, ...]:
    """The schemes that are named with this one in place of those about the same."""
    about = knowledge.decision_schemes[scheme].about
    kept = (one for one in named if knowledge.decision_schemes[one].about != about)
    return (*kept, scheme)


def _unknown(name: str, value: object, whose: str, used: str) -> Problem:
    return Problem(
        "setting-unknown",
        (
            f"the {whose} asks for {name} {str(value)[:60]!r}, which is not in the "
            f"knowledge; {used} was used"
        ),
        name,
    )
