"""Model nouns to plain JSON data and back: how answers are stored and printed.

The field names of `model.interpretation` are the contract's; only names that Python
reserves are renamed.
"""

from __future__ import annotations

import types
import typing
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from decimal import Decimal
from functools import cache, partial
from operator import attrgetter
from typing import Any, Final, TypeVar, get_args, get_origin

import simplejson

_JSON_NAMES: Final = {"from_unit": "from", "to_unit": "to", "as_": "as"}
_PLAIN: Final = frozenset({str, int, bool, Decimal, type(None)})
Noun = TypeVar("Noun")
Reader = Callable[[Any], Any]


def to_document(value: object) -> Any:
    """Frozen nouns as dicts and lists; decimals stay decimals, so that their digits are kept."""
    kind = type(value)
    return (_FORMERS.get(kind) or _former(kind))(value)


_FORMERS: dict[type, Callable[[Any], Any]] = {}
"""Type to how its values are written; an answer has hundreds of nouns."""


def _former(kind: type) -> Callable[[Any], Any]:
    return _FORMERS.setdefault(kind, _made_former(kind))


def _made_former(kind: type) -> Callable[[Any], Any]:
    if kind in _PLAIN:
        return _as_it_is
    if is_dataclass(kind):
        return _former_of_noun(kind)
    if issubclass(kind, tuple | list):
        return _listed
    return _mapped if issubclass(kind, Mapping) else _as_it_is


def _former_of_noun(kind: Any) -> Callable[[Any], Any]:
    names = member_names(kind)
    written_as = tuple(json_name for _, json_name in names)
    if len(names) == 1:
        return lambda noun: {written_as[0]: to_document(getattr(noun, names[0][0]))}
    members = attrgetter(*(name for name, _ in names))
    return lambda noun: dict(zip(written_as, _listed(members(noun)), strict=True))


def _as_it_is(value: object) -> object:
    return value


def _listed(values: tuple[Any, ...] | list[Any]) -> list[Any]:
    return [one if type(one) in _PLAIN else to_document(one) for one in values]


def _mapped(values: Mapping[str, Any]) -> dict[str, Any]:
    return {key: to_document(one) for key, one in values.items()}


def from_document(noun: type[Noun], document: Mapping[str, Any]) -> Noun:
    """The noun that `to_document` made this of; a member a later version added takes its default.

    Raises:
        KeyError: a member without a default is missing.
    """
    given = {}
    for name, json_name, reader in _readers(typing.cast("Any", noun)):
        if json_name in document:
            raw = document[json_name]
            given[name] = raw if raw is None or reader is None else reader(raw)
    return noun(**given)


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
def _readers(noun: Any) -> tuple[tuple[str, str, Reader | None], ...]:
    """A noun's fields with their names in JSON, and what reads each; None: it stays as it is."""
    hints = typing.get_type_hints(noun)
    return tuple((name, json, _reader(hints[name])) for name, json in member_names(noun))


@cache
def _reader(hint: Any) -> Reader | None:
    """What makes plain data into a value of this type."""
    if is_dataclass(hint):
        return partial(from_document, typing.cast("type", hint))
    origin = get_origin(hint)
    if origin is tuple:
        inner = _reader(get_args(hint)[0])
        return tuple if inner is None else partial(_each, inner)
    if origin in (typing.Union, types.UnionType):
        return _reader(next(arg for arg in get_args(hint) if arg is not type(None)))
    return _decimal if hint is Decimal else None


def _each(reader: Reader, raw: Any) -> tuple[Any, ...]:
    return tuple(None if item is None else reader(item) for item in raw)


def _decimal(raw: Any) -> Decimal:
    return raw if isinstance(raw, Decimal) else Decimal(str(raw))
