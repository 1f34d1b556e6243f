"""Users and keys of one organisation, for its administrator; and everyone's own password."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Final

from flask import flash, make_response, redirect, render_template, request, session, url_for

from labinterp import access
from labinterp.access import SCOPES
from labinterp.errors import SubmissionError
from labinterp.usecases import members, second_factor, sessions
from labinterp.web import limits, refusals
from labinterp.web import session as session_of
from labinterp.web.fields import FieldError
from labinterp.web.site import actor, needs_proof, pages, request_id, services

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flask import Response
    from flask.typing import ResponseReturnValue

MAY: Final[Mapping[str, str]] = {
    "panels:read": "read panels",
    "panels:write": "enter and correct panels",
    "deliveries:write": "send reports",
    "knowledge:read": "read the knowledge",
    "admin": "administer: everything here, users and keys too",
}
"""What a scope lets somebody do, in words; the order of the form."""
NEW_PERSON: Final = ("panels:read", "panels:write", "deliveries:write", "knowledge:read")
NEW_KEY: Final = ("panels:write", "panels:read")
_MADE: Final = "key_made_for"


@pages.get("/administration")
def administration() -> ResponseReturnValue:
    """The organisation's people and keys."""
    return _page()


@pages.post("/administration/users")
@needs_proof
def add_user() -> ResponseReturnValue:
    """A new person; their first sign-in link is shown at once."""
    try:
        made = members.add_member(
            services(),
            actor(),
            email=request.form.get("email", ""),
            name=request.form.get("name", ""),
            scopes=_scopes("user-scopes"),
            request_id=request_id(),
        )
    except SubmissionError as error:
        return _page(_errors(error, {"scopes": "user-scopes"}, "email"), status=422)
    return _link(made.id, made.name)


@pages.post("/administration/users/<user_id>/link")
@needs_proof
def user_link(user_id: str) -> ResponseReturnValue:
    """A sign-in link that works once, shown once."""
    access.require(actor(), "admin")
    named = {member.id: member.name for member in members.members(services(), actor())}
    return _link(user_id, named.get(user_id, ""))


@pages.post("/administration/users/<user_id>/scopes")
@needs_proof
def user_scopes(user_id: str) -> ResponseReturnValue:
    """What somebody may do from their next request on."""
    try:
        changed = members.set_member_scopes(
            services(), actor(), user_id, _scopes("scopes"), request_id=request_id()
        )
    except SubmissionError as error:
        return _page((FieldError(f"user-{user_id}", error.message),), status=422)
    flash(f"{changed.name} may now: {', '.join(_in_words(changed.scopes))}.")
    return _back()


@pages.post("/administration/users/<user_id>/state")
@needs_proof
def user_state(user_id: str) -> ResponseReturnValue:
    """Close an account, or open it again."""
    opened = request.form.get("active") == "yes"
    try:
        changed = members.set_member_active(
            services(), actor(), user_id, active=opened, request_id=request_id()
        )
    except SubmissionError as error:
        return _page((FieldError(f"user-{user_id}", error.message),), status=422)
    state = "open again" if opened else "closed; it opens nothing from now on"
    flash(f"The account of {changed.name} is {state}.")
    return _back()


@pages.post("/administration/users/<user_id>/second-factor")
@needs_proof
def reset_second_factor(user_id: str) -> ResponseReturnValue:
    """Forget an authenticator that somebody lost."""
    try:
        changed = members.reset_second_factor(services(), actor(), user_id, request_id=request_id())
    except SubmissionError as error:
        return _page((FieldError(f"user-{user_id}", error.message),), status=422)
    flash(f"{changed.name} signs in without an authenticator until a new one is set up.")
    return _back()


@pages.post("/administration/second-factor")
@needs_proof
def require_second_factor() -> ResponseReturnValue:
    """Want a second factor of everybody in the organisation, or leave it to each."""
    wanted = request.form.get("required") == "yes"
    members.require_second_factor(services(), actor(), required=wanted, request_id=request_id())
    flash(
        "Everybody needs a second factor from their next page on."
        if wanted
        else "A second factor is left to each person."
    )
    return _back()


@pages.post("/administration/keys")
@needs_proof
def add_key() -> ResponseReturnValue:
    """A new key; its text is on this page and nowhere else. Sent again, no second one is made."""
    once = request.form.get("once", "")
    if once and session.get(_MADE) == once:
        flash("This key was made already. Its text was shown once; revoke it if it was lost.")
        return _back()
    try:
        record, text = members.add_key(
            services(),
            actor(),
            name=request.form.get("key-name", ""),
            scopes=_scopes("key-scopes"),
            request_id=request_id(),
        )
    except SubmissionError as error:
        places = {"name": "key-name", "scopes": "key-scopes"}
        return _page(_errors(error, places, "key-name"), status=422)
    session[_MADE] = once
    return _shown_once(f"Key {record.name}", text, f"Its scopes: {', '.join(record.scopes)}.")


