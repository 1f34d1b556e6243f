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

_BOUNDS: Final = {"ge": "≥", "gt": ">", "le": "≤", "lt": "<"}
_USUAL: Final = {
    "unverified": False,
    "usable": True,
    "is_other": False,
    "low_included": True,
    "high_included": True,
}
"""What goes without saying; the page says the opposite where it holds."""


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
    item = {
        key: _told(value)
        for key, value in known.describe(held, item_id).items()
        if key not in _USUAL or value != _USUAL[key]
    }
    return render_template(
        "knowledge_item.html", item=item, item_id=item_id, sources=held.sources, is_long=_is_long
    )


def _told(value: Any) -> Any:
    """The same as a reader of the page says it: limits as one phrase, no word on what is usual."""
    if isinstance(value, list | tuple):
        return [_told(part) for part in value]
    if not isinstance(value, dict):
        return value
    if value.keys() == _BOUNDS.keys() | {"unit"}:
        return _limits({sign: value[name] for name, sign in _BOUNDS.items()}, value["unit"])
    if {"text", "age_from", "age_below"} <= value.keys():
        return value["text"]
    kept = {
        key: _told(part) for key, part in value.items() if key not in _USUAL or part != _USUAL[key]
    }
    if "unit" in kept and {"low", "high"} & value.keys() and not _holds_parts(value):
        return _as_interval(kept)
    return kept


def _holds_parts(value: dict[str, Any]) -> bool:
    """Is an end of it more than a number?"""
    return any(isinstance(value.get(end), dict) for end in ("low", "high"))


def _as_interval(value: dict[str, Any]) -> dict[str, Any]:
    """An interval whose ends and unit stand in three members, as one."""
    ends = {
        "≥" if value.pop("low_included", True) else ">": value.pop("low", None),
        "≤" if value.pop("high_included", True) else "<": value.pop("high", None),
    }
    unit = value.pop("unit")
    first: dict[str, Any] = {
        key: value.pop(key) for key in ("id", "set", "set_title") if key in value
    }
    return {**first, "interval": _limits(ends, unit), **value}


def _limits(ends: dict[str, Any], unit: str | None) -> str:
    """`3.5–5.3 mmol/L`; `≥ 5.5 and < 6.0 mmol/L` where an end is open or missing."""
    held = {sign: end for sign, end in ends.items() if end is not None}
    if held.keys() == {"≥", "≤"}:
        told = f"{held['≥']}–{held['≤']}"
    else:
        told = " and ".join(f"{sign} {end}" for sign, end in held.items())
    return f"{told} {unit or ''}".rstrip()


def _is_long(value: Any) -> bool:
    """Is it a list of entries, which the page folds away?"""
    return isinstance(value, list | tuple) and any(isinstance(part, dict) for part in value)


def _holds(item: dict[str, Any], words: str) -> bool:
    spoken = " ".join(str(value) for value in item.values() if isinstance(value, str)).casefold()
    return all(word in spoken for word in words.casefold().split())
