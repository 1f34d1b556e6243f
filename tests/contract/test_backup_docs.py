"""The page about backups does what it says: its commands are run, and what they made is opened again."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import func, select, text

from labinterp.errors import SettingsError
from labinterp.store.crypto import Vault
from labinterp.store.door_tables import metadata
from labinterp.store.store import open_store
from labinterp.store.upgrade import upgrade, verify_key
from labinterp.usecases import audit_trail, journey
from tests.conftest import OPENING, START, VAULT, wired
from tests.contract.test_patients import accepted
from tests.unit.usecases.conftest import an_actor, drawn

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "back-up-and-restore.md"
BLOCKS = re.findall(r"^ *```sh\n(.*?)^ *```", PAGE.read_text("utf-8"), re.MULTILINE | re.DOTALL)


def command(words):
    """The block of the page that holds these words."""
    (found,) = (block for block in BLOCKS if words in block)
    return found.replace(".venv/bin/python", sys.executable)


def ran(words, folder, **environment):
    done = subprocess.run(
        ["/bin/sh", "-ec", command(words)],
        cwd=folder,
        env={"PATH": os.environ["PATH"], **environment},  # noqa: TID251 - where the tools are
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def rows(store):
    with store.reading() as connection:
        return {
            table.name: connection.scalar(select(func.count()).select_from(table))
            for table in metadata.sorted_tables
        }


@pytest.fixture
def used(either_store, clock, outbox, queue):
    """An installation with work done, and work that waits."""
    services = wired(either_store, clock=clock, outbox=outbox, queue=queue, draw=drawn)
    ward = an_actor(services)
    done = accepted(services, ward)
    while journey.draw_due(services, "w", 10) + journey.deliver_due(services, "w", 10):
        pass
    waiting = accepted(services, ward, identifier="MRN-2")
    return services, ward, (done, waiting)


def opened(url, used):
    """The service on what was restored, and what it finds there."""
    services, ward, (done, waiting) = used
    store = open_store(url, VAULT, OPENING)
    verify_key(store)
    upgrade(store, START)
    again = wired(
        store, clock=services.now, outbox=services.mailer, queue=services.queue, draw=drawn
    )
    assert (
        journey.read_report(again, ward, done).pdf == journey.read_report(services, ward, done).pdf
    )
    assert journey.read_panel(again, ward, waiting).report.status == "queued"
    assert not audit_trail.verify(again).breaks
    assert journey.draw_due(again, "w", 10) == 1
    return store


@pytest.mark.parametrize("either_store", ["sqlite"], indirect=True)
def test_a_copy_of_sqlite_made_while_somebody_writes_is_whole(used, tmp_path):
    services, ward, _ = used
    (tmp_path / "backup").mkdir()
    before = rows(services.store)
    with services.store.writing() as connection:
        connection.execute(text("UPDATE organisation SET name = 'half done'"))
        ran("import sqlite3; sqlite3.connect", tmp_path)
    accepted(services, ward, identifier="MRN-3")
    shutil.copyfile(tmp_path / "backup" / "labinterp.db", tmp_path / "restored.db")
    copy = open_store(f"sqlite:///{tmp_path / 'restored.db'}", VAULT, OPENING)
    assert rows(copy) == before
    copy.close()
    opened(f"sqlite:///{tmp_path / 'restored.db'}", used).close()
    stranger = open_store(f"sqlite:///{tmp_path / 'restored.db'}", Vault(b"another key"), OPENING)
    with pytest.raises(SettingsError):
        verify_key(stranger)
    stranger.close()


@pytest.mark.postgres
@pytest.mark.xdist_group("pg")
@pytest.mark.parametrize("either_store", ["postgresql"], indirect=True)
def test_a_dump_of_postgresql_is_restored_whole(used, request, tmp_path, monkeypatch):
    services, _, _ = used
    server = request.getfixturevalue("postgres_server")
    empty = request.getfixturevalue("empty_postgres")
    monkeypatch.setenv("PATH", f"{server.bin_path}:{os.defpath}")
    before = rows(services.store)
    ran("pg_dump", tmp_path, DATABASE_URL=server.get_uri("labinterp_tests"))
    ran("pg_restore", tmp_path, DATABASE_URL=empty)
    copy = open_store(empty, VAULT, OPENING)
    assert rows(copy) == before
    copy.close()
    opened(empty, used).close()
