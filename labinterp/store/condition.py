"""How the database itself is: can it be written, is its shape the newest, is there room."""

from __future__ import annotations

import shutil
from contextlib import suppress
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

from sqlalchemy import insert, select, text

from labinterp.store import tables
from labinterp.store.moment import db_now, microseconds_since_epoch
from labinterp.store.store import fresh_id
from labinterp.store.upgrade import MIGRATIONS

if TYPE_CHECKING:
    from labinterp.store.store import Store

_DURABLE: Final = ("fsync", "full_page_writes", "synchronous_commit")
_FULL: Final = 2
_LONG_AGO: Final = datetime(2000, 1, 1, tzinfo=UTC)


class _TakenBackError(Exception):
    """Undoes the trial."""


def write_and_take_back(store: Store) -> None:
    """Write a row and take it back, as a request would begin to.

    Raises:
        TemporaryFailure: it cannot be written now.
    """
    row = {"id": fresh_id(_LONG_AGO), "proof": b"", "created_at": _LONG_AGO}
    with suppress(_TakenBackError), store.writing() as connection:
        connection.execute(insert(tables.keyring).values(row))
        raise _TakenBackError


def migrations(store: Store) -> tuple[str | None, str | None]:
    """The migration this database is at, and the newest there is."""
    from alembic.migration import MigrationContext  # noqa: PLC0415 - costs start-up

    with store.reading() as connection:
        return MigrationContext.configure(connection).get_current_revision(), _newest()


def free_bytes(store: Store) -> int | None:
    """Room left where the database lies [bytes]; None when that is another machine."""
    url = store.engine.url
    if url.get_backend_name() != "sqlite" or not url.database or url.database == ":memory:":
        return None
    return shutil.disk_usage(Path(url.database).resolve().parent).free


def is_ahead(current: str | None) -> bool:
    """Whether a migration is one that this program does not know: a later release brought it.

    Migrations only add, so that a program of the release before works on meanwhile.
    """
    from alembic.script import ScriptDirectory  # noqa: PLC0415 - costs start-up
    from alembic.util import CommandError  # noqa: PLC0415 - likewise

    if current is None:
        return False
    try:
        ScriptDirectory(str(MIGRATIONS)).get_revision(current)
    except CommandError:
        return True
    return False


def not_durable(store: Store) -> tuple[str, ...]:
    """Settings of the database by which an accepted panel could be lost at a power cut."""
    with store.reading() as connection:
        if connection.dialect.name == "sqlite":
            level = int(connection.scalar(text("PRAGMA synchronous")) or 0)
            return () if level >= _FULL else ("synchronous",)
        return tuple(
            name for name in _DURABLE if connection.scalar(text(f"SHOW {name}")) in ("off", None)
        )


def clock_ahead(store: Store, now: datetime) -> float:
    """How far this machine's clock is ahead of the database's [s]."""
    with store.reading() as connection:
        theirs = int(connection.scalar(select(db_now())) or 0)
    return (microseconds_since_epoch(now) - theirs) / 1_000_000


@cache
def _newest() -> str | None:
    from alembic.script import ScriptDirectory  # noqa: PLC0415 - costs start-up

    return ScriptDirectory(str(MIGRATIONS)).get_current_head()
