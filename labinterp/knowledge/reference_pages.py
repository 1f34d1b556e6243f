"""The reference: all that is known as Markdown pages, for people who want to read the medicine.

Written from what was loaded, so that the pages cannot say anything else than the engine does.
What is unverified or not used is marked where it stands. One file for all kinds of page, because
they share the same few ways of writing a table, a limit and a source.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from labinterp.knowledge import patient_pages
from labinterp.knowledge.phrases import phrase
from labinterp.model.rule import Artefact, Mechanism

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from decimal import Decimal

    from labinterp.model.interval import Bounds, CriticalLimit, DecisionLimit, Interval
    from labinterp.model.knowledge import Knowledge
    from labinterp.model.measurand import Measurand
    from labinterp.model.rule import Condition, Rule

_UNVERIFIED: Final = "**unverified, not shown as fact**"
_RULES: Final = {
    "artefacts": "Artefacts: what can make a result wrong",
    "patterns": "Patterns: results that mean something together",
    "mechanisms": "Mechanisms: how an abnormal result makes nerve and muscle fire",
    "red_flags": "Red flags",
    "urgency_rules": "Urgency",
}
_IDENTIFIER: Final = re.compile(r"[a-z][a-z0-9]*(?:[-_][a-z0-9]+)*")
_AMOUNT: Final = re.compile(r"(?<=[<>≤≥] )([0-9.]+) ([^\s),;]+)")
_ENDS: Final = (("gt", ">"), ("ge", "≥"), ("lt", "<"), ("le", "≤"))


def pages(knowledge: Knowledge) -> dict[str, str]:
    """File name to Markdown, `index.md` first."""
    made: dict[str, Callable[[Knowledge], Iterable[str]]] = {
        "analytes.md": _analytes,
        "range-sets.md": _range_sets,
        **{f"{kind.replace('_', '-')}.md": _rules_page(kind) for kind in _RULES},
        "formulas.md": _formulas,
        "next-steps.md": _next_steps,
        "causes.md": _causes,
        "patient-page.md": patient_pages.page,
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
    fallback = () if one.fallback is None else (one.fallback,)
    yield from _table(
        ("Set", "For", "Interval", "Sources"),
        (_interval(row, one, knowledge) for row in (*one.intervals, *fallback)),
        "Reference intervals",
    )
    yield from _table(
        ("Scheme", "For", "Region", "Called", "Sources"),
        (_decision(limit, one) for limit in one.decision_limits),
        "Decision limits",
    )
    yield from _table(
        ("Policy", "For", "Low", "High", "Sources"),
        (_critical(limit, one) for limit in one.critical_limits),
        "Critical limits",
    )
    yield from _table(
        ("Grade", "When", "Certainty", "Sources"),
        (
            (
                _marked(band.label, band.unverified),
                _in_words(band.when, knowledge),
                band.certainty,
                _cited(band),
            )
            for band in one.severity_bands
        ),
        "Severity",
    )
    yield from _belief(one)


def _belief(one: Measurand) -> Iterator[str]:
    """Between which values a result is believed, and between which it is not asked about."""
    bounds = one.plausibility
    if bounds is None:
        return
    unit = _printed(one, bounds.unit)
    for said, low, high in (
        ("Set aside as beyond belief", bounds.reject_below, bounds.reject_above),
        ("Interpreted and asked about", bounds.query_below, bounds.query_above),
    ):
        ends = [f"{word} {end:f}" for word, end in (("below", low), ("above", high)) if end]
        if ends:
            yield f"- {said}: {' or '.join(ends)} {unit}"
    yield ""


def _interval(row: Interval, one: Measurand, knowledge: Knowledge) -> tuple[str, ...]:
    signs = ("≥" if row.low_included else ">", "≤" if row.high_included else "<")
    told = _span(signs, row.low, row.high, _printed(one, row.unit))
    if row.also_printed:
        unit, low, high = row.also_printed
        told += f"; also printed {_span(signs, low, high, _printed(one, unit))}"
    told += f" ({row.basis.replace('_', ' ')})" if row.basis else ""
    chosen = knowledge.range_sets.get(row.set)
    name = f"[{row.set}](range-sets.md#{row.set})" if chosen else row.set
    unused = "" if row.usable and (chosen is None or chosen.shipped) else " (**not used**)"
    return (name, row.applies_to.text, _marked(told, row.unverified) + unused, _cited(row))


def _span(signs: tuple[str, str], low: Decimal | None, high: Decimal | None, unit: str) -> str:
    ends = zip(signs, (low, high), strict=True)
    return f"{' and '.join(f'{sign} {end:f}' for sign, end in ends if end is not None)} {unit}"


def _decision(limit: DecisionLimit, one: Measurand) -> tuple[str, ...]:
    region = _bounds(limit.bounds, one)
    if limit.also_printed:
        region += f"; also printed {_bounds(limit.also_printed, one)}"
    label = _marked(limit.label, limit.unverified)
    if limit.unless_found:
        label = f"{label}; not said beside {_listed(f'`{one}`' for one in limit.unless_found)}"
    scheme = f"{limit.scheme_title} (`{limit.scheme}`)"
    return (scheme, limit.applies_to.text, region, label, _cited(limit))


def _critical(limit: CriticalLimit, one: Measurand) -> tuple[str, ...]:
    policy = _marked(limit.policy_name, limit.unverified)
    low, high = _bounds(limit.low, one), _bounds(limit.high, one)
    waived = f"; {limit.waiver.text}" if limit.waiver else ""
    return (policy, f"{limit.applies_to.text}{waived}", low, high, _cited(limit))


def _bounds(bounds: Bounds | None, one: Measurand) -> str:
    if bounds is None:
        return ""
    ends: list[tuple[str, Decimal | None]] = [(sign, getattr(bounds, n)) for n, sign in _ENDS]
    told = " and ".join(f"{sign} {end:f}" for sign, end in ends if end is not None)
    return f"{told} {_printed(one, bounds.unit)}"


def _printed(one: Measurand, unit: str) -> str:
    accepted = one.accepted(unit)
    return accepted.printed if accepted else unit


def _range_sets(knowledge: Knowledge) -> Iterator[str]:
    yield "# Range sets and critical policies\n"
    ours = knowledge.defaults
    yield (
        f"Unless an organisation or a request says otherwise: intervals of `{ours.range_set}`, "
        f"critical limits of `{ours.critical_policy}`; where that policy is silent on a measurand, "
        f"{_listed(f'`{one}`' for one in knowledge.critical_fallbacks)} are asked in turn.\n"
    )
    for one in knowledge.range_sets.values():
        yield f"## {one.title} {{: #{one.id} }}\n"
        off = "" if one.shipped else " **Cannot be chosen: unverified or not usable.**"
        yield f"`{one.id}`, {one.country}, {one.kind}.{off}{f' {one.note}' if one.note else ''}\n"
        if one.measurands:
            held = (f"[{name}](analytes.md#{name})" for name in one.measurands)
            yield f"- Holds: {_listed(held)}"
        for name, pick in one.picks.items():
            adult, child = _listed(pick.adult) or "none", _listed(pick.child) or "none"
            yield f"- {knowledge.measurands[name].name}: adults {adult}; children {child}"
        yield ""
    yield "## Critical policies {: #critical-policies }\n"
    yield from (f"- `{name}`: {said}" for name, said in knowledge.critical_policies.items())
    yield from _schemes(knowledge)


def _schemes(knowledge: Knowledge) -> Iterator[str]:
    yield "\n## Decision schemes {: #decision-schemes }\n"
    yield "A scheme with an unverified region cannot be chosen, and its regions are not named.\n"
    defaults = {*knowledge.defaults.schemes.values()}.union(*knowledge.defaults.named.values())
    for one in knowledge.decision_schemes.values():
        names = _listed(f"`{name}`" for name in one.selectable) or "nothing: unverified"
        used = "; used where nobody chose another" if one.id in defaults else ""
        yield f"- `{one.id}`: {one.title}, about {one.about}; can be chosen for {names}{used}"


# ---- rules


def _rules_page(kind: str) -> Callable[[Knowledge], Iterator[str]]:
    def lines(knowledge: Knowledge) -> Iterator[str]:
        yield f"# {_RULES[kind]}\n"
        for rule in getattr(knowledge, kind).values():
            yield from _rule(rule, knowledge)

    return lines


def _rule(rule: Rule, knowledge: Knowledge) -> Iterator[str]:
    yield f"## {rule.title} {{: #{rule.id} }}\n"
    if rule.unverified:
        yield f"{_UNVERIFIED}\n"
    yield f"{rule.text}\n"
    yield f"- Rule: `{rule.id}`"
    if isinstance(rule, Mechanism):
        yield from _mechanism(rule, knowledge)
    else:
        yield f"- When: {_in_words(rule.when, knowledge)}"
    if isinstance(rule, Artefact):
        effects = (f"{knowledge.measurands[name].name} {way}" for name, way in rule.effects.items())
        yield f"- Strength: {rule.strength}; effect: {_listed(effects) or 'on nothing by itself'}"
        yield f"- To do: {rule.action}"
    for name, word in (("strengthens", "Stronger when"), ("weakens", "Weaker when")):
        yield from (f"- {word}: {_in_words(one, knowledge)}" for one in getattr(rule, name, ()))
    urgency = getattr(rule, "urgency", None)
    if urgency:
        yield f"- Urgency: {urgency.replace('_', ' ')}"
    for upgrade in getattr(rule, "urgency_upgrades", ()):
        soon = upgrade.urgency.replace("_", " ").capitalize()
        yield f"- {soon} when {_in_words(upgrade.when, knowledge)}"
    steps = getattr(rule, "next_steps", ())
    if steps:
        labels = ((one, knowledge.next_steps[one].label) for one in steps)
        yield f"- Next: {'; '.join(f'[{label}](next-steps.md#{one})' for one, label in labels)}"
    if rule.why_it_matters:
        yield f"- Why it matters: {rule.why_it_matters}"
    if rule.unverified_fields:
        yield f"- Unverified: {_listed(rule.unverified_fields)}"
    yield f"- Certainty: {rule.certainty.replace('_', ' ')}. Review: {rule.review.status}."
    yield f"- Sources: {_cited(rule) or 'none'}\n"
    yield from _table(
        ("Example", "Gives"),
        ((_example(one.given), one.expect) for one in rule.examples),
        "Examples, run as tests",
    )


def _mechanism(rule: Mechanism, knowledge: Knowledge) -> Iterator[str]:
    """How strongly it explains twitching, first match first; then how it does so."""
    for line in rule.grading:
        strength = line.strength or f"as {line.inherits_from}"
        ceiling = f", {line.at_most} at most" if line.at_most else ""
        note = f" ({line.note})" if line.note else ""
        yield f"- **{strength}**{ceiling} when {_in_words(line.when, knowledge)}{note}"
    for number, step in enumerate(rule.steps, 1):
        yield f"- Step {number}: {step}"
    if rule.by_sign:
        symptoms = knowledge.terms["symptom"]
        signs = (
            f"{symptoms[sign].label if sign in symptoms else sign} {strength}"
            for sign, strength in rule.by_sign.items()
        )
        yield f"- By sign: {'; '.join(signs)}"
    if rule.threshold_text:
        yield f"- Threshold: {rule.threshold_text}"
    yield from (f"- Caution: {one}" for one in rule.caveats)


def _example(given: Mapping[str, Any]) -> str:
    """A panel on one line: `magnesium 0.38 mmol/L; symptoms tetany; age 54 years`."""
    return "; ".join(f"{name} {_said(value)}" for name, value in given.items())


def _said(value: Any) -> str:
    if isinstance(value, dict):
        return " ".join(f"{key} {inner}" for key, inner in value.items())
    return _listed(map(_said, value)) if isinstance(value, list | tuple) else str(value)


def _in_words(condition: Condition, knowledge: Knowledge) -> str:
    """A condition with the names that people use in place of our ids."""
    names, units = _names(knowledge), {**knowledge.printed_units, "[pH]": ""}
    named = _IDENTIFIER.sub(lambda found: names.get(found[0], found[0]), phrase(condition))
    written = _AMOUNT.sub(lambda found: f"{found[1]} {units.get(found[2], found[2])}", named)
    return written.replace(" )", ")").replace("  ", " ").rstrip()


def _names(knowledge: Knowledge) -> Mapping[str, str]:
    terms = (term for kind in knowledge.terms.values() for term in kind.values())
    return {
        **{term.id: term.label for term in terms},
        **{one.id: one.spoken for one in knowledge.measurands.values()},
    }


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
        yield f"- `{one.id}` [{one.unit}]: `{one.expression}`"
        yield f"- From: {_listed(inputs)}"
        if one.valid_when:
            valid = _in_words(one.valid_when, knowledge)
            yield f"- Valid when {valid}. {one.invalid_note}".rstrip()
        yield from (
            f"- Caution{f' when {_in_words(when, knowledge)}' if when else ''}: {said}"
            for when, said in one.cautions
        )
        yield f"- Sources: {_cited(one) or 'none'}\n"
        yield from _table(
            ("Example", "Gives"),
            (
                (_example({k: v for k, v in worked.items() if k != "gives"}), worked["gives"])
                for worked in one.examples
            ),
            "Examples, run as tests",
        )


def _next_steps(knowledge: Knowledge) -> Iterator[str]:
    yield "# Next steps\n"
    for one in knowledge.next_steps.values():
        yield f"## {one.label} {{: #{one.id} }}\n"
        yield _marked(one.detail, one.unverified) + "\n"
        yield f"- `{one.id}`, {one.urgency.replace('_', ' ')}, certainty {one.certainty}"
        if one.offered_unless:
            yield f"- Not offered when {_in_words(one.offered_unless, knowledge)}"
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
