"""The history of a patient: their samples side by side; the address holds an opaque reference."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import render_template, request
from markupsafe import Markup

from labinterp.usecases import journey
from labinterp.web import trends
from labinterp.web.site import actor, pages, request_id, services

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue


@pages.get("/patients/<ref>/history")
def history(ref: str) -> ResponseReturnValue:
    """One row for each measurand, the newest sample left, at most eight at a time."""
    records = journey.patient_history(services(), actor(), ref, request_id=request_id())
    return render_template(
        "history.html",
        ref=ref,
        newest=records[0],
        history=trends.history(records, services().knowledge, _page()),
        drawn=Markup,
        drawn_at_most=trends.DRAWN,
    )


def _page() -> int:
    asked = request.args.get("page", "")
    return int(asked) if asked.isascii() and asked.isdigit() and len(asked) < 4 else 1  # noqa: PLR2004  (pages are few)
