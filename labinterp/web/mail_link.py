"""Where a mail's link leads: for who is signed in to the panel, for others to a code by mail.

Each page says the same whether there is such a link or not, and nothing of what it leads to before
the code was right; then it opens that one document, for a quarter of an hour, and nothing else.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from flask import make_response, redirect, render_template, request, session, url_for
from flask_login import current_user

from labinterp.errors import SubmissionError
from labinterp.usecases import journey, link_codes
from labinterp.web import limits, refusals
from labinterp.web import session as session_of
from labinterp.web.fields import FieldError
from labinterp.web.site import actor, open_to_all, pages, services

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue

_OPENED: Final = "opened"
"""What a code opened in this browser: the delivery, and until when."""


@pages.get("/r/<token>")
@open_to_all
def mail_link(token: str) -> ResponseReturnValue:
    """The panel for who is signed in; else the choice between signing in and a code."""
    if current_user.is_authenticated or not services().policy.link_codes:
        panel_id = journey.open_mail_link(services(), actor(), token)
        return redirect(url_for("web.panel", panel_id=panel_id), 303)
    session_of.remember_where(request.path)
    return render_template("mail_link.html", token=token, asked=False)


@pages.post("/r/<token>/code")
@open_to_all
def ask_code(token: str) -> ResponseReturnValue:
    """Have a code mailed; the answer is the same for a link that is none."""
    wait = limits.seconds_to_wait("address", limits.address())
    if wait:
        return refusals.too_many(wait)
    link_codes.ask_code(services(), token)
    return render_template("mail_link.html", token=token, asked=True)


@pages.post("/r/<token>")
@open_to_all
def open_by_code(token: str) -> ResponseReturnValue:
    """Use the code up; then the document can be opened for a while."""
    wait = limits.seconds_to_wait("address", limits.address())
    if wait:
        return refusals.too_many(wait)
    try:
        opened = link_codes.open_by_code(
            services(), token, request.form.get("code", ""), address=limits.address()
        )
    except SubmissionError as error:
        body = render_template(
            "mail_link.html",
            token=token,
            asked=True,
            errors=(FieldError("code", error.message),),
        )
        return make_response(body, 422)
    session[_OPENED] = [opened.delivery_id, opened.until.timestamp()]
    return redirect(url_for("web.linked_report", token=token), 303)


@pages.get("/r/<token>/report")
@open_to_all
def linked_report(token: str) -> ResponseReturnValue:
    """The document's page, in the browser that the code was typed in."""
    delivery_id = _opened()
    if delivery_id is None:
        return redirect(url_for("web.mail_link", token=token), 303)
    wanted = "pdf" in request.args
    found = link_codes.linked_report(
        services(), delivery_id, token, read=wanted, address=limits.address()
    )
    if not wanted or found.pdf is None:
        return render_template("linked_report.html", token=token, found=found)
    response = make_response(found.pdf)
    response.headers["Content-Type"] = "application/pdf"
    response.headers["Content-Disposition"] = f'inline; filename="{found.file_name}"'
    return response


def _opened() -> str | None:
    """Which delivery a code opened here, unless that is over."""
    delivery_id, until = session.get(_OPENED, (None, 0))
    return delivery_id if until > services().now().timestamp() else None
