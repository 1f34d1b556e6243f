"""The JSON Schema of an answer is made from its noun, so it says what the noun says."""

from __future__ import annotations

from collections.abc import Mapping  # noqa: TC003 - the schema is made from these types
from dataclasses import dataclass
from datetime import datetime  # noqa: TC003 - the schema is made from these types
from decimal import Decimal  # noqa: TC003 - the schema is made from these types
from typing import Literal

import pytest

from labinterp.api.schemas import components_of
from labinterp.model.interpretation import ConversionRecord, Interpretation


@dataclass(frozen=True)
class Inner:
    """Something inside."""

    number: Decimal


@dataclass(frozen=True)
class Outer:
    """What it is for.

    Attributes:
        word: one of two,
            or none.
        first, second: two of a kind.
    """

    word: Literal["a", "b"] | None
    mixed: Literal["a"] | Literal["b"]  # noqa: PYI030 - what is tested
    first: str
    second: int | None
    when: datetime
    many: tuple[Inner, ...]
    maybe: Inner | None
    table: Mapping[str, bool]
    anything: Mapping[str, object]


def member(name: str) -> dict[str, object]:
    return components_of(Outer)["Outer"]["properties"][name]


@pytest.mark.parametrize(
    ("name", "schema"),
    [
        (
            "word",
            {
                "type": ["string", "null"],
                "enum": ["a", "b", None],
                "description": "one of two, or none.",
            },
        ),
        ("mixed", {"type": "string", "enum": ["a", "b"]}),
        ("first", {"type": "string", "description": "two of a kind."}),
        ("second", {"type": ["integer", "null"], "description": "two of a kind."}),
        ("when", {"type": "string", "format": "date-time"}),
        ("many", {"type": "array", "items": {"$ref": "#/components/schemas/Inner"}}),
        ("maybe", {"anyOf": [{"$ref": "#/components/schemas/Inner"}, {"type": "null"}]}),
        ("table", {"type": "object", "additionalProperties": {"type": "boolean"}}),
        ("anything", {"type": "object", "additionalProperties": {}}),
    ],
)
def test_each_kind_of_field_has_its_schema(name, schema):
    assert member(name) == schema


def test_nouns_inside_nouns_are_described_too():
    assert set(components_of(Outer)) == {"Outer", "Inner"}


def test_every_member_is_promised_since_every_member_is_written():
    described = components_of(Outer)["Outer"]

    assert described["required"] == list(described["properties"])


def test_the_description_is_the_first_line_of_the_docstring():
    assert components_of(Outer)["Outer"]["description"] == "What it is for."


def test_names_that_python_reserves_are_described_as_they_are_written():
    members = components_of(ConversionRecord)["ConversionRecord"]["properties"]

    assert {"from", "to"} <= set(members)
    assert "from_unit" not in members


def test_the_whole_interpretation_can_be_described():
    described = components_of(Interpretation)

    assert {"Interpretation", "InterpretedResult", "Finding", "Twitching"} <= set(described)
