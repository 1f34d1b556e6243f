"""Events over both databases: written once with what they tell, claimed once, told again on demand."""

from __future__ import annotations

import dataclasses
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from labinterp.errors import Conflict
from labinterp.outbound import Answer, Unreachable
from labinterp.store import notices, webhooks
from labinterp.store.leases import holders
from labinterp.store.rows import WebhookRecord
from labinterp.store.store import fresh_id
from labinterp.usecases import journey, leases
from labinterp.usecases import webhooks as asked
from tests.unit.usecases.conftest import a_panel, an_actor

LEASE, IMPLAUSIBLE = timedelta(minutes=5), timedelta(days=2)


class Line:
    """An outgoing client that keeps what it is given, and answers what it was told to."""

    def __init__(self):
        self.sent, self.answers = [], []

    def send(self, _method, url, *, headers, body):
        assert body
        self.sent.append((url, headers["webhook-id"]))
        answer = self.answers.pop(0) if self.answers else 200
        if isinstance(answer, Exception):
            raise answer
        return Answer(answer, {}, b"")


@pytest.fixture
def line():
    return Line()


@pytest.fixture
def services(services, line):
    return dataclasses.replace(services, outbound=line)


@pytest.fixture
def admin(services):
    return dataclasses.replace(an_actor(services), scopes=frozenset({"admin"}))


def _endpoint(services, actor, url="https://hooks.example.org/", events=("critical.detected",)):
    record = WebhookRecord(
        fresh_id(services.now()),
        actor.organisation_id,
        "webhook",
        url,
        tuple(events),
        "active",
        services.now(),
    )
    services.store.write(
        lambda held: webhooks.add_webhook(held, services.store.vault, record, b"k" * 32)
    )
    return record


CRITICAL = a_panel("Potassium 1.9 mmol/L LL", identifier=None)


def test_an_event_is_written_with_its_panel_or_not_at_all(services, admin, line, monkeypatch):
    _endpoint(services, admin)
    monkeypatch.setattr("labinterp.usecases.accept.audit.record", _broken)
    with pytest.raises(RuntimeError):
        journey.take(services, admin, CRITICAL)
    assert journey.due_counts(services).notices == {}
    monkeypatch.undo()


def test_nobody_outside_is_told_of_a_test(services, admin, line):
    every = ("critical.detected", "interpretation.completed", "interpretation.failed")
    _endpoint(services, admin, events=every)
    for panel in (CRITICAL, a_panel("Potassium 1.9 mmol/L LL")):
        mark = (("MSH[1]-11", "test-message", "MSH-11 marks it as a test"),)
        marked = dataclasses.replace(
            panel, submission=dataclasses.replace(panel.submission, problems=mark)
        )
        journey.take(services, admin, marked, origin="hl7v2")
    assert journey.draw_due(services, "w", 10) == 1
    assert journey.due_counts(services).notices == {}


def test_an_event_that_was_told_or_given_up_is_forgotten_after_its_time(
    services, admin, line, clock
):
    endpoint = _endpoint(services, admin)

    def states():
        with services.store.reading() as connection:
            found = notices.of_webhook(connection, admin.organisation_id, endpoint.id, 10)
        return sorted(one.status for one in found)

    for panel in (CRITICAL, a_panel("Sodium 101 mmol/L LL", identifier=None)):
        journey.take(services, admin, panel)
    line.answers = [200, Unreachable("nobody is there")]
    while journey.notify_due(services, "w", 10):
        pass
    assert states() == ["deferred", "sent"]
    clock.move(timedelta(days=30, seconds=1))
    assert journey.tidy(services) == 1
    assert states() == ["deferred"]
    assert journey.tidy(services) == 0


def _broken(*_):
    raise RuntimeError("the last write of the transaction fails")


def test_requests_at_once_under_one_key_write_one_event(services, admin, line):
    endpoint = _endpoint(services, admin)

    def accept(_):
        try:
            return journey.take(services, admin, CRITICAL, idempotency_key="one").panel_id
        except Conflict:
            return None

    with ThreadPoolExecutor(4) as pool:
        found = set(pool.map(accept, range(4))) - {None}
    assert len(found) == 1
    while journey.notify_due(services, "w", 10):
        pass
    assert [url for url, _ in line.sent] == [endpoint.url]


def test_of_workers_at_once_one_claims_an_event(services, admin, line):
    _endpoint(services, admin)
    journey.take(services, admin, CRITICAL)
    with services.store.reading() as connection:
        (due,) = notices.due_notices(connection, IMPLAUSIBLE, 10)

    def claim(number):
        return services.store.write(
            lambda held: notices.claim_notice(
                held, due, f"w{number}", lease=LEASE, implausible=IMPLAUSIBLE
            )
        )

    with ThreadPoolExecutor(4) as pool:
        claims = [one for one in pool.map(claim, range(4)) if one]
    assert len(claims) == 1
    # Whoever held it and lost it may write nothing more.
    stale = dataclasses.replace(claims[0], token="another")
    assert not services.store.write(
        lambda held: notices.finish_notice(held, stale, "HTTP 200", services.now())
    )
    with services.store.reading() as connection:
        (holder,) = holders(connection)
    assert leases.release_of_the_dead(services, lambda name: name == holder) == 1
    assert journey.notify_due(services, "other", 10) == 1
    assert len(line.sent) == 1


def test_what_waits_and_what_was_given_up_is_counted(services, admin, line):
    _endpoint(services, admin)
    hasty = dataclasses.replace(
        services, policy=dataclasses.replace(services.policy, notice_delays=(timedelta(0),))
    )
    journey.take(hasty, admin, CRITICAL)
    counts = journey.due_counts(hasty)
    assert (counts.notices, counts.notices_due) == ({"queued": 1}, 1)
    assert counts.oldest_due is not None
    line.answers = [500, Unreachable("The server did not answer in time.")]
    journey.notify_due(hasty, "w", 10)
    assert journey.due_counts(hasty).notices == {"deferred": 1}
    journey.notify_due(hasty, "w", 10)
    counts = journey.due_counts(hasty)
    assert (counts.notices, counts.notices_due) == ({"failed": 1}, 0)


def test_an_event_is_not_told_again_while_it_is_being_told(services, admin, line):
    endpoint = _endpoint(services, admin)
    journey.take(services, admin, CRITICAL)
    (one,) = asked.deliveries(services, admin, endpoint.id)
    services.store.write(
        lambda held: notices.claim_notice(held, one.id, "w", lease=LEASE, implausible=IMPLAUSIBLE)
    )
    with pytest.raises(Conflict):
        asked.redeliver(services, admin, endpoint.id, one.id)


def test_a_correction_is_told_once_for_each_version(services, admin, line):
    endpoint = _endpoint(services, admin, events=("critical.detected", "interpretation.withdrawn"))
    panel_id = journey.take(services, admin, CRITICAL).panel_id
    journey.correct(services, admin, panel_id, CRITICAL)
    gone = a_panel("Potassium gone mmol/L", identifier=None, status="cancelled")
    journey.correct(services, admin, panel_id, gone)
    found = asked.deliveries(services, admin, endpoint.id)
    assert sorted((one.event, one.version) for one in found) == [
        ("critical.detected", 1),
        ("critical.detected", 2),
        ("interpretation.withdrawn", 3),
    ]
