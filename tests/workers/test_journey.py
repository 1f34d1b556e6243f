"""From an accepted panel to one PDF and one mail, whatever is killed on the way."""

import os
import random
import signal
import time
from email import message_from_bytes

import pytest

from labinterp.usecases import journey
from tests.workers.harness import kill, until

pytestmark = [pytest.mark.redis, pytest.mark.slow]
REPEAT = int(os.environ.get("REPEAT", "1"))  # noqa: TID251 - how thorough, set by `make prove`


def message_ids(smtp):
    return [message_from_bytes(mail)["Message-ID"] for mail in smtp.mails]


def test_an_accepted_panel_becomes_one_pdf_and_one_mail(site, smtp):
    site.start("worker")
    panel_id = site.accept()
    until(lambda: site.is_sent(panel_id))
    report = journey.read_report(site.services, site.actor, panel_id)
    assert report.pdf.startswith(b"%PDF-")
    (mail,) = smtp.mails
    text = mail.decode()
    assert report.number in text
    for word in ("Magnesium", "Potassium", "TEST", "2.9", "TEST-0001"):
        assert word not in text


def test_a_panel_accepted_while_everything_is_down_is_drawn_and_sent_later(site, broker, smtp):
    broker.stop(at_once=True)
    panel_id = site.accept()
    broker.start()
    site.start("worker")
    site.start("relay")
    until(lambda: site.is_sent(panel_id))
    assert len(smtp.mails) == 1


@pytest.mark.parametrize("attempt", range(REPEAT))
def test_a_worker_killed_while_it_draws_leaves_one_pdf_and_one_mail(site, smtp, attempt):
    worker = site.start("worker")
    site.start("relay")
    panels = [site.accept() for _ in range(6)]
    until(lambda: site.record(panels[0]).report.status == "drawing")
    kill(worker)
    interrupted = [p for p in panels if site.record(p).report.status == "drawing"]
    site.start("worker")
    until(lambda: all(map(site.is_sent, panels)), 60)
    assert interrupted
    assert all(site.record(panel).report.attempts == 2 for panel in interrupted)
    assert len(smtp.mails) == len(set(message_ids(smtp))) == len(panels)


@pytest.mark.parametrize("attempt", range(REPEAT))
@pytest.mark.hazard("panel-lost")
def test_workers_killed_at_any_moment_lose_nothing(site, smtp, attempt):
    site.start("relay")
    panels = [site.accept() for _ in range(5)]
    chance = random.Random(attempt)  # noqa: S311 - when to kill
    for _ in range(2):
        worker = site.start("worker")
        time.sleep(chance.uniform(2.0, 5.0))
        kill(worker)
    site.start("worker")
    until(lambda: all(map(site.is_sent, panels)), 60)
    # A mail may come twice only as the same mail: its reader's system can drop the second.
    assert len(set(message_ids(smtp))) == len(panels)


def test_a_pool_process_killed_as_the_kernel_does_is_made_up_for(site, smtp):
    site.start("relay")
    worker = site.start("worker")
    children = until(lambda: _children(worker.pid))
    panels = [site.accept() for _ in range(4)]
    until(lambda: site.record(panels[0]).report.status in ("drawing", "ready"))
    for child in children:
        os.kill(child, signal.SIGKILL)
    until(lambda: all(map(site.is_sent, panels)), 60)
    assert len(set(message_ids(smtp))) == len(panels)


def _children(pid):
    from pathlib import Path

    listed = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [int(child) for child in listed] if len(listed) >= 2 else []


@pytest.mark.parametrize("data", ["kept", "lost"])
@pytest.mark.hazard("panel-lost")
def test_a_broker_that_is_killed_costs_a_sweep_not_a_panel(site, broker, smtp, data):
    first = site.accept()
    broker.stop(at_once=True)
    if data == "lost":
        for path in sorted(broker.folder.rglob("*"), reverse=True):
            path.rmdir() if path.is_dir() else path.unlink()
    broker.start()
    site.start("worker")
    site.start("relay")
    until(lambda: site.is_sent(first))
    broker.stop(at_once=True)
    second = site.accept()
    broker.start()
    until(lambda: site.is_sent(second), 60)
    assert len(smtp.mails) == 2


@pytest.mark.hazard("mail-twice")
def test_a_message_that_comes_twice_makes_one_mail(site, smtp):
    panel_id = site.accept()
    for _ in range(5):
        site.services.queue.wake("report")
        site.services.queue.wake("delivery")
    site.start("worker")
    until(lambda: site.is_sent(panel_id))
    for _ in range(5):
        site.services.queue.wake("report")
        site.services.queue.wake("delivery")
    until(lambda: site.services.queue.waiting("delivery") == 0)
    time.sleep(0.5)
    assert len(smtp.mails) == 1
    assert site.record(panel_id).report.attempts == 1


def test_a_worker_told_to_stop_finishes_and_ends(site, smtp):
    worker = site.start("worker")
    panel_id = site.accept()
    until(lambda: site.record(panel_id).report.status in ("drawing", "ready"))
    began = time.monotonic()
    worker.stop()
    assert time.monotonic() - began < 15
    assert site.record(panel_id).report.status == "ready"


def test_a_drawing_that_outlasts_its_limit_is_a_persons_after_three_tries(site_with, smtp):
    site = site_with(TASK_SOFT_LIMIT="0.02", TASK_HARD_LIMIT="20", OUTBOUND_TIMEOUT="0.01")
    panel_id = site.accept()
    site.start("worker")
    site.start("relay")
    until(lambda: site.record(panel_id).report.status == "failed", 60)
    report = site.record(panel_id).report
    assert report.attempts == 3
    assert report.why
    assert site.mails(panel_id) == ["failed"]
    assert smtp.mails == []


def test_a_drawing_that_takes_its_process_down_is_a_persons_after_three_tries(site_with, smtp):
    site = site_with(TASK_SOFT_LIMIT="0.04", TASK_HARD_LIMIT="0.05", OUTBOUND_TIMEOUT="0.01")
    panel_id = site.accept()
    site.start("worker")
    site.start("relay")
    until(lambda: site.record(panel_id).report.status == "failed", 120)
    assert site.record(panel_id).report.attempts == 3
    assert site.mails(panel_id) == ["failed"]
