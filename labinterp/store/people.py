"""Organisations, users, keys and one-time sign-in links: who there is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, delete, insert, or_, select, update

from labinterp.errors import NotFound
from labinterp.model.submission import Choices
from labinterp.store.records import from_document, read_back, to_document, written
from labinterp.store.rows import KeyRecord, OrganisationRecord, UserRecord
from labinterp.store.tables import (
    api_key,
    organisation,
    second_factor,
    sign_in_link,
    user_account,
)

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import ColumnElement, Connection, Row, Select


_SCOPES_BETWEEN = " "


# ---- organisations


def add_organisation(connection: Connection, new: OrganisationRecord) -> None:
    """A new tenant."""
    connection.execute(
        insert(organisation).values(
            id=new.id,
            name=new.name,
            created_at=new.created_at,
            second_factor_since=new.second_factor_since,
        )
    )


def organisations(connection: Connection) -> tuple[OrganisationRecord, ...]:
    """All tenants, by name."""
    rows = connection.execute(select(organisation).order_by(organisation.c.name))
    return tuple(_organisation(row) for row in rows)


def organisation_named(connection: Connection, name: str) -> OrganisationRecord | None:
    """The tenant of this name."""
    row = connection.execute(select(organisation).where(organisation.c.name == name)).first()
    return _organisation(row) if row else None


def organisation_name(connection: Connection, organisation_id: str) -> str:
    """What a tenant is called.

    Raises:
        NotFound: there is no such tenant.
    """
    name = connection.execute(
        select(organisation.c.name).where(organisation.c.id == organisation_id)
    ).scalar()
    if name is None:
        raise NotFound("There is no such organisation.")
    return str(name)


def set_choices(connection: Connection, organisation_id: str, choices: Choices) -> bool:
    """What a tenant's interpretations use by default; false when there is no such tenant."""
    done = connection.execute(
        update(organisation)
        .where(organisation.c.id == organisation_id)
        .values(choices=written(to_document(choices)))
    )
    return done.rowcount == 1


def set_second_factor_since(
    connection: Connection, organisation_id: str, since: datetime | None
) -> bool:
    """From when on all of a tenant's people need a second factor; false when there is no tenant."""
    done = connection.execute(
        update(organisation)
        .where(organisation.c.id == organisation_id)
        .values(second_factor_since=since)
    )
    return done.rowcount == 1


def default_recipients(connection: Connection, organisation_id: str) -> tuple[str, ...]:
    """Whom a tenant tells of panels that name nobody."""
    kept = connection.execute(
        select(organisation.c.recipients).where(organisation.c.id == organisation_id)
    ).scalar_one_or_none()
    return tuple(map(str, read_back(kept))) if kept else ()


def set_default_recipients(
    connection: Connection, organisation_id: str, addresses: tuple[str, ...]
) -> bool:
    """Tell these; false when there is no such tenant."""
    done = connection.execute(
        update(organisation)
        .where(organisation.c.id == organisation_id)
        .values(recipients=written(list(addresses)) if addresses else None)
    )
    return done.rowcount == 1


def choices_in_force(connection: Connection, organisation_id: str) -> Choices:
    """What an organisation's interpretations use where a request does not say."""
    kept = connection.execute(
        select(organisation.c.choices).where(organisation.c.id == organisation_id)
    ).scalar_one_or_none()
    return choices_of(kept)


def _organisation(row: Row[Any]) -> OrganisationRecord:
    return OrganisationRecord(
        row.id, row.name, row.created_at, choices_of(row.choices), row.second_factor_since
    )


def choices_of(text: str | None) -> Choices:
    """An organisation's choices as they are kept."""
    return from_document(Choices, read_back(text)) if text else Choices()


# ---- keys


def add_key(connection: Connection, new: KeyRecord) -> None:
    """A key by its public prefix and the digest of its secret."""
    connection.execute(
        insert(api_key).values(
            id=new.id,
            organisation_id=new.organisation_id,
            prefix=new.prefix,
            secret_digest=new.secret_digest,
            name=new.name,
            scopes=_SCOPES_BETWEEN.join(new.scopes),
            created_at=new.created_at,
        )
    )


def key_by_prefix(connection: Connection, prefix: str) -> KeyRecord | None:
    """The key with this public prefix, revoked or not."""
    row = connection.execute(_keys().where(api_key.c.prefix == prefix)).first()
    return _key(row) if row else None


def keys(connection: Connection, organisation_id: str | None) -> tuple[KeyRecord, ...]:
    """An organisation's keys, oldest first; everyone's when none is named (the command line)."""
    query = _keys()
    if organisation_id is not None:
        query = query.where(api_key.c.organisation_id == organisation_id)
    return tuple(_key(row) for row in connection.execute(query.order_by(api_key.c.created_at)))


def revoke_key(
    connection: Connection, organisation_id: str | None, key_id: str, now: datetime
) -> bool:
    """From this commit on the key opens nothing; false when there is no such key in force."""
    query = update(api_key).where(api_key.c.id == key_id, api_key.c.revoked_at.is_(None))
    if organisation_id is not None:
        query = query.where(api_key.c.organisation_id == organisation_id)
    return connection.execute(query.values(revoked_at=now)).rowcount == 1


def note_key_use(
    connection: Connection, organisation_id: str, key_id: str, now: datetime, before: datetime
) -> None:
    """When a key was last used, written at most once per span."""
    connection.execute(
        update(api_key)
        .where(
            api_key.c.organisation_id == organisation_id,
            api_key.c.id == key_id,
            or_(api_key.c.last_used_at.is_(None), api_key.c.last_used_at < before),
        )
        .values(last_used_at=now)
    )


