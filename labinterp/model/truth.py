"""Three-valued truth: a missing result makes a condition unknown, never false.

`None` stands for "cannot tell". The connectives are Kleene's strong ones.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

Truth = bool | None
"""True, False, or None for "cannot tell"."""

TruthWord = Literal["yes", "no", "cannot_tell"]


def all_of(truths: Iterable[Truth]) -> Truth:
    """False if any is false, else unknown if any is unknown, else true."""
    result: Truth = True
    for truth in truths:
        if truth is False:
            return False
        if truth is None:
            result = None
    return result


def any_of(truths: Iterable[Truth]) -> Truth:
    """True if any is true, else unknown if any is unknown, else false."""
    result: Truth = False
    for truth in truths:
        if truth is True:
            return True
        if truth is None:
            result = None
    return result


def at_least(count: int, truths: Iterable[Truth]) -> Truth:
    """True once `count` are true, false once that many cannot become true, else unknown."""
    known = tuple(truths)
    certain = sum(truth is True for truth in known)
    possible = certain + sum(truth is None for truth in known)
    if certain >= count:
        return True
    return None if possible >= count else False


def word(truth: Truth) -> TruthWord:
    """The contract's word for a truth."""
    if truth is None:
        return "cannot_tell"
    return "yes" if truth else "no"
