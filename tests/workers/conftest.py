"""One installation with its broker and mail server, for a test."""

import pytest

from tests.workers.harness import MailServer, RunningBroker, Site


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
def site(tmp_path, broker, smtp):
    made = Site(tmp_path, broker.url, smtp.port)
    yield made
    made.stop()
