"""Drawing: one worker a row, attempts counted before the work, nothing written on a lost claim."""

from __future__ import annotations

import hashlib
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from labinterp.errors import Conflict, ReportFailure, TemporaryFailure
from labinterp.store import reports
from labinterp.store.moment import db_now, microseconds
from labinterp.store.tables import report
from labinterp.usecases import journey
from tests.unit.usecases.conftest import a_panel, drawn, with_policy

LEASE = {"lease": timedelta(minutes=5), "implausible": timedelta(days=2), "attempts": 3}


def accepted(services, ward, **more):
    return journey.take(services, ward, a_panel(**more)).panel_id


def row(services, panel_id):
    with services.store.reading() as connection:
        return connection.execute(select(report).where(report.c.panel_id == panel_id)).one()


def move_due(services, **by):
    """As if this much time had passed for the rows."""
    with services.store.writing() as connection:
        connection.execute(update(report).values(due_at=db_now() - microseconds(timedelta(**by))))


def claim(services, report_id, worker="w"):
    return services.store.write(
        lambda connection: reports.claim_report(connection, report_id, worker, **LEASE)
    )


def test_a_due_report_is_drawn_and_its_bytes_are_served(services, ward, queue):
    panel_id = accepted(services, ward, email=("a@example.org",))
    assert journey.draw_due(services, "w", 10) == 1
    state = journey.read_report(services, ward, panel_id)
    assert state.status == "ready"
    assert state.pdf == b"%PDF LI-2026-000001 v1 final Testcase  "
    assert state.digest == hashlib.sha256(state.pdf).hexdigest()
    assert state.file_name == "report-LI-2026-000001.pdf"
    assert queue.wakes == ["report", "delivery"]
    assert journey.draw_due(services, "w", 10) == 0


def test_a_report_being_drawn_asks_for_patience(services, ward):
    panel_id = accepted(services, ward)
    state = journey.read_report(services, ward, panel_id)
    assert (state.status, state.pdf, state.retry_after) == ("queued", None, 2)


def test_of_two_workers_one_wins(services, ward):
    report_id = row(services, accepted(services, ward)).id
    start = threading.Barrier(4)

    def take(number):
        start.wait()
        return claim(services, report_id, f"w{number}")

    with ThreadPoolExecutor(4) as pool:
        claims = [each.result() for each in [pool.submit(take, n) for n in range(4)]]
    assert sum(each is not None for each in claims) == 1


def test_many_workers_draw_each_report_once(services, ward):
    for number in range(6):
        accepted(services, ward, identifier=f"MRN-{number}")
    orders = []
    lock = threading.Lock()

    def draw(order):
        with lock:
            orders.append(order.number)
        return drawn(order)

    working = replace(services, draw=draw)
    with ThreadPoolExecutor(3) as pool:
        moved = [
            each.result()
            for each in [pool.submit(journey.draw_due, working, f"w{n}", 10) for n in range(3)]
        ]
    assert sum(moved) == 6
    assert sorted(orders) == sorted(set(orders))
    assert len(orders) == 6


def test_a_claim_holds_until_its_lease_ends(services, ward):
    report_id = row(services, accepted(services, ward)).id
    assert claim(services, report_id) is not None
    assert claim(services, report_id) is None
    move_due(services, seconds=1)
    again = claim(services, report_id)
    assert again is not None
    assert again.attempts == 2


def test_a_worker_that_slept_through_its_lease_may_not_write(services, ward):
    panel_id = accepted(services, ward)
    report_id = row(services, panel_id).id
    slow = claim(services, report_id, "slow")
    move_due(services, seconds=1)
    fast = claim(services, report_id, "fast")

    def order(number):
        pdf = number.encode()
        from labinterp.model.report import Report

        return Report(pdf, number, hashlib.sha256(pdf).hexdigest(), 1, "r.pdf")

    now = services.now()
    store = services.store

    def finish(held, said):
        return store.write(lambda c: reports.finish_report(c, store.vault, held, order(said), now))

    assert not finish(slow, "slow")
    assert not store.write(lambda c: reports.defer_report(c, slow, error="x", delay=timedelta(0)))
    assert not store.write(lambda c: reports.fail_report(c, slow, why="x", error="x"))
    assert finish(fast, "fast")
    assert not finish(slow, "slow")
    assert journey.read_report(services, ward, panel_id).pdf == b"fast"


def test_a_lease_implausibly_far_ahead_counts_as_over(services, ward):
    report_id = row(services, accepted(services, ward)).id
    assert claim(services, report_id) is not None
    move_due(services, days=-3)
    assert claim(services, report_id) is not None


