"""What sections look up again and again: source numbers, printed results, findings' titles."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from labinterp.model.codes import URGENCIES
from labinterp.reporting import words

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from labinterp.model.interpretation import Finding, Interpretation, InterpretedResult


LEADING: Final = 5
"""At most so many findings are told in full."""
_NO_UNIT: Final = ("1", "[pH]")
"""Codes of a plain number, which is printed without a unit."""


@dataclass(frozen=True, slots=True)
class Lookups:
    """What number a source has, how a result is printed, what a finding is called."""

    source_numbers: Mapping[str, int]
    names: Mapping[str, str]
    printed: Mapping[str, str]
    titles: Mapping[str, str]

    def numbers(self, sources: Iterable[str]) -> tuple[int, ...]:
        """Numbers in this report's source list, ascending, each once."""
        return tuple(
            sorted({self.source_numbers[id_] for id_ in sources if id_ in self.source_numbers})
        )

    def name(self, measurand: str) -> str:
        """What a measurand is called here; an id that no result explains is read out."""
        return self.names.get(measurand) or measurand.replace("_", " ").replace("-", " ")

    def results(self, measurands: Iterable[str]) -> tuple[str, ...]:
        """The results among these, as printed, each once and in the order first named."""
        return tuple(dict.fromkeys(self.printed[id_] for id_ in measurands if id_ in self.printed))

    def findings(self, ids: Iterable[str]) -> tuple[str, ...]:
        """Titles of the findings named, each once."""
        return tuple(dict.fromkeys(self.titles[id_] for id_ in ids if id_ in self.titles))


def lookups(answer: Interpretation) -> Lookups:
    """Everything the sections of one report look up."""
    return Lookups(
        source_numbers={source.id: source.number for source in answer.sources},
        names={result.measurand: result.name for result in answer.results},
        printed={result.measurand: in_words(result) for result in reversed(answer.results)},
        titles={finding.id: finding.title for finding in all_findings(answer)},
    )


def all_findings(answer: Interpretation) -> tuple[Finding, ...]:
    """Every finding of the answer, of whatever kind."""
    return (
        *answer.artefacts,
        *answer.patterns,
        *answer.mechanisms,
        *answer.twitching.red_flags,
        *answer.urgency_because,
    )


def leading_findings(answer: Interpretation) -> list[Finding]:
    """The patterns and mechanisms that are told in full."""
    ranked = most_urgent_first((*answer.patterns, *answer.mechanisms))
    return [finding for finding in ranked if finding.leading][:LEADING]


def most_urgent_first(found: Iterable[Finding]) -> list[Finding]:
    """Most urgent first; otherwise in the order of the answer."""
    return sorted(found, key=lambda finding: -URGENCIES.index(finding.urgency))


def in_words(result: InterpretedResult) -> str:
    """A result in one run of words: `Potassium 2.4 mmol/L`."""
    return f"{result.name} {value_and_unit(result)}".rstrip()


def value_text(result: InterpretedResult) -> str:
    """The value as sent; of a derived quantity, the value as the answer keeps it."""
    reported = result.reported
    if reported is not None and reported.value:
        return words.as_sent(reported.value, reported.comparator)
    if result.value is not None and result.derived_from:
        return words.with_comparator(words.number(result.value.number), result.value.comparator)
    return ""


def unit_text(result: InterpretedResult) -> str:
    """The unit as sent; of a derived quantity, its printed unit."""
    if result.reported is not None and (result.reported.value or result.reported.unit):
        return result.reported.unit or ""
    if result.value is None:
        return ""
    unit = result.value.printed_unit or result.value.unit
    return "" if unit in _NO_UNIT else unit


def value_and_unit(result: InterpretedResult) -> str:
    """Both, with a no-break space between them."""
    return words.with_unit(value_text(result), unit_text(result))


def told_doubts(doubts: Iterable[str]) -> tuple[str, ...]:
    """Doubts as sentences, each once; which result they are about, the reader sees already."""
    bare = (re.sub(r"^[^:]+: (?=pattern fits)", "", doubt) for doubt in doubts)
    return tuple(dict.fromkeys(words.ended(words.capital(text)) for text in bare if text.strip()))
