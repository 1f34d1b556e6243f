"""What both databases must keep: durability settings, atomic writes, one clock, and plain failures."""

from __future__ import annotations

import contextlib
import sqlite3
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import insert, select, text
from sqlalchemy.exc import IntegrityError

from labinterp.bootstrap import now
from labinterp.errors import SettingsError, TemporaryFailure
from labinterp.store import condition
from labinterp.store.crypto import Vault
from labinterp.store.engine import Opening, url_of
from labinterp.store.moment import db_now
from labinterp.store.store import Store, fresh_id, is_id, open_store
from labinterp.store.tables import organisation
from tests.conftest import START, VAULT


def row(name="Ward 7"):
    return {"id": fresh_id(START), "name": name, "created_at": START}


def names(store):
    with store.reading() as connection:
        return list(connection.execute(select(organisation.c.name)).scalars())


@pytest.mark.hazard("panel-lost")
def test_sqlite_is_opened_so_that_a_power_cut_loses_nothing_acknowledged(sqlite_store):
    for _ in range(2):
        with sqlite_store.reading() as connection:
            seen = {
                name: connection.execute(text(f"PRAGMA {name}")).scalar()
                for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
            }
        assert seen == {
            "journal_mode": "wal",
            "synchronous": 2,
            "foreign_keys": 1,
            "busy_timeout": 5000,
        }
        sqlite_store.engine.dispose()


@pytest.mark.postgres
@pytest.mark.xdist_group("pg")
def test_postgresql_keeps_its_durable_defaults_and_bounds_its_waits(postgres_store):
    with postgres_store.reading() as connection:
        assert connection.execute(text("SHOW lock_timeout")).scalar() == "5s"
        source = "SELECT source FROM pg_settings WHERE name = 'synchronous_commit'"
        # Only the server of the tests is told otherwise; a connection never asks for less.
        assert connection.execute(text(source)).scalar() == "configuration file"


@pytest.mark.postgres
@pytest.mark.xdist_group("pg")
@pytest.mark.hazard("panel-lost")
def test_a_database_that_could_forget_at_a_power_cut_is_named(postgres_store, sqlite_store):
    """The server of the tests is told to, for their speed."""
    forgetful = ("fsync", "full_page_writes", "synchronous_commit")
    assert condition.not_durable(postgres_store) == forgetful
    assert condition.not_durable(sqlite_store) == ()
    assert abs(condition.clock_ahead(postgres_store, now())) < 60


def test_a_write_that_fails_leaves_nothing(either_store):
    def work(connection):
        connection.execute(insert(organisation).values(row()))
        raise KeyError

    with pytest.raises(KeyError):
        either_store.write(work)
    assert names(either_store) == []


def test_a_broken_constraint_is_the_callers_to_see(either_store):
    either_store.write(lambda connection: connection.execute(insert(organisation).values(row())))
    with pytest.raises(IntegrityError):
        either_store.write(
            lambda connection: connection.execute(insert(organisation).values(row()))
        )
    assert names(either_store) == ["Ward 7"]


def test_readers_do_not_wait_for_a_writer(either_store):
    with either_store.writing() as connection:
        connection.execute(insert(organisation).values(row()))
        assert names(either_store) == []
    assert names(either_store) == ["Ward 7"]


def test_the_databases_clock_is_the_worlds(either_store):
    before = datetime.now(UTC)  # noqa: TID251  # the one thing this is about
    with either_store.reading() as connection:
        first = connection.execute(select(db_now())).scalar_one()
        time.sleep(0.01)
        second = connection.execute(select(db_now())).scalar_one()
    assert second > first
    seen = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=first)
    assert abs(seen - before) < timedelta(seconds=5)


def test_a_moment_is_kept_to_the_microsecond_and_never_without_a_zone(either_store):
    exact = datetime(2026, 11, 24, 9, 0, 0, 123456, tzinfo=UTC)
    either_store.write(
        lambda connection: connection.execute(
            insert(organisation).values({**row(), "created_at": exact})
        )
    )
    with either_store.reading() as connection:
        assert connection.execute(select(organisation.c.created_at)).scalar() == exact
    with pytest.raises(Exception, match="time zone"):
        either_store.write(
            lambda connection: connection.execute(
                insert(organisation).values({**row("b"), "created_at": exact.replace(tzinfo=None)})
            )
        )


