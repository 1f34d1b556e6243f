"""One's own second factor: setting it up, codes for when it is lost, removing it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import flash, make_response, redirect, render_template, request, url_for
from markupsafe import Markup

from labinterp.errors import Conflict, SubmissionError
from labinterp.reporting.qr_code import svg
from labinterp.usecases import second_factor as factor
from labinterp.web import limits, refusals
from labinterp.web import session as session_of
from labinterp.web.fields import FieldError
from labinterp.web.site import actor, for_everybody, needs_proof, pages, request_id, services

if TYPE_CHECKING:
    from flask import Response
    from flask.typing import ResponseReturnValue


@pages.get("/account/second-factor")
@for_everybody
@needs_proof
def second_factor() -> ResponseReturnValue:
    """How it stands, and a secret to set an authenticator up with."""
    return _page()


@pages.post("/account/second-factor")
@for_everybody
@needs_proof
def set_second_factor() -> ResponseReturnValue:
    """Keep the authenticator whose first code this is; its codes for when it is lost are shown."""
    wait = limits.seconds_to_wait("account", actor().id)
    if wait:
        return refusals.too_many(wait)
    try:
        codes = factor.set_up(
            services(),
            actor(),
            sealed=request.form.get("offer", ""),
            code=request.form.get("code", ""),
            request_id=request_id(),
        )
    except SubmissionError as error:
        return _page((FieldError("code", error.message),), request.form.get("offer", ""))
    session_of.begin(actor())
    return _codes(codes)


@pages.post("/account/second-factor/codes")
@needs_proof
def new_recovery_codes() -> ResponseReturnValue:
    """New codes in the place of all former ones, shown once."""
    try:
        return _codes(factor.new_codes(services(), actor(), request_id=request_id()))
    except Conflict as error:
        return _page((FieldError("code", error.message),))


@pages.post("/account/second-factor/remove")
@needs_proof
def remove_second_factor() -> ResponseReturnValue:
    """Sign in without one from now on, where the organisation allows it."""
    try:
        factor.remove(services(), actor(), request_id=request_id())
    except Conflict as error:
        return _page((FieldError("remove", error.message),))
    session_of.begin(actor())
    flash("You sign in without an authenticator from now on. Everywhere else you are signed out.")
    return redirect(url_for("web.account"), 303)


def _page(errors: tuple[FieldError, ...] = (), offered: str = "") -> Response:
    offer = factor.offer(services(), actor(), offered)
    drawn = svg(offer.address, "QR code with the secret that stands below")
    body = render_template(
        "second_factor.html",
        errors=errors,
        offer=offer,
        state=factor.state(services(), actor()),
        picture=Markup(drawn),  # noqa: S704  (a drawing of ours; its one text is escaped there)  # nosec B704
    )
    return make_response(body, 422 if errors else 200)


def _codes(codes: tuple[str, ...]) -> Response:
    return make_response(render_template("recovery_codes.html", codes=codes), 200)
