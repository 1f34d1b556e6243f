"""The relay wakes whom the work needs, and outlives whatever is away."""

import threading
from types import SimpleNamespace

import pytest

from labinterp.errors import TemporaryFailure
from labinterp.jobs import InlineQueue
from labinterp.usecases import journey
from workers import relay


class Silent(InlineQueue):
    def waiting(self, _kind):
        return None


@pytest.fixture
def due(monkeypatch):
    counts = SimpleNamespace(reports_due=0, deliveries_due=0, notices_due=0, jobs_due=0)
    counts.tidied = []
    monkeypatch.setattr(journey, "due_counts", lambda _: counts)
    monkeypatch.setattr(journey, "tidy", counts.tidied.append)
    return counts


def services(queue=None):
    return SimpleNamespace(queue=queue or InlineQueue())


def test_nobody_is_woken_when_nothing_is_due(due):
    parts = services()
    assert relay.sweep(parts) == 0
    assert parts.queue.wakes == []


def test_each_sweep_forgets_what_has_had_its_time(due):
    parts = services()
    relay.sweep(parts)
    assert due.tidied == [parts]


def test_each_kind_of_work_is_woken_by_itself(due):
    due.reports_due, due.deliveries_due = 1, 1
    parts = services()
    relay.sweep(parts)
    assert parts.queue.wakes == ["report", "delivery"]


@pytest.mark.parametrize(("rows", "wakes"), [(1, 1), (20, 1), (21, 2), (80, 4), (100_000, 4)])
def test_much_work_wakes_several_and_not_too_many(due, rows, wakes):
    due.reports_due = rows
    assert relay.sweep(services()) == wakes


def test_messages_that_nobody_took_are_not_piled_up(due):
    due.deliveries_due = 3
    parts = services()
    for _ in range(100):
        relay.sweep(parts)
    assert parts.queue.wakes == ["delivery"]


def test_a_broker_that_is_away_is_not_asked_again_and_again(due):
    due.reports_due = 3
    parts = services(Silent())
    assert relay.sweep(parts) == 0
    assert parts.queue.wakes == []


def test_a_database_that_is_away_is_waited_for(due, monkeypatch):
    stop = threading.Event()
    answers = iter([TemporaryFailure("away"), RuntimeError("worse"), None])

    def counts(_services):
        answer = next(answers)
        if answer:
            raise answer
        stop.set()
        return SimpleNamespace(reports_due=1, deliveries_due=0, notices_due=0, jobs_due=0)

    monkeypatch.setattr(journey, "due_counts", counts)
    parts = services()
    relay.run(lambda: parts, stop, interval=0.01)
    assert parts.queue.wakes == ["report"]


def test_it_ends_at_once_when_told(due):
    stop = threading.Event()
    stop.set()
    relay.run(services, stop, interval=60)


def test_the_mailbox_of_bounces_is_read_again_and_again_whatever_it_says(monkeypatch):
    stop = threading.Event()
    answers = iter([TemporaryFailure("away"), RuntimeError("worse"), 2])

    def read(_services):
        answer = next(answers)
        if isinstance(answer, Exception):
            raise answer
        stop.set()
        return answer

    monkeypatch.setattr(journey, "read_bounces", read)
    relay.run_bounces(services, stop, interval=0.01)
    assert next(answers, None) is None
