"""Query parameters: strict, bounded, and an unknown one is refused by name."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time
from typing import Any, Final, get_args

from marshmallow import Schema, ValidationError, fields, pre_load, validate

from labinterp.formats.fields import DATE_FORM, MOMENT_FORM
from labinterp.model.codes import Standing, Urgency

_LONGEST_MOMENT: Final = 40
_DATE: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
DATE_OR_MOMENT: Final = f"{DATE_FORM}|{MOMENT_FORM}"
_DIGITS: Final = re.compile(r"[0-9]{1,9}", re.ASCII)
_HIGHEST_VERSION: Final = 1_000_000


class Parameters(Schema):
    """What all query strings share."""

    error_messages = {"unknown": "There is no such parameter."}  # noqa: RUF012 - marshmallow's way

    @pre_load
    def once_each(self, data: Any, **_: Any) -> Any:
        """Refuse a parameter that was sent twice: which one counts would be a guess."""
        sent = getattr(data, "data", data)
        every = getattr(sent, "getlist", None)
        twice = [name for name in sent if every and len(every(name)) > 1]
        if twice:
            raise ValidationError({name: ["Send this parameter once."] for name in twice})
        return data


class Whole(fields.Integer):
    """A whole number in plain ASCII digits."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> int:
        if not _DIGITS.fullmatch(str(value)):
            raise ValidationError("Send a whole number in digits.")
        return int(super()._deserialize(value, attr, data, **kwargs) or 0)


class Moment(fields.Field[datetime]):
    """A date (its first moment in UTC), or an RFC 3339 time with offset."""

    def __init__(self, *, metadata: dict[str, Any], **kwargs: Any) -> None:
        super().__init__(metadata={"pattern": DATE_OR_MOMENT, **metadata}, **kwargs)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> datetime:
        del attr, data, kwargs
        text = str(value)[:_LONGEST_MOMENT]
        try:
            if _DATE.fullmatch(text):
                return datetime.combine(date.fromisoformat(text), time.min, UTC)
            moment = datetime.fromisoformat(text.upper())
            in_utc = moment.astimezone(UTC)
        except (ValueError, OverflowError):  # the second: in UTC it is before year 1 or after 9999
            raise ValidationError(_MOMENT_WANTED) from None
        if moment.tzinfo is None:
            raise ValidationError(_MOMENT_WANTED)
        return in_utc


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
    limit = Whole(
        load_default=50,
        validate=validate.Range(1, 200),
        metadata={"description": "Panels on a page."},
    )


class MessageParameters(Parameters):
    """Filters of the list of messages."""

    sender = fields.String(
        validate=validate.Length(1, 400),
        metadata={"description": "MSH-3 or MSH-4, or both with `|` between: `LIS|NORTHLAB`."},
    )
    control_id = fields.String(
        validate=validate.Length(1, 200), metadata={"description": "MSH-10, as it came."}
    )
    status = fields.String(
        validate=validate.OneOf(("AA", "AE", "AR")),
        metadata={"description": "As it was answered."},
    )
    from_ = Moment(data_key="from", metadata={"description": "Received at or after this."})
    to = Moment(metadata={"description": "Received before this date or time."})
    cursor = fields.String(
        validate=validate.Length(1, 500),
        metadata={"description": "`next_cursor` of the page before."},
    )
    limit = Whole(
        load_default=50,
        validate=validate.Range(1, 200),
        metadata={"description": "Messages on a page."},
    )


class SenderParameters(Parameters):
    """Whose table it is."""

    sender = fields.String(
        load_default=None,
        validate=validate.Length(1, 40),
        metadata={"description": "Id of a registered sender: what was agreed with it holds."},
    )


class VersionParameters(Parameters):
    """Which version of a panel."""

    version = Whole(
        load_default=None,
        validate=validate.Range(1, _HIGHEST_VERSION),
        metadata={"description": "An older version; without it, the newest."},
    )
