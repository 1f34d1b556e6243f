"""Changing the data key: all that a former one sealed is sealed anew with the one in force."""

from __future__ import annotations

from typing import TYPE_CHECKING

from labinterp.store import audit, resealing
from labinterp.store.audit import Deed
from labinterp.usecases.acting import ITSELF

if TYPE_CHECKING:
    from collections.abc import Iterator

    from labinterp.usecases.services import Services


def left(services: Services) -> int:
    """How many sealed values a former key still has to open."""
    with services.store.reading() as connection:
        return resealing.left(connection, services.store.vault)


def rotate(services: Services) -> Iterator[int]:
    """Seal them anew, a few at a time; after each time, how many. The end stands in the audit.

    Begun again after it was cut off, it goes on with what is left.

    Raises:
        SettingsError: a value opens with no key.
        TemporaryFailure: the database cannot be had; begin again.
    """
    total = 0
    for done in resealing.reseal(services.store):
        total += done
        yield done
    deed = Deed("U", "data-key-changed", entity=f"values:{total}")
    services.store.write(lambda held: audit.record(held, ITSELF, deed, services.now()))
