"""Secrets that travel in an address: one-time sign-in links, and the links of mails.

256 random bits, stored as a keyed hash; whoever reads the table cannot sign in with it.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import Final

from labinterp.access.keys import digest

_BYTES: Final = 32
_LONGEST: Final = 100


@dataclass(frozen=True, slots=True)
class NewToken:
    """A secret and the digest that is stored of it."""

    token: str
    digest: str


def new_token(secret: bytes, purpose: str) -> NewToken:
    """A fresh secret for one purpose; it opens nothing of another."""
    token = secrets.token_urlsafe(_BYTES)
    return NewToken(token, token_digest(secret, purpose, token))


def token_digest(secret: bytes, purpose: str, token: str) -> str:
    """What is stored and looked up of a presented token."""
    return digest(secret, f"{purpose}:{token[:_LONGEST]}")
