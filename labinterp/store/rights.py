"""The least rights that the service needs of PostgreSQL, and whether its account has more.

The account that runs the migrations owns the tables; the service's own reads and writes rows, and
of the audit reads and adds them. SQLite has no accounts: there the file's owner may do everything.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError

from labinterp.errors import SettingsError
from labinterp.store.door_tables import client
from labinterp.store.tables import audit_event

if TYPE_CHECKING:
    from collections.abc import Iterator

    from labinterp.store.store import Store

_TABLES: Final = client.metadata  # those of `tables`, too
_ROLE: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,62}", re.ASCII)
_USUAL: Final = "SELECT, INSERT, UPDATE, DELETE"
_AUDIT: Final = "SELECT, INSERT"
_TOO_MUCH: Final = {
    "is a superuser": "SELECT rolsuper FROM pg_roles WHERE rolname = current_user",
    "owns the tables": (
        "SELECT pg_has_role(current_user, relowner, 'MEMBER') FROM pg_class"
        " WHERE oid = to_regclass('audit_event')"
    ),
    "may change the audit": (
        "SELECT has_table_privilege(current_user, to_regclass('audit_event'),"
        " 'UPDATE, DELETE, TRUNCATE, TRIGGER')"
    ),
}


def give(store: Store, account: str) -> bool:
    """Let this account do the service's work and no more; false where there is nothing to give.

    Done after each upgrade by whoever owns the tables; again is harmless.

    Raises:
        SettingsError: there is no such account.
    """
    if not _ROLE.fullmatch(account):
        raise SettingsError("DATABASE_ACCOUNT is a name of letters, digits, _ and -.")
    try:
        with store.writing() as connection:
            if connection.dialect.name == "sqlite":
                return False
            if connection.scalar(text("SELECT current_user")) == account:
                return False
            for statement in _grants(f'"{account}"'):
                connection.execute(text(statement))
    except ProgrammingError as error:
        raise SettingsError(
            f"The rights of DATABASE_ACCOUNT ({account}) cannot be given: is there such an account,"
            " and does the one of DATABASE_URL own the tables?"
        ) from error
    return True


def _grants(role: str) -> Iterator[str]:
    yield "REVOKE CREATE ON SCHEMA public FROM PUBLIC"
    yield f"GRANT USAGE ON SCHEMA public TO {role}"
    yield f"GRANT SELECT ON alembic_version TO {role}"
    for table in _TABLES.sorted_tables:
        rights = _AUDIT if table is audit_event else _USUAL
        yield f"GRANT {rights} ON {table.name} TO {role}"


def too_many(store: Store) -> tuple[str, ...]:
    """What the service's account is or may, and need not; nothing on SQLite."""
    with store.reading() as connection:
        if connection.dialect.name == "sqlite":
            return ()
        return tuple(what for what, asked in _TOO_MUCH.items() if connection.scalar(text(asked)))
