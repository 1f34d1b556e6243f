"""Logs and metrics hold ids, codes and counts; whatever is written, no patient gets in."""

import contextlib
import errno
import io
import json
import logging
import subprocess
import sys

import pytest
from prometheus_client import REGISTRY

from labinterp import telemetry
from labinterp.errors import SubmissionError


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
