"""The kinds of member a panel has: each takes one JSON shape and says what would be right.

One file, because what a kind takes and what the OpenAPI document says of it stand side by side.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final

from marshmallow import Schema, ValidationError, fields
from marshmallow.fields import Field

from labinterp.formats.characters import IN_A_LINE, IN_LINES, forbidden_character, quoted
from labinterp.formats.faults import Fault, did_you_mean, fault, json_type

LONGEST_NUMBER: Final = 200
"""Characters of a value; a text in place of a number may be a sentence."""
_PLAIN_NUMBER: Final = re.compile(r"[+-]?[0-9]{1,15}(?:\.[0-9]{1,15})?", re.ASCII)
_WHOLE: Final = re.compile(r"[0-9]{1,9}", re.ASCII)
_DATE: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)
_TIME: Final = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{1,9})?)?"
    r"(?:[Zz]|[+-][0-9]{2}:[0-5][0-9])",
    re.ASCII,
)
_FIRST_YEAR, _LAST_YEAR = 1850, 2200
_YEAR: Final = "(18[5-9][0-9]|19[0-9]{2}|2[01][0-9]{2}|2200)"
_LEAP_YEAR: Final = (
    "(18(5[26]|[68][048]|[79][26])|20([02468][048]|[13579][26])"
    "|(19|21)(0[48]|[2468][048]|[13579][26]))"
)
_CALENDAR: Final = (
    f"({_YEAR}-((0[13578]|1[02])-(0[1-9]|[12][0-9]|3[01])|(0[469]|11)-(0[1-9]|[12][0-9]|30)"
    f"|02-(0[1-9]|1[0-9]|2[0-8]))|{_LEAP_YEAR}-02-29)"
)
_CLOCK: Final = "([01][0-9]|2[0-3]):[0-5][0-9]"
DATE_FORM: Final = f"^{_CALENDAR}$"
"""Every day that is taken, as a JSON Schema says it; and every moment."""
MOMENT_FORM: Final = (
    f"^{_CALENDAR}[Tt ]{_CLOCK}(:[0-5][0-9](\\.[0-9]{{1,9}})?)?([Zz]|[+-]{_CLOCK})$"
)
_FARTHEST_DIGIT: Final = 400
"""From the point of a JSON number; `1e999999999`, written out, would fill the memory."""
COMPARATORS: Final = ("<", "<=", "≤", ">", ">=", "≥")


_VALUE_FORMS: Final = [
    {"type": "string", "maxLength": LONGEST_NUMBER, "pattern": IN_A_LINE},
    {"type": "number"},
    {
        "type": "object",
        "properties": {
            "comparator": {"type": ["string", "null"], "enum": [*COMPARATORS, None]},
            "value": {
                "type": ["string", "number"],
                "maxLength": LONGEST_NUMBER,
                "pattern": IN_A_LINE,
            },
        },
        "required": ["value"],
        "additionalProperties": False,
    },
    {"type": "null"},
]


def _optional(kwargs: dict[str, Any], **metadata: Any) -> dict[str, Any]:
    """Settings all fields share: `null` is the same as leaving a member out, faults carry codes."""
    messages = {
        "required": Fault("missing-member", "is needed"),
        "null": Fault("missing-member", "is needed, not null"),
    }
    return {
        **kwargs,
        "allow_none": not kwargs.get("required", False),
        "metadata": {**metadata, **kwargs.get("metadata", {})},
        "error_messages": messages,
    }


def _text_up_to(high: int, or_unknown: bool) -> str:
    """A number in a text; what has fewer digits than the highest is surely below it."""
    number = f"[+]?[0-9]{{1,{len(str(high)) - 1}}}(\\.[0-9]{{1,15}})?"
    return f"^({number}|unknown)$" if or_unknown else f"^{number}$"


def _is_plain(text: str, *, is_text: bool) -> bool:
    """Is this a number that is written out, or a JSON number of a length that could be?"""
    if is_text:
        return _PLAIN_NUMBER.fullmatch(text) is not None
    return len(text) <= LONGEST_NUMBER and abs(Decimal(text).adjusted()) <= _FARTHEST_DIGIT


def _folded(word: str) -> str:
    return word.strip().casefold().replace("_", "-").replace(" ", "-")


@dataclass(frozen=True, slots=True)
class NumberLiteral:
    """A JSON number as its digits were sent; turning it into a number is the field's choice."""

    text: str


