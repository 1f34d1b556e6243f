"""Which texts of an address may be an id, so that no other word of ours is taken for one.

Without them `/panels/import`, where files are sent to, would also be a panel that is read: the
`Allow` of that address would name a method that it does not take.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from werkzeug.routing import BaseConverter

if TYPE_CHECKING:
    from flask import Flask


class PanelId(BaseConverter):
    """An id that we gave."""

    regex = "[0-9a-v]{26}"


class ResourceId(BaseConverter):
    """An id as FHIR has them, ours among them; `$interpret-panel` and `_search` are none."""

    regex = "[A-Za-z0-9.-]{1,64}"


CONVERTERS: Final[dict[str, type[BaseConverter]]] = {"panel": PanelId, "resource": ResourceId}


def attach(app: Flask) -> None:
    """Let the rules of this app name them."""
    app.url_map.converters |= CONVERTERS


def described(converter: BaseConverter) -> dict[str, Any]:
    """What such a part of an address may be, for the document."""
    return {"type": "string", "pattern": f"^{converter.regex}$"}
