"""Where people are signed in, and the second factor they sign in with."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, func, insert, select, update

from labinterp.store.rows import SessionRecord
from labinterp.store.sealed import place
from labinterp.store.store import fresh_id
from labinterp.store.tables import person_session, recovery_code, second_factor

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from sqlalchemy import ColumnElement, Connection, Row

    from labinterp.store.crypto import Vault

_SEALED = "second-factor"


# ---- sessions


def add_session(
    connection: Connection, organisation_id: str, user_id: str, new: SessionRecord
) -> None:
    """Somebody signed in."""
    connection.execute(
        insert(person_session).values(
            id=new.id,
            organisation_id=organisation_id,
            user_account_id=user_id,
            began_at=new.began_at,
            seen_at=new.seen_at,
            address=new.address,
            browser=new.browser,
        )
    )


def session(connection: Connection, user_id: str, session_id: str) -> SessionRecord | None:
    """This session of this person, unless it was ended."""
    row = connection.execute(
        select(person_session).where(_open(user_id), person_session.c.id == session_id)
    ).first()
    return _session(row) if row else None


def sessions(connection: Connection, user_id: str) -> tuple[SessionRecord, ...]:
    """Those of a person that were not ended, the newest first; some may have run out."""
    rows = connection.execute(
        select(person_session).where(_open(user_id)).order_by(person_session.c.seen_at.desc())
    )
    return tuple(_session(row) for row in rows)


def note_seen(connection: Connection, user_id: str, session_id: str, now: datetime) -> None:
    """When a session was last used."""
    connection.execute(
        update(person_session)
        .where(_open(user_id), person_session.c.id == session_id, person_session.c.seen_at < now)
        .values(seen_at=now)
    )


def end_session(connection: Connection, user_id: str, session_id: str, now: datetime) -> bool:
    """From this commit on it opens nothing; false when there is no such one open."""
    done = connection.execute(
        update(person_session)
        .where(_open(user_id), person_session.c.id == session_id)
        .values(ended_at=now)
    )
    return done.rowcount == 1


def end_sessions(connection: Connection, user_id: str, now: datetime, but: str = "") -> int:
    """End those of a person, but for one; how many."""
    done = connection.execute(
        update(person_session)
        .where(_open(user_id), person_session.c.id != but)
        .values(ended_at=now)
    )
    return done.rowcount


def any_over(connection: Connection, began_before: datetime) -> bool:
    """Is a session kept that has been over for long?"""
    query = select(person_session.c.id).where(person_session.c.began_at < began_before).limit(1)
    return connection.execute(query).first() is not None


def forget_over(connection: Connection, began_before: datetime) -> int:
    """Forget sessions that began before; how many."""
    done = connection.execute(
        delete(person_session).where(person_session.c.began_at < began_before)
    )
    return done.rowcount


def _open(user_id: str) -> ColumnElement[bool]:
    return (person_session.c.user_account_id == user_id) & person_session.c.ended_at.is_(None)


def _session(row: Row[Any]) -> SessionRecord:
    return SessionRecord(row.id, row.began_at, row.seen_at, row.address, row.browser)


# ---- the second factor


@dataclass(frozen=True, slots=True)
class Factor:
    """What an authenticator shares with us.

    Attributes:
        last_step: the newest step that was used.
        locked_until: no code is looked at before.
    """

    secret: bytes = field(repr=False)
    last_step: int
    locked_until: datetime | None


def put_factor(
    connection: Connection,
    vault: Vault,
    organisation_id: str,
    user_id: str,
    secret: bytes,
    *,
    step: int,
    now: datetime,
) -> None:
    """A person's authenticator, in the place of a former one; `step` is the one just used."""
    remove_factor(connection, user_id)
    connection.execute(
        insert(second_factor).values(
            user_account_id=user_id,
            organisation_id=organisation_id,
            secret_sealed=vault.seal(secret, place(_SEALED, organisation_id, user_id)),
            last_step=step,
            failures=0,
            created_at=now,
        )
    )


def factor(connection: Connection, vault: Vault, user_id: str) -> Factor | None:
    """A person's authenticator."""
    row = connection.execute(
        select(second_factor).where(second_factor.c.user_account_id == user_id)
    ).first()
    if row is None:
        return None
    secret = vault.open(row.secret_sealed, place(_SEALED, row.organisation_id, user_id))
    return Factor(secret, row.last_step, row.locked_until)


def count_wrong(
    connection: Connection, user_id: str, *, limit: int, locked_until: datetime
) -> None:
    """One wrong code more; at the limit none is looked at for a while."""
    mine = second_factor.c.user_account_id == user_id
    connection.execute(
        update(second_factor).where(mine).values(failures=second_factor.c.failures + 1)
    )
    connection.execute(
        update(second_factor)
        .where(mine, second_factor.c.failures >= limit)
        .values(failures=0, locked_until=locked_until)
    )


def forgive(connection: Connection, user_id: str) -> None:
    """A right code was given: wrong ones count from nought again."""
    connection.execute(
        update(second_factor)
        .where(second_factor.c.user_account_id == user_id)
        .values(failures=0, locked_until=None)
    )


def use_step(connection: Connection, user_id: str, step: int) -> bool:
    """Use a step up, and all before it; false when somebody did already."""
    done = connection.execute(
        update(second_factor)
        .where(second_factor.c.user_account_id == user_id, second_factor.c.last_step < step)
        .values(last_step=step)
    )
    return done.rowcount == 1


def remove_factor(connection: Connection, user_id: str) -> bool:
    """Forget a person's authenticator and the codes for when it is lost; false without one."""
    connection.execute(delete(recovery_code).where(recovery_code.c.user_account_id == user_id))
    done = connection.execute(
        delete(second_factor).where(second_factor.c.user_account_id == user_id)
    )
    return done.rowcount == 1


def put_codes(
    connection: Connection,
    organisation_id: str,
    user_id: str,
    digests: Iterable[str],
    now: datetime,
) -> None:
    """Codes for a lost authenticator, in the place of all former ones."""
    connection.execute(delete(recovery_code).where(recovery_code.c.user_account_id == user_id))
    for digest in digests:
        connection.execute(
            insert(recovery_code).values(
                id=fresh_id(now),
                organisation_id=organisation_id,
                user_account_id=user_id,
                digest=digest,
            )
        )


def use_code(connection: Connection, user_id: str, digest: str, now: datetime) -> bool:
    """Use such a code up; false when it is none of this person's, or was used."""
    done = connection.execute(
        update(recovery_code)
        .where(
            recovery_code.c.user_account_id == user_id,
            recovery_code.c.digest == digest,
            recovery_code.c.used_at.is_(None),
        )
        .values(used_at=now)
    )
    return done.rowcount == 1


def codes_left(connection: Connection, user_id: str) -> int:
    """How many of them were not used yet."""
    query = select(func.count()).where(
        recovery_code.c.user_account_id == user_id, recovery_code.c.used_at.is_(None)
    )
    return int(connection.execute(query).scalar_one())