@dataclass(frozen=True, slots=True)
class NotANumber:
    """`NaN`, `Infinity` or `-Infinity`, which JSON does not have."""

    text: str


def number_text(value: object) -> str | None:
    """The digits of a JSON number, or None when it is none; a float has lost them."""
    if isinstance(value, NumberLiteral):
        return value.text
    if isinstance(value, Decimal) or (isinstance(value, int) and not isinstance(value, bool)):
        return str(value)
    return None


def checked_text(value: object, longest: int, *, lines: bool = False) -> str:
    """Text of bounded length without control characters.

    Raises:
        ValidationError: it is something else.
    """
    if not isinstance(value, str):
        raise fault("wrong-type", f"must be text, not {json_type(value)}")
    if len(value) > longest:
        raise fault("too-long", f"has {len(value)} characters; at most {longest} are taken")
    character = forbidden_character(value, lines=lines)
    if character:
        raise fault("control-character", f"holds the control character {character}")
    return value


class Text(fields.String):
    """Text on one line (or several, with `lines`)."""

    def __init__(self, longest: int = 200, *, lines: bool = False, **kwargs: Any) -> None:
        self.longest, self.lines = longest, lines
        form = IN_LINES if lines else IN_A_LINE
        super().__init__(**_optional(kwargs, maxLength=longest, pattern=form))

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> str:
        return checked_text(value, self.longest, lines=self.lines)


class Word(fields.String):
    """One word of a closed list; case, hyphens and underscores are folded."""

    def __init__(self, words: Sequence[str], **kwargs: Any) -> None:
        self.words = {_folded(word): word for word in words}
        null = () if kwargs.get("required") else (None,)
        super().__init__(**_optional(kwargs, enum=[*words, *null]))

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> str:
        text = checked_text(value, LONGEST_NUMBER)
        word = self.words.get(_folded(text))
        if word is None:
            listed = ", ".join(self.words.values())
            hint = did_you_mean(text, self.words.values())
            raise fault("not-allowed", f"“{quoted(text)}” is not one of {listed}{hint}")
        return word


class Quantity(fields.String):
    """A number as a number or as text, kept digit for digit as text."""

    def __init__(self, **kwargs: Any) -> None:
        form = {"maxLength": LONGEST_NUMBER, "pattern": IN_A_LINE}
        super().__init__(**_optional(kwargs, type=["string", "number"], **form))

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> str:
        return _digits(value)