def test_a_lock_not_had_in_time_is_a_failure_that_passes(sqlite_template, tmp_path):
    impatient = Opening(lock_wait=timedelta(milliseconds=50))
    import shutil

    shutil.copyfile(sqlite_template, tmp_path / "labinterp.db")
    store = open_store(f"sqlite:///{tmp_path / 'labinterp.db'}", VAULT, impatient)
    other = sqlite3.connect(tmp_path / "labinterp.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(TemporaryFailure) as refused:
        store.write(lambda connection: connection.execute(insert(organisation).values(row())))
    assert refused.value.retry_after > 0
    assert names(store) == []
    other.execute("ROLLBACK")
    other.close()
    store.write(lambda connection: connection.execute(insert(organisation).values(row())))
    assert names(store) == ["Ward 7"]
    store.close()


@pytest.mark.hazard("panel-lost")
def test_a_full_disk_is_a_failure_that_passes_and_stores_nothing(sqlite_store):
    with sqlite_store.reading() as connection:
        pages = connection.execute(text("PRAGMA page_count")).scalar()
    sqlite_store.engine.dispose()

    from sqlalchemy import event

    def small(connection, _):
        connection.execute(f"PRAGMA max_page_count={pages + 2}")

    event.listen(sqlite_store.engine, "connect", small)

    def fill():
        for number in range(2000):
            sqlite_store.write(
                lambda connection, number=number: connection.execute(
                    insert(organisation).values(row(f"{number:0200d}"))
                )
            )

    with pytest.raises(TemporaryFailure):
        fill()
    kept = len(names(sqlite_store))
    assert 0 < kept < 2000
    event.remove(sqlite_store.engine, "connect", small)
    sqlite_store.engine.dispose()
    sqlite_store.write(
        lambda connection: connection.execute(insert(organisation).values(row("after")))
    )
    assert len(names(sqlite_store)) == kept + 1


def test_a_database_that_cannot_be_opened_is_a_failure_that_passes(tmp_path):
    folder = tmp_path / "labinterp.db"
    folder.mkdir()
    store = open_store(f"sqlite:///{folder}", VAULT)
    with pytest.raises(TemporaryFailure):
        names(store)


def test_a_server_that_is_not_there_is_a_failure_that_passes():
    store = open_store(
        "postgresql://nobody@127.0.0.1:1/none",
        VAULT,
        Opening(connect_wait=timedelta(seconds=1)),
    )
    with pytest.raises(TemporaryFailure):
        names(store)


@pytest.mark.postgres
@pytest.mark.xdist_group("pg")
def test_a_connection_cut_before_the_commit_is_tried_again(postgres_store):
    tries = []

    def work(connection):
        tries.append(1)
        connection.execute(insert(organisation).values(row()))
        if len(tries) == 1:
            pid = connection.execute(text("SELECT pg_backend_pid()")).scalar()
            with postgres_store.engine.connect() as other:
                other.execute(text("SELECT pg_terminate_backend(:pid)"), {"pid": pid})
                other.commit()
            connection.execute(text("SELECT 1"))

    postgres_store.write(work)
    assert len(tries) == 2
    assert names(postgres_store) == ["Ward 7"]


@pytest.mark.postgres
@pytest.mark.xdist_group("pg")
def test_two_transactions_that_block_one_another_both_end(postgres_store):
    for name in ("a", "b"):
        postgres_store.write(
            lambda connection, name=name: connection.execute(insert(organisation).values(row(name)))
        )
    meet = threading.Barrier(2, timeout=5)

    def swap(first, second):
        def work(connection):
            lock = "SELECT 1 FROM organisation WHERE name = :name FOR UPDATE"
            connection.execute(text(lock), {"name": first})
            with contextlib.suppress(threading.BrokenBarrierError):
                meet.wait(1)
            connection.execute(text(lock), {"name": second})
            return True

        ended.append(postgres_store.write(work))

    ended = []
    threads = [threading.Thread(target=swap, args=pair) for pair in (("a", "b"), ("b", "a"))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert ended == [True, True]


KILLED = """
import os, sys
from sqlalchemy import insert
from tests.conftest import VAULT, START
from labinterp.store.store import open_store, fresh_id
from labinterp.store.tables import organisation
store = open_store(sys.argv[1], VAULT)
store.write(lambda c: c.execute(insert(organisation).values(id=fresh_id(START), name="kept", created_at=START)))
with store.writing() as connection:
    connection.execute(insert(organisation).values(id=fresh_id(START), name="lost", created_at=START))
    os.kill(os.getpid(), 9)
"""


def test_a_process_killed_before_its_commit_leaves_what_was_committed(sqlite_store):
    url = str(sqlite_store.engine.url)
    done = subprocess.run([sys.executable, "-c", KILLED, url], check=False, cwd=".")
    assert done.returncode == -9
    assert names(sqlite_store) == ["kept"]
    sqlite_store.write(
        lambda connection: connection.execute(insert(organisation).values(row("after")))
    )


def test_ids_sort_by_age_and_do_not_repeat():
    ids = [fresh_id(START + timedelta(milliseconds=n)) for n in range(200)]
    assert ids == sorted(ids)
    assert len({fresh_id(START) for _ in range(10_000)}) == 10_000
    assert all(map(is_id, ids))


@pytest.mark.parametrize("address", ["postgres://u@h/d", "postgresql://u@h/d"])
def test_both_spellings_of_an_address_mean_psycopg(address):
    assert url_of(address).drivername == "postgresql+psycopg"


def test_a_sealed_value_opens_in_its_own_place_only():
    sealed = VAULT.seal(b"Testcase", "identity/org/1/1")
    assert b"Testcase" not in sealed
    assert VAULT.open(sealed, "identity/org/1/1") == b"Testcase"
    assert VAULT.seal(b"Testcase", "identity/org/1/1") != sealed
    for tampered, place in (
        (sealed, "identity/org/1/2"),
        (sealed[:-1] + bytes([sealed[-1] ^ 1]), "identity/org/1/1"),
        (sealed[:5], "identity/org/1/1"),
        (b"", "identity/org/1/1"),
    ):
        with pytest.raises(SettingsError):
            VAULT.open(tampered, place)
    with pytest.raises(SettingsError):
        Vault(b"another key").open(sealed, "identity/org/1/1")


def test_fingerprints_tell_their_parts_apart():
    assert VAULT.fingerprint("a", "bc") != VAULT.fingerprint("ab", "c")
    assert VAULT.fingerprint("a\x1fb") != VAULT.fingerprint("a", "b")
    assert VAULT.fingerprint("a") != Vault(b"another key").fingerprint("a")


def test_a_closed_store_opens_again(sqlite_store):
    sqlite_store.close()
    assert names(Store(sqlite_store.engine, VAULT)) == []
