"""Lists: panels of the organisation, and what became of its mail."""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING, Final

from flask import flash, redirect, render_template, request, session, url_for

from labinterp.errors import SettingsError
from labinterp.usecases import journey
from labinterp.web.site import actor, pages, services

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue

STATES_OF_FILTER: Final = {
    "failed": ("failed", "refused", "bounced"),
    "waiting": ("queued", "deferred"),
    "delivered": ("sent",),
    "all": (),
}
_SOUGHT: Final = "sought"


@pages.get("/panels")
def panels() -> ResponseReturnValue:
    """All panels, newest first; or those of the identifier that was searched for."""
    sought = _sought() if "search" in request.args else ""
    page = journey.list_panels(
        services(), actor(), patient=sought or None, cursor=request.args.get("after") or None
    )
    return render_template("panels.html", page=page, sought=sought)


@pages.post("/panels/search")
def search_panels() -> ResponseReturnValue:
    """Search by identifier; it is posted, so that it stands in no address and no log.

    The session is signed, not secret: there it stands sealed.
    """
    sought = request.form.get("identifier", "").strip()
    if not sought:
        return redirect(url_for("web.panels"), 303)
    sealed = services().store.vault.seal(sought.encode("utf-8", "replace"), _place())
    session[_SOUGHT] = base64.b64encode(sealed).decode()
    return redirect(url_for("web.panels", search=1), 303)


def _sought() -> str:
    """What this person searched for last; nothing that another key or person sealed."""
    try:
        sealed = base64.b64decode(session.get(_SOUGHT, ""), validate=True)
        return services().store.vault.open(sealed, _place()).decode()
    except (binascii.Error, ValueError, SettingsError):
        return ""


def _place() -> str:
    return f"sought/{actor().id}"


@pages.get("/deliveries")
def deliveries() -> ResponseReturnValue:
    """What became of each message; nothing clinical stands here."""
    chosen = request.args.get("show", "all")
    if chosen not in STATES_OF_FILTER:
        chosen = "all"
    states = STATES_OF_FILTER[chosen] or (None,)
    found = [
        delivery
        for state in states
        for delivery in journey.all_deliveries(services(), actor(), state)
    ]
    shown = sorted(found, key=lambda delivery: delivery.created_at, reverse=True)
    return render_template(
        "deliveries.html",
        deliveries=shown,
        chosen=chosen,
        now=services().now(),
        filters=tuple(STATES_OF_FILTER),
    )


@pages.post("/deliveries/<delivery_id>/retry")
def retry_delivery(delivery_id: str) -> ResponseReturnValue:
    """Try one message again, to a corrected address when one was typed."""
    to = request.form.get("to", "").strip() or None
    delivery = journey.retry_delivery(services(), actor(), delivery_id, to=to)
    flash(f"The message to {delivery.to} waits to be sent again.")
    return redirect(url_for("web.deliveries"), 303)


@pages.post("/deliveries/<delivery_id>/withdraw")
def withdraw_link(delivery_id: str) -> ResponseReturnValue:
    """Make the link of one message useless."""
    journey.withdraw_link(services(), actor(), delivery_id)
    flash("The link no longer opens the panel.")
    return redirect(url_for("web.deliveries"), 303)