class Value(Field[Any]):
    """A result's value: number, text with its comparator, or comparator and value apart."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**_optional(kwargs, anyOf=_VALUE_FORMS))

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> str | dict[str, str]:
        if not isinstance(value, Mapping):
            return _digits(value)
        return {key: member for key, member in _COMPARED.load(value).items() if member is not None}


class Number(fields.Decimal):
    """A plain decimal number between two bounds, as a number or as text; or the word `unknown`."""

    def __init__(self, low: int, high: int, *, or_unknown: bool = False, **kwargs: Any) -> None:
        self.low, self.high, self.or_unknown = low, high, or_unknown
        bounds = {"minimum": low, "maximum": high, "pattern": _text_up_to(high, or_unknown)}
        super().__init__(**_optional(kwargs, type=["number", "string"], **bounds))

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> Any:
        if self.or_unknown and isinstance(value, str) and _folded(value) == "unknown":
            return None
        text = value.strip() if isinstance(value, str) else number_text(value)
        if text is None:
            raise fault("wrong-type", f"must be a number, not {json_type(value)}")
        number = Decimal(text) if _is_plain(text, is_text=isinstance(value, str)) else None
        if number is None:
            raise fault("bad-number", f"“{quoted(text)}” is not a plain number such as 12 or 0.5")
        if not self.low <= number <= self.high:
            raise fault("out-of-range", f"{text} is not between {self.low} and {self.high}")
        return number


class Whole(fields.Integer):
    """A whole number between two bounds."""

    def __init__(self, low: int, high: int, **kwargs: Any) -> None:
        self.low, self.high = low, high
        super().__init__(**_optional(kwargs, minimum=low, maximum=high))

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> int:
        text = value.strip() if isinstance(value, str) else number_text(value)
        if text is None:
            raise fault("wrong-type", f"must be a whole number, not {json_type(value)}")
        if not _WHOLE.fullmatch(text if isinstance(value, str) else text.removesuffix(".0")):
            raise fault("bad-number", f"“{quoted(text)}” is not a whole number")
        number = int(text.removesuffix(".0"))
        if not self.low <= number <= self.high:
            raise fault("out-of-range", f"{text} is not between {self.low} and {self.high}")
        return number


class Day(fields.String):
    """A calendar date, `1980-02-03`, kept as text."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**_optional(kwargs, format="date", pattern=DATE_FORM))

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> str:
        text = checked_text(value, LONGEST_NUMBER)
        if not _DATE.fullmatch(text):
            raise fault("bad-date", f"“{quoted(text)}” is not a date such as 1980-02-03")
        try:
            day = date.fromisoformat(text)
        except ValueError:
            raise fault("bad-date", f"{text} is not in the calendar") from None
        _bounded_year(day.year)
        return text


class Moment(fields.String):
    """A time with its offset, `2026-01-02T08:00:00Z` (RFC 3339), kept as text."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**_optional(kwargs, pattern=MOMENT_FORM))

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> str:
        text = checked_text(value, LONGEST_NUMBER)
        if not _TIME.fullmatch(text):
            raise fault(
                "bad-time",
                f"“{quoted(text)}” is not a time with its offset, such as 2026-01-02T08:00:00Z",
            )
        try:
            moment = datetime.fromisoformat(text.upper())
        except ValueError:
            raise fault("bad-time", f"{text} is not in the calendar or on the clock") from None
        _bounded_year(moment.year)
        return text


class Email(fields.String):
    """One e-mail address on one line; its form is checked, nobody is asked."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**_optional(kwargs, format="email", maxLength=254))

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> str:
        from email_validator import (  # noqa: PLC0415 - costs start-up, and few panels name anyone
            EmailNotValidError,
            validate_email,
        )

        text = checked_text(value, 254)
        try:
            return validate_email(text, check_deliverability=False).normalized
        except EmailNotValidError as error:
            raise fault("bad-email", f"“{quoted(text)}”: {error}") from None


class TextOr(Field[Any]):
    """Text, or an object of the given schema."""

    def __init__(self, schema: Schema, longest: int = 200, **kwargs: Any) -> None:
        self.schema, self.longest = schema, longest
        text = {"type": "string", "maxLength": longest, "pattern": IN_A_LINE}
        forms = [text, _documented(schema), {"type": "null"}]
        super().__init__(**_optional(kwargs, anyOf=forms))

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> Any:
        if isinstance(value, Mapping):
            return self.schema.load(value)
        if isinstance(value, str):
            return checked_text(value, self.longest)
        raise fault("wrong-type", f"must be text or an object, not {json_type(value)}")


