"""Signing in by password or by a one-time link, and signing out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import make_response, redirect, render_template, request, url_for
from flask_login import current_user

from labinterp.errors import AccessDenied
from labinterp.usecases import administer
from labinterp.usecases.recipients import address_of
from labinterp.usecases.second_factor import sign_in_by_code
from labinterp.usecases.sign_in import CodeNeeded
from labinterp.web import kept, limits, refusals, session
from labinterp.web.fields import FieldError
from labinterp.web.site import open_to_all, pages, services

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue

    from labinterp.access import Actor


@pages.get("/login")
@open_to_all
def sign_in() -> ResponseReturnValue:
    """The form; someone signed in already goes where they wanted."""
    if current_user.is_authenticated:
        return redirect(session.take_where(url_for("web.home")), 303)
    return render_template("sign_in.html")


@pages.post("/login")
@open_to_all
def sign_in_by_password() -> ResponseReturnValue:
    """Check address and password; a wrong one says the same whichever was wrong."""
    email, password = request.form.get("email", "").strip(), request.form.get("password", "")
    missing = _missing(email, password)
    if missing:
        return _again(email, missing, 422)
    wait = max(
        limits.seconds_to_wait("address", limits.address()),
        limits.seconds_to_wait("account", _account(email)),
    )
    if wait:
        return refusals.too_many(wait)
    try:
        actor = administer.sign_in(services(), email, password, address=limits.address())
    except CodeNeeded as needed:
        session.begin_half(needed.user_id)
        return _code_page()
    except AccessDenied as error:
        return _again(email, (FieldError("email", error.message),), 422)
    return _let_in(actor, request.form.get("kept", ""))


@pages.get("/login/link/<token>")
@open_to_all
def sign_in_link(token: str) -> ResponseReturnValue:
    """Ask for a click: mail scanners open links, they do not press buttons."""
    return render_template("sign_in_link.html", token=token)


@pages.post("/login/link/<token>")
@open_to_all
def sign_in_by_link(token: str) -> ResponseReturnValue:
    """Use the link up and sign in."""
    wait = limits.seconds_to_wait("address", limits.address())
    if wait:
        return refusals.too_many(wait)
    try:
        actor = administer.sign_in_by_link(services(), token, address=limits.address())
    except CodeNeeded as needed:
        session.begin_half(needed.user_id)
        return redirect(url_for("web.sign_in_code"), 303)
    except AccessDenied as error:
        return _again("", (FieldError("email", error.message),), 422)
    return _let_in(actor)


@pages.get("/login/code")
@open_to_all
def sign_in_code() -> ResponseReturnValue:
    """The code of the authenticator is asked for; without password or link before, nothing is."""
    return _code_page() if session.half() else redirect(url_for("web.sign_in"), 303)


@pages.post("/login/code")
@open_to_all
def sign_in_with_code() -> ResponseReturnValue:
    """The second step: a code of the authenticator, or one of those for when it is lost."""
    waiting = session.half()
    if waiting is None:
        return redirect(url_for("web.sign_in"), 303)
    user_id, since = waiting
    wait = max(
        limits.seconds_to_wait("address", limits.address()),
        limits.seconds_to_wait("account", user_id),
    )
    if wait:
        return refusals.too_many(wait)
    code = request.form.get("code", "")
    try:
        actor = sign_in_by_code(services(), user_id, code, since=since, address=limits.address())
    except AccessDenied as error:
        return _code_page((FieldError("code", error.message),), 422)
    return _let_in(actor, request.form.get("kept", ""))


@pages.post("/logout")
@open_to_all
def sign_out() -> ResponseReturnValue:
    """End all sessions of this person, and have the browser forget what it kept."""
    session.end()
    response = redirect(url_for("web.sign_in"), 303)
    response.headers["Clear-Site-Data"] = '"cache", "storage"'
    return response


@pages.post("/session")
def stay_signed_in() -> ResponseReturnValue:
    """Asked by the warning before the session ends: being asked is enough to prolong it."""
    return {"seconds": session.seconds_left()}


def _let_in(actor: Actor, sealed: str = "") -> ResponseReturnValue:
    session.begin(actor)
    resumed = kept.opened(sealed, actor) if sealed else None
    if resumed:
        path, fields = resumed
        return render_template("resume.html", path=path, fields=fields)
    return redirect(session.take_where(url_for("web.home")), 303)


def _code_page(errors: tuple[FieldError, ...] = (), status: int = 200) -> ResponseReturnValue:
    sealed = request.form.get("kept", "")
    return make_response(render_template("sign_in_code.html", errors=errors, kept=sealed), status)


def _again(email: str, errors: tuple[FieldError, ...], status: int) -> ResponseReturnValue:
    body = render_template(
        "sign_in.html", email=email, errors=errors, kept=request.form.get("kept", "")
    )
    return make_response(body, status)


def _account(email: str) -> str:
    """Whose account is tried, however the address is written."""
    try:
        return address_of(email).casefold()
    except ValueError:
        return email.casefold()


def _missing(email: str, password: str) -> tuple[FieldError, ...]:
    errors = []
    if not email:
        errors.append(FieldError("email", "Write your e-mail address."))
    if not password:
        errors.append(FieldError("password", "Write your password."))
    return tuple(errors)
