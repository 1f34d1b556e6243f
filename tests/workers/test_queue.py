"""Waking through a real broker: what a request pays when it answers, refuses, or hangs."""

import json
import socket
import time

import pytest
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from labinterp.jobs import MAIL_QUEUE, REPORT_QUEUE, CeleryQueue
from labinterp.local.ports import free_port
from tests.workers.harness import RunningBroker

pytestmark = pytest.mark.redis


def test_a_wake_is_a_task_name_and_nothing_else(broker):
    queue = CeleryQueue(broker.url)
    assert queue.wake("report") is True
    assert queue.waiting("report") == 1
    assert queue.waiting("delivery") == 0
    with redis.Redis.from_url(broker.url) as client:
        message = json.loads(client.lindex(REPORT_QUEUE, 0))
        assert client.llen(MAIL_QUEUE) == 0
    assert message["headers"]["task"] == "labinterp.draw_reports"
    assert message["headers"]["argsrepr"] == "()"
    assert message["headers"]["kwargsrepr"] == "{}"
    assert message["content-type"] == "application/json"


def test_a_broker_that_refuses_costs_a_request_next_to_nothing():
    queue = CeleryQueue(f"redis://127.0.0.1:{free_port()}/0")
    queue.wake("report")
    began = time.monotonic()
    assert queue.wake("report") is False
    assert queue.waiting("report") is None
    assert time.monotonic() - began < 0.1


def test_a_broker_that_hangs_is_an_error_after_its_timeout_and_then_left_alone():
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        queue = CeleryQueue(f"redis://127.0.0.1:{deaf.getsockname()[1]}/0", socket_timeout=0.5)
        began = time.monotonic()
        assert queue.wake("report") is False
        assert time.monotonic() - began < 5
        began = time.monotonic()
        assert queue.wake("report") is False
        assert time.monotonic() - began < 0.1


def test_a_broker_that_comes_back_is_used_again(broker):
    queue = CeleryQueue(broker.url, pause=0.2, socket_timeout=1)
    assert queue.wake("report") is True
    broker.stop(at_once=True)
    assert queue.wake("report") is False
    broker.start()
    time.sleep(0.3)
    assert queue.wake("report") is True


def test_the_queue_outlives_a_broker_that_is_stopped(broker):
    CeleryQueue(broker.url).wake("delivery")
    broker.stop()
    broker.start()
    assert CeleryQueue(broker.url).waiting("delivery") == 1


def test_the_embedded_broker_takes_no_one_without_its_password(broker):
    with (
        redis.Redis(port=broker.broker.port, retry=Retry(NoBackoff(), 0)) as stranger,
        pytest.raises(redis.AuthenticationError),
    ):
        stranger.ping()


def test_the_embedded_broker_evicts_nothing_and_keeps_its_log_of_changes(broker):
    with redis.Redis.from_url(broker.url) as client:
        settings = client.config_get("*")
    assert settings["maxmemory-policy"] == "noeviction"
    assert settings["appendonly"] == "yes"
    assert settings["bind"] == "127.0.0.1"


def test_the_broker_stands_in_a_folder_with_a_difficult_name(tmp_path):
    running = RunningBroker(tmp_path / 'the "data" of\\Ms. O\'Neill')
    assert CeleryQueue(running.url).wake("report") is True
    running.stop()
    assert any((running.folder / "appendonlydir").iterdir())
