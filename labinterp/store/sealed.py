"""Documents and identities in their sealed form, each bound to the row it stands in."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

from labinterp.model.submission import Identity
from labinterp.store.records import read_back, to_document, written

if TYPE_CHECKING:
    from labinterp.store.crypto import Vault


def place(kind: str, *row: object) -> str:
    """The context a sealed value is bound to: what it is, and the row's key."""
    return "/".join((kind, *map(str, row)))


def seal_document(vault: Vault, document: object, kind: str, *row: object) -> bytes:
    """A JSON document with its digits kept, sealed."""
    return vault.seal(written(document).encode(), place(kind, *row))


def open_document(vault: Vault, sealed: bytes, kind: str, *row: object) -> Any:
    """The document that was sealed for this row."""
    return read_back(vault.open(sealed, place(kind, *row)))


def seal_identity(vault: Vault, who: Identity, *row: object) -> bytes:
    """A patient's identity, sealed."""
    document = to_document(who)
    born = who.birth_date.isoformat() if who.birth_date else None
    return seal_document(vault, {**document, "birth_date": born}, "identity", *row)


def open_identity(vault: Vault, sealed: bytes, *row: object) -> Identity:
    """The identity that was sealed for this row."""
    document = open_document(vault, sealed, "identity", *row)
    born = document.pop("birth_date", None)
    return Identity(**document, birth_date=date.fromisoformat(born) if born else None)