def _keys() -> Select[Any]:
    return select(
        api_key, organisation.c.name.label("organisation"), organisation.c.choices
    ).join_from(api_key, organisation)


def _key(row: Row[Any]) -> KeyRecord:
    return KeyRecord(
        id=row.id,
        organisation_id=row.organisation_id,
        organisation=row.organisation,
        prefix=row.prefix,
        name=row.name,
        scopes=tuple(row.scopes.split()),
        created_at=row.created_at,
        revoked_at=row.revoked_at,
        last_used_at=row.last_used_at,
        secret_digest=row.secret_digest,
        choices=choices_of(row.choices),
    )


# ---- users


@dataclass(frozen=True, slots=True)
class Account:
    """A user with what signing in needs."""

    user: UserRecord
    failures: int
    locked_until: datetime | None


def add_user(connection: Connection, new: UserRecord, now: datetime) -> None:
    """A new person; the address is unique over all organisations."""
    connection.execute(
        insert(user_account).values(
            id=new.id,
            organisation_id=new.organisation_id,
            email=new.email,
            name=new.name,
            scopes=_SCOPES_BETWEEN.join(new.scopes),
            password_hash=new.password_hash,
            active=new.active,
            failures=0,
            created_at=now,
        )
    )


def users(connection: Connection, organisation_id: str | None) -> tuple[UserRecord, ...]:
    """An organisation's people, by address; everyone when none is named (the command line)."""
    query = _users()
    if organisation_id is not None:
        query = query.where(user_account.c.organisation_id == organisation_id)
    rows = connection.execute(query.order_by(user_account.c.email))
    return tuple(_account(row).user for row in rows)


def account_by_email(connection: Connection, email: str) -> Account | None:
    """The person with this address."""
    row = connection.execute(_users().where(user_account.c.email == email)).first()
    return _account(row) if row else None


def account_by_id(connection: Connection, user_id: str) -> Account | None:
    """The person with this id, with what signing in needs."""
    row = connection.execute(_users().where(user_account.c.id == user_id)).first()
    return _account(row) if row else None


def user_by_id(connection: Connection, user_id: str) -> UserRecord | None:
    """The person with this id."""
    row = connection.execute(_users().where(user_account.c.id == user_id)).first()
    return _account(row).user if row else None


def change_user(connection: Connection, user_id: str, **values: object) -> bool:
    """Set columns of a person; false when there is none."""
    done = connection.execute(
        update(user_account).where(user_account.c.id == user_id).values(**values)
    )
    return done.rowcount == 1


def count_failure(
    connection: Connection, user_id: str, *, limit: int, locked_until: datetime
) -> None:
    """One refused password more; at the limit the account is locked for a while."""
    connection.execute(
        update(user_account)
        .where(user_account.c.id == user_id)
        .values(failures=user_account.c.failures + 1)
    )
    connection.execute(
        update(user_account)
        .where(and_(user_account.c.id == user_id, user_account.c.failures >= limit))
        .values(failures=0, locked_until=locked_until)
    )


def _users() -> Select[Any]:
    return (
        select(
            user_account,
            organisation.c.name.label("organisation"),
            organisation.c.choices,
            organisation.c.second_factor_since,
            second_factor.c.created_at.label("second_factor_made"),
        )
        .join_from(user_account, organisation)
        .outerjoin(second_factor, second_factor.c.user_account_id == user_account.c.id)
    )


def _account(row: Row[Any]) -> Account:
    user = UserRecord(
        id=row.id,
        organisation_id=row.organisation_id,
        organisation=row.organisation,
        email=row.email,
        name=row.name,
        scopes=tuple(row.scopes.split()),
        active=row.active,
        password_hash=row.password_hash,
        choices=choices_of(row.choices),
        sessions_from=row.sessions_from,
        second_factor=row.second_factor_made is not None,
        second_factor_required=row.second_factor_since is not None,
    )
    return Account(user, row.failures, row.locked_until)


# ---- one-time links


def add_sign_in_link(
    connection: Connection,
    link_id: str,
    user_id: str,
    token_digest: str,
    *,
    now: datetime,
    expires_at: datetime,
) -> None:
    """A link that signs one person in once."""
    connection.execute(
        insert(sign_in_link).values(
            id=link_id,
            user_account_id=user_id,
            token_digest=token_digest,
            created_at=now,
            expires_at=expires_at,
        )
    )


def use_sign_in_link(connection: Connection, token_digest: str, now: datetime) -> str | None:
    """Use a link up; the user's id, or None when it is unknown, used or over."""
    return connection.execute(
        update(sign_in_link)
        .where(
            sign_in_link.c.token_digest == token_digest,
            sign_in_link.c.used_at.is_(None),
            sign_in_link.c.expires_at > now,
        )
        .values(used_at=now)
        .returning(sign_in_link.c.user_account_id)
    ).scalar()


def any_ended_link(connection: Connection, now: datetime) -> bool:
    """Is there a one-time link that lets nobody in any more?"""
    query = select(sign_in_link.c.id).where(_has_ended(now)).limit(1)
    return connection.execute(query).first() is not None


def remove_ended_links(connection: Connection, now: datetime) -> int:
    """Forget one-time links whose time is over; how many."""
    return connection.execute(delete(sign_in_link).where(_has_ended(now))).rowcount


def _has_ended(now: datetime) -> ColumnElement[bool]:
    return sign_in_link.c.expires_at <= now
