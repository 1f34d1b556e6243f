"""Cards for CDS Hooks 2.0: at most three, the most severe first, written from one answer.

A client may render the detail as Markdown with raw HTML, so every text that came from outside is
escaped there; a summary is plain text and is not.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal

from labinterp.reporting import lookups, words

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from labinterp.model.interpretation import Finding, Interpretation, InterpretedResult

Indicator = Literal["critical", "warning", "info"]

MOST_CARDS: Final = 3
LONGEST_SUMMARY: Final = 139
_SEVEREST_FIRST: Final[tuple[Indicator, ...]] = ("critical", "warning", "info")
_EXPLAINS: Final = ("likely", "possible")
_PUNCTUATION: Final = re.compile(r"(?<!\d)\.|\.(?!\d)|[\\`*_{}\[\]()#+\-!|~:@\"'$]")
_UNPRINTED: Final = re.compile(r"[\x00-\x1f\x7f\x85\u2028\u2029]+")
_OVERRIDES: Final = (
    ("already-treated", "Already being treated"),
    ("spurious", "Result is believed to be spurious"),
    ("not-clinically-relevant", "Not relevant now"),
)
_CLOSING: Final = "Not a diagnosis. Clinician review needed."


@dataclass(frozen=True, slots=True)
class Source:
    """Who speaks, and the public address that links and code systems begin with."""

    label: str
    base_url: str


@dataclass(frozen=True, slots=True)
class Card:
    """One card as the client gets it, and the rule that feedback on it is counted under."""

    uuid: str
    rule: str
    indicator: Indicator
    document: dict[str, Any]


@dataclass(frozen=True, slots=True)
class _Told:
    """A finding beside the results it looked at."""

    finding: Finding
    results: tuple[InterpretedResult, ...]
    indicator: Indicator


def cards(answer: Interpretation, source: Source, new_id: Callable[[], str]) -> tuple[Card, ...]:
    """The cards of one answer; none where nothing was found.

    Args:
        answer: what the results mean.
        source: who says so.
        new_id: makes the id that feedback names a card by.
    """
    told, covered = _told(answer)
    told.sort(key=lambda each: _SEVEREST_FIRST.index(each.indicator))
    shown = told[:MOST_CARDS]
    titles = {each.finding.title for each in shown}
    more = [each.finding for each in told[MOST_CARDS:]] + covered
    also = tuple(dict.fromkeys(one.title for one in more if one.title not in titles))
    return tuple(_card(each, source, new_id(), also if each is shown[0] else ()) for each in shown)


def escaped(text: str) -> str:
    """A text that Markdown shows as it is: no markup, no HTML, no address made a link, one line."""
    one_line = _UNPRINTED.sub(" ", text).strip()
    marked = _PUNCTUATION.sub(lambda sign: f"\\{sign[0]}", one_line.replace("&", "&amp;"))
    return marked.replace("<", "&lt;").replace(">", "&gt;")


def _told(answer: Interpretation) -> tuple[list[_Told], list[Finding]]:
    """What has a card, and what is only named beside one.

    Mechanisms have one first; then what says something of a result that none of them spoke of. A
    specimen that is probably contaminated stands before all that it explains.
    """
    by_measurand = {result.measurand: result for result in answer.results}
    spoken_of: set[str] = set()
    told: list[_Told] = []
    covered: list[Finding] = []
    for finding in dict.fromkeys(_worth_a_card(answer)):
        about = _about(finding, by_measurand)
        names = {result.measurand for result in about}
        if names and not names <= spoken_of:
            spoken_of |= names
            told.append(_Told(finding, about, _indicator(finding, about)))
        else:
            covered.append(finding)
    probable = [_doubt(each, by_measurand, told) for each in _probable(answer)]
    names_of = {each.finding.rule for each in probable}
    rest = [each for each in told if each.finding.rule not in names_of]
    unnamed = [one for one in covered if one.rule not in names_of]
    return [*probable, *rest], unnamed


def _probable(answer: Interpretation) -> Iterator[Finding]:
    yield from (one for one in answer.artefacts if one.leading and one.strength == "probable")


def _doubt(
    finding: Finding, by_measurand: dict[str, InterpretedResult], told: Iterable[_Told]
) -> _Told:
    """An artefact, as severe as the severest card that rests on what it affects."""
    about = _about(finding, by_measurand)
    affected = {*finding.affects, *(result.measurand for result in about)}
    resting = [
        each.indicator
        for each in told
        if affected.intersection(result.measurand for result in each.results)
    ]
    return _Told(finding, about, next((one for one in _SEVEREST_FIRST if one in resting), "info"))


def _worth_a_card(answer: Interpretation) -> Iterator[Finding]:
    yield from (finding for finding in answer.mechanisms if _explains(finding))
    critical = {result.measurand for result in answer.results if _is_critical(result)}
    for finding in answer.urgency_findings:
        if any(critical.intersection(clause.about) for clause in finding.evidence):
            yield finding
    yield from (finding for finding in answer.artefacts if finding.leading)
    rest = (*answer.patterns, *answer.mechanisms, *answer.urgency_findings)
    yield from (finding for finding in rest if finding.leading)


def _about(
    finding: Finding, by_measurand: dict[str, InterpretedResult]
) -> tuple[InterpretedResult, ...]:
    names = (name for clause in finding.evidence for name in clause.about)
    return tuple(by_measurand[name] for name in dict.fromkeys(names) if name in by_measurand)


def _indicator(finding: Finding, about: tuple[InterpretedResult, ...]) -> Indicator:
    """Critical for a value past a critical limit alone, however urgent the finding."""
    if _is_critical(about[0]) or (finding.kind == "urgency" and any(map(_is_critical, about))):
        return "critical"
    return "warning" if _explains(finding) else "info"


def _is_critical(result: InterpretedResult) -> bool:
    return result.standing in ("critically_low", "critically_high")


def _explains(finding: Finding) -> bool:
    return any(each.strength in _EXPLAINS for each in finding.explains or ())


def base_card(source: Source, uuid: str, indicator: Indicator) -> dict[str, Any]:
    """What every card has: its id, who speaks, and the reasons offered for dismissing it."""
    base = source.base_url.rstrip("/")
    return {
        "uuid": uuid,
        "summary": "",
        "indicator": indicator,
        "source": {"label": source.label, "url": base},
        "overrideReasons": [
            {"system": f"{base}/fhir/CodeSystem/override", "code": code, "display": display}
            for code, display in _OVERRIDES
        ],
    }


def _card(told: _Told, source: Source, uuid: str, also: Iterable[str]) -> Card:
    document = base_card(source, uuid, told.indicator)
    document["summary"] = _summary(told)
    document["detail"] = _detail(told, also)
    rule = told.finding.rule
    address = f"{document['source']['url']}/knowledge/rules/{rule}"
    document["links"] = [{"label": "Why this appears", "url": address, "type": "absolute"}]
    return Card(uuid, rule, told.indicator, document)


def _summary(told: _Told) -> str:
    """The finding and its number; where both are too long, the finding's name gives way."""
    number = _shortened(_plain(lookups.in_words(_main(told))), LONGEST_SUMMARY // 2)
    return f"{_shortened(told.finding.title, LONGEST_SUMMARY - len(number) - 2)}: {number}"


def _main(told: _Told) -> InterpretedResult:
    """The result a finding is of: its first, but what is urgent is so for its critical one."""
    if told.finding.kind == "urgency":
        return next(filter(_is_critical, told.results), told.results[0])
    return told.results[0]


def _plain(text: str) -> str:
    return _UNPRINTED.sub(" ", text.replace(words.NBSP, " "))


def _shortened(text: str, length: int) -> str:
    return text if len(text) <= length else f"{text[: length - 1].rstrip()}…"


def _detail(told: _Told, also: Iterable[str]) -> str:
    rows = (_row(result) for result in told.results)
    table = "\n".join(("| Analyte | Result | Standing |", "|---|---|---|", *rows))
    doubts = (*told.finding.doubts, *(d for result in told.results for d in result.doubts))
    parts = (
        table,
        escaped(told.finding.text),
        *(escaped(doubt) for doubt in lookups.told_doubts(doubts)),
        _also(also),
        _CLOSING,
    )
    return "\n\n".join(filter(None, parts))


def _row(result: InterpretedResult) -> str:
    shown = escaped(_plain(lookups.value_and_unit(result)))
    return f"| {escaped(result.name)} | {shown} | {result.standing.replace('_', ' ')} |"


def _also(titles: Iterable[str]) -> str:
    """What had no card of its own is named all the same."""
    names = [escaped(title) for title in titles]
    return f"Also found: {'; '.join(names)}." if names else ""
