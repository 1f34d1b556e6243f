"""Reads `reference_ranges/`: reader (schema) → build (nouns) → checks (across files); loaded once.

Adding a file to a folder is enough; no list of files stands in code.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from labinterp.knowledge import compiled
from labinterp.knowledge.build import VERSION, content_version, knowledge
from labinterp.knowledge.describing import KINDS, describe, listing, overdue

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from labinterp.knowledge.reader import Document
    from labinterp.model.knowledge import Knowledge

__all__ = [
    "FOLDER",
    "KINDS",
    "VERSION",
    "check",
    "describe",
    "differences",
    "digest_of",
    "doubts",
    "listing",
    "load",
    "overdue",
]

FOLDER: Final = Path(__file__).resolve().parents[2] / "reference_ranges"
"""The folder beside the package."""


@lru_cache(maxsize=4)
def load(folder: Path | None = None) -> Knowledge:
    """Everything we know, read once.

    Args:
        folder: the folder of knowledge; by default `reference_ranges/` beside the package.

    Raises:
        KnowledgeError: a file is wrong; the message names file and line.
    """
    root = folder or FOLDER
    digest = digest_of(root)
    kept = compiled.recall(root, digest)
    if kept is not None:
        return knowledge(kept, digest)
    return _read(root, digest)


def check(folder: Path | None = None) -> tuple[str, ...]:
    """Every fault of the files, as `file:line: what is wrong`; empty when all is well.

    Proves more than `load` does: units convert, factors agree with those that were published.
    """
    from labinterp.errors import KnowledgeError  # noqa: PLC0415 - needed here alone
    from labinterp.knowledge import proofs  # noqa: PLC0415 - asks pint, which starting never does

    root = folder or FOLDER
    try:
        documents = _documents(root)
        known = _checked(documents, digest_of(root))
    except KnowledgeError as error:
        places = error.errors
        return tuple(f"{one.where}: {one.message}" for one in places) or (error.message,)
    return tuple(f"{one.where}: {one.message}" for one in proofs.faults(documents, known))


def doubts(
    known: Knowledge, folder: Path | None, on: date
) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """What is no fault but should be known: unverified, second hand, overdue.

    Args:
        known: the knowledge of the folder.
        folder: the folder, for files and lines.
        on: the day that reviews are held against.
    """
    from labinterp.knowledge import proofs, reader  # noqa: PLC0415 - only `check` asks

    documents = reader.documents(folder or FOLDER)
    second_hand = tuple(f"{one.id}: {one.access}" for one in proofs.second_hand(known))
    return (
        ("unverified", proofs.unverified(documents)),
        ("sources read second hand", second_hand),
        ("overdue for review", overdue(known, on)),
    )


def differences(folder: Path | None, other: Path) -> tuple[str, ...]:
    """What another folder says differently, a file a line: added, removed or changed."""
    from labinterp.knowledge import reader  # noqa: PLC0415 - only `diff` asks

    ours, theirs = (
        {one.name: content_version(one) for one in reader.documents(root)}
        for root in (folder or FOLDER, other)
    )
    return tuple(
        f"{'added' if name not in ours else 'removed' if name not in theirs else 'changed'}: {name}"
        for name in sorted(ours.keys() | theirs.keys())
        if ours.get(name) != theirs.get(name)
    )


def digest_of(folder: Path) -> str:
    """SHA-256 over names and bytes of all files; the same files give the same digest anywhere."""
    total = hashlib.sha256()
    paths = [*folder.rglob("*.yaml"), *(folder / "schema").glob("*.json")]
    for name, path in sorted((path.relative_to(folder).as_posix(), path) for path in paths):
        content = path.read_bytes().replace(b"\r\n", b"\n")
        total.update(name.encode() + b"\0" + hashlib.sha256(content).digest())
    return total.hexdigest()


def _read(root: Path, digest: str) -> Knowledge:
    documents = _documents(root)
    known = _checked(documents, digest)
    compiled.remember(root, digest, documents, _units(known))
    return known


def _units(known: Knowledge) -> tuple[str, ...]:
    """Every UCUM code that the knowledge names and that can be read."""
    from labinterp.model import units  # noqa: PLC0415 - only when nothing was kept

    return tuple(sorted(code for code in _codes(known) if units.is_unit(code)))


_NAMES_OF_UNITS: Final = frozenset(
    {"unit", "ucum", "units", "conventional_unit", "reported_as", "likely", "also_printed"}
)


def _codes(noun: object) -> set[str]:
    """Whatever stands where nouns of the knowledge have a unit."""
    if isinstance(noun, Mapping):
        return set().union(*map(_codes, noun.values()))
    if isinstance(noun, tuple):
        return set().union(*map(_codes, noun))
    if not is_dataclass(noun):
        return set()
    found: set[str] = set()
    for field in fields(noun):
        value = getattr(noun, field.name)
        found |= _codes(value)
        if field.name in _NAMES_OF_UNITS:
            texts = value if isinstance(value, tuple) else (value,)
            found |= {text for text in texts if isinstance(text, str)}
    return found


def _documents(root: Path) -> tuple[Document, ...]:
    """The files, parsed and checked against their schemas."""
    from labinterp.knowledge import reader, schema  # noqa: PLC0415 - only when nothing was kept

    documents = reader.documents(root)
    schemas = schema.Schemas(root)
    _refuse([place for document in documents for place in schemas.faults(document)])
    return documents


def _checked(documents: Sequence[Document], digest: str) -> Knowledge:
    """The knowledge they amount to, checked across files."""
    from labinterp.knowledge import checks, walking  # noqa: PLC0415 - only when nothing was kept

    known = knowledge(documents, digest)
    _refuse(list(checks.faults(walking.Shelf(documents, known))))
    return known


def _refuse(places: list[Any]) -> None:
    if places:
        from labinterp.knowledge.reader import refusal  # noqa: PLC0415 - only when something is wrong

        raise refusal(places)
