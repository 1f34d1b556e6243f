"""The bibliography of one answer.

Every source it cites, numbered in the order in which it is first cited.
"""

from __future__ import annotations

from itertools import count
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
    from collections.abc import Iterable

    from labinterp.model.knowledge import Knowledge


def numbered(cited: Iterable[str], knowledge: Knowledge) -> tuple[SourceRecord, ...]:
    """The sources cited, once each, numbered from 1."""
    records = _records(knowledge)
    known = [one for one in dict.fromkeys(cited) if one in knowledge.sources]
    return tuple(
        records.get(place) or _record(records, place, knowledge)
        for place in zip(known, count(1), strict=False)
    )


_Records = dict[tuple[str, int], SourceRecord]


@kept(most=8)
def _records(_: Knowledge) -> _Records:
    """A source at its place, for the next answer that cites it there."""
    return {}


def _record(records: _Records, place: tuple[str, int], knowledge: Knowledge) -> SourceRecord:
    one, number = knowledge.sources[place[0]], place[1]
    made = SourceRecord(one.id, one.title, one.year, one.url, number, one.publisher, one.access)
    records[place] = made
    return made


def of_findings(*strata: Iterable[Finding]) -> list[str]:
    """What findings cite."""
    return [source for findings in strata for one in findings for source in one.sources]


def of_results(results: Iterable[InterpretedResult]) -> list[str]:
    """What intervals, decision limits and conversions cite."""
    cited: list[str] = []
    for one in results:
        if one.interval is not None:
            cited += one.interval.source
        for decision in one.decisions:
            cited += decision.source
        if one.conversion is not None:
            cited += one.conversion.source
    return cited


def of_rest(
    steps: Iterable[NextStep], causes: Iterable[OtherCause], paths: Iterable[Path]
) -> list[str]:
    """What next steps, commoner causes and causal paths cite."""
    return [source for group in (steps, paths, causes) for one in group for source in one.sources]
