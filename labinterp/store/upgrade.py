"""Bringing a database to the newest shape, and noticing a wrong data key before it does harm."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from sqlalchemy import insert, inspect, select, text

from labinterp.errors import SettingsError
from labinterp.store import chain
from labinterp.store.tables import keyring

if TYPE_CHECKING:
    from datetime import datetime

    from alembic.config import Config
    from sqlalchemy import Connection

    from labinterp.store.store import Store

MIGRATIONS: Final = Path(__file__).parent / "migrations"
_LOCK: Final = 7_245_316_018
_PROOF: Final = b"labinterp"


def upgrade(store: Store, now: datetime, revision: str = "head") -> None:
    """Run what migrations are missing, in one transaction; several processes may call it at once.

    Raises:
        SettingsError: the data key is not the one that sealed this database.
        TemporaryFailure: the database cannot be had.
    """
    from alembic import command  # noqa: PLC0415 - costs start-up, and only this needs it

    with store.writing() as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
        command.upgrade(configuration(connection), revision)
        if revision == "head":
            _prove_key(store, connection, now)
            chain.add_those_without(connection)


def configuration(connection: Connection) -> Config:
    """Alembic's settings for this connection; no file is needed."""
    from alembic.config import Config  # noqa: PLC0415 - as above

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config


def _prove_key(store: Store, connection: Connection, now: datetime) -> None:
    proof = connection.execute(select(keyring.c.proof).where(keyring.c.id == "1")).scalar()
    if proof is None:
        sealed = store.vault.seal(_PROOF, "keyring/1")
        connection.execute(insert(keyring).values(id="1", proof=sealed, created_at=now))
        return
    verify_proof(store, proof)


def verify_key(store: Store) -> None:
    """Refuse to work with a data key that did not seal this database.

    Raises:
        SettingsError: it is another key; nothing stored could be read, and new rows would mix.
    """
    with store.reading() as connection:
        if not inspect(connection).has_table(keyring.name):  # nothing was ever stored
            return
        proof = connection.execute(select(keyring.c.proof).where(keyring.c.id == "1")).scalar()
    if proof is not None:
        verify_proof(store, proof)


def verify_proof(store: Store, proof: bytes) -> None:
    """Open the proof.

    Raises:
        SettingsError: it does not open.
    """
    try:
        store.vault.open(proof, "keyring/1")
    except SettingsError as error:
        raise SettingsError(
            "DATA_KEY (or SECRET_KEY, where DATA_KEY is not set) is not the one that this database"
            " was sealed with.",
            code="data-key-wrong",
        ) from error
