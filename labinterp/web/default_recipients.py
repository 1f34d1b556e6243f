"""Whom an organisation tells of panels whose message names nobody; for its administrator."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import flash, redirect, request, url_for

from labinterp.errors import SubmissionError
from labinterp.usecases import default_recipients
from labinterp.web import members
from labinterp.web.fields import FieldError
from labinterp.web.site import actor, needs_proof, pages, request_id, services

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue


@pages.post("/administration/recipients")
@needs_proof
def set_default_recipients() -> ResponseReturnValue:
    """Tell these from the next panel on."""
    typed = default_recipients.addresses_in(request.form.get("recipients", ""))
    try:
        told = default_recipients.set_default_recipients(
            services(), actor(), typed, request_id=request_id()
        )
    except SubmissionError as error:
        said = "; ".join(place.message for place in error.errors) or error.message
        return members.page_with((FieldError("recipients", said),))
    flash(f"Told by default: {', '.join(told) or 'nobody'}.")
    return redirect(url_for("web.administration", _anchor="told"), 303)


@pages.app_context_processor
def _shared() -> dict[str, Any]:
    """For the part of the administrator's page that `members` shows."""

    def told_by_default() -> str:
        return ", ".join(default_recipients.default_recipients(services(), actor()))

    return {"told_by_default": told_by_default}
