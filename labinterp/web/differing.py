"""Two answers about one panel, and in what they differ, in sentences."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from labinterp.reporting import words
from labinterp.reporting.lookups import all_findings
from labinterp.reporting.result_rows import interval_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from labinterp.model.interpretation import Finding, Interpretation, InterpretedResult


@dataclass(frozen=True, slots=True)
class Differences:
    """What would be otherwise, each as a sentence.

    Attributes:
        old, new: versions of the knowledge.
    """

    old: str
    new: str
    conclusions: tuple[str, ...]
    results: tuple[str, ...]
    findings: tuple[str, ...]
    steps: tuple[str, ...]

    @property
    def any(self) -> bool:
        """Would anything differ that these compare?"""
        return bool(self.conclusions or self.results or self.findings or self.steps)


def between(old: Interpretation, new: Interpretation) -> Differences:
    """In what a newer answer differs from the stored one."""
    return Differences(
        old=old.knowledge.version,
        new=new.knowledge.version,
        conclusions=tuple(_conclusions(old, new)),
        results=tuple(_results(old, new)),
        findings=tuple(_findings(old, new)),
        steps=tuple(
            _named(
                {step.id: step.text for step in old.next_steps},
                {step.id: step.text for step in new.next_steps},
            )
        ),
    )


def _conclusions(old: Interpretation, new: Interpretation) -> Iterator[str]:
    if old.urgency != new.urgency:
        yield f"Urgency: was {_urgency(old)}, would be {_urgency(new)}."
    was, now = (words.VERDICT_WORDS[one.twitching.verdict] for one in (old, new))
    if was != now:
        yield f"Do these results explain the twitching: was “{was}”, would be “{now}”."


def _urgency(answer: Interpretation) -> str:
    return words.URGENCY_WORDS[answer.urgency].lower()


def _results(old: Interpretation, new: Interpretation) -> Iterator[str]:
    """Flags and intervals, result by result; one that only one answer has is named."""
    before = {(result.where, result.measurand): result for result in old.results}
    after = {(result.where, result.measurand): result for result in new.results}
    for key, result in after.items():
        known = before.get(key)
        if known is None:
            yield f"{result.name}: would be recognised as such."
            continue
        if known.standing != result.standing:
            yield f"{result.name}: was {_flag(known)}, would be {_flag(result)}."
        elif interval_text(known) != interval_text(result):
            was, now = (interval_text(one) or "none" for one in (known, result))
            yield f"{result.name}: its interval was {was}, would be {now}."
    for key, result in before.items():
        if key not in after:
            yield f"{result.name}: would not be recognised as such."


def _flag(result: InterpretedResult) -> str:
    return words.FLAG_WORDS[result.standing].lower()


def _findings(old: Interpretation, new: Interpretation) -> Iterator[str]:
    before = {finding.id: finding for finding in all_findings(old)}
    after = {finding.id: finding for finding in all_findings(new)}
    yield from _named(_titles(before), _titles(after))
    for id_, finding in after.items():
        known = before.get(id_)
        if known is not None and known.certainty != finding.certainty:
            was, now = (words.CERTAINTY_WORDS[one.certainty] for one in (known, finding))
            yield f"{finding.title}: evidence was {was}, would be {now}."
        if known is not None and known.urgency != finding.urgency:
            was, now = (words.URGENCY_WORDS[one.urgency].lower() for one in (known, finding))
            yield f"{finding.title}: urgency was {was}, would be {now}."


def _titles(findings: Mapping[str, Finding]) -> dict[str, str]:
    return {id_: finding.title for id_, finding in findings.items()}


def _named(before: Mapping[str, str], after: Mapping[str, str]) -> Iterator[str]:
    for id_, title in after.items():
        if id_ not in before:
            yield f"Would be added: {words.ended(title)}"
    for id_, title in before.items():
        if id_ not in after:
            yield f"Would no longer appear: {words.ended(title)}"
