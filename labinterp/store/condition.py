"""How the database itself is: can it be written, is its shape the newest, is there room."""

from __future__ import annotations

import shutil
from contextlib import suppress
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

from sqlalchemy import insert

from labinterp.store import tables
from labinterp.store.store import fresh_id
from labinterp.store.upgrade import MIGRATIONS

if TYPE_CHECKING:
    from labinterp.store.store import Store

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


@cache
def _newest() -> str | None:
    from alembic.script import ScriptDirectory  # noqa: PLC0415 - costs start-up

    return ScriptDirectory(str(MIGRATIONS)).get_current_head()
