"""JSON Schema made from the frozen nouns, so that the document cannot drift from the answers."""

from __future__ import annotations

import re
import types
import typing
from collections.abc import Iterator, Mapping
from dataclasses import is_dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final, Literal, get_args, get_origin

from labinterp.model.rule import Condition
from labinterp.store import records

Schema = dict[str, Any]

_PLAIN: Final[dict[object, Schema]] = {
    str: {"type": "string"},
    bool: {"type": "boolean"},
    int: {"type": "integer"},
    Decimal: {"type": "number"},
    datetime: {"type": "string", "format": "date-time"},
    date: {"type": "string", "format": "date"},
}
_CONDITIONS: Final = frozenset(get_args(Condition))
_CONDITION: Final[Schema] = {"type": "string", "description": "a condition, in words"}
_ATTRIBUTE: Final = re.compile(r"^([a-z_]+(?:, [a-z_]+)*): (.+)$")


def reference(name: str) -> Schema:
    """A reference to a named schema of the document."""
    return {"$ref": f"#/components/schemas/{name}"}


def components_of(*nouns: type) -> dict[str, Schema]:
    """These nouns and all they are made of, by class name."""
    found: dict[str, type] = {}
    waiting = list(nouns)
    while waiting:
        noun = waiting.pop()
        known = found.setdefault(noun.__name__, noun)
        if known is not noun:
            raise ValueError(f"two nouns are called {noun.__name__}")
        waiting.extend(inner for inner in _nouns_inside(noun) if inner.__name__ not in found)
    return {name: object_of(noun) for name, noun in sorted(found.items())}


def object_of(noun: type) -> Schema:
    """One noun; what it is made of is referred to."""
    hints = typing.get_type_hints(noun)
    said = _attributes(noun)
    members = {
        json_name: _described(_schema(hints[name]), said.get(name))
        for name, json_name in records.member_names(noun)
    }
    return {
        "type": "object",
        "description": _first_line(noun),
        "properties": members,
        "required": list(members),
    }


def _described(schema: Schema, text: str | None) -> Schema:
    return {**schema, "description": text} if text else schema


def _schema(hint: Any) -> Schema:
    if hint in _PLAIN:
        return dict(_PLAIN[hint])
    if hint in _CONDITIONS:
        return dict(_CONDITION)
    if is_dataclass(hint):
        return reference(typing.cast("type", hint).__name__)
    origin, inside = get_origin(hint), get_args(hint)
    if origin is Literal:
        return {"type": "string", "enum": list(inside)}
    if origin is tuple:
        return _list(inside)
    if origin in (typing.Union, types.UnionType):
        return _one_of(inside)
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return {"type": "object", "additionalProperties": _schema(inside[1])}
    return {}


def _list(inside: tuple[Any, ...]) -> Schema:
    if inside[-1] is Ellipsis:
        return {"type": "array", "items": _schema(inside[0])}
    return {
        "type": "array",
        "prefixItems": [_schema(hint) for hint in inside],
        "minItems": len(inside),
        "maxItems": len(inside),
    }


def _one_of(hints: tuple[Any, ...]) -> Schema:
    """A union: words merge into one list, and null into the type where there is but one."""
    options = [hint for hint in hints if hint is not types.NoneType]
    words = [word for hint in options if get_origin(hint) is Literal for word in get_args(hint)]
    schemas = [_schema(hint) for hint in options if get_origin(hint) is not Literal]
    if options and all(hint in _CONDITIONS for hint in options):
        schemas = [dict(_CONDITION)]
    if words:
        schemas.append({"type": "string", "enum": words})
    if types.NoneType in hints:
        schemas.append({"type": "null"})
    return _merged(schemas)


def _merged(schemas: list[Schema]) -> Schema:
    if len(schemas) == 1:
        return schemas[0]
    if any("$ref" in schema or "items" in schema or not schema for schema in schemas):
        return {"anyOf": schemas}
    merged: Schema = {key: value for schema in schemas for key, value in schema.items()}
    merged["type"] = [schema["type"] for schema in schemas]
    if "enum" in merged and "null" in merged["type"]:
        merged["enum"] = [*merged["enum"], None]
    return merged


def _nouns_inside(noun: type) -> Iterator[type]:
    waiting = list(typing.get_type_hints(noun).values())
    while waiting:
        hint = waiting.pop()
        if hint in _CONDITIONS:
            continue
        if is_dataclass(hint):
            yield typing.cast("type", hint)
        else:
            waiting.extend(get_args(hint))


def _first_line(noun: type) -> str:
    return (noun.__doc__ or "").strip().split("\n", 1)[0]


def _attributes(noun: type) -> dict[str, str]:
    """What the docstring's `Attributes` say of each field."""
    _, _, listed = (noun.__doc__ or "").partition("Attributes:")
    said: dict[str, str] = {}
    names: list[str] = []
    for line in filter(None, map(str.strip, listed.splitlines())):
        named = _ATTRIBUTE.match(line)
        if named:
            names = named[1].split(", ")
            said |= dict.fromkeys(names, named[2])
        else:
            said |= {name: f"{said[name]} {line}" for name in names}
    return said
