"""Forgetting what has had its time: keys of requests that nobody repeats any more."""

from __future__ import annotations

from typing import TYPE_CHECKING

from labinterp.store import idempotency

if TYPE_CHECKING:
    from labinterp.usecases.services import Services


def tidy(services: Services) -> int:
    """Remove expired idempotency keys; how many. It looks first: an idle service writes nothing.

    Raises:
        TemporaryFailure: the database cannot be had.
    """
    now = services.now()
    with services.store.reading() as connection:
        if not idempotency.any_expired(connection, now):
            return 0
    return services.store.write(lambda connection: idempotency.forget_expired(connection, now))
