"""The real service on a database of its own, with a queue that only remembers and a clock to turn."""

import shutil
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask

from labinterp import bootstrap, web
from labinterp.jobs import InlineQueue
from labinterp.usecases import administer, journey
from tests.unit.web.browsing import PASSWORD, Person

EVERYTHING = ("panels:write", "panels:read", "deliveries:write", "knowledge:read")


class Clock:
    """Stands still until it is moved."""

    def __init__(self):
        self.at = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)

    def __call__(self):
        return self.at

    def move(self, by):
        self.at += by if isinstance(by, timedelta) else timedelta(seconds=by)


@pytest.fixture
def clock():
    return Clock()


def wired(folder, clock):
    """The service over the database in this folder, made if need be."""
    environment = {
        "DATA_DIR": str(folder),
        "CONTACT": "duty biochemist, extension 4000",
        "OPERATOR_LINE": "Run by the laboratory of Example Trust for evaluation.",
    }
    return replace(bootstrap.services(environment), queue=InlineQueue(), now=clock)


@pytest.fixture(scope="session")
def made_once(tmp_path_factory):
    """A folder with an empty database, an organisation and Ann; each test gets a copy."""
    folder = tmp_path_factory.mktemp("made-once")
    services = wired(folder, Clock())
    bootstrap.upgrade(services)
    organisation = administer.create_organisation(services, "Example Trust")
    administer.create_user(
        services,
        organisation.id,
        email="ann@example.org",
        name="Ann Example",
        scopes=EVERYTHING,
        password=PASSWORD,
    )
    services.store.engine.dispose()
    return folder


@pytest.fixture
def services(tmp_path, made_once, clock):
    shutil.copytree(made_once, tmp_path, dirs_exist_ok=True)
    made = wired(tmp_path, clock)
    yield made
    made.store.engine.dispose()


@pytest.fixture
def organisation(services):
    return administer.create_organisation(services, "Example Trust")


@pytest.fixture
def ann(services):
    return administer.users(services)[0]


@pytest.fixture
def ann_acts(services, ann):
    return administer.actor_of_user(services, ann.id)


@pytest.fixture
def app(services, ann):
    app = Flask("pages", static_folder=None)
    app.config.update(bootstrap.flask_config(services))
    web.register(app, services)
    return app


@pytest.fixture
def stranger(app):
    return Person(app.test_client())


@pytest.fixture
def person(stranger):
    stranger.sign_in()
    return stranger


@pytest.fixture
def draw(services):
    return lambda: journey.draw_due(services, "test", 10)
