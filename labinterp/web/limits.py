"""How often one address may try to sign in, one account be tried, and one person ask for pages."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from flask import Flask, current_app, request
from limits import RateLimitItem, parse
from limits.errors import StorageError
from limits.storage import storage_from_string
from limits.strategies import MovingWindowRateLimiter

if TYPE_CHECKING:
    from collections.abc import Mapping

    from labinterp.usecases.services import Services

_EXTENSION: Final = "labinterp-web-limits"


@dataclass(frozen=True, slots=True)
class Counter:
    """Where tries are counted, and the limit of each kind."""

    strategy: MovingWindowRateLimiter
    limits: Mapping[str, RateLimitItem]


def attach(app: Flask, services: Services) -> None:
    """Give the app a counter, in the shared storage where the operator named one."""
    policy = services.policy
    app.extensions[_EXTENSION] = Counter(
        MovingWindowRateLimiter(
            storage_from_string(policy.rate_store or "memory://", wrap_exceptions=True)
        ),
        {
            "account": parse(policy.account_rate),
            "address": parse(policy.address_rate),
            "page": parse(policy.request_rate),
        },
    )


def seconds_to_wait(kind: Literal["account", "address", "page"], who: str) -> int:
    """Count one try; 0 when it is allowed, else the seconds until the next one is.

    With the shared storage gone nobody is kept out: whoever tries still has to know the password.
    """
    counter: Counter = current_app.extensions[_EXTENSION]
    limit = counter.limits[kind]
    try:
        if counter.strategy.hit(limit, "sign-in", kind, who):
            return 0
        reset = counter.strategy.get_window_stats(limit, "sign-in", kind, who).reset_time
    except StorageError:
        return 0
    return max(1, math.ceil(reset - time.time()))


def address() -> str:
    """Where the request came from; a proxy's word only where the app was told to trust it."""
    return request.remote_addr or "unknown"
