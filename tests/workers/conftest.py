"""One installation with its broker and mail server, for a test."""

import os

import pytest

from tests.workers.harness import MailServer, RunningBroker, Site

# A server of its own, which starts and ends three times, is for `make prove`.
collect_ignore = [] if "POWER_CUTS" in os.environ else ["test_postgres_killed.py"]  # noqa: TID251


@pytest.fixture
def broker(tmp_path):
    running = RunningBroker(tmp_path)
    yield running
    running.stop()


@pytest.fixture
def smtp():
    running = MailServer()
    yield running
    running.stop()


@pytest.fixture
def site_with(tmp_path, broker, smtp):
    """Makes the installation, with settings of its own."""
    made = []

    def make(**settings):
        made.append(Site(tmp_path, broker.url, smtp.port, **settings))
        return made[-1]

    yield make
    for one in made:
        one.stop()


@pytest.fixture
def site(site_with):
    return site_with()
