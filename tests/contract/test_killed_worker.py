"""SIGKILL at any step of the work is harmless: one document, one message, or a person's list."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import update

from labinterp.store.moment import db_now
from labinterp.store.tables import delivery, report
from labinterp.usecases import journey
from tests.conftest import wired
from tests.unit.usecases.conftest import a_panel, an_actor, drawn, interpreted, readable

ROOT = Path(__file__).parents[2]
WORKER = """
import os, sys
from sqlalchemy import event
from labinterp.jobs import InlineQueue
from labinterp.store.store import open_store
from labinterp.usecases import journey
from tests.conftest import OPENING, VAULT, Clock, Outbox, wired
from tests.unit.usecases.conftest import drawn

url, step = sys.argv[1:]
store = open_store(url, VAULT, OPENING)

def die(*_, **__):
    os.kill(os.getpid(), 9)

def draw(order):
    if step == "while drawing":
        die()
    return drawn(order)

class Mailer(Outbox):
    def send(self, message, recipient, *, still_ours):
        if step == "before the data":
            die()
        outcome = super().send(message, recipient, still_ours=still_ours)
        if outcome.kind == "sent":
            print(message["Message-ID"], flush=True)
        if step == "after the data":
            die()
        return outcome

WRITES = {
    "before the bytes are stored": "INSERT INTO report_file",
    "after the bytes are stored": "INSERT INTO report_file",
    "before the commit of the answer": "INSERT INTO audit_event",
}

def watch(connection, cursor, statement, *_):
    if statement.startswith(WRITES.get(step, "never")):
        die()

name = "before_cursor_execute" if step.startswith("before the bytes") else "after_cursor_execute"
services = wired(store, clock=Clock(), outbox=Mailer(), queue=InlineQueue(), knowledge="none", draw=draw)
if step == "before the commit of the answer":
    journey.draw_due(services, "w", 10)
event.listen(store.engine, name, watch)
journey.draw_due(services, "w", 10)
journey.deliver_due(services, "w", 10)
"""
STEPS = (
    "while drawing",
    "before the bytes are stored",
    "after the bytes are stored",
    "before the data",
    "after the data",
    "before the commit of the answer",
)


@pytest.fixture
def services(sqlite_store, clock, outbox, queue, monkeypatch):
    from labinterp import interpretation

    monkeypatch.setattr(interpretation, "interpret", interpreted)
    monkeypatch.setattr(interpretation, "readable", readable)
    return wired(
        sqlite_store, clock=clock, outbox=outbox, queue=queue, knowledge="none", draw=drawn
    )


@pytest.mark.slow
@pytest.mark.parametrize("step", STEPS)
@pytest.mark.hazard("mail-twice")
def test_a_worker_killed_leaves_one_document_and_one_message(services, outbox, step):
    ward = an_actor(services)
    panel_id = journey.take(services, ward, a_panel(email=("a@example.org",))).panel_id
    killed = subprocess.run(
        [sys.executable, "-c", WORKER, str(services.store.engine.url), step],
        cwd=ROOT,
        check=False,
        capture_output=True,
        text=True,
    )
    assert killed.returncode == -9, killed.stderr
    with services.store.writing() as connection:  # the leases have ended
        for table, states in ((report, ("drawing",)), (delivery, ("queued", "deferred"))):
            connection.execute(
                update(table)
                .where(table.c.status.in_(states), table.c.lease_token.is_not(None))
                .values(due_at=db_now() - 1)
            )
    journey.draw_due(services, "w2", 10)
    journey.deliver_due(services, "w2", 10)
    record = journey.read_panel(services, ward, panel_id)
    assert record.report.status == "ready"
    assert journey.read_report(services, ward, panel_id).pdf.startswith(b"%PDF LI-2026-000001")
    assert [item.status for item in record.deliveries] == ["sent"]
    sent_by_us = [message["Message-ID"] for message, _ in outbox.sent]
    # Only after the data may there be a second copy, and it carries the same Message-ID.
    assert len(sent_by_us) == 1
    assert set(killed.stdout.split()) <= set(sent_by_us)
    assert bool(killed.stdout) is (step in {"after the data", "before the commit of the answer"})
