"""Logs and metrics hold ids, codes and counts; whatever is written, no patient gets in."""

import contextlib
import errno
import io
import json
import logging
import os
import subprocess
import sys
from pathlib import Path

import pytest
from prometheus_client import REGISTRY

from labinterp import telemetry
from labinterp.errors import SubmissionError

ROOT = Path(__file__).parents[2]


@pytest.fixture
def lines():
    out = io.StringIO()
    telemetry.configure("info", out)
    yield lambda: [json.loads(line) for line in out.getvalue().splitlines()]
    logging.basicConfig(force=True, handlers=[logging.NullHandler()])


def fail(error):
    raise error


def test_a_line_has_what_happened_when_and_where(lines):
    telemetry.logger("labinterp.sample").info("report-drawn", panel_id="p1", milliseconds=12)
    (line,) = lines()
    assert line["event"] == "report-drawn"
    assert line["panel_id"] == "p1"
    assert line["milliseconds"] == 12
    assert line["logger"] == "labinterp.sample"
    assert line["timestamp"].endswith("Z")


def test_a_key_that_is_not_listed_does_not_reach_the_log(lines):
    telemetry.logger("x").info("accepted", patient="Miller", value="2.9", panel_id="p1")
    (line,) = lines()
    assert "Miller" not in json.dumps(line)
    assert "2.9" not in json.dumps(line)


def test_an_exception_is_logged_by_type_code_and_place_only(lines):
    try:
        fail(SubmissionError("Miller has no potassium", code="nothing-readable"))
    except SubmissionError:
        telemetry.logger("x").exception("refused")
    (line,) = lines()
    assert line["exception"] == "SubmissionError"
    assert line["code"] == "nothing-readable"
    assert "test_telemetry.py:" in line["place"]
    assert "Miller" not in json.dumps(line)


def test_what_a_library_filled_in_is_left_out(lines):
    logging.getLogger("some.library").error("could not read %s", "Miller")
    logging.getLogger("some.library").error("could not read Miller")
    first, second = lines()
    assert first["event"] == "could not read %s"
    assert second["event"] == "library-message"
    assert second["logger"] == "some.library"


def test_the_exception_of_a_library_is_logged_without_its_message(lines):
    try:
        fail(ValueError("Miller"))
    except ValueError:
        logging.getLogger("some.library").exception("failed")
    (line,) = lines()
    assert line["exception"] == "ValueError"
    assert "Miller" not in json.dumps(line)


def test_the_facts_of_a_request_are_on_each_of_its_lines_and_no_other(lines):
    log = telemetry.logger("x")
    with telemetry.bound(request_id="r1", family="Miller"):
        log.info("inside")
    log.info("outside")
    inside, outside = lines()
    assert inside["request_id"] == "r1"
    assert "family" not in inside
    assert "request_id" not in outside


def test_a_line_break_in_a_value_does_not_begin_a_new_line(lines):
    telemetry.logger("x").info("accepted", panel_id='p1\n{"event": "forged"}', code="\x1b[2J")
    assert len(lines()) == 1


def test_a_long_value_is_cut(lines):
    telemetry.logger("x").info("accepted", code="a" * 10_000)
    assert len(lines()[0]["code"]) == 200


def test_a_value_that_is_no_text_is_logged_by_its_type(lines):
    telemetry.logger("x").info("accepted", count={"family": "Miller"})
    assert lines()[0]["count"] == "dict"


def test_foreign_text_becomes_no_time_series():
    assert telemetry.label("outcome", "sent") == "sent"
    assert telemetry.label("outcome", "Miller") == "other"


def test_the_metrics_are_printed_in_the_text_form_of_prometheus():
    telemetry.MAILS.labels("sent").inc()
    body, content_type = telemetry.exposition()
    assert b'labinterp_mails_total{outcome="sent"}' in body
    assert content_type.startswith("text/plain")


def test_a_process_that_set_nothing_up_keeps_to_the_list_and_off_standard_output():
    code = "from labinterp import telemetry; telemetry.logger('x').error('e', family='Miller')"
    run = subprocess.run((sys.executable, "-c", code), capture_output=True, text=True, check=True)
    assert run.stdout == ""
    assert json.loads(run.stderr)["event"] == "e"
    assert "Miller" not in run.stderr


def test_lines_go_where_standard_error_goes_now(monkeypatch, lines):
    closed = io.StringIO()
    with monkeypatch.context() as patch:
        patch.setattr(sys, "stderr", closed)
        telemetry.configure("info")
    closed.close()
    out = io.StringIO()
    monkeypatch.setattr(sys, "stderr", out)
    telemetry.logger("labinterp.sample").info("report-drawn", panel_id="p1")
    assert json.loads(out.getvalue())["panel_id"] == "p1"


@pytest.fixture
def full_disk():
    with open("/dev/full", "w", buffering=1) as out:  # noqa: PTH123 - every write fails: no space left
        telemetry.configure("info", out)
        yield
        logging.basicConfig(force=True, handlers=[logging.NullHandler()])
        telemetry.configure("warning")
        with contextlib.suppress(OSError):
            out.close()


@pytest.mark.usefixtures("full_disk")
@pytest.mark.hazard("panel-lost")
def test_a_log_that_cannot_be_written_loses_its_line_and_not_the_work():
    lost = REGISTRY.get_sample_value("labinterp_log_lines_lost_total")
    telemetry.logger("labinterp.sample").info("report-drawn", panel_id="p1")
    telemetry.logger("labinterp.sample").error("unexpected-error", panel_id="p1")
    assert REGISTRY.get_sample_value("labinterp_log_lines_lost_total") == lost + 2


def test_a_measurement_that_cannot_be_written_is_left_out(monkeypatch):
    def full(*_):
        raise OSError(errno.EFBIG, "File too large")

    monkeypatch.setattr(telemetry.REQUESTS, "labels", full)
    telemetry.measure(telemetry.REQUESTS, 0.1, "GET", "/", "200")


ROOM = """
import os, pathlib
from labinterp import telemetry
telemetry.configure("info")
for number in range(2000):
    telemetry.count(telemetry.PANELS_REFUSED, f"code-{number}")
telemetry.exposition()
files = [file.stat() for file in pathlib.Path(os.environ["PROMETHEUS_MULTIPROC_DIR"]).iterdir()]
assert len(files) >= 2 and max(file.st_size for file in files) > 65536
print([file.st_blocks * 512 >= file.st_size for file in files])
"""


@pytest.mark.hazard("panel-lost")
def test_measurements_have_their_place_on_the_disk_before_it_is_full(tmp_path):
    """They are written through memory; without a place the kernel ends the process (SIGBUS)."""
    environment = {"PATH": os.defpath, "PROMETHEUS_MULTIPROC_DIR": str(tmp_path)}
    command = [sys.executable, "-c", ROOM]
    done = subprocess.run(command, env=environment, cwd=ROOT, check=True, capture_output=True)
    assert done.stdout == b"[True, True]\n"


def test_what_the_database_says_is_among_the_metrics():
    standing = telemetry.Standing({("report", "failed"): 2}, 12.5, 1)
    text = telemetry.exposition(standing)[0].decode()
    assert 'labinterp_work_rows{kind="report",state="failed"} 2.0\n' in text
    assert "labinterp_oldest_due_seconds 12.5\n" in text
    assert "labinterp_database_up 1.0\n" in text


def test_a_database_that_does_not_answer_is_a_metric_too():
    text = telemetry.exposition(None)[0].decode()
    assert "labinterp_database_up 0.0\n" in text
    assert "labinterp_work_rows" not in text
