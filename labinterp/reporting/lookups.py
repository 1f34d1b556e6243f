"""What sections look up again and again: source numbers, printed results, findings' titles."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from labinterp.reporting import words

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from decimal import Decimal

    from labinterp.model.interpretation import Amount, Finding, Interpretation, InterpretedResult


_DERIVED_DECIMALS: Final = 2
"""Decimals of a derived quantity without an interval."""
_FINER: Final = 4


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


def in_words(result: InterpretedResult) -> str:
    """A result in one run of words: `Potassium 2.4 mmol/L`."""
    return f"{result.name} {value_and_unit(result)}".rstrip()


def value_text(result: InterpretedResult) -> str:
    """The value as sent; of a derived quantity, the value worked out, as fine as its interval."""
    reported = result.reported
    if reported is not None and reported.value:
        return words.as_sent(reported.value, reported.comparator)
    if result.value is not None and result.derived_from:
        return words.with_comparator(_derived(result, result.value), result.value.comparator)
    return ""


def _derived(result: InterpretedResult, amount: Amount) -> str:
    """A derived number with its interval's decimals; more where rounding would hide its side."""
    interval = result.interval
    ends = [end for end in (interval.low, interval.high) if end is not None] if interval else []
    least = max((words.own_decimals(end) for end in ends), default=_DERIVED_DECIMALS)
    for decimals in range(least, least + _FINER):
        shown = round(amount.number, decimals)
        if all(_side(shown, end) == _side(amount.number, end) for end in ends):
            return words.number(shown, min(decimals, words.own_decimals(amount.number)))
    return words.number(amount.number)


def _side(number: Decimal, limit: Decimal) -> int:
    """Below, on or above a limit."""
    return (number > limit) - (number < limit)


def unit_text(result: InterpretedResult) -> str:
    """The unit as sent; of a derived quantity, its printed unit."""
    if result.reported is not None and (result.reported.value or result.reported.unit):
        return result.reported.unit or ""
    if result.value is None:
        return ""
    return result.value.printed_unit or result.value.unit


def value_and_unit(result: InterpretedResult) -> str:
    """Both, with a no-break space between them."""
    return words.with_unit(value_text(result), unit_text(result))
