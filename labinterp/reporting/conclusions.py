"""The middle of the report: sample doubts, the twitching, findings, what to consider next."""

from __future__ import annotations

import re
from collections import defaultdict
from itertools import pairwise
from typing import TYPE_CHECKING, Final

from labinterp.model.codes import URGENCIES
from labinterp.reporting import words
from labinterp.reporting.blocks import Paragraph, Section, said, sentences
from labinterp.reporting.conclusion_blocks import (
    CauseEntry,
    Causes,
    Clause,
    FindingEntry,
    Findings,
    PathLine,
    StepEntry,
    StepGroup,
    Steps,
    SymptomLine,
    UndecidedEntry,
    UndecidedList,
    VerdictBlock,
)
from labinterp.reporting.lookups import leading_findings, most_urgent_first, told_doubts

if TYPE_CHECKING:
    from collections.abc import Iterable
    from collections.abc import Set as AbstractSet

    from labinterp.model.interpretation import (
        Finding,
        Interpretation,
        NextStep,
        OtherCause,
        Path,
        SymptomVerdict,
        Undecided,
    )
    from labinterp.reporting.lookups import Lookups

_AS_ABOVE: Final = "From there on as above."
_SETTLES: Final = re.compile(r"cannot tell; (.+) would settle it\.?")
FREQUENCY_WORDS: Final = {
    "very-common": "very common",
    "common": "common",
    "uncommon": "uncommon",
    "rare": "rare",
}


def sample_doubts(answer: Interpretation, look: Lookups) -> Section:
    """Artefacts that the pattern fits, and which checks were made and found none."""
    entries = tuple(entry(finding, look) for finding in most_urgent_first(answer.artefacts))
    title = "Doubts about the sample"
    checks = _checks(answer, {finding.title for finding in answer.artefacts})
    if entries:
        return Section("sample_doubts", title, (Findings(entries), checks), "notice")
    return Section("sample_doubts", title, (checks,))


def _checks(answer: Interpretation, found: AbstractSet[str]) -> Paragraph:
    """Which checks were made, and which could not be for want of a result."""
    undecided = {item.title for item in answer.undecided}
    known = {*_short(found)}
    rest = [name for name in answer.artefact_checks if not known.intersection(_short((name,)))]
    made = _short(name for name in rest if name not in undecided)
    unmade = _short(name for name in rest if name in undecided)
    want = f"Could not be checked: {'; '.join(unmade)}." if unmade else ""
    told = f"Checks made, none fits: {'; '.join(made)}." if made else "No check could be made."
    count = f"{words.plural(len(made), 'check', 'checks')} made, none fits (named in the record)."
    return Paragraph(
        said(sentences(told, want)), "note", said(sentences(count, want)) if made else ()
    )


def _short(names: Iterable[str]) -> tuple[str, ...]:
    """Names of artefacts without what they add after a comma or in brackets, each once."""
    return tuple(dict.fromkeys(re.split(r", | \(", name)[0] for name in names))


def twitching(answer: Interpretation, look: Lookups) -> Section:
    """Whether these results explain the twitching, symptom by symptom, and by which paths."""
    asked = answer.twitching
    block = VerdictBlock(
        verdict=asked.verdict,
        headline=words.VERDICT_WORDS[asked.verdict],
        text=asked.text,
        symptoms=tuple(_symptom(item, look) for item in asked.per_symptom),
        paths=tuple(_path(path, look) for path in asked.paths),
        told=paths_told_once(asked.paths, look),
        drawn=asked.paths,
        rules=asked.rules,
    )
    return Section("twitching", "Do these results explain the twitching?", (block,))


def _symptom(item: SymptomVerdict, look: Lookups) -> SymptomLine:
    return SymptomLine(
        label=item.label,
        strength=item.strength,
        words=words.strength_words(item.strength),
        mechanisms=tuple(
            look.titles.get(id_) or look.titles.get(f"finding/{id_}") or id_
            for id_ in item.mechanisms
        ),
    )


def _path(path: Path, look: Lookups) -> PathLine:
    return PathLine(path.sentence, path.labels, path.opposes, look.numbers(path.sources))


def paths_told_once(paths: Iterable[Path], look: Lookups) -> tuple[PathLine, ...]:
    """The paths as sentences, each step told once: branches with their trunk, joins by name."""
    told: dict[tuple[str, str], list[str]] = {}
    lines: list[tuple[list[str], Path]] = []
    for path in paths:
        line = told.get((path.nodes[0], path.nodes[1]))
        if line is None:
            line = []
            lines.append((line, path))
        _tell(path, line, told)
    return tuple(
        PathLine(" ".join(line), path.labels, path.opposes, look.numbers(path.sources))
        for line, path in lines
        if line
    )


def _tell(path: Path, line: list[str], told: dict[tuple[str, str], list[str]]) -> None:
    """The steps of a path that no line tells yet, each in the line that it follows from."""
    for edge, sentence in zip(pairwise(path.nodes), path.steps, strict=False):
        known = told.get(edge)
        if known is None:
            told[edge] = line
            line.append(words.ended(sentence))
        elif known is not line:
            if line[-1:] != [_AS_ABOVE]:
                line.append(_AS_ABOVE)
            line = known


