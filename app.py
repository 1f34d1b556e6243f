"""The web application: API and pages on one Flask app, and what holds for every answer of both."""

from __future__ import annotations

import re
import secrets
import time
from typing import TYPE_CHECKING, Any, Final

from flask import Flask, Response, current_app, g, request
from werkzeug.middleware.proxy_fix import ProxyFix

from labinterp import bootstrap, telemetry, web
from labinterp.api import errors, registration

if TYPE_CHECKING:
    from labinterp.usecases.services import Services

REQUEST_ID: Final = re.compile(r"[A-Za-z0-9._-]{1,64}")
CONTENT_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS: Final = {
    "Content-Security-Policy": CONTENT_POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Cache-Control": "no-store",
}
PAGE_OF_ERROR: Final = "labinterp-page-of-error"
STRICT_TRANSPORT: Final = "max-age=31536000; includeSubDomains"

_log = telemetry.logger("labinterp.web")


def create_app(services: Services | None = None) -> Flask:
    """The app with its services; without any given, those that the environment asks for."""
    wired = services or bootstrap.services()
    app = Flask("labinterp", static_folder=None)
    app.config.update(bootstrap.flask_config(wired))
    app.config["MAX_CONTENT_LENGTH"] = wired.policy.body_limit
    app.before_request(_begin)
    app.after_request(_finish)
    registration.register(app, wired)
    web.register(app, wired)
    app.register_error_handler(Exception, _refusal)
    _believe_proxies(app, wired.policy.trusted_proxies)
    return app


def _believe_proxies(app: Flask, count: int) -> None:
    """Who asks, and over what, is a proxy's word only where the operator runs one."""
    if count:
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=count, x_proto=count, x_host=count)  # type: ignore[method-assign]


def _begin() -> None:
    sent = request.headers.get("X-Request-ID", "")
    g.request_id = sent if REQUEST_ID.fullmatch(sent) else secrets.token_hex(16)
    g.began = time.perf_counter()


def _finish(response: Response) -> Response:
    response.headers["X-Request-ID"] = g.request_id
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    if request.is_secure or current_app.config["PREFERRED_URL_SCHEME"] == "https":
        response.headers.setdefault("Strict-Transport-Security", STRICT_TRANSPORT)
    _tell(response.status_code, time.perf_counter() - g.began)
    return response


def _tell(status: int, seconds: float) -> None:
    """A line and a measurement for each request: its route, never its address, which holds ids."""
    route = request.url_rule.rule if request.url_rule else "none"
    telemetry.measure(telemetry.REQUESTS, seconds, _method(), route, str(status))
    _log.info(
        "request",
        request_id=g.request_id,
        method=_method(),
        route=route,
        status=status,
        milliseconds=round(seconds * 1000, 1),
        **_who(),
    )


def _method() -> str:
    """The method, if it is a usual one: foreign words become no time series."""
    usual = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
    return request.method if request.method in usual else "other"


def _who() -> dict[str, Any]:
    actor = g.get("actor")
    return {"key_id": actor.id, "organisation_id": actor.organisation_id} if actor else {}


def _refusal(error: Exception) -> Any:
    """A problem document for programs; a page for people."""
    if registration.answers_machines(request.path):
        return errors.answer_to(error)
    return current_app.extensions[PAGE_OF_ERROR](error)
