"""Reads the files of `reference_ranges/` into plain data, keeping digits and line numbers.

YAML 1.2 through ruamel's pure parser, safe tags only. Numbers with a point become exact decimals,
duplicate keys are refused, and each value remembers its line, so that whatever is wrong later can
name file and line.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from decimal import Decimal
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from labinterp.errors import KnowledgeError, Place

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from ruamel.yaml.error import YAMLError

Where = tuple[str | int, ...]
"""The way from a document's top to a value: keys and list positions."""

_TAG = "tag:yaml.org,2002:"
_PLAIN = re.compile(r"^[-+]?[0-9]{1,20}(\.[0-9]{1,20})?$")
_TRUTHS = {"true": True, "false": False}


class Fault(ValueError):
    """A value that cannot be what its place asks for; becomes a KnowledgeError with its line."""

    def __init__(self, where: Where, message: str) -> None:
        super().__init__(message)
        self.where = where
        self.message = message


@dataclass(frozen=True, slots=True)
class Document:
    """One file, parsed.

    Attributes:
        name: path below the folder, with forward slashes.
        data: mappings, lists, strings, integers, decimals, truths and None.
        lines: line number of each value by its way from the top.
    """

    name: str
    data: Mapping[str, Any]
    lines: Mapping[Where, int] = field(repr=False)

    def line(self, where: Where) -> int:
        """The line of the value, or of the nearest thing around it."""
        for end in range(len(where), -1, -1):
            if where[:end] in self.lines:
                return self.lines[where[:end]]
        return 1

    def place(self, where: Where, message: str) -> Place:
        """What is wrong there, with file and line."""
        return Place(f"{self.name}:{self.line(where)}", "knowledge-invalid", message)


def refusal(places: Sequence[Place]) -> KnowledgeError:
    """One error that names every place; the first is in the sentence."""
    first = places[0]
    more = f" (and {len(places) - 1} more)" if len(places) > 1 else ""
    return KnowledgeError(f"{first.where}: {first.message}{more}", errors=tuple(places))


def documents(folder: Path) -> tuple[Document, ...]:
    """Every YAML file below the folder, in the order of its name.

    Raises:
        KnowledgeError: the folder is missing, or a file is not readable YAML.
    """
    if not folder.is_dir():
        message = f"there is no folder of knowledge at {folder}"
        raise KnowledgeError(message)
    return tuple(parsed(path.relative_to(folder).as_posix(), path) for path in paths(folder))


def paths(folder: Path) -> Iterator[Path]:
    """The YAML files below the folder, sorted by name: every machine reads the same order."""
    return iter(
        sorted(folder.rglob("*.yaml"), key=lambda path: path.relative_to(folder).as_posix())
    )


def parsed(name: str, path: Path) -> Document:
    """One file as a document."""
    try:
        return parsed_text(name, path.read_text(encoding="utf-8"))
    except UnicodeDecodeError as error:
        raise refusal([Place(f"{name}:1", "knowledge-invalid", "is not UTF-8")]) from error


@lru_cache(maxsize=1024)
def parsed_text(name: str, text: str) -> Document:
    """A file's text as a document; an unchanged file is parsed once in a process."""
    from ruamel.yaml import YAML  # noqa: PLC0415 - a start from the compiled form needs no YAML
    from ruamel.yaml.error import YAMLError  # noqa: PLC0415 - see above

    try:
        node = YAML(typ="safe", pure=True).compose(text)
    except YAMLError as error:
        raise refusal([_unreadable(name, error)]) from error
    return _document(name, node)


def _unreadable(name: str, error: YAMLError) -> Place:
    mark = getattr(error, "problem_mark", None)
    problem = getattr(error, "problem", None) or str(error)
    line = mark.line + 1 if mark else 1
    return Place(f"{name}:{line}", "knowledge-invalid", f"is not valid YAML: {problem}")


def _document(name: str, node: Any) -> Document:
    lines: dict[Where, int] = {}
    try:
        data = None if node is None else _value(node, (), lines)
        data = _top(data)
    except Fault as fault:
        document = Document(name, {}, lines)
        raise refusal([document.place(fault.where, fault.message)]) from fault
    return Document(name, data, lines)


def _top(data: object) -> dict[str, Any]:
    if not isinstance(data, dict):
        raise Fault((), "must be a mapping")
    return data


def _value(node: Any, where: Where, lines: dict[Where, int]) -> Any:
    lines[where] = node.start_mark.line + 1
    if node.anchor is not None:
        raise Fault(where, "anchors and aliases are not used here: what is shared gets an id")
    if node.id == "mapping":
        return _mapping(node, where, lines)
    if node.id == "sequence":
        return [_value(item, (*where, n), lines) for n, item in enumerate(node.value)]
    return _scalar(node, where)


def _mapping(node: Any, where: Where, lines: dict[Where, int]) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for key_node, value_node in node.value:
        key = str(key_node.value)
        lines[*where, key] = key_node.start_mark.line + 1
        if key in result:
            raise Fault((*where, key), f"“{key}” stands twice in one mapping")
        result[key] = _value(value_node, (*where, key), lines)
    return result


def _scalar(node: Any, where: Where) -> str | int | Decimal | bool | None:
    kind = str(node.tag).removeprefix(_TAG)
    text = str(node.value)
    if kind == "null":
        return None
    if kind == "bool":
        return _TRUTHS[text.lower()]
    if kind == "int":
        return int(_decimal(text, where))
    if kind == "float":
        return _decimal(text, where)
    return text


def _decimal(text: str, where: Where) -> Decimal:
    if not _PLAIN.match(text):
        raise Fault(where, f"“{text}” is not a plain number")
    return Decimal(text)
