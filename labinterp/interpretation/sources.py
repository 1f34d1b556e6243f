"""The bibliography of one answer.

Every source it cites, numbered in the order in which it is first cited.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from labinterp.interpretation.keeping import kept
from labinterp.model.interpretation import (
    Finding,
    InterpretedResult,
    NextStep,
    OtherCause,
    Path,
    SourceRecord,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from labinterp.model.knowledge import Knowledge, Source


def numbered(cited: Iterable[str], knowledge: Knowledge) -> tuple[SourceRecord, ...]:
    """The sources cited, once each, numbered from 1."""
    known = (knowledge.sources[one] for one in dict.fromkeys(cited) if one in knowledge.sources)
    return tuple(_record(one, number) for number, one in enumerate(known, start=1))


@kept()
def _record(one: Source, number: int) -> SourceRecord:
    return SourceRecord(one.id, one.title, one.year, one.url, number, one.publisher, one.access)


def of_findings(findings: Iterable[Finding]) -> Iterator[str]:
    """What findings cite."""
    for one in findings:
        yield from one.sources


def of_results(results: Iterable[InterpretedResult]) -> Iterator[str]:
    """What intervals, decision limits and conversions cite."""
    for one in results:
        if one.interval is not None:
            yield from one.interval.source
        for decision in one.decisions:
            yield from decision.source
        if one.conversion is not None:
            yield from one.conversion.source


def of_rest(
    steps: Iterable[NextStep], causes: Iterable[OtherCause], paths: Iterable[Path]
) -> Iterator[str]:
    """What next steps, commoner causes and causal paths cite."""
    for group in (steps, paths, causes):
        for one in group:
            yield from one.sources
