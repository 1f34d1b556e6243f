"""The reference: all that is known as Markdown pages, for people who want to read the medicine.

Written from what was loaded, so that the pages cannot say anything else than the engine does.
What is unverified or not used is marked where it stands.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from labinterp.knowledge.phrases import phrase
from labinterp.model.rule import Artefact, Mechanism

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from decimal import Decimal

    from labinterp.model.interval import Bounds, CriticalLimit, DecisionLimit, Interval
    from labinterp.model.knowledge import Knowledge
    from labinterp.model.measurand import Measurand
    from labinterp.model.rule import Rule

_UNVERIFIED: Final = "**unverified, not shown as fact**"
_RULES: Final = {
    "artefacts": "Artefacts: what can make a result wrong",
    "patterns": "Patterns: results that mean something together",
    "mechanisms": "Mechanisms: how an abnormal result makes nerve and muscle fire",
    "red_flags": "Red flags",
    "urgency_rules": "Urgency",
}
_ENDS: Final = (("gt", ">"), ("ge", "≥"), ("lt", "<"), ("le", "≤"))


def pages(knowledge: Knowledge) -> dict[str, str]:
    """File name to Markdown, `index.md` first."""
    made: dict[str, Callable[[Knowledge], Iterable[str]]] = {
        "analytes.md": _analytes,
        **{f"{kind.replace('_', '-')}.md": _rules_page(kind) for kind in _RULES},
        "formulas.md": _formulas,
        "next-steps.md": _next_steps,
        "causes.md": _causes,
        "map.md": _map,
        "sources.md": _sources,
    }
    bodies = {name: "\n".join(lines(knowledge)).rstrip() + "\n" for name, lines in made.items()}
    return {"index.md": _index(knowledge, bodies), **bodies}


def _index(knowledge: Knowledge, bodies: dict[str, str]) -> str:
    links = "\n".join(
        f"- [{body.partition(chr(10))[0].removeprefix('# ')}]({name})"
        for name, body in bodies.items()
    )
    return (
        "# Medical knowledge\n\n"
        f"Written from `reference_ranges/`, version {knowledge.version}: "
        f"{len(knowledge.measurands)} measurands, {knowledge.rule_count} rules, "
        f"{len(knowledge.sources)} sources. No clinician has reviewed a file whose status is "
        "“draft”.\n\n"
        f"{links}\n"
    )


# ---- analytes


def _analytes(knowledge: Knowledge) -> Iterator[str]:
    yield "# Analytes: names, units, intervals and limits\n"
    for one in knowledge.measurands.values():
        yield from _analyte(one, knowledge)


def _analyte(one: Measurand, knowledge: Knowledge) -> Iterator[str]:
    yield f"## {one.name} {{: #{one.id} }}\n"
    yield f"`{one.id}`, {one.system}. {one.about}".rstrip() + "\n"
    yield f"- Units: {_listed(unit.printed or unit.ucum for unit in one.units)}"
    for refused in one.refused_units:
        yield f"- Not taken: {_listed(refused.as_seen)}: {refused.why}"
    yield f"- Names: {_listed(one.names)}"
    codes = [f"{code.code} ({code.role})" for code in one.codes if code.verified]
    if codes:
        yield f"- LOINC: {_listed(codes)}"
    if one.derived_by:
        yield f"- Calculated: [{knowledge.formulas[one.derived_by].title}](formulas.md)"
    yield ""
    yield from _table(
        ("Set", "For", "Interval", "Sources"), map(_interval, one.intervals), "Reference intervals"
    )
    yield from _table(
        ("Scheme", "For", "Region", "Called", "Sources"),
        map(_decision, one.decision_limits),
        "Decision limits",
    )
    yield from _table(
        ("Policy", "For", "Low", "High", "Sources"),
        map(_critical, one.critical_limits),
        "Critical limits",
    )
    yield from _table(
        ("Grade", "When", "Certainty", "Sources"),
        (
            (_marked(band.label, band.unverified), phrase(band.when), band.certainty, _cited(band))
            for band in one.severity_bands
        ),
        "Severity",
    )


def _interval(row: Interval) -> tuple[str, ...]:
    ends = [
        f"{sign} {end:f}"
        for sign, end in (
            ("≥" if row.low_included else ">", row.low),
            ("≤" if row.high_included else "<", row.high),
        )
        if end is not None
    ]
    told = f"{' and '.join(ends)} {row.unit}" + (f" ({row.basis})" if row.basis else "")
    unused = "" if row.usable else " (not used)"
    return (row.set, row.applies_to.text, _marked(told, row.unverified) + unused, _cited(row))


def _decision(limit: DecisionLimit) -> tuple[str, ...]:
    region = _bounds(limit.bounds)
    label = _marked(limit.label, limit.unverified)
    return (limit.scheme, limit.applies_to.text, region, label, _cited(limit))


def _critical(limit: CriticalLimit) -> tuple[str, ...]:
    policy = _marked(limit.policy_name, limit.unverified)
    low, high = _bounds(limit.low), _bounds(limit.high)
    return (policy, limit.applies_to.text, low, high, _cited(limit))


def _bounds(bounds: Bounds | None) -> str:
    if bounds is None:
        return ""
    ends: list[tuple[str, Decimal | None]] = [(sign, getattr(bounds, n)) for n, sign in _ENDS]
    told = " and ".join(f"{sign} {end:f}" for sign, end in ends if end is not None)
    return f"{told} {bounds.unit}"


# ---- rules


def _rules_page(kind: str) -> Callable[[Knowledge], Iterator[str]]:
    def lines(knowledge: Knowledge) -> Iterator[str]:
        yield f"# {_RULES[kind]}\n"
        for rule in getattr(knowledge, kind).values():
            yield from _rule(rule)

    return lines


def _rule(rule: Rule) -> Iterator[str]:
    yield f"## {rule.title} {{: #{rule.id} }}\n"
    if rule.unverified:
        yield f"{_UNVERIFIED}\n"
    yield f"{rule.text}\n"
    yield f"- Rule: `{rule.id}`"
    yield f"- When: {phrase(rule.when)}"
    if isinstance(rule, Artefact):
        effects = (f"{name} {way}" for name, way in rule.effects.items())
        yield f"- Strength: {rule.strength}; effect: {_listed(effects)}"
        yield f"- To do: {rule.action}"
    if isinstance(rule, Mechanism):
        yield from (f"{number}. {step}" for number, step in enumerate(rule.steps, 1))
    for name, word in (("strengthens", "Stronger when"), ("weakens", "Weaker when")):
        yield from (f"- {word}: {phrase(one)}" for one in getattr(rule, name, ()))
    urgency = getattr(rule, "urgency", None)
    if urgency:
        yield f"- Urgency: {urgency.replace('_', ' ')}"
    for upgrade in getattr(rule, "urgency_upgrades", ()):
        yield f"- {upgrade.urgency.replace('_', ' ')} when {phrase(upgrade.when)}"
    steps = getattr(rule, "next_steps", ())
    if steps:
        yield f"- Next: {_listed(f'[{one}](next-steps.md#{one})' for one in steps)}"
    if rule.why_it_matters:
        yield f"- Why it matters: {rule.why_it_matters}"
    if rule.unverified_fields:
        yield f"- Unverified: {_listed(rule.unverified_fields)}"
    yield f"- Certainty: {rule.certainty.replace('_', ' ')}. Review: {rule.review.status}."
    yield f"- Sources: {_cited(rule)}\n"


# ---- the rest


def _formulas(knowledge: Knowledge) -> Iterator[str]:
    yield "# Calculated quantities\n"
    for one in knowledge.formulas.values():
        yield f"## {one.title} {{: #{one.id} }}\n"
        if not one.enabled:
            yield "Off by default.\n"
        if one.unverified:
            yield f"{_UNVERIFIED}\n"
        inputs = (f"{name} [{unit}]" for name, unit in zip(one.inputs, one.units, strict=True))
        yield f"- `{one.id}` [{one.unit}]: {one.expression}"
        yield f"- From: {_listed(inputs)}"
        if one.valid_when:
            yield f"- Valid when {phrase(one.valid_when)}. {one.invalid_note}".rstrip()
        yield from (
            f"- Caution{f' when {phrase(when)}' if when else ''}: {said}"
            for when, said in one.cautions
        )
        yield f"- Sources: {_cited(one)}\n"


def _next_steps(knowledge: Knowledge) -> Iterator[str]:
    yield "# Next steps\n"
    for one in knowledge.next_steps.values():
        yield f"## {one.label} {{: #{one.id} }}\n"
        yield _marked(one.detail, one.unverified) + "\n"
        yield f"- `{one.id}`, {one.urgency.replace('_', ' ')}, certainty {one.certainty}"
        if one.offered_unless:
            yield f"- Not offered when {phrase(one.offered_unless)}"
        yield f"- Sources: {_cited(one)}\n"


def _causes(knowledge: Knowledge) -> Iterator[str]:
    yield "# Commoner causes of twitching\n"
    for one in knowledge.causes.values():
        yield f"## {one.label} {{: #{one.id} }}\n"
        yield _marked(f"{one.typical} {one.clue}".strip(), one.unverified) + "\n"
        yield f"- How often: {one.frequency}"
        yield f"- Sources: {_cited(one)}\n"


def _map(knowledge: Knowledge) -> Iterator[str]:
    yield "# The mechanism map\n"
    yield from _table(
        ("From", "To", "Because", "Sources"),
        (
            (
                knowledge.nodes.get(one.start, one.start),
                knowledge.nodes.get(one.end, one.end) + (" (opposed)" if one.opposes else ""),
                one.sentence,
                _cited(one),
            )
            for one in knowledge.paths
        ),
        "Steps",
    )


def _sources(knowledge: Knowledge) -> Iterator[str]:
    yield "# Sources\n"
    for one in knowledge.sources.values():
        where = ", ".join(word for word in (one.publisher, str(one.year or "")) if word)
        link = f" <{one.url}>" if one.url and one.url.startswith("http") else ""
        note = f" {one.note}" if one.note else ""
        yield f"## {one.id} {{: #{one.id} }}\n\n{one.title}. {where}.{link}{note}\n"


# ---- Markdown


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]], title: str) -> Iterator[str]:
    lines = [f"| {' | '.join(cell.replace('|', '/') for cell in row)} |" for row in rows]
    if lines:
        yield f"**{title}**\n"
        yield f"| {' | '.join(head)} |"
        yield f"|{'---|' * len(head)}"
        yield from lines
        yield ""


def _marked(text: str, unverified: bool) -> str:
    return f"{text} ({_UNVERIFIED})" if unverified else text


def _cited(item: Any) -> str:
    return _listed(f"[{one}](sources.md#{one})" for one in item.sources)


def _listed(words: Iterable[str]) -> str:
    return ", ".join(words)
