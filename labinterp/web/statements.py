"""Help, and the statements that stand at the foot of every page."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import render_template

from labinterp.reporting import abbreviations
from labinterp.web.site import open_to_all, pages, services

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue


@pages.get("/help")
@open_to_all
def help_page() -> ResponseReturnValue:
    """How to enter a panel, what the words mean, and whom to ask."""
    return render_template(
        "help.html",
        rule_count=services().knowledge.rule_count,
        abbreviations=abbreviations.MEANING,
    )


@pages.get("/accessibility")
@open_to_all
def accessibility() -> ResponseReturnValue:
    """What was checked, how, and what is known to be lacking."""
    return render_template("accessibility.html")


@pages.get("/privacy")
@open_to_all
def privacy() -> ResponseReturnValue:
    """What is kept, why, and who sees it."""
    return render_template("privacy.html")
