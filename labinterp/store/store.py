"""The open database: transactions, the vault, and what a failing database reads like."""

from __future__ import annotations

import base64
import re
import secrets
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final, TypeVar

from sqlalchemy import exc

from labinterp.errors import TemporaryFailure
from labinterp.store.engine import WRITING, Opening, open_engine

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

    from sqlalchemy import Connection, Engine

    from labinterp.store.crypto import Vault

Answer = TypeVar("Answer")
_ID: Final = re.compile(r"[0-9a-v]{26}")
_TRIES: Final = 3
_AGAIN: Final = frozenset({"40001", "40P01"})
_LAST: Final = "labinterp_before_commit"
_WORLD: Final = (exc.OperationalError, exc.InterfaceError, exc.InternalError, exc.TimeoutError)


class CommitUnknown(TemporaryFailure):
    """The database went away while committing: the work is stored, or it is not."""

    code = "commit-unknown"


def fresh_id(now: datetime) -> str:
    """A new id: 48 bits of time and 80 of chance, in text that sorts by age."""
    milliseconds = int(now.timestamp() * 1000)
    raw = milliseconds.to_bytes(6, "big") + secrets.token_bytes(10)
    return base64.b32hexencode(raw).decode().rstrip("=").lower()


def is_id(text: str) -> bool:
    """Could this be an id of ours? Whatever else a caller sends is no such thing."""
    return _ID.fullmatch(text) is not None


def before_commit(
    connection: Connection, work: Callable[[Connection, list[Any]], object], thing: object
) -> None:
    """Do this work, once for all the things it was asked for, as the transaction's last.

    A lock that many want is so held shortest. On a connection that no `Store.writing` lent, it is
    done at once.
    """
    last = connection.get_execution_options().get(_LAST)
    if last is None:
        work(connection, [thing])
    else:
        last.setdefault(work, []).append(thing)


class Store:
    """One database with its vault; every repository function takes one of its connections."""

    def __init__(self, engine: Engine, vault: Vault) -> None:
        self.engine = engine
        self.vault = vault

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A transaction that only reads; it never makes a writer wait.

        Raises:
            TemporaryFailure: the database cannot be had.
        """
        with _as_temporary(), self.engine.connect() as connection, connection.begin():
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A transaction that is committed at the end, or leaves nothing.

        Raises:
            TemporaryFailure: lock not had in time, disk full, server gone; nothing was stored.
            CommitUnknown: the server went away between the commit and its answer.
        """
        with _as_temporary(), self.engine.connect() as plain:
            last: dict[Callable[[Connection, list[Any]], object], list[Any]] = {}
            connection = plain.execution_options(**{WRITING: True, _LAST: last})
            transaction = connection.begin()
            try:
                yield connection
                for work, things in last.items():
                    work(connection, things)
            except BaseException:
                transaction.rollback()
                raise
            try:
                transaction.commit()
            except exc.DBAPIError as error:
                if error.connection_invalidated:
                    raise CommitUnknown("The database went away while storing.") from error
                transaction.rollback()
                raise

    def write(self, work: Callable[[Connection], Answer]) -> Answer:
        """Do this in one transaction, once more when the database asks; `work` must allow that."""
        for _ in range(_TRIES - 1):
            try:
                with self.writing() as connection:
                    return work(connection)
            except CommitUnknown:
                raise
            except TemporaryFailure as error:
                if not _asks_again(error.__cause__):
                    raise
        with self.writing() as connection:
            return work(connection)

    def close(self) -> None:
        """Let go of every connection."""
        self.engine.dispose()


def open_store(url: str, vault: Vault, opening: Opening | None = None) -> Store:
    """The store at this address."""
    return Store(open_engine(url, opening), vault)


def _asks_again(error: BaseException | None) -> bool:
    """A serialisation failure, a deadlock, or a connection lost before the commit."""
    if not isinstance(error, exc.DBAPIError):
        return False
    return error.connection_invalidated or getattr(error.orig, "sqlstate", None) in _AGAIN


@contextmanager
def _as_temporary() -> Iterator[None]:
    try:
        yield
    except _WORLD as error:
        raise TemporaryFailure(
            "The database did not answer in time; nothing was stored.", code="database-unavailable"
        ) from error
