"""Forgetting what has had its time: keys of requests, and tokens that nobody can use any more."""

from __future__ import annotations

from typing import TYPE_CHECKING

from labinterp.store import idempotency, tokens

if TYPE_CHECKING:
    from labinterp.usecases.services import Services


def tidy(services: Services) -> int:
    """Remove what has ended; how many. It looks first: an idle service writes nothing.

    Raises:
        TemporaryFailure: the database cannot be had.
    """
    now = services.now()
    with services.store.reading() as connection:
        keys = idempotency.any_expired(connection, now)
        signed = tokens.any_ended(connection, now)
    forgotten = 0
    if keys:
        forgotten += services.store.write(lambda held: idempotency.forget_expired(held, now))
    if signed:
        forgotten += services.store.write(lambda held: tokens.forget_ended(held, now))
    return forgotten
