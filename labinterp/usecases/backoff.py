"""How long to wait before the next try: exponential with full jitter, and a ceiling."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from datetime import timedelta

    from labinterp.usecases.services import Policy

_CHANCE: Final = secrets.SystemRandom()
_MOST_DOUBLINGS: Final = 30


def delay(policy: Policy, attempts: int) -> timedelta:
    """Anything up to first · 2^(attempts - 1): what failed together does not return together.

    Args:
        policy: first delay and ceiling.
        attempts: made so far, from 1.
    """
    doublings = min(max(attempts, 1) - 1, _MOST_DOUBLINGS)
    longest: timedelta = min(policy.retry_first * 2**doublings, policy.retry_ceiling)
    return longest * _CHANCE.random()
