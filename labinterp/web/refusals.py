"""What a page says when it cannot do what was asked: in words, nothing of the patient in it."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Final

from flask import Flask, Response, make_response, redirect, render_template, request, url_for
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import HTTPException

from labinterp import telemetry
from labinterp.errors import (
    AccessDenied,
    LabinterpError,
    NotFound,
    SubmissionError,
    TemporaryFailure,
    TooLarge,
)
from labinterp.web import kept, session
from labinterp.web.site import pages, request_id

if TYPE_CHECKING:
    from werkzeug.wrappers import Response as AnyResponse

NOT_FOUND: Final = ("Not found", "This was not found, or it is not yours to see.")
WORDS: Final = {
    400: ("Not understood", "The request could not be understood. Nothing was stored."),
    404: NOT_FOUND,
    405: ("Not possible here", "This address does not take what was sent."),
    413: ("Too large", "What was sent is larger than 1 MB. Nothing was stored."),
    429: ("Too many tries", "Wait a little, then try again."),
    503: ("Not available", "This part of the service did not answer. Try again in a moment."),
}
_log = telemetry.logger(__name__)


def attach(app: Flask) -> None:
    """Let the app answer with a page, too, where no route was found."""
    app.extensions["labinterp-page-of-error"] = page_of


@pages.errorhandler(Exception)
def page_of(error: Exception) -> AnyResponse:
    """The page for any exception, known or not."""
    if isinstance(error, AccessDenied) and error.code == "unauthenticated":
        return _to_sign_in()
    if isinstance(error, AccessDenied | NotFound):
        return page(404, *NOT_FOUND)
    if isinstance(error, CSRFError):
        return page(
            400,
            "This form is too old",
            "It was open for too long or in another session. Go back, reload it and try again; "
            "nothing was stored.",
        )
    if isinstance(error, LabinterpError):
        return _page_of_ours(error)
    if isinstance(error, HTTPException) and error.code and error.code < 500:  # noqa: PLR2004  (below: the client's)
        if error.code < 400:  # noqa: PLR2004  (a redirect is its own answer)
            return error.get_response()
        return page(error.code, *WORDS.get(error.code, WORDS[400]))
    return _page_of_unknown(error)


def page(
    status: int, title: str, message: str, *, reference: str = "", retry_after: int = 0
) -> Response:
    """A page that only says what happened."""
    body = render_template("refusal.html", title=title, message=message, reference=reference)
    response = make_response(body, status)
    response.headers["Cache-Control"] = "no-store"
    if retry_after:
        response.headers["Retry-After"] = str(retry_after)
    return response


def too_many(seconds: int) -> Response:
    """429 with the wait in words and in its header."""
    minutes = (seconds + 59) // 60
    wait = f"{seconds} seconds" if seconds <= 90 else f"{minutes} minutes"  # noqa: PLR2004  (a reader counts seconds so far)
    return page(429, "Too many tries", f"Try again in {wait}.", retry_after=seconds)


def _to_sign_in() -> AnyResponse:
    if request.method == "GET":
        session.remember_where(request.full_path.rstrip("?"))
    sealed = kept.sealed_request() if request.method == "POST" else ""
    if sealed:
        return make_response(render_template("sign_in.html", kept=sealed), 401)
    return redirect(url_for("web.sign_in"), 303)


def _page_of_ours(error: LabinterpError) -> Response:
    if error.code == "too-many-requests":
        return too_many(getattr(error, "retry_after", 60))
    if isinstance(error, TemporaryFailure):
        return page(503, "Not available", error.message, retry_after=error.retry_after)
    if isinstance(error, TooLarge):
        return page(413, "Too large", error.message)
    if isinstance(error, SubmissionError):
        return page(422, "Not accepted", error.message)
    return _page_of_unknown(error)


def _page_of_unknown(error: Exception) -> Response:
    reference = request_id() or secrets.token_hex(8)
    _log.error("unexpected-error", request_id=reference, **telemetry.error_facts(error))
    message = "The fault is ours. What was stored before is safe."
    return page(500, "Something failed here", message, reference=reference)
