"""Passwords of people: argon2id, rehashed when the parameters have moved on."""

from __future__ import annotations

import re
import secrets
from functools import cache
from typing import TYPE_CHECKING, Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from labinterp.access.stolen import is_stolen
from labinterp.errors import Place, SubmissionError

if TYPE_CHECKING:
    from collections.abc import Iterable

SHORTEST: Final = 12
LONGEST: Final = 200
_OWN: Final = 6
"""So many characters must be left once known words, rows of keys and repetitions are out."""
_SHORTEST_WORD: Final = 3
_WORDS: Final = (
    *("labinterp", "password", "passwort", "passphrase", "secret", "letmein", "welcome", "login"),
    *("administrator", "admin", "user", "test", "demo", "hospital", "laboratory", "clinic"),
    *("iloveyou", "monkey", "dragon", "sunshine", "princess", "football", "baseball", "superman"),
    *("summer", "winter", "spring", "autumn", "january", "monday", "magnesium", "potassium"),
)
"""What is guessed first here: the service, its trade, and the heads of every list."""
_ROWS: Final = (
    *("abcdefghijklmnopqrstuvwxyz", "01234567890", "qwertyuiop", "qwertzuiop", "azertyuiop"),
    *("asdfghjkl", "zxcvbnm", "yxcvbnm", "1qaz2wsx3edc4rfv"),
)
_LEAST_OF_ROW: Final = 4


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
        raise _unsuitable(
            f"A password has {SHORTEST} to {LONGEST} characters; a few words do well."
        )
    return _hasher().hash(password)


def chosen(password: str, about: Iterable[str] = (), *, listed: str = "") -> str:
    """What is stored of a password that somebody chooses now.

    Args:
        password: as it was typed.
        about: names and addresses that are guessed first for this person.
        listed: the operator's own file of stolen passwords; empty for none.

    Raises:
        SubmissionError: code `password-unsuitable`: too short, too long, easily guessed or stolen.
        TemporaryFailure: the operator's file cannot be read.
    """
    stored = hashed(password)
    if len(_left(password.casefold(), about)) < _OWN:
        raise _unsuitable(
            "This password is easily guessed: it is made of names, rows of keys or words that"
            " everybody tries. Choose a few words of your own."
        )
    if is_stolen(password, listed):
        raise _unsuitable(
            "This password is on a list of stolen ones, which is tried first. Choose a few words"
            " of your own."
        )
    return stored


def _left(folded: str, about: Iterable[str]) -> str:
    """What is the person's own in a password."""
    named = {word for text in about for word in re.split(r"[\W_]+", text.casefold())}
    words = {word for word in named if len(word) >= _SHORTEST_WORD} | {*_WORDS}
    for word in sorted(words, key=len, reverse=True):
        folded = folded.replace(word, " ")
    for row in (*_ROWS, *(row[::-1] for row in _ROWS)):
        for length in range(len(row), _LEAST_OF_ROW - 1, -1):
            for start in range(len(row) - length + 1):
                folded = folded.replace(row[start : start + length], " ")
    return re.sub(r"(.+?)\1+", r"\1", "".join(folded.split()))


def _unsuitable(message: str) -> SubmissionError:
    return SubmissionError(
        message,
        code="password-unsuitable",
        errors=(Place("password", "password-unsuitable", message),),
    )


def matches(stored: str | None, password: str) -> bool:
    """Is this the password? Takes as long when there is none."""
    try:
        _hasher().verify(stored or _nobody(), password[:LONGEST])
    except (VerificationError, InvalidHashError):
        return False
    return bool(stored) and len(password) <= LONGEST


def is_outdated(stored: str) -> bool:
    """Was it hashed with weaker parameters than are used now?"""
    return _hasher().check_needs_rehash(stored)
