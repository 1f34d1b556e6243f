"""How answers are written: as JSON whose numbers keep their digits."""

from __future__ import annotations

from datetime import date
from typing import Any, Final

import simplejson
from flask import Response

JSON: Final = "application/json"


def written(document: Any) -> str:
    """A document as JSON text; a decimal becomes a JSON number with the digits it has."""
    text: str = simplejson.dumps(
        document,
        use_decimal=True,
        ensure_ascii=False,
        allow_nan=False,
        separators=(",", ":"),
        default=_plain,
    )
    return text


def json(
    document: Any,
    status: int = 200,
    *,
    headers: dict[str, str] | None = None,
    media_type: str = JSON,
) -> Response:
    """A JSON response."""
    return Response(written(document), status, headers, content_type=media_type)


def _plain(value: object) -> str:
    if isinstance(value, date):  # a datetime is one, too
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} has no JSON form")
