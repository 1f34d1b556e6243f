"""The end of the report: what it does not show, its sources, what made it, whom to ask."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Final

from labinterp.reporting import words
from labinterp.reporting.blocks import Fact, Facts, Paragraph, Section, SourceEntry, Sources, said

if TYPE_CHECKING:
    from collections.abc import Iterable

    from labinterp.model.interpretation import Interpretation
    from labinterp.model.report import ReportOrder

AUTOMATIC: Final = "Automatic; not reviewed by a laboratory specialist."
PURPOSE, INTERVALS, NOT_SHOWN = range(3)
FIXED: Final = (
    (
        "Interpretation support for health professionals. It adds to the laboratory’s report and "
        "does not replace it, or clinical judgement."
    ),
    (
        "Intervals are the performing laboratory’s where supplied; otherwise as cited. They "
        "describe a population, not this person."
    ),
    (
        "Results in the interval do not exclude a neurological cause. Weakness, wasting, spread, "
        "bulbar signs or seizures need assessment whatever the results."
    ),
)
"""What is printed when an answer was stored without its statements."""
_DIGEST_SHOWN: Final = 12
_RUNNING_NAME: Final = 48
_RUNNING_IDENTIFIER: Final = 64
"""Lengths in the running line [characters]."""


def not_shown(answer: Interpretation) -> Section:
    """What results like these cannot show; always there."""
    text = statement(answer, NOT_SHOWN)
    return Section("not_shown", "What these results do not show", (Paragraph(said(text)),))


def statement(answer: Interpretation, place: int) -> str:
    """One of the fixed statements; the answer keeps those of its knowledge, in their order."""
    kept = answer.statements[place] if place < len(answer.statements) else ""
    return kept or FIXED[place]


def sources(answer: Interpretation) -> Section | None:
    """The numbered sources with year and link."""
    entries = tuple(
        SourceEntry(
            item.number, item.id, item.title, item.year, item.url, item.publisher, item.access
        )
        for item in sorted(answer.sources, key=lambda item: item.number)
    )
    return Section("sources", "Sources", (Sources(entries),)) if entries else None


def about(order: ReportOrder, code: str) -> Section:
    """Who reviewed it, whom to ask, and exactly what made it."""
    fixed = (statement(order.interpretation, place) for place in (PURPOSE, INTERVALS))
    texts = tuple(Paragraph(said(text), "note") for text in fixed if text)
    return Section("about", "About this report", (*texts, Facts(tuple(_about(order, code)))))


def _about(order: ReportOrder, code: str) -> Iterable[Fact]:
    answer = order.interpretation
    yield Fact("Review", AUTOMATIC)
    yield Fact("Advice", order.contact or "not given")
    yield Fact("Knowledge", _knowledge(answer))
    yield Fact("Engine", f"labinterp {answer.engine.version}")
    yield Fact("Range set", answer.range_set_title or answer.range_set)
    yield Fact("Critical limits", answer.critical_policy_title or answer.critical_policy)
    if answer.schemes:
        named = answer.scheme_titles or answer.schemes
        yield Fact("Decision schemes", "; ".join(named), wide=True)
    yield Fact(
        "Report", f"{order.number} version {order.version}, {order.organisation}".rstrip(", ")
    )
    yield Fact("Verification code", code)
    if order.operator_line:
        yield Fact("Operator", order.operator_line, wide=True)


def _knowledge(answer: Interpretation) -> str:
    return f"{answer.knowledge.version}, digest {answer.knowledge.digest[:_DIGEST_SHOWN]}"


def footer(order: ReportOrder, code: str) -> str:
    """What every page repeats of the last section."""
    answer = order.interpretation
    return " · ".join(
        (
            f"Knowledge {answer.knowledge.version} ({answer.knowledge.digest[:_DIGEST_SHOWN]})",
            f"labinterp {answer.engine.version}",
            f"verification {code}",
        )
    )


def verification_code(number: str, version: int, said_text: str) -> str:
    """A code over everything the report says: the same words and numbers, the same code."""
    told = f"{number}\n{version}\n{said_text}".encode("utf-8", "surrogatepass")
    digest = hashlib.sha256(told).hexdigest()[:12].upper()
    return "-".join(digest[start : start + 4] for start in range(0, len(digest), 4))


def running(order: ReportOrder, name: str, identifier: str) -> str:
    """Name and identifier, on every page; very long ones stand in full in the box."""
    born = f"born {words.day(order.identity.birth_date)}" if order.identity.birth_date else ""
    parts = (_cut(name, _RUNNING_NAME), _cut(identifier, _RUNNING_IDENTIFIER), born)
    return " · ".join(part for part in parts if part)


def _cut(text: str, length: int) -> str:
    """At most so many characters, the cut shown."""
    return text if len(text) <= length else f"{text[: length - 1]}…"
