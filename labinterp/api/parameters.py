"""Query parameters: strict, bounded, and an unknown one is refused by name."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time
from typing import Any, Final, get_args

from marshmallow import Schema, ValidationError, fields, validate

from labinterp.model.codes import Standing, Urgency

_LONGEST_MOMENT: Final = 40
_DATE: Final = re.compile(r"\d{4}-\d{2}-\d{2}")
_HIGHEST_VERSION: Final = 1_000_000


class Parameters(Schema):
    """What all query strings share."""

    error_messages = {"unknown": "There is no such parameter."}  # noqa: RUF012 - marshmallow's way


class Moment(fields.Field[datetime]):
    """A date (its first moment in UTC), or an RFC 3339 time with offset."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> datetime:
        del attr, data, kwargs
        text = str(value)[:_LONGEST_MOMENT]
        try:
            if _DATE.fullmatch(text):
                return datetime.combine(date.fromisoformat(text), time.min, UTC)
            moment = datetime.fromisoformat(text)
        except ValueError:
            raise ValidationError(_MOMENT_WANTED) from None
        if moment.tzinfo is None:
            raise ValidationError(_MOMENT_WANTED)
        return moment.astimezone(UTC)


_MOMENT_WANTED: Final = "Send a date (2026-01-31) or a time with offset (2026-01-31T08:00:00Z)."


class ListParameters(Parameters):
    """Filters of the list of panels."""

    patient = fields.String(
        validate=validate.Length(1, 200), metadata={"description": "The patient's identifier."}
    )
    from_ = Moment(
        data_key="from", metadata={"description": "Received at or after this date or time."}
    )
    to = Moment(metadata={"description": "Received before this date or time."})
    standing = fields.String(
        validate=validate.OneOf(get_args(Standing)),
        metadata={"description": "At least one result stands so."},
    )
    urgency = fields.String(validate=validate.OneOf(get_args(Urgency)))
    cursor = fields.String(
        validate=validate.Length(1, 500),
        metadata={"description": "`next_cursor` of the page before."},
    )
    limit = fields.Integer(
        load_default=50,
        validate=validate.Range(1, 200),
        metadata={"description": "Panels on a page."},
    )


class VersionParameters(Parameters):
    """Which version of a panel."""

    version = fields.Integer(
        load_default=None,
        validate=validate.Range(1, _HIGHEST_VERSION),
        metadata={"description": "An older version; without it, the newest."},
    )
