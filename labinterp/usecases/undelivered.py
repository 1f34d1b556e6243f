"""How many critical reports are late: what every page tells those who can do something about it."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from labinterp.access import require
from labinterp.store import undelivered

if TYPE_CHECKING:
    from labinterp.access import Actor
    from labinterp.usecases.services import Services

LATE_AFTER: Final = timedelta(minutes=30)


def late_critical(services: Services, actor: Actor) -> int:
    """Panels whose critical results nobody acknowledged and whose mail is late.

    Raises:
        AccessDenied: the actor may not read panels.
    """
    require(actor, "panels:read")
    before = services.now() - LATE_AFTER
    with services.store.reading() as connection:
        return undelivered.critical_undelivered(connection, actor.organisation_id, before)
