"""How many requests one key, and one address without a key, may send; counted in Redis if any."""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING, Final, Literal

from flask import current_app, g, request
from flask_limiter import Limiter

if TYPE_CHECKING:
    from flask import Flask

    from labinterp.usecases.services import Policy

_EXTENSION: Final = "labinterp-limits"
_MEMORY: Final = "memory://"
_IMPATIENT: Final = {"socket_timeout": 1, "socket_connect_timeout": 1}
"""A Redis that hangs costs a request no more than these seconds, once."""


def attach(app: Flask, policy: Policy) -> None:
    """Give the app its limits.

    With Redis gone this process counts alone, rather than refuse everyone.
    """
    shared = policy.rate_store
    limiter = Limiter(
        _caller,
        app=app,
        storage_uri=shared or _MEMORY,
        storage_options=dict(_IMPATIENT) if shared else {},
        in_memory_fallback_enabled=bool(shared),
        key_prefix="labinterp",
    )
    app.extensions[_EXTENSION] = {
        "limiter": limiter,
        "request": limiter.shared_limit(policy.request_rate, scope="requests"),
        "stranger": limiter.shared_limit(policy.stranger_rate, scope="strangers"),
        "open": limiter.shared_limit(policy.request_rate, scope="open"),
    }


def spend(kind: Literal["request", "stranger", "open"]) -> None:
    """Count this request against a limit of whoever asks.

    Args:
        kind: with a key; with none where one is needed; where none is needed.

    Raises:
        RateLimitExceeded: the limit is used up; nothing was done.
    """
    with current_app.extensions[_EXTENSION][kind]:
        pass


def seconds_to_wait() -> int:
    """How long until the limit that was just used up has room again [s]."""
    used_up = current_app.extensions[_EXTENSION]["limiter"].current_limit
    return max(1, math.ceil(used_up.reset_at - time.time())) if used_up else 1


def _caller() -> str:
    """The key where one was accepted; else the address, which is a proxy's word only if trusted."""
    actor = g.get("actor")
    return f"key:{actor.id}" if actor else f"address:{request.remote_addr}"
