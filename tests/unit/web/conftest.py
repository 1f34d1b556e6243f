"""The real service on a database of its own, with a queue that only remembers and a clock to turn."""

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


@pytest.fixture
def services(tmp_path, clock):
    wired = bootstrap.services(
        {
            "DATA_DIR": str(tmp_path),
            "CONTACT": "duty biochemist, extension 4000",
            "OPERATOR_LINE": "Run by the laboratory of Example Trust for evaluation.",
        }
    )
    made = replace(wired, queue=InlineQueue(), now=clock)
    bootstrap.upgrade(made)
    return made


@pytest.fixture
def organisation(services):
    return administer.create_organisation(services, "Example Trust")


@pytest.fixture
def ann(services, organisation):
    return administer.create_user(
        services,
        organisation.id,
        email="ann@example.org",
        name="Ann Example",
        scopes=EVERYTHING,
        password=PASSWORD,
    )


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
