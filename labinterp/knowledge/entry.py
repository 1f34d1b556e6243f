"""A value of a document together with its way from the top, so that complaints are precise."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from labinterp.knowledge import notation
from labinterp.knowledge.reader import Fault, Where

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from decimal import Decimal

    from labinterp.model.rule import Condition


@dataclass(frozen=True, slots=True)
class Entry:
    """A mapping inside a document; its readers give typed values or a Fault at the place."""

    data: Mapping[str, Any]
    where: Where = ()

    def text(self, key: str, default: str | None = None) -> str:
        """A string; a Fault when it is missing and there is no default."""
        value = self.data.get(key, default)
        if not isinstance(value, str):
            raise Fault((*self.where, key), f"“{key}” is missing or is not text")
        return value

    def optional(self, key: str) -> str | None:
        """A string or None."""
        return None if self.data.get(key) is None else self.text(key)

    def truth(self, key: str, *, default: bool = False) -> bool:
        """A truth value."""
        return bool(self.data.get(key, default))

    def texts(self, key: str) -> tuple[str, ...]:
        """A list of strings; empty when there is none."""
        return tuple(str(item) for item in self.data.get(key) or ())

    def whole(self, key: str) -> int | None:
        """A whole number or None."""
        value = self.data.get(key)
        if value is not None and (isinstance(value, bool) or not isinstance(value, int)):
            raise Fault((*self.where, key), f"“{key}” is not a whole number")
        return value

    def number(self, key: str) -> Decimal | None:
        """An exact decimal or None."""
        return notation.optional_decimal(self.data.get(key), (*self.where, key))

    def needed_number(self, key: str) -> Decimal:
        """An exact decimal; a Fault when it is missing."""
        return notation.decimal(self.data.get(key), (*self.where, key))

    def condition(self, key: str) -> Condition:
        """A condition tree; a Fault when it is missing."""
        return notation.condition(self.data.get(key), (*self.where, key))

    def optional_condition(self, key: str) -> Condition | None:
        """A condition tree or None."""
        return None if self.data.get(key) is None else self.condition(key)

    def conditions(self, key: str) -> tuple[Condition, ...]:
        """A list of condition trees; empty when there is none."""
        items = self.data.get(key) or ()
        return tuple(
            notation.condition(item, (*self.where, key, n)) for n, item in enumerate(items)
        )

    def inner(self, key: str) -> Entry:
        """The mapping under the key; an empty one when there is none."""
        return Entry(self.data.get(key) or {}, (*self.where, key))

    def rows(self, key: str) -> Iterator[Entry]:
        """The mappings of the list under the key."""
        for n, item in enumerate(self.data.get(key) or ()):
            yield Entry(item, (*self.where, key, n))

    def members(self, key: str) -> Iterator[tuple[str, Entry]]:
        """The mappings of the mapping under the key, by name."""
        for name, item in (self.data.get(key) or {}).items():
            yield name, Entry(item or {}, (*self.where, key, name))

    def words(self, key: str) -> dict[str, str]:
        """A mapping of words to words; empty when there is none."""
        return {str(name): str(value) for name, value in (self.data.get(key) or {}).items()}
