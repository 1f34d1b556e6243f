"""Which of our intervals, limits and schemes are in force.

The request's, else the organisation's, else ours.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from labinterp.model.panel import Problem

if TYPE_CHECKING:
    from collections.abc import Mapping

    from labinterp.model.knowledge import Knowledge
    from labinterp.model.submission import Choices

RANGE_POLICIES: Final = ("lab-then-service", "lab-only", "service-only")


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings of one interpretation, each known to exist.

    Attributes:
        schemes: measurand to the decision scheme in force.
    """

    range_set: str
    range_policy: str
    critical_policy: str
    schemes: Mapping[str, str]


def settle(
    asked: Choices, defaults: Choices, knowledge: Knowledge
) -> tuple[Settings, tuple[Problem, ...]]:
    """The settings in force, and a Problem for each that was asked for and does not exist."""
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
    settings = Settings(
        range_set=range_set,
        range_policy=chosen("range_policy", RANGE_POLICIES, ours.range_policy),
        critical_policy=chosen(
            "critical_policy", knowledge.critical_policies, ours.critical_policy
        ),
        schemes=_schemes(asked, defaults, knowledge, range_set, problems),
    )
    return settings, tuple(problems)


def _schemes(
    asked: Choices, defaults: Choices, knowledge: Knowledge, range_set: str, problems: list[Problem]
) -> dict[str, str]:
    """Scheme by measurand: a set that was chosen brings its own, the default set takes ours."""
    own = knowledge.range_sets[range_set].schemes if range_set in knowledge.range_sets else {}
    ours = knowledge.defaults.schemes
    is_default_set = range_set == knowledge.defaults.range_set
    settled = {**own, **ours} if is_default_set else {**ours, **own}
    for choice, whose in ((defaults, "organisation"), (asked, "request")):
        for measurand, scheme in choice.schemes.items():
            if scheme in knowledge.schemes.get(measurand, ()):
                settled[measurand] = scheme
            else:
                problems.append(
                    _unknown(f"schemes.{measurand}", scheme, whose, settled.get(measurand, "none"))
                )
    return settled


def _unknown(name: str, value: object, whose: str, used: str) -> Problem:
    return Problem(
        "setting-unknown",
        (
            f"the {whose} asks for {name} {str(value)[:60]!r}, which is not in the "
            f"knowledge; {used} was used"
        ),
        name,
    )
