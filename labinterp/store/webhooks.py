"""Endpoints that are told of reports, with their secrets sealed: webhooks, FHIR Subscriptions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import and_, insert, or_, select, update

from labinterp.errors import NotFound
from labinterp.store import sealed
from labinterp.store.door_tables import webhook
from labinterp.store.rows import WebhookRecord
from labinterp.store.store import is_id

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from sqlalchemy import ColumnElement, Connection, Row

    from labinterp.store.crypto import Vault

DELETED: Final = "deleted"
TOLD: Final = ("active", "error")
"""An endpoint whose last event was given up is told of the next one all the same."""


def add_webhook(
    connection: Connection, vault: Vault, new: WebhookRecord, secret: bytes | None
) -> None:
    """A new endpoint; a Subscription has no secret."""
    connection.execute(
        insert(webhook).values(
            id=new.id,
            organisation_id=new.organisation_id,
            kind=new.kind,
            url=new.url,
            events=" ".join(new.events),
            secret_sealed=_seal(vault, secret, new.organisation_id, new.id) if secret else None,
            details_sealed=_details(vault, new) if new.document is not None else None,
            status=new.status,
            why=new.why,
            created_at=new.created_at,
            ended_at=new.ends_at,
        )
    )


def webhooks(
    connection: Connection, vault: Vault, organisation_id: str, kind: str
) -> tuple[WebhookRecord, ...]:
    """An organisation's endpoints of one kind, oldest first."""
    rows = connection.execute(
        select(webhook)
        .where(_of(organisation_id), webhook.c.kind == kind)
        .order_by(webhook.c.created_at, webhook.c.id)
    )
    return tuple(_record(vault, row) for row in rows)


def read_webhook(
    connection: Connection, vault: Vault, organisation_id: str, webhook_id: str, kind: str
) -> WebhookRecord:
    """One endpoint of this kind.

    Raises:
        NotFound: no such endpoint in this organisation.
    """
    found = by_id(connection, vault, organisation_id, webhook_id)
    if found.kind != kind:
        raise _no_such_endpoint()
    return found


def by_id(
    connection: Connection, vault: Vault, organisation_id: str, webhook_id: str
) -> WebhookRecord:
    """One endpoint of any kind.

    Raises:
        NotFound: no such endpoint in this organisation.
    """
    row = (
        is_id(webhook_id)
        and connection.execute(
            select(webhook).where(_of(organisation_id), webhook.c.id == webhook_id)
        ).first()
    )
    if not row:
        raise _no_such_endpoint()
    return _record(vault, row)


def _no_such_endpoint() -> NotFound:
    return NotFound("There is no such endpoint, or it is not yours.")


def told_of(
    connection: Connection, vault: Vault, organisation_id: str, event: str, now: datetime
) -> tuple[WebhookRecord, ...]:
    """The endpoints that are told of an event."""
    rows = connection.execute(
        select(webhook).where(
            _of(organisation_id),
            webhook.c.status.in_(TOLD),
            or_(webhook.c.ended_at.is_(None), webhook.c.ended_at > now),
        )
    )
    return tuple(_record(vault, row) for row in rows if event in row.events.split())


def secrets_of(
    connection: Connection, vault: Vault, organisation_id: str, webhook_id: str, now: datetime
) -> tuple[bytes, ...]:
    """What its messages are signed with: the secret, and the one before while it is changed."""
    row = connection.execute(
        select(
            webhook.c.secret_sealed, webhook.c.former_secret_sealed, webhook.c.former_until
        ).where(_of(organisation_id), webhook.c.id == webhook_id)
    ).one()
    kept = [row.secret_sealed]
    if row.former_until is not None and row.former_until > now:
        kept.append(row.former_secret_sealed)
    context = _place(organisation_id, webhook_id)
    return tuple(vault.open(one, context) for one in kept if one is not None)


def change_secret(
    connection: Connection,
    vault: Vault,
    organisation_id: str,
    webhook_id: str,
    secret: bytes,
    *,
    former_until: datetime,
) -> bool:
    """A new secret; the one before signs too for a while."""
    done = connection.execute(
        update(webhook)
        .where(_of(organisation_id), webhook.c.id == webhook_id, webhook.c.kind == "webhook")
        .values(
            secret_sealed=_seal(vault, secret, organisation_id, webhook_id),
            former_secret_sealed=webhook.c.secret_sealed,
            former_until=former_until,
        )
    )
    return done.rowcount == 1


def set_status(
    connection: Connection,
    organisation_id: str,
    webhook_id: str,
    status: str,
    why: str | None = None,
    *,
    of: tuple[str, ...] = ("requested", "active", "error", "off"),
) -> bool:
    """How an endpoint stands; false when it stood otherwise than expected."""
    done = connection.execute(
        update(webhook)
        .where(_of(organisation_id), webhook.c.id == webhook_id, webhook.c.status.in_(of))
        .values(status=status, why=why[:500] if why else None)
    )
    return done.rowcount == 1


def _of(organisation_id: str) -> ColumnElement[bool]:
    return and_(webhook.c.organisation_id == organisation_id, webhook.c.status != DELETED)


def _place(organisation_id: str, webhook_id: str) -> str:
    return sealed.place("webhook", organisation_id, webhook_id)


def _seal(vault: Vault, secret: bytes, organisation_id: str, webhook_id: str) -> bytes:
    return vault.seal(secret, _place(organisation_id, webhook_id))


def _details(vault: Vault, new: WebhookRecord) -> bytes:
    return sealed.seal_document(vault, new.document, "subscription", new.organisation_id, new.id)


def _record(vault: Vault, row: Row[Any]) -> WebhookRecord:
    document: Mapping[str, Any] | None = None
    if row.details_sealed is not None:
        document = sealed.open_document(
            vault, row.details_sealed, "subscription", row.organisation_id, row.id
        )
    return WebhookRecord(
        id=row.id,
        organisation_id=row.organisation_id,
        kind=row.kind,
        url=row.url,
        events=tuple(row.events.split()),
        status=row.status,
        why=row.why,
        created_at=row.created_at,
        former_until=row.former_until,
        ends_at=row.ended_at,
        document=document,
    )
