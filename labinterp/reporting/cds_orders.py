"""Cards about orders not signed yet: what a draft would worsen, and what nobody ordered."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from labinterp.model.codes import LOINC
from labinterp.model.spelling import folded_name
from labinterp.reporting import lookups, words
from labinterp.reporting.cds import LONGEST_SUMMARY, MOST_CARDS, Card, Source, base_card, escaped

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from labinterp.model.interpretation import Interpretation, InterpretedResult
    from labinterp.model.knowledge import Knowledge, Term
    from labinterp.model.measurand import Measurand

_LOW: Final = ("low", "critically_low")
_HIGH: Final = ("high", "critically_high")
_WORSENS: Final = {"down": _LOW, "up": _HIGH}
_VERB: Final = {"down": "lower", "up": "raise"}
_RULE_OF_MISSING: Final = "tests-not-measured"


@dataclass(frozen=True, slots=True)
class DraftOrder:
    """A draft: a resource's type, what it is of in words, and its codes (system, code)."""

    kind: str
    words: str
    codes: tuple[tuple[str, str], ...]


def worsening(
    answer: Interpretation,
    drafts: Iterable[DraftOrder],
    knowledge: Knowledge,
    source: Source,
    new_id: Callable[[], str],
) -> tuple[Card, ...]:
    """A card for each draft medicine that is known to push a result further out of its interval.

    Which medicine does what is the vocabulary's (`reference_ranges/vocabulary/medications.yaml`).
    """
    results = {one.measurand: one for one in answer.results}
    made = [
        _worsens(draft, term, affected, source, new_id())
        for draft in drafts
        if draft.kind.startswith("Medication")
        for term in _terms(draft, knowledge)
        if (affected := tuple(_affected(term, results)))
    ]
    critical_first = sorted(made, key=lambda one: one.indicator != "critical")
    return tuple(critical_first[:MOST_CARDS])


def missing(
    answer: Interpretation | None,
    drafts: Iterable[DraftOrder],
    knowledge: Knowledge,
    source: Source,
    new_id: Callable[[], str],
    *,
    wanted: Iterable[str],
) -> tuple[Card, ...]:
    """One card that offers the tests which were neither measured nor ordered.

    Only beside an order for one of them: a card for every order of a chart would be read by nobody.
    """
    names = tuple(wanted)
    ordered = {one for draft in drafts for one in _measurands(draft, knowledge)}
    if not ordered.intersection(names):
        return ()
    measured = {one.measurand for one in answer.results if one.value} if answer else set()
    absent = [
        knowledge.measurands[name]
        for name in names
        if name not in measured and name not in ordered and name in knowledge.measurands
    ]
    if not absent:
        return ()
    uuid = new_id()
    listed = ", ".join(one.spoken for one in absent)
    card = base_card(source, uuid, "info")
    card["summary"] = _cut(f"Not measured, and not ordered: {listed}")
    card["detail"] = escaped(f"An interpretation of twitching begins with these tests: {listed}.")
    card["suggestions"] = [_order(one, new_id()) for one in absent]
    card["selectionBehavior"] = "any"
    return (Card(uuid, _RULE_OF_MISSING, "info", card),)


def _worsens(
    draft: DraftOrder,
    term: Term,
    affected: tuple[tuple[str, InterpretedResult], ...],
    source: Source,
    uuid: str,
) -> Card:
    direction, main = affected[0]
    critical = any(one.standing.startswith("critically") for _, one in affected)
    indicator: Any = "critical" if critical else "warning"
    shown = lookups.value_and_unit(main).replace(words.NBSP, " ")
    card = base_card(source, uuid, indicator)
    card["summary"] = _cut(
        f"{draft.words or term.label} may {_VERB[direction]} {main.name}: {shown}"
    )
    rows = "\n".join(
        f"| {escaped(one.name)} | {escaped(lookups.value_and_unit(one).replace(words.NBSP, ' '))} |"
        f" {one.standing.replace('_', ' ')} | may be {_VERB[way]}ed |".replace("raiseed", "raised")
        for way, one in affected
    )
    said = escaped(f"{term.label}. {term.note}".strip())
    table = f"| Analyte | Result | Standing | By this medicine |\n|---|---|---|---|\n{rows}"
    card["detail"] = f"{table}\n\n{said}\n\nNot a diagnosis. Clinician review needed."
    return Card(uuid, f"medicine-{term.id}", indicator, card)


def _affected(
    term: Term, results: Mapping[str, InterpretedResult]
) -> Iterator[tuple[str, InterpretedResult]]:
    for measurand, effect in term.effects.items():
        result = results.get(measurand)
        if result is not None and result.standing in _WORSENS.get(effect, ()):
            yield effect, result


def _terms(draft: DraftOrder, knowledge: Knowledge) -> Iterator[Term]:
    """The medicines a draft is of: a known name as whole words of its text, or a known code."""
    text = f" {folded_name(draft.words)} "
    for term in knowledge.terms.get("medication", {}).values():
        names = (term.label, *term.synonyms)
        if any(f" {folded_name(name)} " in text for name in names) or set(term.codes).intersection(
            draft.codes
        ):
            yield term


def _measurands(draft: DraftOrder, knowledge: Knowledge) -> Iterator[str]:
    text = folded_name(draft.words)
    codes = {code for _, code in draft.codes}
    for measurand in knowledge.measurands.values():
        names = {folded_name(one) for one in (measurand.name, measurand.id, *measurand.names)}
        known = {code.code for code in measurand.codes if not code.is_other}
        if text in names or codes & known:
            yield measurand.id


def _order(measurand: Measurand, uuid: str) -> dict[str, Any]:
    """A suggestion to order one test, by its first LOINC code."""
    code = next((one for one in measurand.codes if one.system == LOINC and not one.is_other), None)
    concept: dict[str, Any] = {"text": measurand.name}
    if code is not None:
        concept["coding"] = [{"system": LOINC, "code": code.code, "display": code.name}]
    resource = {
        "resourceType": "ServiceRequest",
        "status": "draft",
        "intent": "proposal",
        "code": concept,
    }
    label = f"Order {measurand.spoken}"
    action = {"type": "create", "description": label, "resource": resource}
    return {"label": label, "uuid": uuid, "actions": [action]}


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST_SUMMARY else f"{text[: LONGEST_SUMMARY - 1].rstrip()}…"