@pages.post("/administration/keys/<key_id>/revoke")
def revoke_key(key_id: str) -> ResponseReturnValue:
    """Put a key out of force at once."""
    members.end_key(services(), actor(), key_id, request_id=request_id())
    flash("The key opens nothing from now on.")
    return _back()


@pages.get("/account")
def account() -> ResponseReturnValue:
    """Who one is here, what one may do, and one's password."""
    return _account()


@pages.post("/account/password")
def set_password() -> ResponseReturnValue:
    """Choose a password; whoever has one has to know it."""
    new, again = request.form.get("new", ""), request.form.get("again", "")
    wait = limits.seconds_to_wait("account", actor().id)
    if wait:
        return refusals.too_many(wait)
    if new != again:
        return _account((FieldError("again", "The two new passwords differ."),))
    try:
        members.set_own_password(
            services(),
            actor(),
            current=request.form.get("current", ""),
            new=new,
            request_id=request_id(),
        )
    except SubmissionError as error:
        fields = {"password": "new", "current": "current"}  # names alone  # nosec B105
        return _account(_errors(error, fields, "new"))
    session_of.begin(actor())
    flash("Your password was changed. Everywhere else you are signed out.")
    return redirect(url_for("web.account"), 303)


@pages.post("/account/sessions/<session_id>/end")
def end_session(session_id: str) -> ResponseReturnValue:
    """End one of one's own sessions elsewhere."""
    sessions.end_one(services(), actor(), session_id, request_id=request_id())
    flash("That session is over.")
    return redirect(url_for("web.account"), 303)


@pages.post("/account/sessions/end")
def end_other_sessions() -> ResponseReturnValue:
    """End all of one's own sessions but this one."""
    sessions.end_others(services(), actor(), session_of.row(), request_id=request_id())
    flash("Everywhere else you are signed out.")
    return redirect(url_for("web.account"), 303)


def page_with(errors: tuple[FieldError, ...]) -> Response:
    """The administrator's page again, with what another form of it got wrong."""
    return _page(errors, 422)


def _page(errors: tuple[FieldError, ...] = (), status: int = 200) -> Response:
    people = members.members(services(), actor())
    held = members.organisation_keys(services(), actor())
    body = render_template(
        "administration.html",
        people=people,
        keys=sorted(held, key=lambda key: key.revoked_at is not None),
        second_factor_required=members.second_factor_required(services(), actor()),
        may=MAY,
        in_words=_in_words,
        chosen_user=request.form.getlist("user-scopes") or NEW_PERSON,
        chosen_key=request.form.getlist("key-scopes") or NEW_KEY,
        form=request.form,
        errors=errors,
        once=secrets.token_urlsafe(12),
    )
    return make_response(body, status)


def _account(errors: tuple[FieldError, ...] = ()) -> Response:
    body = render_template(
        "account.html",
        errors=errors,
        may=_in_words(actor().scopes),
        has_password=members.has_password(services(), actor()),
        factor=second_factor.state(services(), actor()),
        sessions=sessions.own(services(), actor()),
        this_session=session_of.row(),
    )
    return make_response(body, 422 if errors else 200)


def _link(user_id: str, name: str) -> Response:
    try:
        token = members.member_link(services(), actor(), user_id, request_id=request_id())
    except SubmissionError as error:
        return _page((FieldError(f"user-{user_id}", error.message),), status=422)
    address = services().policy.base_url.rstrip("/") + url_for("web.sign_in_link", token=token)
    minutes = int(services().policy.sign_in_lifetime.total_seconds() // 60)
    return _shown_once(
        f"Sign-in link for {name}",
        address,
        f"It works once, within {minutes} minutes. Give it to nobody else.",
    )


def _shown_once(title: str, text: str, remark: str) -> Response:
    return make_response(
        render_template("shown_once.html", what=title, text=text, remark=remark), 200
    )


def _back() -> ResponseReturnValue:
    return redirect(url_for("web.administration"), 303)


def _scopes(name: str) -> list[str]:
    return request.form.getlist(name)


def _in_words(scopes: frozenset[str] | tuple[str, ...]) -> list[str]:
    """What these scopes allow; `admin` allows everything and says so alone."""
    if "admin" in scopes:
        return [MAY["admin"]]
    return [MAY.get(scope, scope) for scope in SCOPES if scope in scopes]


def _errors(
    error: SubmissionError, fields: Mapping[str, str], otherwise: str
) -> tuple[FieldError, ...]:
    """What is wrong, each beside its field of the form."""
    if not error.errors:
        return (FieldError(otherwise, error.message),)
    return tuple(
        FieldError(fields.get(place.where, place.where), place.message) for place in error.errors
    )
