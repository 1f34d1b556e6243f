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
    if not dead:
        return 0
    count = services.store.write(lambda connection: leases.release(connection, dead))
    _log.warning("leases-released", count=count)
    return count
