"""Faults of form: each has a stable code and a sentence, and all of a body are reported at once."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final, Self

from marshmallow import ValidationError

from labinterp.errors import Place, SubmissionError
from labinterp.formats.characters import quoted

_LONGEST_GUESS: Final = 64
_QUOTED: Final = re.compile("“[^”]*”")
_JSON_TYPES: Final = (
    (bool, "true or false"),
    (str, "text"),
    (Mapping, "an object"),
    (list, "a list"),
)


class Fault(str):
    """A message of the schema that carries its code."""

    __slots__ = ("code",)
    code: str

    def __new__(cls, code: str, message: str) -> Self:
        """Make the message; `code` is kebab-case and the same at every door."""
        fault = super().__new__(cls, message)
        fault.code = code
        return fault


def fault(code: str, message: str) -> ValidationError:
    """What a field raises; marshmallow collects them."""
    return ValidationError(Fault(code, message))


def json_type(value: object) -> str:
    """What a JSON value is, in words."""
    for kind, name in _JSON_TYPES:
        if isinstance(value, kind):
            return name
    return "nothing" if value is None else "a number"


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """`; did you mean age?`, or nothing when no known word is close."""
    near = difflib.get_close_matches(word[:_LONGEST_GUESS].lower(), tuple(known), n=1, cutoff=0.6)
    return f"; did you mean {near[0]}?" if near else ""


def places(messages: object, whole: str = "panel") -> tuple[Place, ...]:
    """Marshmallow's nested messages as places, in the order of the schema: `results[2].unit`.

    Args:
        messages: as marshmallow nests them.
        whole: the place of what is wrong with the whole document.
    """
    return tuple(_flat(messages, "", whole))


def _flat(messages: object, path: str, whole: str) -> Iterator[Place]:
    if isinstance(messages, Mapping):
        for key, inner in messages.items():
            yield from _flat(inner, _step(path, key), whole)
        return
    items: list[Any] = messages if isinstance(messages, list) else [messages]
    for message in items:
        text = str(message)
        yield Place(
            path or whole,
            getattr(message, "code", "wrong-type"),
            _QUOTED.sub("what was sent", text) if _is_personal(path) else text,
        )


def _is_personal(path: str) -> bool:
    """Is it about who the patient is? A refusal is logged by whoever gets it: it quotes nobody."""
    return path.partition(".")[0] == "patient"


def _step(path: str, key: object) -> str:
    if key == "_schema":
        return path
    if isinstance(key, int):
        return f"{path}[{key}]"
    name = quoted(str(key))
    return f"{path}.{name}" if path else name


def refusal(
    errors: tuple[Place, ...], *, most: int, code: str = "submission-invalid"
) -> SubmissionError:
    """One exception for all faults; it names the first, and lists at most `most`."""
    first = errors[0]
    more = f" ({len(errors) - 1} more below)" if len(errors) > 1 else ""
    listed = errors[:most]
    if len(errors) > most:
        listed += (Place("panel", "more-errors", f"{len(errors) - most} more are not listed."),)
    return SubmissionError(f"{first.where}: {first.message}{more}", code=code, errors=listed)
