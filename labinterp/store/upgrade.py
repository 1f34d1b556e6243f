"""Bringing a database to the newest shape, and noticing a wrong data key before it does harm."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from sqlalchemy import insert, inspect, select, text

from labinterp.errors import SettingsError
from labinterp.store import chain, panels, resealing
from labinterp.store.crypto import KEPT
from labinterp.store.sealed import place
from labinterp.store.tables import keyring

if TYPE_CHECKING:
    from datetime import datetime

    from alembic.config import Config
    from sqlalchemy import Connection

    from labinterp.store.store import Store

MIGRATIONS: Final = Path(__file__).parent / "migrations"
_AT_ONCE: Final = 50
_LOCK: Final = 7_245_316_018
_PROOF: Final = b"labinterp"
_PROVED: Final = "1"


def upgrade(
    store: Store, now: datetime, revision: str = "head", *, while_serving: bool = False
) -> None:
    """Run what migrations are missing, in one transaction; several processes may call it at once.

    Args:
        store: the open database.
        now: the time.
        revision: at most to this one.
        while_serving: processes of the release before run still: only add, and change no row that
            they may read. The same without it, once they are gone, does the rest.

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
    if revision == "head" and not while_serving:
        resealing.seal_plain(store)
        while store.write(lambda one: panels.add_missing_measurands(one, store.vault, _AT_ONCE)):
            continue


def configuration(connection: Connection) -> Config:
    """Alembic's settings for this connection; no file is needed."""
    from alembic.config import Config  # noqa: PLC0415 - as above

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config


def _prove_key(store: Store, connection: Connection, now: datetime) -> None:
    """Leave a proof of the data key and the keys that outlive it, or check those that are there."""
    proof = connection.execute(select(keyring.c.proof).where(keyring.c.id == _PROVED)).scalar()
    if proof is None:
        proof = store.vault.seal(_PROOF, place("keyring", _PROVED))
        connection.execute(insert(keyring).values(id=_PROVED, proof=proof, created_at=now))
    kept = _kept(store, connection, proof)
    there = set(connection.execute(select(keyring.c.id)).scalars())
    for purpose in KEPT.keys() - there:
        box = store.vault.seal(kept[purpose], place("keyring", purpose))
        connection.execute(insert(keyring).values(id=purpose, proof=box, created_at=now))
    store.vault.keep(kept)


def verify_key(store: Store) -> None:
    """Refuse to work with a data key that did not seal this database; take the keys it keeps.

    Raises:
        SettingsError: it is another key; nothing stored could be read, and new rows would mix.
    """
    with store.reading() as connection:
        if not inspect(connection).has_table(keyring.name):  # nothing was ever stored
            return
        proof = connection.execute(select(keyring.c.proof).where(keyring.c.id == _PROVED)).scalar()
        if proof is not None:
            store.vault.keep(_kept(store, connection, proof))


def _kept(store: Store, connection: Connection, proof: bytes) -> dict[str, bytes]:
    """The keys that outlive the data key: as kept, else as the key of the proof gives them.

    Raises:
        SettingsError: the proof does not open.
    """
    vault = store.vault
    try:
        kept = vault.sealed_with(proof, place("keyring", _PROVED))
    except SettingsError as error:
        raise SettingsError(
            "DATA_KEY (or SECRET_KEY, where DATA_KEY is not set) is not the one that this database"
            " was sealed with, and no key of FORMER_DATA_KEYS is.",
            code="data-key-wrong",
        ) from error
    rows = connection.execute(select(keyring.c.id, keyring.c.proof).where(keyring.c.id.in_(KEPT)))
    return kept | {row.id: vault.open(row.proof, place("keyring", row.id)) for row in rows}
