"""Each refusal has one status, one title and a problem document; a fault of ours tells nothing."""

from __future__ import annotations

import errno

import pytest
from flask import Flask, g
from structlog.testing import capture_logs

from labinterp import errors as ours
from labinterp.api import errors
from labinterp.errors import LabinterpError, Place


@pytest.fixture
def app():
    made = Flask(__name__)
    errors.register_on(made)
    return made


def answer_when_raised(app, error):
    @app.get("/raise")
    def raise_it():
        raise error

    return app.test_client().get("/raise")


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (ours.SubmissionError("x"), 422, "submission-invalid"),
        (ours.SubmissionError("x", code="nothing-readable"), 422, "nothing-readable"),
        (ours.SubmissionError("x", code="json-invalid"), 400, "json-invalid"),
        (ours.SubmissionError("x", code="some-later-code"), 422, "some-later-code"),
        (ours.TooLarge("x"), 413, "too-large"),
        (ours.UnsupportedFormat("x"), 415, "unsupported-format"),
        (ours.Conflict("x"), 409, "conflict"),
        (ours.Conflict("x", code="idempotency-key-reused"), 422, "idempotency-key-reused"),
        (ours.NotFound("x"), 404, "not-found"),
        (ours.AccessDenied("x", code="unauthenticated"), 401, "unauthenticated"),
        (ours.AccessDenied("x"), 403, "forbidden"),
        (ours.TemporaryFailure("x"), 503, "temporarily-unavailable"),
        (ours.TemporaryFailure("x", code="database-unavailable"), 503, "database-unavailable"),
        (ours.KnowledgeError("x"), 500, "internal-error"),
        (LabinterpError("x"), 500, "internal-error"),
        (OSError(errno.ENOSPC, "x"), 503, "temporarily-unavailable"),
        (OSError(errno.EPERM, "x"), 500, "internal-error"),
        (ZeroDivisionError("x"), 500, "internal-error"),
    ],
    ids=lambda value: getattr(value, "code", None) if isinstance(value, Exception) else None,
)
def test_each_exception_has_its_status_and_code(app, error, status, code):
    answer = answer_when_raised(app, error)

    assert (answer.status_code, answer.json["code"]) == (status, code)
    assert answer.mimetype == "application/problem+json"
    assert answer.json["status"] == status
    assert answer.json["type"] == f"/api/problems#{code}"
    assert answer.json["title"]


def test_every_class_of_the_error_tree_is_in_the_table():
    def leaves(cls):
        yield cls
        for child in cls.__subclasses__():
            yield from leaves(child)

    in_tree = [cls for cls in leaves(LabinterpError) if cls.__module__ == "labinterp.errors"]

    for cls in in_tree:
        assert errors.kind_of(cls("x")).status >= 400


def test_our_own_message_and_places_are_shown(app):
    error = ours.SubmissionError(
        "row 4: calcium in mg lacks a volume", errors=(Place("row 4", "unit-unknown", "say mg/dL"),)
    )

    document = answer_when_raised(app, error).json

    assert document["detail"] == "row 4: calcium in mg lacks a volume"
    assert document["errors"] == [
        {"where": "row 4", "code": "unit-unknown", "message": "say mg/dL"}
    ]


@pytest.mark.parametrize(
    "error", [ValueError("MRN-1 Doe"), ours.KnowledgeError("MRN-1 Doe")], ids=["any", "ours"]
)
def test_a_fault_of_ours_quotes_nothing(app, error):
    text = answer_when_raised(app, error).get_data(as_text=True)

    assert "MRN" not in text
    assert "Doe" not in text


def test_a_temporary_failure_says_when_to_come_back(app):
    answer = answer_when_raised(app, ours.TemporaryFailure("x", retry_after=7))

    assert answer.headers["Retry-After"] == "7"


def test_who_is_not_known_is_told_how_to_say_who_they_are(app):
    answer = answer_when_raised(app, ours.AccessDenied("x", code="unauthenticated"))

    assert answer.headers["WWW-Authenticate"] == 'Bearer realm="labinterp"'


def test_a_wrong_method_is_told_the_right_ones(app):
    answer = app.test_client().delete("/raise")
    assert answer.status_code == 404

    app = Flask(__name__)
    errors.register_on(app)
    app.get("/only-read")(lambda: "")
    answer = app.test_client().delete("/only-read")

    assert answer.status_code == 405
    assert set(answer.headers["Allow"].split(", ")) == {"GET", "HEAD", "OPTIONS"}


def test_a_redirect_stays_a_redirect(app):
    app.add_url_rule("/folder/", view_func=lambda: "", endpoint="folder")

    answer = app.test_client().get("/folder")

    assert answer.status_code == 308
    assert answer.headers["Location"].endswith("/folder/")


def test_the_line_about_a_fault_of_ours_names_the_request_that_the_answer_names(app):
    @app.before_request
    def name_it():
        g.request_id = "r-1"

    with capture_logs() as lines:
        answer = answer_when_raised(app, RuntimeError("quotes input"))
    assert answer.json["request_id"] == "r-1"
    assert [line["request_id"] for line in lines if line["event"] == "unexpected-error"] == ["r-1"]
