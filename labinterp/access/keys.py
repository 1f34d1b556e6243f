"""API keys: 256 random bits, shown once, looked up by a public prefix, revocable at once.

The secret part is stored as a keyed SHA-256 (HMAC with the server's secret), not as argon2. A slow
hash protects what people choose and others can guess; 256 random bits cannot be guessed, and some
fifty milliseconds of argon2 at every request would be a way to wear the service down. The key of
the HMAC makes a stolen table alone useless.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol

from labinterp.access.actor import Actor
from labinterp.errors import AccessDenied

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from labinterp.model.submission import Choices

_MARK: Final = "li"
_PREFIX_BYTES: Final = 6
_SECRET_BYTES: Final = 32
_LONGEST: Final = 200


class StoredKey(Protocol):
    """What the store knows of a key."""

    @property
    def id(self) -> str:
        """Its id."""

    @property
    def organisation_id(self) -> str:
        """Whose it is."""

    @property
    def organisation(self) -> str:
        """What they are called."""

    @property
    def name(self) -> str:
        """What the key is called."""

    @property
    def scopes(self) -> tuple[str, ...]:
        """What it may do."""

    @property
    def choices(self) -> Choices:
        """What the organisation's interpretations use by default."""

    @property
    def secret_digest(self) -> str:
        """The keyed hash of its secret."""

    @property
    def revoked_at(self) -> datetime | None:
        """When it was revoked."""


@dataclass(frozen=True, slots=True)
class NewKey:
    """A key just made; `presented` is shown once and kept nowhere."""

    prefix: str
    secret_digest: str
    presented: str


def new_key(secret: bytes) -> NewKey:
    """A fresh random key.

    Args:
        secret: the server's; keys the stored hash.
    """
    prefix = f"{_MARK}_{secrets.token_hex(_PREFIX_BYTES)}"
    part = secrets.token_urlsafe(_SECRET_BYTES)
    return NewKey(prefix, digest(secret, part), f"{prefix}_{part}")


def digest(secret: bytes, part: str) -> str:
    """The keyed hash a random secret is stored as; hexadecimal."""
    return hmac.new(secret, part.encode("utf-8", "replace"), hashlib.sha256).hexdigest()


def authenticate_key(
    find: Callable[[str], StoredKey | None], presented: str, secret: bytes, *, address: str = ""
) -> Actor:
    """Who presents this key.

    Args:
        find: looks a key up by its public prefix.
        presented: the text of the header.
        secret: the server's.
        address: where the request came from.

    Raises:
        AccessDenied: code `unauthenticated`; the same words for unknown, wrong and revoked.
    """
    mark, _, rest = presented.strip().partition("_")
    prefix, _, part = rest.partition("_")
    stored = None
    if mark == _MARK and len(presented) <= _LONGEST and presented.isascii():
        stored = find(f"{mark}_{prefix}")
    expected = stored.secret_digest if stored else digest(secret, "")
    matches = hmac.compare_digest(expected, digest(secret, part))
    if stored is None or not matches or not part or stored.revoked_at is not None:
        raise AccessDenied("This key is not known, or no longer in force.", code="unauthenticated")
    return Actor(
        organisation_id=stored.organisation_id,
        organisation=stored.organisation,
        kind="key",
        id=stored.id,
        name=stored.name,
        scopes=frozenset(stored.scopes),
        address=address,
        choices=stored.choices,
    )
