"""The start page: enter a panel, find one, and the critical results nobody has acknowledged."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import render_template

from labinterp.usecases import journey
from labinterp.web.site import actor, pages, services

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue

RECENT = 10


@pages.get("/")
def home() -> ResponseReturnValue:
    """What someone who has just signed in came for."""
    page = journey.list_panels(services(), actor(), limit=RECENT)
    critical = journey.critical_unacknowledged(services(), actor())
    return render_template("home.html", critical=critical, recent=page.items)
