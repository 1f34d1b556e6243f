"""Passwords of people: argon2id, rehashed when the parameters have moved on."""

from __future__ import annotations

import secrets
from functools import cache
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from labinterp.errors import Place, SubmissionError

SHORTEST: Final = 12
LONGEST: Final = 200


@cache
def _hasher() -> PasswordHasher:
    return PasswordHasher()


@cache
def _nobody() -> str:
    """A hash that takes as long to refuse as a real one."""
    return _hasher().hash(secrets.token_urlsafe(32))


def hashed(password: str) -> str:
    """What is stored of a password.

    Raises:
        SubmissionError: code `password-unsuitable`: too short, too long.
    """
    if not SHORTEST <= len(password) <= LONGEST:
        message = f"A password has {SHORTEST} to {LONGEST} characters; a few words do well."
        raise SubmissionError(
            message,
            code="password-unsuitable",
            errors=(Place("password", "password-unsuitable", message),),
        )
    return _hasher().hash(password)


def matches(stored: str | None, password: str) -> bool:
    """Is this the password? Takes as long when there is none."""
    try:
        _hasher().verify(stored or _nobody(), password[:LONGEST])
    except (VerificationError, InvalidHashError):
        return False
    return bool(stored)


def is_outdated(stored: str) -> bool:
    """Was it hashed with weaker parameters than are used now?"""
    return _hasher().check_needs_rehash(stored)
