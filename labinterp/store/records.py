"""Model nouns to plain JSON data and back: how answers are stored and printed.

The field names of `model.interpretation` are the contract's; only names that Python
reserves are renamed.
"""

from __future__ import annotations

import types
import typing
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from decimal import Decimal
from functools import cache
from typing import Any, Final, TypeVar, get_args, get_origin

import simplejson

_JSON_NAMES: Final = {"from_unit": "from", "to_unit": "to", "as_": "as"}
Noun = TypeVar("Noun")


def to_document(value: object) -> Any:
    """Frozen nouns as dicts and lists; decimals stay decimals, so that their digits are kept."""
    if is_dataclass(value) and not isinstance(value, type):
        return {
            json_name: to_document(getattr(value, name))
            for name, json_name in member_names(typing.cast("Any", type(value)))
        }
    if isinstance(value, tuple | list):
        return [to_document(item) for item in value]
    if isinstance(value, Mapping):
        return {key: to_document(item) for key, item in value.items()}
    return value


def from_document(noun: type[Noun], document: Mapping[str, Any]) -> Noun:
    """The noun that `to_document` made this of; a member a later version added takes its default.

    Raises:
        KeyError: a member without a default is missing.
    """
    hints = _hints(typing.cast("Any", noun))
    return noun(
        **{
            name: _value(hints[name], document[json_name])
            for name, json_name in member_names(typing.cast("Any", noun))
            if json_name in document
        }
    )


def written(document: object) -> str:
    """JSON text in which every decimal keeps its digits."""
    return str(
        simplejson.dumps(document, use_decimal=True, separators=(",", ":"), ensure_ascii=True)
    )


def read_back(text: str | bytes) -> Any:
    """What `written` was given; numbers with a point or an exponent are decimals."""
    return simplejson.loads(text, use_decimal=True)


@cache
def member_names(noun: Any) -> tuple[tuple[str, str], ...]:
    """A noun's fields, each with its name in JSON."""
    return tuple((field.name, _JSON_NAMES.get(field.name, field.name)) for field in fields(noun))


@cache
def _hints(noun: Any) -> dict[str, Any]:
    return typing.get_type_hints(noun)


def _value(hint: Any, raw: Any) -> Any:
    if raw is None:
        return None
    if is_dataclass(hint):
        return from_document(typing.cast("type", hint), raw)
    origin = get_origin(hint)
    if origin is tuple:
        return tuple(_value(get_args(hint)[0], item) for item in raw)
    if origin in (typing.Union, types.UnionType):
        return _value(next(arg for arg in get_args(hint) if arg is not type(None)), raw)
    if hint is Decimal and not isinstance(raw, Decimal):
        return Decimal(str(raw))
    return raw
