"""Shows what is known: one item with everything about it, or a line for each of a kind."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import fields, is_dataclass
from datetime import date
from typing import TYPE_CHECKING, Any, Final, get_args

from labinterp.errors import NotFound
from labinterp.knowledge.phrases import phrase
from labinterp.model.rule import Condition

if TYPE_CHECKING:
    from labinterp.model.knowledge import Knowledge

_CONDITIONS: Final = tuple(get_args(Condition))
_RULES: Final = ("artefacts", "patterns", "mechanisms", "red_flags", "urgency_rules")
_KINDS: Final[Mapping[str, tuple[str, ...]]] = {
    "analytes": ("measurands",),
    "rules": _RULES,
    "sources": ("sources",),
    "formulas": ("formulas",),
    "next_steps": ("next_steps",),
    "causes": ("causes",),
    "advice": ("advice",),
    "range_sets": ("range_sets",),
    "schemes": ("decision_schemes",),
    "critical_policies": ("policies",),
    **{name: (name,) for name in _RULES},
}
_WORD_OF: Final = {
    "measurands": "measurand",
    "artefacts": "artefact",
    "patterns": "pattern",
    "mechanisms": "mechanism",
    "red_flags": "red flag",
    "urgency_rules": "urgency rule",
    "sources": "source",
    "formulas": "formula",
    "next_steps": "next step",
    "causes": "cause",
    "advice": "advice",
    "range_sets": "range set",
    "decision_schemes": "decision scheme",
    "policies": "critical policy",
}
KINDS: Final = (*_KINDS, "terms", "paths")
_LINE_FIELDS: Final = ("id", "name", "title", "label", "unit", "urgency", "year", "unverified")


def listing(knowledge: Knowledge, kind: str) -> list[dict[str, Any]]:
    """One short entry for each item of a kind, in the order of the files.

    Args:
        knowledge: everything we know.
        kind: one of `KINDS`.

    Raises:
        NotFound: there is no such kind.
    """
    return [_line(word, item) for word, item in _items(knowledge, kind)]


def describe(knowledge: Knowledge, identifier: str) -> dict[str, Any]:
    """Everything known of one id: every field, conditions in words, sources spelled out.

    Where the id stands for things of several kinds the first is described, `also` holds the rest.
    What is no id is looked for among labels, synonyms, spellings and codes.

    Raises:
        NotFound: nothing has this id or name.
    """
    everything = list(_everything(knowledge))
    named = identifier.strip().casefold()
    found = [
        _described(knowledge, word, item) for word, item in everything if item.id == identifier
    ] or [_described(knowledge, word, item) for word, item in everything if named in _names(item)]
    if not found:
        message = f"there is nothing called “{identifier}” in the knowledge"
        raise NotFound(message)
    first, *rest = found
    return {**first, "also": rest} if rest else first


def _names(item: Any) -> set[str]:
    """Whatever else an item is called, without case."""
    words = [getattr(item, name, None) for name in ("label", "name", "title")]
    words += [*getattr(item, "synonyms", ()), *getattr(item, "names", ())]
    for code in getattr(item, "codes", ()):
        if isinstance(code, tuple):
            words.append(code[1])
        elif not code.is_other:
            words.append(code.code)
    return {word.casefold() for word in words if word}


def overdue(knowledge: Knowledge, on: date) -> tuple[str, ...]:
    """The files whose review was due before this day."""
    return tuple(
        name
        for name, review in knowledge.reviews.items()
        if review.next_review is not None and date.fromisoformat(review.next_review) < on
    )


def _items(knowledge: Knowledge, kind: str) -> Iterable[tuple[str, Any]]:
    if kind == "terms":
        return [(k, term) for k, terms in knowledge.terms.items() for term in terms.values()]
    if kind == "paths":
        return [("path", step) for step in knowledge.paths]
    if kind not in _KINDS:
        message = f"there is no kind “{kind}”; there are {', '.join(KINDS)}"
        raise NotFound(message)
    return [
        (_WORD_OF[name], item)
        for name in _KINDS[kind]
        for item in getattr(knowledge, name).values()
    ]


def _everything(knowledge: Knowledge) -> Iterable[tuple[str, Any]]:
    """Sources last: a policy may be called by the same word as the page it was read on."""
    for kind in sorted(KINDS, key=lambda one: one == "sources"):
        if kind not in _RULES:
            yield from _items(knowledge, kind)


def _line(word: str, item: Any) -> dict[str, Any]:
    line = {name: getattr(item, name) for name in _LINE_FIELDS if hasattr(item, name)}
    review = getattr(item, "review", None)
    return {**line, "kind": word, **({"review": plain(review)} if review else {})}


def _described(knowledge: Knowledge, word: str, item: Any) -> dict[str, Any]:
    document = plain(item)
    document["kind"] = word
    cited = {name: plain(knowledge.sources[name]) for name in sorted(_cited(item))}
    return {**document, "bibliography": list(cited.values())} if cited else document


def _cited(value: Any) -> set[str]:
    """The source ids anywhere inside."""
    found: set[str] = set()
    if is_dataclass(value) and not isinstance(value, type):
        for field in fields(value):
            inner = getattr(value, field.name)
            found |= set(inner) if field.name == "sources" else _cited(inner)
    elif isinstance(value, tuple):
        found = found.union(*map(_cited, value))
    elif isinstance(value, Mapping):
        found = found.union(*map(_cited, value.values()))
    return found


def plain(value: Any) -> Any:
    """Nouns as mappings and lists; conditions as a line of words; decimals stay decimals."""
    if isinstance(value, _CONDITIONS):
        return phrase(value)
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, Mapping):
        return {key: plain(inner) for key, inner in value.items()}
    if isinstance(value, tuple | list):
        return [plain(inner) for inner in value]
    return value
