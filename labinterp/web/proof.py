"""Who it is, asked once more before what guards an account is changed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import make_response, redirect, render_template, request, url_for

from labinterp.usecases import members, second_factor
from labinterp.web import kept, limits, refusals, session
from labinterp.web.fields import FieldError
from labinterp.web.site import actor, for_everybody, pages, services

if TYPE_CHECKING:
    from flask import Response
    from flask.typing import ResponseReturnValue


def asked() -> ResponseReturnValue:
    """The page that asks; what was being sent is kept in it and goes on afterwards."""
    kept.remember_who(actor().id)
    if request.method == "GET":
        session.remember_where(request.full_path.rstrip("?"))
    return _page(kept.sealed_request(bare=True) if request.method == "POST" else "", status=401)


@pages.post("/account/proof")
@for_everybody
def prove() -> ResponseReturnValue:
    """Password, and code where there is an authenticator."""
    sealed = request.form.get("kept", "")
    wait = limits.seconds_to_wait("account", actor().id)
    if wait:
        return refusals.too_many(wait)
    password, code = request.form.get("password", ""), request.form.get("code", "")
    if not members.is_confirmed(services(), actor(), password=password, code=code):
        wrong = FieldError("password" if password or not code else "code", "This is not right.")
        return _page(sealed, (wrong,), 422)
    session.prove()
    resumed = kept.opened(sealed, actor()) if sealed else None
    if resumed:
        path, fields = resumed
        return make_response(
            render_template("resume.html", path=path, fields=fields, proved=True), 200
        )
    return redirect(session.take_where(url_for("web.account")), 303)


def _page(sealed: str, errors: tuple[FieldError, ...] = (), status: int = 200) -> Response:
    body = render_template(
        "proof.html",
        kept=sealed,
        errors=errors,
        has_password=members.has_password(services(), actor()),
        has_factor=second_factor.state(services(), actor()).on,
    )
    return make_response(body, status)
