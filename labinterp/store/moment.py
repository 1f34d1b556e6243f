"""Points in time as the database keeps them, and the database's own clock.

A moment is stored as whole microseconds since 1970 (UTC). It is exact, sorts and indexes alike on
SQLite and PostgreSQL, and a delay can be added to it in SQL; a timestamp type gives the three in
only one of the two. Leases and retries are reckoned with `db_now`, because the clocks of several
workers may disagree while the database has one.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, Final

from sqlalchemy import BigInteger
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import TypeDecorator

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)


def microseconds(span: timedelta) -> int:
    """A span as the database adds it to a moment."""
    return span // _MICROSECOND


def microseconds_since_epoch(moment: datetime) -> int:
    """A moment as the database keeps it.

    Raises:
        ValueError: it has no time zone; nobody knows when that was.
    """
    if moment.tzinfo is None:
        raise ValueError("a moment needs a time zone")
    return microseconds(moment - _EPOCH)


class Moment(TypeDecorator[datetime]):
    """An aware UTC datetime in Python, microseconds since 1970 in the database."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(
        self,
        value: datetime | int | None,
        dialect: Any,  # noqa: ARG002  # SQLAlchemy passes it
    ) -> int | None:
        """Refuses a naive time; a number is a moment already."""
        return value if value is None or isinstance(value, int) else microseconds_since_epoch(value)

    def process_result_value(
        self,
        value: int | None,
        dialect: Any,  # noqa: ARG002  # SQLAlchemy passes it
    ) -> datetime | None:
        """Always in UTC."""
        return None if value is None else _EPOCH + value * _MICROSECOND


class db_now(FunctionElement[int]):  # noqa: N801  # reads as the SQL function it is
    """The database's clock [microseconds since 1970], read when the statement runs."""

    type = BigInteger()
    inherit_cache = True


@compiles(db_now, "sqlite")
def _sqlite_now(*_: Any, **__: Any) -> str:
    return "CAST((julianday('now') - 2440587.5) * 86400000000.0 AS INTEGER)"


@compiles(db_now, "postgresql")
def _postgresql_now(*_: Any, **__: Any) -> str:
    return "CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000000 AS BIGINT)"