def _documented(schema: Schema) -> dict[str, Any]:
    """The schema as the API's document shows it inside another one."""
    return {
        "type": "object",
        "properties": {
            field.data_key or name: _documented(field.schema)
            if isinstance(field, fields.Nested)
            else {"type": "string", **field.metadata}
            for name, field in schema.fields.items()
        },
        "required": [name for name, field in schema.fields.items() if field.required],
        "additionalProperties": False,
    }


class Many(fields.List[Any]):
    """A list of at most so many items."""

    def __init__(self, inner: Field[Any], most: int | None = None, **kwargs: Any) -> None:
        self.most = most
        inner.allow_none = False
        inner.error_messages["null"] = Fault("wrong-type", "must not be null; leave it out")
        super().__init__(inner, **_optional(kwargs, **({"maxItems": most} if most else {})))

    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> list[Any]:
        if not isinstance(value, list | tuple):
            raise fault("wrong-type", f"must be a list, not {json_type(value)}")
        if self.most is not None and len(value) > self.most:
            raise fault("too-many", f"has {len(value)} entries; at most {self.most} are taken")
        return super()._deserialize(list(value), attr, data, **kwargs)


class WordTable(fields.Dict):
    """An object whose members are all short texts: `{"vitamin_d_25oh": "iom-2011"}`."""

    def __init__(self, **kwargs: Any) -> None:
        text = {"type": "string", "maxLength": LONGEST_NUMBER, "pattern": IN_A_LINE}
        form = {
            "propertyNames": text,
            "additionalProperties": text,
            "maxProperties": LONGEST_NUMBER,
        }
        super().__init__(keys=fields.String(), values=fields.String(), **_optional(kwargs, **form))

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> dict[str, str]:
        if not isinstance(value, Mapping):
            raise fault("wrong-type", f"must be an object, not {json_type(value)}")
        if len(value) > LONGEST_NUMBER:
            raise fault("too-many", f"has {len(value)} members")
        faults: dict[str, Any] = {}
        for key, word in value.items():
            try:
                checked_text(key, LONGEST_NUMBER)
                checked_text(word, LONGEST_NUMBER)
            except ValidationError as error:
                faults[key] = error.messages
        if faults:
            raise ValidationError(faults)
        return dict(value)


class Base(Schema):
    """A schema whose unknown members are errors that name themselves, and guess what was meant."""

    error_messages = {  # noqa: RUF012 - how marshmallow declares them
        "unknown": Fault("unknown-member", "unknown member"),
        "type": Fault("wrong-type", "must be an object"),
    }

    def handle_error(self, error: ValidationError, data: Any, *, many: bool, **_: Any) -> None:
        """Add a guess to each unknown member, for the first few, in the order they were sent."""
        del many
        known = tuple(field.data_key or name for name, field in self.fields.items())
        messages = error.messages if isinstance(error.messages, dict) else {}
        unknown = [
            key
            for key in (data if isinstance(data, Mapping) else ())
            if _is_unknown(messages.get(key))
        ]
        for key in unknown:
            messages[key] = messages.pop(key)
        for key in unknown[:20]:
            hint = did_you_mean(str(key), known)
            messages[key] = [Fault("unknown-member", f"unknown member{hint}")]


class ComparedSchema(Base):
    """A comparator and the number it stands before."""

    comparator = Word(COMPARATORS)
    value = Quantity(required=True)


_COMPARED: Final = ComparedSchema()


def _digits(value: object) -> str:
    text = number_text(value)
    if text is None and not isinstance(value, str):
        raise fault("wrong-type", f"must be a number or text, not {json_type(value)}")
    return checked_text(value if text is None else text, LONGEST_NUMBER)


def _bounded_year(year: int) -> None:
    if not _FIRST_YEAR <= year <= _LAST_YEAR:
        raise fault(
            "out-of-range", f"the year {year} is not between {_FIRST_YEAR} and {_LAST_YEAR}"
        )


def _is_unknown(messages: object) -> bool:
    return isinstance(messages, list) and any(
        getattr(message, "code", "") == "unknown-member" for message in messages
    )
