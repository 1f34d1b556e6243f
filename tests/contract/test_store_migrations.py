"""A database made by the migrations is the one the tables describe, on SQLite and PostgreSQL."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import inspect, select, text

from labinterp.errors import SettingsError
from labinterp.jobs import InlineQueue
from labinterp.store import condition
from labinterp.store.crypto import Vault
from labinterp.store.door_tables import metadata  # imports those of `tables` too
from labinterp.store.records import to_document, written
from labinterp.store.store import Store, open_store
from labinterp.store.tables import panel_version
from labinterp.store.upgrade import MIGRATIONS, upgrade, verify_key
from labinterp.usecases import journey
from tests.conftest import OPENING, START, VAULT, Outbox, wired
from tests.contract.test_patients import accepted
from tests.unit.usecases.conftest import an_actor, drawn


@pytest.fixture(
    params=[
        "sqlite",
        pytest.param("postgresql", marks=[pytest.mark.postgres, pytest.mark.xdist_group("pg")]),
    ]
)
def empty(request, tmp_path):
    """A store without tables."""
    url = (
        f"sqlite:///{tmp_path / 'new' / 'labinterp.db'}"
        if request.param == "sqlite"
        else request.getfixturevalue("empty_postgres")
    )
    made = open_store(url, VAULT, OPENING)
    yield made
    made.close()


def test_a_fresh_upgrade_equals_the_tables(empty):
    upgrade(empty, START)
    with empty.reading() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []
        assert set(inspect(connection).get_table_names()) == {
            *(table.name for table in metadata.sorted_tables),
            "alembic_version",
        }


def test_upgrading_again_changes_nothing(empty):
    upgrade(empty, START)
    upgrade(empty, START)
    current, newest = condition.migrations(empty)
    assert current == newest


def test_processes_that_start_at_once_upgrade_once(empty):
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: upgrade(empty, START), range(4)))
    with empty.reading() as connection:
        versions = connection.execute(text("SELECT version_num FROM alembic_version")).all()
    assert len(versions) == 1


def test_a_migration_that_breaks_off_leaves_nothing(empty, monkeypatch):
    from labinterp.store import upgrade as module

    def fail(*_):
        raise RuntimeError("the power went out")

    monkeypatch.setattr(module, "_prove_key", fail)
    with pytest.raises(RuntimeError):
        upgrade(empty, START)
    with empty.reading() as connection:
        assert inspect(connection).get_table_names() == []


def test_each_migration_goes_back(empty):
    from alembic import command

    from labinterp.store.upgrade import configuration

    upgrade(empty, START)
    with empty.writing() as connection:
        command.downgrade(configuration(connection), "base")
    with empty.reading() as connection:
        assert inspect(connection).get_table_names() == ["alembic_version"]


FIRST = 2  # those up to here are of the first release; nothing older can be serving
UPGRADES = [
    pytest.param(
        path.read_text("utf-8").partition("def upgrade(")[2].partition("\ndef ")[0], id=path.stem
    )
    for path in sorted((MIGRATIONS / "versions").glob("[0-9]*.py"))
    if int(path.stem[:4]) > FIRST
]


@pytest.mark.parametrize("body", UPGRADES)
def test_a_migration_only_adds_so_that_the_release_before_works_on(body):
    taking = "drop_|alter_|rename|batch_|DELETE |UPDATE |DROP |ALTER "
    assert not re.search(rf"op\.({taking})|execute\([^)]*({taking})", body)
    for added in re.findall(r"op\.add_column\((.*?\n?.*?)\)\n", body, re.DOTALL):
        assert "nullable=True" in added or "server_default" in added


def test_while_the_release_before_serves_no_row_that_it_reads_is_changed(either_store, clock):
    services = wired(either_store, clock=clock, outbox=Outbox(), queue=InlineQueue(), draw=drawn)
    ward = an_actor(services)
    panel_id = accepted(services, ward)
    found = journey.read_panel(services, ward, panel_id).interpretation
    version = panel_version.update().where(panel_version.c.panel_id == panel_id)
    plain = {"interpretation": written(to_document(found)), "interpretation_sealed": None}
    with services.store.writing() as connection:  # as the release before had stored it
        connection.execute(version.values(**plain))
    upgrade(services.store, START, while_serving=True)
    with services.store.reading() as connection:
        assert connection.scalar(select(panel_version.c.interpretation_sealed)) is None
    assert journey.read_panel(services, ward, panel_id).interpretation == found
    upgrade(services.store, START)
    with services.store.reading() as connection:
        assert connection.scalar(select(panel_version.c.interpretation)) == ""
    assert journey.read_panel(services, ward, panel_id).interpretation == found


def test_a_wrong_data_key_is_noticed_before_anything_is_mixed(empty):
    verify_key(empty)
    upgrade(empty, START)
    verify_key(empty)
    other = Store(empty.engine, Vault(b"another key altogether"))
    with pytest.raises(SettingsError):
        verify_key(other)
    with pytest.raises(SettingsError):
        upgrade(other, START)
