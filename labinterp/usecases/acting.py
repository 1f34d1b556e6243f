"""An actor as the audit writes one, and reads that leave their mark."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from labinterp.access import SYSTEM, Actor
from labinterp.store import audit
from labinterp.store.audit import Deed, Who

if TYPE_CHECKING:
    from labinterp.usecases.services import Services

ITSELF: Final = Who(None, "system", SYSTEM, "labinterp")
"""The service acting on nobody's behalf."""


def who(actor: Actor, request_id: str = "") -> Who:
    """The actor for the audit."""
    return Who(actor.organisation_id, actor.kind, actor.id, actor.name, actor.address, request_id)


def audited(services: Services, actor: Actor, deed: Deed, request_id: str = "") -> None:
    """Write down a read, in a transaction of its own; without the mark there is no read.

    Raises:
        TemporaryFailure: it cannot be written now.
    """
    now = services.now()
    services.store.write(
        lambda connection: audit.record(connection, who(actor, request_id), deed, now)
    )
