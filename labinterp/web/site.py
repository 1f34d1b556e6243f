"""What every page shares: who asks, the services, the headers, and what a refusal looks like."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, cast

from flask import Blueprint, Flask, Response, current_app, g, redirect, request, url_for
from flask_login import current_user
from flask_wtf.csrf import CSRFProtect

from labinterp.errors import AccessDenied, TemporaryFailure
from labinterp.usecases import undelivered

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue

    from labinterp.access import Actor
    from labinterp.usecases.services import Services

_SERVICES: Final = "labinterp-web-services"
OPEN: Final = "open_to_all"
PROOF: Final = "needs_proof"
FIRST: Final = "before_the_second_factor"
CONTENT_POLICY: Final = (
    "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; "
    "object-src 'none'"
)
HEADERS: Final = {
    "Content-Security-Policy": CONTENT_POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}
A_MEGABYTE: Final = 1_000_000
FORM_LIMIT: Final = 4 * A_MEGABYTE
"""Most a form may hold: the draft of a 1 MB file, sealed, with its choices."""

csrf = CSRFProtect()
pages = Blueprint(
    "web", __name__, template_folder="templates", static_folder="static", static_url_path="/assets"
)


def attach(app: Flask, services: Services) -> None:
    """Register the blueprint with everything it needs, once per app."""
    from labinterp.web import (  # noqa: PLC0415  (importing them hangs their routes on the blueprint)
        default_recipients,
        entry,
        history,
        home,
        knowledge,
        limits,
        mail_link,
        members,
        messages,
        panels,
        patient,
        proof,
        refusals,
        result,
        second_factor,
        session,
        sign_in,
        statements,
        words,
    )

    del entry, history, home, knowledge, members, panels, patient, proof, result, second_factor
    del sign_in, statements, default_recipients, mail_link, messages
    app.extensions[_SERVICES] = services
    app.config.update(
        WTF_CSRF_CHECK_DEFAULT=False,  # the API has keys, not cookies; pages check in `_guard`
        WTF_CSRF_TIME_LIMIT=None,  # as long as the session
        WTF_CSRF_SSL_STRICT=False,  # pages send no referrer
    )
    csrf.init_app(app)
    limits.attach(app, services)
    session.attach(app, services)
    words.attach(app)
    refusals.attach(app)
    app.register_blueprint(pages)


def services() -> Services:
    """What the use cases need; the same for every request of this process."""
    return cast("Services", current_app.extensions[_SERVICES])


def actor() -> Actor:
    """Who is signed in.

    Raises:
        AccessDenied: nobody is (`unauthenticated`).
    """
    if not current_user.is_authenticated:
        raise AccessDenied("Sign in to see this page.", code="unauthenticated")
    return cast("Actor", current_user.actor)


def open_to_all(view: Any) -> Any:
    """Mark a view that needs no sign-in; every other one does."""
    setattr(view, OPEN, True)
    return view


def needs_proof(view: Any) -> Any:
    """Mark a view that changes what guards an account: who signed in long ago is asked again."""
    setattr(view, PROOF, True)
    return view


def for_everybody(view: Any) -> Any:
    """Mark a view for whoever must set up a second factor before they see anything else."""
    setattr(view, FIRST, True)
    return view


def request_id() -> str:
    """The id that the answer carries, for the audit."""
    return str(g.get("request_id", ""))


@pages.before_request
def _guard() -> ResponseReturnValue | None:
    """Nothing of a request is read before its token is checked and somebody is signed in."""
    from labinterp.web import limits, refusals  # noqa: PLC0415  (both hang on this module)

    request.max_form_memory_size = FORM_LIMIT
    if request.method not in ("GET", "HEAD", "OPTIONS"):
        csrf.protect()
    if request.endpoint == "web.static":
        return None
    view = current_app.view_functions.get(str(request.endpoint))
    if not getattr(view, OPEN, False):
        actor()
    who = current_user.actor.id if current_user.is_authenticated else limits.address()
    wait = limits.seconds_to_wait("page", who)
    if wait:
        return refusals.too_many(wait)
    return None if getattr(view, OPEN, False) else _asked_first(view)


def _asked_first(view: Any) -> ResponseReturnValue | None:
    """What is asked before this view: a second factor, or who it is once more."""
    from labinterp.web import proof, session  # noqa: PLC0415  (both hang on this module)

    if current_user.lacks_second_factor and not getattr(view, FIRST, False):
        return redirect(url_for("web.second_factor"), 303)
    if getattr(view, PROOF, False) and not session.is_fresh():
        return proof.asked()
    return None


@pages.after_request
def _headers(response: Response) -> Response:
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    if request.endpoint == "web.static":
        response.headers["Cache-Control"] = "public, max-age=3600"
    else:
        response.headers["Cache-Control"] = "no-store"
    return response


def _late_critical() -> int:
    """How many critical reports are late; 0 for those who may not read panels."""
    try:
        return undelivered.late_critical(services(), actor())
    except (AccessDenied, TemporaryFailure):
        return 0


@pages.app_context_processor
def _shared() -> dict[str, Any]:
    known = current_app.extensions.get(_SERVICES)
    if known is None:
        return {}
    return {
        "policy": known.policy,
        "knowledge_version": known.knowledge.version,
        "actor": current_user.actor if current_user.is_authenticated else None,
        "late_critical": _late_critical,
        "errors": (),
        "form": {},
    }
