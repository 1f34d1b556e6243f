"""JSON as foreign text: bounded before it is parsed, strict, every number's digits kept."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Final

from labinterp.errors import Place, SubmissionError, TooLarge
from labinterp.formats.characters import forbidden_character, quoted
from labinterp.formats.faults import refusal
from labinterp.formats.fields import NotANumber, NumberLiteral

if TYPE_CHECKING:
    from collections.abc import Iterator

    from labinterp.formats.limits import Limits

_MARK: Final = "\ufeff"
_TOKEN: Final = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+"?|[\[\]{},]', re.DOTALL)
"""A string (to the end if it is never closed), or a sign of structure. Possessive, so linear."""

_HALF: Final = re.compile(r"\\u[dD][89a-fA-F]")
"""Where a text might hold half of a character, written as an escape."""
_SURROGATE: Final = re.compile("[\ud800-\udfff]")


class _Repeated(dict[str, Any]):
    """An object in which a key stood twice."""

    keys_twice: tuple[str, ...] = ()


def parsed(body: bytes, limits: Limits) -> Any:
    """The one JSON document in the body; numbers as `NumberLiteral`.

    Raises:
        TooLarge: longer, deeper or with more elements than the limits allow.
        SubmissionError: no UTF-8, no JSON, two documents, a key twice, NaN, a lone surrogate.
    """
    if len(body) > limits.body_bytes:
        raise TooLarge(f"The body has {len(body)} bytes; at most {limits.body_bytes} are taken.")
    text = _text(body)
    _bounded(text, limits)
    document = _document(text)
    faults = tuple(_faults(document, ""))
    if _HALF.search(text):
        faults += tuple(_halves(document, ""))
    if faults:
        is_json = all(one.code == "control-character" for one in faults)
        code = "submission-invalid" if is_json else "json-invalid"
        raise refusal(faults, most=limits.errors, code=code)
    return document


def _text(body: bytes) -> str:
    try:
        return body.decode("utf-8").removeprefix(_MARK)
    except UnicodeDecodeError as error:
        raise SubmissionError(
            f"JSON must be UTF-8; byte {error.start + 1} is not.",
            code="charset-invalid",
            errors=(
                Place(f"byte {error.start + 1}", "charset-invalid", "is not UTF-8; send UTF-8"),
            ),
        ) from None


def _bounded(text: str, limits: Limits) -> None:
    """Depth and number of elements, before any parser recurses or allocates for them."""
    depth = elements = 0
    for found in _TOKEN.finditer(text):
        sign = found.group()
        if sign in "[{":
            depth += 1
        elif sign in "]}":
            depth -= 1
            continue
        elif sign != ",":
            continue
        elements += 1
        if depth > limits.depth:
            raise _too_large("nested deeper", limits.depth, _line(text, found.start()))
        if elements > limits.elements:
            raise _too_large("of more elements", limits.elements, _line(text, found.start()))


def _too_large(what: str, most: int, where: str) -> TooLarge:
    message = f"The document is {what} than the {most} that are taken."
    return TooLarge(message, errors=(Place(where, "too-large", message),))


def _document(text: str) -> Any:
    if not text.strip():
        raise SubmissionError(
            "The body is empty; send a JSON document.",
            code="json-invalid",
            errors=(Place("line 1, column 1", "json-invalid", "is empty"),),
        )
    try:
        return json.loads(
            text,
            parse_float=NumberLiteral,
            parse_int=NumberLiteral,
            parse_constant=NotANumber,
            object_pairs_hook=_object,
        )
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        reason = error.msg[:1].lower() + error.msg[1:]
        if reason == "extra data":
            reason = "a second document begins; send one"
        raise SubmissionError(
            f"The body is not JSON: {where}: {reason}.",
            code="json-invalid",
            errors=(Place(where, "json-invalid", reason),),
        ) from None
    except RecursionError:
        raise TooLarge("The document is nested too deeply.") from None


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) == len(pairs):
        return members
    seen: set[str] = set()
    twice = [key for key, _ in pairs if key in seen or seen.add(key)]  # type: ignore[func-returns-value]
    repeated = _Repeated(members)
    repeated.keys_twice = tuple(dict.fromkeys(twice))
    return repeated


def _faults(node: Any, path: str) -> Iterator[Place]:
    if isinstance(node, dict):
        for key in getattr(node, "keys_twice", ()):
            yield Place(_member(path, key), "duplicate-key", "stands twice in one object")
        for key, inner in node.items():
            character = forbidden_character(key)
            if character:
                message = f"the name holds the control character {character}"
                yield Place(_member(path, key), "control-character", message)
            if type(inner) is not str:
                yield from _faults(inner, _member(path, key))
    elif isinstance(node, list):
        for index, inner in enumerate(node):
            if type(inner) is not str:
                yield from _faults(inner, f"{path}[{index}]")
    elif isinstance(node, NotANumber):
        yield Place(path or "panel", "bad-number", f"{node.text} is no JSON number; leave it out")


def _halves(node: Any, path: str) -> Iterator[Place]:
    """Texts with half of a character, which nothing can store, print or send on."""
    if isinstance(node, dict):
        for key, inner in node.items():
            yield from _halves(inner, _member(path, key))
    elif isinstance(node, list):
        for index, inner in enumerate(node):
            yield from _halves(inner, f"{path}[{index}]")
    elif isinstance(node, str):
        found = _SURROGATE.search(node)
        if found:
            message = f"holds half a character, U+{ord(found.group()):04X}"
            yield Place(path or "body", "control-character", message)


def _member(path: str, key: str) -> str:
    return f"{path}.{quoted(key)}" if path else quoted(key)


def _line(text: str, position: int) -> str:
    return f"line {text.count(chr(10), 0, position) + 1}"
