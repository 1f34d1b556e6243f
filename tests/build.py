"""Panels for tests, in the notation of the examples in `reference_ranges/`.

    a_panel("potassium 2.9 mmol/L", "magnesium 0.5 mmol/L (0.70-1.00)", age="54 years", symptoms=["facial-twitch"])

A result is a measurand's id or name, a value, a unit, and optionally the laboratory's interval in brackets. What is not
said is not in the panel.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import cache
from typing import TYPE_CHECKING

from labinterp.interpretation import interpret
from labinterp.knowledge import load
from labinterp.model.submission import (
    Choices,
    EarlierPanel,
    ReportedCode,
    ReportedInterval,
    ReportedResult,
    ReportedTerm,
    Submission,
)

if TYPE_CHECKING:
    from labinterp.model.interpretation import Interpretation, InterpretedResult
    from labinterp.model.knowledge import Knowledge

RECEIVED = datetime(2026, 1, 2, 12, tzinfo=UTC)
COLLECTED = datetime(2026, 1, 2, 8, tzinfo=UTC)
_RESULT = re.compile(
    r"(?P<name>.+?)\s+(?P<value>(?:[<>≤≥]=?\s*)?-?[\d.,]+\S*|\w+)(?:\s+(?P<unit>\S+))?(?:\s+\((?P<interval>[^)]*)\))?"
)
_DAYS = {
    "hours": Decimal(1) / 24,
    "days": Decimal(1),
    "weeks": Decimal(7),
    "months": Decimal("30.4375"),
    "years": Decimal("365.25"),
}
_NO_RESULTS = (
    "symptoms",
    "medications",
    "conditions",
    "history",
    "specimen",
    "age",
    "sex",
    "pregnancy",
    "previous",
)


@cache
def knowledge() -> Knowledge:
    """The knowledge that ships."""
    return load()


def a_result(text: str, where: str = "results[0]", **more) -> ReportedResult:
    """`potassium 2.9 mmol/L (3.5-5.3)` as it would be received."""
    match = _RESULT.fullmatch(text)
    assert match is not None, text
    interval = ReportedInterval(text=match["interval"]) if match["interval"] else None
    given = {
        "value": match["value"],
        "unit": match["unit"],
        "name": match["name"],
        "interval": interval,
    }
    return ReportedResult(where=where, **(given | more))


def a_panel(
    *results: str | ReportedResult,
    age: str | None = None,
    sex: str = "unknown",
    symptoms: Iterable[str | ReportedTerm] = (),
    medications: Iterable[str] = (),
    conditions: Iterable[str] = (),
    history: Iterable[str] = (),
    specimen: Mapping[str, object] | None = None,
    pregnancy: str = "unknown",
    gestation_weeks: int | None = None,
    previous: Iterable[EarlierPanel] = (),
    choices: Choices | None = None,
    **more,
) -> Submission:
    """A submission with these results; an age is `54 years` or `3 days`."""
    reported = tuple(
        one if isinstance(one, ReportedResult) else a_result(one, f"results[{place}]")
        for place, one in enumerate(results)
    )
    return Submission(
        format="json",
        results=reported,
        received_at=RECEIVED,
        sex=sex,
        age_days=days(age) if age else None,
        age_text=age,
        pregnancy=pregnancy,
        gestation_weeks=gestation_weeks,
        specimen_fields={name: _word_or_number(value) for name, value in (specimen or {}).items()},
        symptoms=_terms("symptoms", symptoms),
        medications=_terms("medications", medications),
        conditions=_terms("conditions", conditions),
        history=_terms("history", history),
        previous=tuple(previous),
        choices=choices or Choices(),
        **more,
    )


def earlier(*results: str, days_ago: int = 30) -> EarlierPanel:
    """An earlier panel, so many days before this one."""
    reported = tuple(
        a_result(one, f"previous[0].results[{place}]") for place, one in enumerate(results)
    )
    return EarlierPanel(RECEIVED - timedelta(days=days_ago), reported, "previous[0]")


def coded(
    code: str, value: str, unit: str | None, name: str | None = None, **more
) -> ReportedResult:
    """A result that comes with a LOINC code."""
    return ReportedResult(
        "results[0]", value, unit, name, (ReportedCode("http://loinc.org", code),), **more
    )


def days(age: str) -> Decimal:
    """An age in days."""
    number, unit = age.split()
    return Decimal(number) * _DAYS[unit]


def _terms(kind: str, given: Iterable[str | Mapping | ReportedTerm]) -> tuple[ReportedTerm, ...]:
    return tuple(_term(one, f"{kind}[{place}]") for place, one in enumerate(given))


def _term(given: str | Mapping | ReportedTerm, where: str) -> ReportedTerm:
    if isinstance(given, ReportedTerm):
        return given
    if isinstance(given, Mapping):
        more = {name: given[name] for name in ("onset", "side", "duration_days") if name in given}
        return ReportedTerm(where, given["id"], **more)
    return ReportedTerm(where, given)


def _word_or_number(value: object) -> str | Decimal:
    return Decimal(str(value)) if isinstance(value, int | float | Decimal) else str(value)


# ---- examples of the rules


def submission_of_example(given: Mapping[str, object]) -> Submission:
    """An example's panel: `{magnesium: 0.5 mmol/L, symptoms: [tetany], age: 54 years}`."""
    results = [
        f"{name} {one}"
        for name, value in given.items()
        if name not in _NO_RESULTS
        for one in (value if isinstance(value, list) else [value])
    ]
    about = {name: given[name] for name in _NO_RESULTS if name in given}
    before = about.pop("previous", None)
    if before is not None:
        sent = [f"{name} {value}" for name, value in before.items() if name != "days_ago"]
        about["previous"] = [earlier(*sent, days_ago=int(before["days_ago"]))]
    return a_panel(*results, **about)


def outcome_of(rule_id: str, interpretation: Interpretation) -> str:
    """What an answer says of a rule: found, cannot tell, or not found."""
    made = (
        *interpretation.artefacts,
        *interpretation.patterns,
        *interpretation.mechanisms,
        *interpretation.twitching.red_flags,
        *interpretation.urgency_findings,
    )
    if any(one.rule == rule_id for one in made):
        return "found"
    open_ones = {one.rule for one in interpretation.undecided} | set(interpretation.not_assessed)
    return "cannot tell" if rule_id in open_ones else "not found"


# ---- asking an answer


def interpreted(*results, **about) -> Interpretation:
    """The answer to a panel by the knowledge that ships."""
    return interpret(a_panel(*results, **about), knowledge())


def result(interpretation: Interpretation, measurand: str) -> InterpretedResult:
    """One result of an answer."""
    return next(one for one in interpretation.results if one.measurand == measurand)


def standings(interpretation: Interpretation) -> dict[str, str]:
    """Measurand to standing."""
    return {one.measurand: one.standing for one in interpretation.results}


def rules(findings) -> set[str]:
    """The rules of these findings."""
    return {one.rule for one in findings}


def codes(interpretation: Interpretation) -> list[str]:
    """The codes of an answer's problems."""
    return [one.code for one in interpretation.problems]
