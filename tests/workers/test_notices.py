"""Events told by real worker and relay processes, over a real broker, to a real endpoint."""

import base64
import hashlib
import hmac
import json
import threading

import pytest

from labinterp.usecases import webhooks
from tests.receiver import receiving
from tests.workers.harness import kill, until

pytestmark = [pytest.mark.redis, pytest.mark.slow]


def _agreeing(_, got):
    return 200, {}, json.dumps({"challenge": json.loads(got.body).get("challenge")}).encode()


@pytest.fixture
def receiver():
    with receiving() as state:
        state.usual = _agreeing
        yield state


@pytest.fixture
def site(site_with, receiver):
    return site_with(OUTBOUND_ALLOW=f"127.0.0.1:{receiver.port}")


def _register(site, receiver, *events):
    made = webhooks.create_webhook(site.services, site.actor, receiver.address, events)
    receiver.got.clear()
    return made


def _states(site, made):
    found = webhooks.deliveries(site.services, site.actor, made.endpoint.id)
    return sorted((one.event, one.status) for one in found)


def test_a_panel_becomes_one_signed_word_to_each_endpoint(site, receiver):
    made = _register(site, receiver, "interpretation.completed")
    site.start("worker")
    site.start("relay")
    panel_id = site.accept()
    until(lambda: receiver.got)
    until(lambda: _states(site, made) == [("interpretation.completed", "sent")])
    (got,) = receiver.got
    assert json.loads(got.body)["panel_id"] == panel_id
    content = f"{got.headers['webhook-id']}.{got.headers['webhook-timestamp']}.".encode() + got.body
    key = base64.b64decode(made.secret.removeprefix("whsec_"))
    digest = base64.b64encode(hmac.new(key, content, hashlib.sha256).digest()).decode()
    assert got.headers["webhook-signature"] == f"v1,{digest}"
    assert site.record(panel_id).report.status == "ready"


def test_a_worker_killed_while_it_tells_leaves_no_event_untold(site, receiver):
    made = _register(site, receiver, "interpretation.completed")
    release = threading.Event()

    def hanging(handler, got):
        release.wait(20)
        return _agreeing(handler, got)

    receiver.answers = [hanging]
    worker = site.start("worker")
    site.start("relay")
    site.accept()
    until(lambda: receiver.got)
    kill(worker)
    release.set()
    site.start("worker")
    until(lambda: _states(site, made) == [("interpretation.completed", "sent")])
    # Told again under the same id, by which the receiver knows it.
    assert len({got.headers["webhook-id"] for got in receiver.got}) == 1
