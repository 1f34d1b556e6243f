"""The causal paths a panel activates: from where they start, step by step, to what is seen."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from labinterp.model.interpretation import Path
from labinterp.model.knowledge import Knowledge, PathStep

_MOST: Final = 12
_LONGEST: Final = 12

Graph = Mapping[str, tuple[PathStep, ...]]


def active_paths(knowledge: Knowledge, mechanisms: Iterable[str]) -> tuple[Path, ...]:
    """Every whole path along which the mechanisms found act, the longest chains of cause first.

    A step is active when its mechanism was found. A path that would have to pass through a result that is not
    altered (low magnesium to a calcium that is within) ends nowhere and is not shown.
    """
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
    return tuple(_path(steps, knowledge) for steps in found[:_MOST])


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


def _path(steps: tuple[PathStep, ...], knowledge: Knowledge) -> Path:
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
    )
