"""What webhooks, FHIR Subscriptions and HL7 v2 receivers share: each is an endpoint with events.

Who may do it is asked by each of them, since they differ in that.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from labinterp.errors import Conflict
from labinterp.store import audit, notices, webhooks
from labinterp.store.audit import Action, Deed, Who
from labinterp.usecases.acting import who

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from labinterp.access import Actor
    from labinterp.store.rows import WebhookRecord
    from labinterp.usecases.services import Services

_KINDS: Final = ("webhook", "subscription", "receiver")
_MOST: Final = 50
_GONE: Final = "withdrawn: the endpoint was deleted"


def registered(services: Services, actor: Actor, kind: str) -> tuple[WebhookRecord, ...]:
    """The organisation's endpoints of one kind, oldest first."""
    with services.store.reading() as connection:
        return webhooks.webhooks(connection, services.store.vault, actor.organisation_id, kind)


def read(services: Services, actor: Actor, kind: str, endpoint_id: str) -> WebhookRecord:
    """One of them.

    Raises:
        NotFound: there is no such one of this kind in this organisation.
    """
    with services.store.reading() as connection:
        return read_in(services, connection, actor, kind, endpoint_id)


def read_in(
    services: Services, connection: Connection, actor: Actor, kind: str, endpoint_id: str
) -> WebhookRecord:
    """The same in a transaction that has begun."""
    return webhooks.read_webhook(
        connection, services.store.vault, actor.organisation_id, endpoint_id, kind
    )


def delete(
    services: Services, actor: Actor, kind: str, endpoint_id: str, *, request_id: str
) -> None:
    """Tell it nothing any more; what was not told yet is withdrawn.

    Raises:
        NotFound: there is no such one of this kind in this organisation.
    """

    def work(connection: Connection) -> None:
        record = read_in(services, connection, actor, kind, endpoint_id)
        webhooks.set_status(connection, record.organisation_id, record.id, webhooks.DELETED)
        notices.withdraw_of(connection, record.organisation_id, record.id, _GONE)
        note(services, connection, who(actor, request_id), record, ("D", f"{kind}-deleted"))

    services.store.write(work)


def room(services: Services, connection: Connection, actor: Actor) -> None:
    """Is there room for one more endpoint?

    Raises:
        Conflict: code `webhooks-too-many`.
    """
    vault, organisation_id = services.store.vault, actor.organisation_id
    known = sum(len(webhooks.webhooks(connection, vault, organisation_id, kind)) for kind in _KINDS)
    if known >= _MOST:
        raise Conflict(f"There are {_MOST} endpoints already.", code="webhooks-too-many")


def note(
    services: Services,
    connection: Connection,
    by: Who,
    record: WebhookRecord,
    deed: tuple[Action, str],
) -> None:
    """Write it into the audit."""
    done = Deed(*deed, entity=f"webhook:{record.id}")
    audit.record(connection, by, done, services.now())
