"""Receivers of HL7 v2: systems that are sent each result as `ORU^R01` over MLLP.

A receiver is an endpoint like a webhook: what it is to be sent is a row, tried again, given up and
sent again in the same way. It is not asked before it is registered, since MLLP has no question that
stores nothing; whether it listens is seen at the first result.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from labinterp.access import Actor, require
from labinterp.store import webhooks
from labinterp.store.rows import WebhookRecord
from labinterp.store.store import fresh_id
from labinterp.usecases import endpoints
from labinterp.usecases.acting import who
from labinterp.usecases.administer import one_line
from labinterp.usecases.endpoints import note, room
from labinterp.usecases.notices import COMPLETED, CORRECTED, FAILED, WITHDRAWN

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from labinterp.usecases.services import Services

KIND: Final = "receiver"
_EVENTS: Final = (COMPLETED, CORRECTED, WITHDRAWN, FAILED)
"""Where no document can be drawn the results are sent without one."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Who is to be sent results.

    Attributes:
        url: `mllps://host:port`; `mllp://` to hosts that the operator lists.
        application, facility: MSH-5 and MSH-6.
        document: whether the PDF goes along.
    """

    name: str
    url: str
    application: str
    facility: str
    document: bool = True


def create_receiver(
    services: Services, actor: Actor, wanted: Wanted, *, request_id: str = ""
) -> WebhookRecord:
    """Register a receiver: results that are ready from now on are sent to it.

    Raises:
        SubmissionError: `url-refused`, or a name that cannot be used.
        Conflict: there are as many endpoints as are allowed.
    """
    require(actor, "admin")
    services.outbound.check_bare(wanted.url)
    now = services.now()
    document = {
        "name": one_line("name", wanted.name),
        "application": one_line("application", wanted.application) if wanted.application else "",
        "facility": one_line("facility", wanted.facility) if wanted.facility else "",
        "document": wanted.document,
    }
    record = WebhookRecord(
        id=fresh_id(now),
        organisation_id=actor.organisation_id,
        kind="receiver",
        url=wanted.url,
        events=_EVENTS,
        status="active",
        created_at=now,
        document=document,
    )

    def work(connection: Connection) -> None:
        room(services, connection, actor)
        webhooks.add_webhook(connection, services.store.vault, record, None)
        note(services, connection, who(actor, request_id), record, ("C", "receiver-created"))

    services.store.write(work)
    return record


def all_receivers(services: Services, actor: Actor) -> tuple[WebhookRecord, ...]:
    """The organisation's receivers, oldest first."""
    require(actor, "admin")
    return endpoints.registered(services, actor, KIND)


def read_receiver(services: Services, actor: Actor, receiver_id: str) -> WebhookRecord:
    """One receiver.

    Raises:
        NotFound: there is no such one in this organisation.
    """
    require(actor, "admin")
    return endpoints.read(services, actor, KIND, receiver_id)


def delete_receiver(
    services: Services, actor: Actor, receiver_id: str, *, request_id: str = ""
) -> None:
    """Send it nothing any more; what was not sent yet is withdrawn.

    Raises:
        NotFound: there is no such one in this organisation.
    """
    require(actor, "admin")
    endpoints.delete(services, actor, KIND, receiver_id, request_id=request_id)
