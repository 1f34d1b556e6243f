"""The knowledge browser: what the service knows, with its sources and reviews, one item a page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from flask import render_template, request

from labinterp import knowledge as known
from labinterp.web.site import pages, services

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue

KINDS: Final = {
    "analytes": "Analytes and measurands",
    "rules": "Rules",
    "next_steps": "Next steps",
    "causes": "Commoner causes",
    "formulas": "Formulas",
    "range_sets": "Range sets",
    "terms": "Symptoms, medicines, conditions, history",
    "sources": "Sources",
}


@pages.get("/knowledge")
def knowledge() -> ResponseReturnValue:
    """All items of one kind; or those whose id or title holds the words searched for."""
    kind = request.args.get("kind", "analytes")
    if kind not in KINDS:
        kind = "analytes"
    words = request.args.get("q", "").strip()
    items = [item for item in known.listing(services().knowledge, kind) if _holds(item, words)]
    return render_template(
        "knowledge.html",
        kinds=KINDS,
        kind=kind,
        words=words,
        items=items,
        held=services().knowledge,
    )


@pages.get("/knowledge/<path:item_id>")
def knowledge_item(item_id: str) -> ResponseReturnValue:
    """Everything known of one item."""
    held = services().knowledge
    item = known.describe(held, item_id)
    return render_template(
        "knowledge_item.html", item=item, item_id=item_id, sources=held.sources, is_long=_is_long
    )


def _is_long(value: Any) -> bool:
    """Is it a list of entries, which the page folds away?"""
    return isinstance(value, list | tuple) and any(isinstance(part, dict) for part in value)


def _holds(item: dict[str, Any], words: str) -> bool:
    spoken = " ".join(str(value) for value in item.values() if isinstance(value, str)).casefold()
    return all(word in spoken for word in words.casefold().split())
