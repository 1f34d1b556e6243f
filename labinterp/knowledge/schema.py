"""Checks each file against the JSON Schema of its kind; the folder it lies in says which."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from jsonschema import Draft202012Validator, validators
from jsonschema.exceptions import ValidationError, best_match
from referencing import Registry, Resource

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from labinterp.errors import Place
    from labinterp.knowledge.reader import Document

KIND_OF_FOLDER: Final = {
    "analytes": "analyte",
    "formulas": "formula",
    "artefacts": "artefact",
    "patterns": "pattern",
    "mechanisms": "mechanism",
    "red_flags": "red_flag",
    "urgency": "urgency_rule",
    "next_steps": "next_step",
    "causes": "cause",
    "advice": "advice",
    "vocabulary": "vocabulary",
    "texts": "texts",
    "patient_texts": "patient_texts",
}
"""Folder to its schema; a file at the top has the schema of its own name."""


def kind(name: str) -> str:
    """The schema a file is checked against: `patterns/x.yaml` is a pattern."""
    top, _, rest = name.partition("/")
    return KIND_OF_FOLDER.get(top, top) if rest else top.removesuffix(".yaml")


_KINDS_OF_EXAMPLE: Final = (
    "one example of each kind is needed: found, not found, cannot tell"
    " (or `cannot_tell: never: …`, saying why there is none)"
)
_KINDS_OF_WORKED_EXAMPLE: Final = (
    "a formula that is on needs an example that gives a value and one that is `not computed`"
)
_FEW_EXAMPLES: Final = "at least three examples are needed"


class Schemas:
    """The schemas of one folder of knowledge, ready to check documents."""

    def __init__(self, folder: Path) -> None:
        contents = {
            path.stem: json.loads(path.read_text(encoding="utf-8"))
            for path in sorted((folder / "schema").glob("*.json"))
        }
        registry: Registry[Any] = Registry().with_resources(
            (f"{name}.json", Resource.from_contents(content)) for name, content in contents.items()
        )
        self._validators = {
            name: _Validator(content, registry=registry) for name, content in contents.items()
        }

    def faults(self, document: Document) -> Iterator[Place]:
        """What in the document does not fit its schema, with file and line."""
        validator = self._validators.get(kind(document.name))
        if validator is None:
            message = "no kind of knowledge lies here: the folder has no schema"
            yield document.place((), message)
            return
        for error in validator.iter_errors(document.data):
            yield _place(document, error)


def _place(document: Document, error: ValidationError) -> Place:
    closest = best_match([error]) or error
    where = tuple(closest.absolute_path)
    top = "" if not where else f"{'.'.join(map(str, where))}: "
    message = _message(closest, kind(document.name))
    return document.place(where, f"{top}{message}")


def _message(error: ValidationError, kind_of_file: str) -> str:
    """What is wrong, in words; JSON Schema's own for `contains` would print the whole list."""
    if error.validator == "minItems" and error.path and error.path[-1] == "examples":
        return _FEW_EXAMPLES
    if error.validator != "contains":
        return str(error.message)
    return _KINDS_OF_WORKED_EXAMPLE if kind_of_file == "formula" else _KINDS_OF_EXAMPLE


def _is_number(_: object, value: object) -> bool:
    return isinstance(value, int | Decimal) and not isinstance(value, bool)


_Validator: Final = validators.extend(
    Draft202012Validator,
    type_checker=Draft202012Validator.TYPE_CHECKER.redefine("number", _is_number),
)
"""JSON Schema's numbers include exact decimals."""
