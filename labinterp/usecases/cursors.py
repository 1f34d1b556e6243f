"""Where a page of a list ended, in a form that callers hand back as it is."""

from __future__ import annotations

import base64
import binascii
import re
from typing import TYPE_CHECKING, Final

from labinterp.errors import Place, SubmissionError
from labinterp.store.moment import microseconds_since_epoch

if TYPE_CHECKING:
    from datetime import datetime

_POSITION: Final = re.compile(r"(?P<moment>[0-9]{1,18})\.(?P<row>[0-9a-v]{26})", re.ASCII)


def cursor_of(moment: datetime, row: str) -> str:
    """The place behind a row: the moment its list is in the order of, and its id."""
    text = f"{microseconds_since_epoch(moment)}.{row}"
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def position_of(cursor: str | None) -> tuple[int, str] | None:
    """The place that a cursor names; None where there is none: from the beginning.

    Raises:
        SubmissionError: code `cursor-invalid`.
    """
    if cursor is None:
        return None
    try:
        padded = cursor.encode("ascii") + b"=" * (-len(cursor) % 4)
        found = _POSITION.fullmatch(base64.urlsafe_b64decode(padded).decode("ascii"))
    except (ValueError, binascii.Error):
        found = None
    if found is None:
        message = "This is no cursor of ours; begin again without one."
        raise SubmissionError(
            message, code="cursor-invalid", errors=(Place("cursor", "cursor-invalid", message),)
        )
    return int(found["moment"]), found["row"]