def test_a_panel_that_kills_its_worker_is_parked_after_three(services, ward):
    class Killed(BaseException):
        pass

    def die(order):
        raise Killed

    panel_id = accepted(services, ward, email=("a@example.org",))
    other = accepted(services, ward, identifier="MRN-2")
    deadly = replace(services, draw=die)
    with services.store.writing() as connection:
        connection.execute(update(report).where(report.c.panel_id == other).values(due_at=None))
    for _ in range(3):
        with pytest.raises(Killed):
            journey.draw_due(deadly, "w", 10)
        with services.store.writing() as connection:
            connection.execute(
                update(report).where(report.c.panel_id == panel_id).values(due_at=db_now() - 1)
            )
    assert row(services, panel_id).attempts == 3
    assert journey.draw_due(deadly, "w", 10) == 1
    record = journey.read_panel(services, ward, panel_id)
    assert record.report.status == "failed"
    assert "3 times" in record.report.why
    assert record.deliveries[0].status == "failed"
    assert "report" in record.deliveries[0].last_answer


def test_a_fault_is_tried_again_with_a_delay_and_then_given_to_a_person(services, ward):
    def fail(order):
        raise ValueError("Testcase has a strange name")

    faulty = replace(services, draw=fail)
    panel_id = accepted(services, ward, email=("a@example.org",))
    for attempt in (1, 2):
        assert journey.draw_due(faulty, "w", 10) == 1
        seen = row(services, panel_id)
        assert (seen.status, seen.attempts) == ("queued", attempt)
        assert "ValueError" in seen.last_error
        assert "Testcase" not in seen.last_error
        move_due(services, seconds=1)
    assert journey.draw_due(faulty, "w", 10) == 1
    state = journey.read_report(services, ward, panel_id)
    assert state.status == "failed"
    assert state.retry_after is None
    assert "Testcase" not in state.why
    assert journey.due_counts(services).reports == {"failed": 1}
    assert journey.due_counts(services).deliveries == {"failed": 1}


def test_what_no_font_can_print_is_not_tried_again_and_says_why(services, ward):
    def refuse(order):
        raise ReportFailure("A report cannot print “王”.", code="glyph-missing")

    panel_id = accepted(services, ward, email=("a@example.org",))
    assert journey.draw_due(replace(services, draw=refuse), "w", 10) == 1
    seen = row(services, panel_id)
    assert (seen.status, seen.attempts) == ("failed", 1)
    assert seen.why == "A report cannot print “王”."
    assert journey.read_panel(services, ward, panel_id).deliveries[0].status == "failed"


def test_a_failed_report_can_be_drawn_anew_and_its_mail_follows(services, ward, outbox):
    def fail(order):
        raise ValueError

    hopeless = with_policy(replace(services, draw=fail), report_attempts=1)
    panel_id = accepted(services, ward, email=("a@example.org",))
    journey.draw_due(hopeless, "w", 10)
    assert journey.read_report(services, ward, panel_id).status == "failed"
    assert journey.retry_report(services, ward, panel_id).status == "queued"
    assert journey.draw_due(services, "w", 10) == 1
    assert journey.deliver_due(services, "w", 10) == 1
    assert [to for _, to in outbox.sent] == ["a@example.org"]
    with pytest.raises(Conflict):
        journey.retry_report(services, ward, panel_id)


@pytest.mark.hazard("panel-lost")
def test_one_bad_panel_does_not_stop_the_others(services, ward):
    bad = accepted(services, ward)
    good = accepted(services, ward, identifier="MRN-2")

    def draw(order):
        if order.identity.identifier == "MRN-1":
            raise ValueError
        return drawn(order)

    journey.draw_due(replace(services, draw=draw), "w", 10)
    assert journey.read_report(services, ward, good).status == "ready"
    assert journey.read_report(services, ward, bad).status == "queued"


def test_a_database_that_goes_away_while_drawing_leaves_the_lease_to_end(services, ward):
    panel_id = accepted(services, ward)

    def draw(order):
        raise TemporaryFailure("gone")

    with pytest.raises(TemporaryFailure):
        journey.draw_due(replace(services, draw=draw), "w", 10)
    assert row(services, panel_id).status == "drawing"
    move_due(services, seconds=1)
    assert journey.draw_due(services, "w", 10) == 1
    assert journey.read_report(services, ward, panel_id).status == "ready"


def test_bytes_that_lost_their_digest_are_not_served(services, ward):
    panel_id = accepted(services, ward)
    journey.draw_due(services, "w", 10)
    with services.store.writing() as connection:
        connection.execute(update(report).values(digest="0" * 64))
    with pytest.raises(RuntimeError):
        journey.read_report(services, ward, panel_id)


def test_what_waits_is_counted_with_the_age_of_the_oldest(services, ward):
    assert journey.due_counts(services).oldest_due is None
    accepted(services, ward, email=("a@example.org",))
    move_due(services, minutes=10)
    counts = journey.due_counts(services)
    assert counts.reports == {"queued": 1}
    assert counts.deliveries == {"queued": 1}
    assert (counts.reports_due, counts.deliveries_due) == (1, 0)
    assert timedelta(minutes=10) <= counts.oldest_due < timedelta(minutes=11)
