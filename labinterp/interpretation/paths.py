"""The causal paths a panel activates: from where they start, step by step, to what is seen."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Final

from labinterp.interpretation.keeping import kept
from labinterp.interpretation.lookup import lookup_of, name_key
from labinterp.model.interpretation import Path
from labinterp.model.knowledge import Knowledge, PathStep

if TYPE_CHECKING:
    from collections.abc import Set as AbstractSet

    from labinterp.model.patient import Symptom

_MOST: Final = 12
_LONGEST: Final = 12

Graph = Mapping[str, tuple[PathStep, ...]]


def active_paths(
    knowledge: Knowledge, mechanisms: Iterable[str], symptoms: Iterable[Symptom] = ()
) -> tuple[Path, ...]:
    """The whole paths along which the mechanisms found act, the longest chains of cause first.

    A step is active when its mechanism was found, or when it needs none and is reached. A path that
    would have to pass through a result that is not altered (low magnesium to a calcium that is
    within) ends nowhere and is not shown. Of paths that only part at their end, those to a recorded
    symptom are shown, else the first. Of very many, those to a recorded symptom and those that
    oppose twitching come before the rest.
    """
    return _active_paths(
        knowledge, tuple(mechanisms), tuple(dict.fromkeys(symptom.id for symptom in symptoms))
    )


@kept(most=2_000)
def _active_paths(
    knowledge: Knowledge, mechanisms: tuple[str, ...], symptoms: tuple[str, ...]
) -> tuple[Path, ...]:
    active = set(mechanisms)
    everywhere = _graph(knowledge.paths)
    graph = _graph(
        step for step in knowledge.paths if step.mechanism is None or step.mechanism in active
    )
    entered = {step.end for steps in graph.values() for step in steps if step.mechanism is not None}
    starts = [
        node
        for node, steps in graph.items()
        if node not in entered and any(step.mechanism in active for step in steps)
    ]
    found = [
        steps
        for start in starts
        for steps in _walks(start, graph, everywhere, ())
        if any(step.mechanism in active for step in steps)
    ]
    found.sort(key=lambda steps: (any(step.opposes for step in steps), -len(steps)))
    recorded = _endings(knowledge, symptoms)
    made = [_path(steps, knowledge, recorded) for steps in _chosen(found, recorded)]
    kept = sorted(made, key=lambda path: not (path.recorded or path.opposes))[:_MOST]
    return tuple(path for path in made if path in kept)


def _chosen(
    found: list[tuple[PathStep, ...]], recorded: AbstractSet[str]
) -> list[tuple[PathStep, ...]]:
    """Of each chain of causes the endings that were recorded; where none was, its first ending."""
    chains: dict[tuple[str, ...], list[tuple[PathStep, ...]]] = {}
    for steps in found:
        chains.setdefault(tuple(step.id for step in steps[:-1]), []).append(steps)
    chosen = []
    for chain in chains.values():
        wanted = [steps for steps in chain if steps[-1].end in recorded]
        chosen += wanted or chain[:1]
    return chosen


def _endings(knowledge: Knowledge, symptoms: tuple[str, ...]) -> set[str]:
    """The ends of the map that a recorded symptom is seen as, by the vocabulary's own spellings."""
    spellings = lookup_of(knowledge).terms.get("symptom", {})
    return {
        node
        for node, label in knowledge.nodes.items()
        for part in re.split(r",| and ", label)
        if any(term.id in symptoms for term in spellings.get(name_key(part), ()))
    }


def _graph(steps: Iterable[PathStep]) -> dict[str, tuple[PathStep, ...]]:
    graph: dict[str, tuple[PathStep, ...]] = {}
    for step in steps:
        graph[step.start] = (*graph.get(step.start, ()), step)
    return graph


def _walks(
    node: str, graph: Graph, everywhere: Graph, behind: tuple[PathStep, ...]
) -> Iterator[tuple[PathStep, ...]]:
    """Every way from a node to where the map itself ends."""
    if node not in everywhere:
        yield behind
        return
    seen = {step.start for step in behind}
    if node in seen or len(behind) >= _LONGEST:
        return
    for step in graph.get(node, ()):
        yield from _walks(step.end, graph, everywhere, (*behind, step))


def _path(steps: tuple[PathStep, ...], knowledge: Knowledge, recorded: AbstractSet[str]) -> Path:
    nodes = (steps[0].start, *(step.end for step in steps))
    labels = tuple(knowledge.nodes.get(node, node.replace("-", " ")) for node in nodes)
    return Path(
        nodes=nodes,
        labels=labels,
        sentence=" ".join(step.sentence.strip() for step in steps),
        starts_with=labels[0],
        opposes=any(step.opposes for step in steps),
        sources=tuple(dict.fromkeys(source for step in steps for source in step.sources)),
        steps=tuple(step.sentence.strip() for step in steps),
        edges=tuple(step.id for step in steps),
        mechanisms=tuple(dict.fromkeys(step.mechanism for step in steps if step.mechanism)),
        recorded=nodes[-1] in recorded,
    )
