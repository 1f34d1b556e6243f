"""Taking work back from workers that died in the middle of it, without waiting for their leases."""

from __future__ import annotations

from typing import TYPE_CHECKING

from labinterp import telemetry
from labinterp.store import leases

if TYPE_CHECKING:
    from collections.abc import Callable

    from labinterp.usecases.services import Services

_log = telemetry.logger(__name__)


def release_of_the_dead(services: Services, is_dead: Callable[[str], bool]) -> int:
    """Make due what dead workers hold; how many rows.

    Args:
        services: the wired parts.
        is_dead: whether a worker of this name is known to be gone; false when in doubt.

    Raises:
        TemporaryFailure: the database cannot be had.
    """
    with services.store.reading() as connection:
        dead = [name for name in leases.holders(connection) if is_dead(name)]
    return _release(services, dead)


def release_own(services: Services, worker: str) -> int:
    """Make due what this worker holds, because its task was ended in the middle; how many rows.

    Raises:
        TemporaryFailure: the database cannot be had.
    """
    return _release(services, [worker])


def _release(services: Services, workers: list[str]) -> int:
    if not workers:
        return 0
    count = services.store.write(lambda connection: leases.release(connection, workers))
    if count:
        _log.warning("leases-released", count=count)
    return count
