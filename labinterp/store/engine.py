"""Opening a database so that what was acknowledged is on disk.

SQLite: write-ahead log with `synchronous=FULL` (NORMAL loses acknowledged panels at a power cut),
and `BEGIN IMMEDIATE` for writes, so that two writers wait for each other instead of failing. What
is deleted is overwritten, so that the file does not keep what was erased.
PostgreSQL: its own durable defaults, a pool that asks before it lends a connection, bounded waits.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import create_engine, event
from sqlalchemy.engine import URL, make_url

from labinterp.durable import keep_names

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

WRITING: Final = "labinterp_writing"
_PSYCOPG: Final = "postgresql+psycopg"


@dataclass(frozen=True, slots=True)
class Opening:
    """How a database is opened.

    Attributes:
        lock_wait: how long a writer waits for another.
        connect_wait: how long to wait for a server, or for a free connection.
        pool: connections kept open.
    """

    lock_wait: timedelta = timedelta(seconds=10)
    connect_wait: timedelta = timedelta(seconds=5)
    pool: int = 8


def url_of(text: str) -> URL:
    """The address with its driver: `postgres://` and `postgresql://` mean psycopg."""
    url = make_url(text)
    if url.drivername in {"postgres", "postgresql"}:
        return url.set(drivername=_PSYCOPG)
    return url


def open_engine(text: str, opening: Opening | None = None) -> Engine:
    """An engine for SQLite or PostgreSQL; nothing is connected yet."""
    chosen = opening or Opening()
    url = url_of(text)
    if url.get_backend_name() == "sqlite":
        return _sqlite(url, chosen)
    return _postgresql(url, chosen)


def _sqlite(url: URL, opening: Opening) -> Engine:
    if url.database and url.database != ":memory:":
        Path(url.database).parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        _made_private(Path(url.database))
    engine = create_engine(
        url,
        pool_size=opening.pool,
        max_overflow=opening.pool,
        pool_timeout=opening.connect_wait.total_seconds(),
        connect_args={"timeout": opening.lock_wait.total_seconds()},
    )
    milliseconds = int(opening.lock_wait.total_seconds() * 1000)

    def prepare(connection: Any, _: Any) -> None:
        connection.isolation_level = None  # the driver must not begin transactions of its own
        cursor = connection.cursor()
        for pragma in (
            f"busy_timeout={milliseconds}",
            "journal_mode=WAL",
            "synchronous=FULL",
            "foreign_keys=ON",
            "secure_delete=ON",
        ):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    event.listen(engine, "connect", prepare)
    event.listen(engine, "begin", _begin)
    return engine


def _made_private(path: Path) -> None:
    """A new database is its owner's alone; SQLite gives its log and its index the same mode.

    SQLite has its own folder kept by the disk, not the folders above that were made for it.
    """
    with suppress(OSError):  # a folder that cannot be written is told of by the first connection
        path.touch(mode=0o600)
        if not path.stat().st_size:
            keep_names(path)


def _begin(connection: Connection) -> None:
    writing = connection.get_execution_options().get(WRITING)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")


def _postgresql(url: URL, opening: Opening) -> Engine:
    milliseconds = int(opening.lock_wait.total_seconds() * 1000)
    return create_engine(
        url,
        pool_size=opening.pool,
        max_overflow=opening.pool,
        pool_timeout=opening.connect_wait.total_seconds(),
        pool_pre_ping=True,
        pool_recycle=1800,
        connect_args={
            "connect_timeout": max(2, int(opening.connect_wait.total_seconds())),
            "options": f"-c lock_timeout={milliseconds} -c statement_timeout=30000"
            " -c idle_in_transaction_session_timeout=60000 -c timezone=UTC",
            "keepalives_idle": 30,
            "tcp_user_timeout": 10000,
        },
    )
