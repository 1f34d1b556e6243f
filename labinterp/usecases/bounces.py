"""Reading back what mail servers say later: a mail that was taken, and then came to nobody.

`sent` means that the next server took the mail. If that server, or one behind it, gives up, its
notice comes to a mailbox; here it turns `sent` into `bounced`, which is a person's, like `refused`.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

from labinterp import telemetry
from labinterp.delivery import bounce
from labinterp.store import audit, delivery_jobs
from labinterp.store.audit import Deed
from labinterp.usecases.acting import ITSELF

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from labinterp.delivery.bounce import Bounce
    from labinterp.usecases.services import Services

MOST: Final = 100
"""Mails that are read at one look."""
_UNNAMED: Final = "the mail came back; its server gave no reason"
_log = telemetry.logger(__name__)


def read_bounces(services: Services) -> int:
    """Read the mailbox once; how many deliveries moved.

    Nothing is read where no mailbox is set. A mail that is no notice of ours is passed over.

    Raises:
        TemporaryFailure: the mailbox or the database cannot be had; what was not written down is
            read again.
    """
    if services.bounces is None:
        return 0
    moved = 0
    for content in services.bounces.unread(MOST):
        moved += _noted(services, bounce.read(content, services.returns))
    return moved


def _noted(services: Services, found: Bounce) -> bool:
    """Write down what a notice says of the first delivery it names that is ours."""
    if found.kind == "other":
        return False
    for delivery_id in found.deliveries:
        known = services.store.write(
            partial(_write, services=services, found=found, delivery_id=delivery_id)
        )
        if known is not None:
            return known
    _log.warning("bounce-of-nobody", outcome=found.kind)
    return False


def _write(
    connection: Connection, *, services: Services, found: Bounce, delivery_id: str
) -> bool | None:
    """Whether the row moved; None where there is no such row."""
    answer = found.answer or _UNNAMED
    if found.kind == "delayed":
        return delivery_jobs.note_delay(connection, delivery_id, f"delayed on its way: {answer}")
    row = delivery_jobs.bounce_delivery(connection, delivery_id, answer)
    if row is None:
        return None if not delivery_jobs.is_known(connection, delivery_id) else False
    deed = Deed(
        "E",
        "delivery-bounced",
        "8",
        panel_id=row.panel_id,
        version=row.version,
        entity=f"delivery:{delivery_id}",
    )
    actor = audit.Who(row.organisation_id, ITSELF.kind, ITSELF.id, ITSELF.name)
    audit.record(connection, actor, deed, services.now())
    telemetry.count(telemetry.MAILS, "bounced")
    _log.warning("delivery-bounced", delivery_id=delivery_id)
    return True
