"""Walks the raw documents, so that a cross-check can name file and line of what it finds."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from labinterp.knowledge import notation
from labinterp.model.rule import All, AnyOf, AtLeast, Condition, Leaf, NoneOf

if TYPE_CHECKING:
    from labinterp.errors import Place
    from labinterp.knowledge.reader import Document, Where
    from labinterp.model.knowledge import Knowledge

CONDITION_KEYS = frozenset({"when", "upgrade_when", "valid_when", "offered_unless"})
CONDITION_LISTS = frozenset({"strengthens", "weakens"})


@dataclass(frozen=True, slots=True)
class Spot:
    """A value in a document."""

    document: Document
    where: Where
    value: Any

    def place(self, message: str) -> Place:
        """What is wrong here, with file and line."""
        return self.document.place(self.where, message)


def spots(documents: Iterable[Document], key: str) -> Iterator[Spot]:
    """Every value that stands under this key, anywhere."""
    for document in documents:
        yield from _under(document, document.data, (), frozenset({key}))


def rows(documents: Iterable[Document], key: str) -> Iterator[Spot]:
    """Every item of every list that stands under this key, anywhere."""
    for spot in spots(documents, key):
        for n, item in enumerate(spot.value or ()):
            yield Spot(spot.document, (*spot.where, n), item)


def conditions(documents: Iterable[Document]) -> Iterator[tuple[Spot, Condition]]:
    """Every condition tree, anywhere."""
    for document in documents:
        if document.name.startswith("vocabulary/"):
            continue
        for spot in _under(document, document.data, (), CONDITION_KEYS):
            if isinstance(spot.value, Mapping):
                yield spot, notation.condition(spot.value, spot.where)
        for spot in _under(document, document.data, (), CONDITION_LISTS):
            for n, item in enumerate(spot.value):
                inner = Spot(document, (*spot.where, n), item)
                yield inner, notation.condition(item, inner.where)


def _under(document: Document, value: Any, where: Where, keys: frozenset[str]) -> Iterator[Spot]:
    if isinstance(value, Mapping):
        for key, inner in value.items():
            if key in keys:
                yield Spot(document, (*where, key), inner)
            else:
                yield from _under(document, inner, (*where, key), keys)
    elif isinstance(value, list):
        for n, inner in enumerate(value):
            yield from _under(document, inner, (*where, n), keys)


def leaves(condition: Condition) -> Iterator[Leaf]:
    """The leaves of a condition tree, left to right."""
    if isinstance(condition, All | AnyOf | NoneOf | AtLeast):
        for part in condition.parts:
            yield from leaves(part)
    else:
        yield condition


@dataclass(frozen=True, slots=True)
class Shelf:
    """The documents and what was built of them."""

    documents: Sequence[Document]
    knowledge: Knowledge

    def folder(self, name: str) -> list[Document]:
        """The documents of one folder."""
        return [document for document in self.documents if document.name.startswith(f"{name}/")]

    def measurand_rows(self) -> Iterator[Spot]:
        """The entry of every measurand."""
        return rows(self.folder("analytes"), "measurands")

    def single(self, name: str) -> list[Document]:
        """One file, as a list."""
        return [document for document in self.documents if document.name == name]
