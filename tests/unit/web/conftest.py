"""The real service on a database of its own, with a queue that only remembers, and two people."""

import pytest
from browsing import Person
from flask import Flask

from labinterp import bootstrap, web
from labinterp.usecases import administer, journey

PASSWORD = "correct horse battery"
EVERYTHING = ("panels:write", "panels:read", "deliveries:write", "knowledge:read")


@pytest.fixture
def services(tmp_path):
    made = bootstrap.services({"DATA_DIR": str(tmp_path), "LABINTERP_QUEUE": "inline"})
    bootstrap.upgrade(made)
    return made


@pytest.fixture
def organisation(services):
    return administer.create_organisation(services, "Example Trust")


@pytest.fixture
def ann(services, organisation):
    return administer.create_user(
        services, organisation.id, email="ann@example.org", name="Ann Example", scopes=EVERYTHING, password=PASSWORD
    )


@pytest.fixture
def app(services, ann):
    app = Flask("pages", static_folder=None)
    app.secret_key = "k" * 40
    app.testing = False
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