def findings(answer: Interpretation, look: Lookups) -> Section:
    """Patterns and mechanisms: the leading ones in full, the rest under "also noted"."""
    ranked = most_urgent_first((*answer.patterns, *answer.mechanisms))
    leading = leading_findings(answer)
    told = {finding.id for finding in leading}
    block = Findings(
        leading=tuple(entry(finding, look) for finding in leading),
        also=tuple(entry(finding, look) for finding in ranked if finding.id not in told),
        none="" if ranked else f"No finding. {_looked_at(answer)}",
    )
    return Section("findings", "Findings", (block,))


def _looked_at(answer: Interpretation) -> str:
    undecided = len(answer.undecided)
    looked = words.plural(answer.rules_looked_at, "rule was", "rules were")
    return f"{looked} looked at; {undecided} could not be decided."


def entry(finding: Finding, look: Lookups) -> FindingEntry:
    """A finding with its certainty, inputs, rule and sources."""
    return FindingEntry(
        id=finding.id,
        anchor=finding.id.replace("/", "-"),
        sort=finding.kind,
        title=finding.title.rstrip("."),
        text=words.ended(finding.text),
        certainty=finding.certainty,
        certainty_words=words.CERTAINTY_WORDS[finding.certainty],
        urgency=finding.urgency,
        urgency_words=words.URGENCY_WORDS[finding.urgency].lower(),
        rule=finding.rule,
        version=finding.version,
        strength=finding.strength or "",
        inputs=look.results(id_ for item in finding.evidence for id_ in item.about),
        source_numbers=look.numbers(finding.sources),
        clauses=tuple(
            Clause(item.sentence, item.truth, item.doubtful) for item in finding.evidence
        ),
        doubts=told_doubts(finding.doubts),
        remarks=(*map(words.ended, finding.caveats), *_remarks(finding, look)),
        brief_remarks=_remarks(finding, look),
        explains=tuple(
            f"{item.label}: {words.strength_words(item.strength)}"
            for item in finding.explains or ()
        ),
        action=finding.action or "",
    )


def _remarks(finding: Finding, look: Lookups) -> tuple[str, ...]:
    missing = ", ".join(look.name(id_) for id_ in finding.not_measured)
    made = (
        f"Not measured: {missing}." if missing else "",
        _listed("Strengthened by", finding.strengthened_by),
        _listed("Weakened by", finding.weakened_by),
        _listed("Unverified", finding.unverified),
    )
    return tuple(text for text in made if text)


def _listed(label: str, texts: Iterable[str]) -> str:
    """`Strengthened by: one; another.`, or nothing."""
    told = "; ".join(text.strip().rstrip(".") for text in texts)
    return f"{label}: {told}." if told else ""


def next_steps(answer: Interpretation, look: Lookups) -> Section | None:
    """What to consider, most urgent first."""
    by_urgency: defaultdict[str, list[NextStep]] = defaultdict(list)
    for step in answer.next_steps:
        by_urgency[step.urgency].append(step)
    groups = tuple(
        StepGroup(
            urgency,
            words.STEP_TITLES[urgency],
            tuple(_step(step, look) for step in by_urgency[urgency]),
        )
        for urgency in reversed(URGENCIES)
        if by_urgency[urgency]
    )
    return Section("next_steps", "To consider next", (Steps(groups),)) if groups else None


def _step(step: NextStep, look: Lookups) -> StepEntry:
    return StepEntry(
        step.id, step.text, step.detail, look.findings(step.because), look.numbers(step.sources)
    )


def red_flags(answer: Interpretation, look: Lookups) -> Section | None:
    """Pictures that must not be missed whatever the results show."""
    found = tuple(entry(finding, look) for finding in answer.twitching.red_flags)
    return Section("red_flags", "Red flags", (Findings(found),), "critical") if found else None


def other_causes(answer: Interpretation, look: Lookups) -> Section | None:
    """Commoner causes of twitching, which no result here shows."""
    causes = tuple(_cause(cause, look) for cause in answer.twitching.other_causes)
    title = "Commoner causes of twitching, which these results do not show"
    return Section("other_causes", title, (Causes(causes),)) if causes else None


def _cause(cause: OtherCause, look: Lookups) -> CauseEntry:
    return CauseEntry(
        label=cause.label,
        frequency=FREQUENCY_WORDS.get(cause.frequency, cause.frequency),
        typical=words.ended(cause.typical),
        clue=words.ended(cause.clue),
        suggested_by=cause.suggested_by,
        source_numbers=look.numbers(cause.sources),
    )


def undecided(answer: Interpretation) -> Section | None:
    """What could not be decided, and what would settle it."""
    entries = tuple(
        UndecidedEntry(item.title, item.text, _settled_by(item), item.rule)
        for item in answer.undecided
    )
    if not entries:
        return None
    block = UndecidedList(entries, _together(entries))
    return Section("undecided", "Could not be decided, and what would settle it", (block,))


def _settled_by(item: Undecided) -> tuple[str, ...]:
    """What would settle a rule, by the names its own sentence uses; none where it names none."""
    told = _SETTLES.fullmatch(item.text)
    return tuple(told[1].split(" or ")) if told else ()


def _together(entries: Iterable[UndecidedEntry]) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Titles under what is missing for them; what would settle most comes first."""
    grouped: defaultdict[str, list[str]] = defaultdict(list)
    for item in entries:
        grouped[" or ".join(item.settled_by)].append(item.title)
    ranked = sorted(grouped.items(), key=lambda pair: (-len(pair[1]), pair[0]))
    return tuple(
        (words.capital(missing), tuple(dict.fromkeys(titles))) for missing, titles in ranked
    )
