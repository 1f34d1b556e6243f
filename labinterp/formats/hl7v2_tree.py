"""A message taken apart for people: segments, fields, repetitions, components, each by its name.

Names are those of HL7 2.5.1, whatever version the message says it is; what the standard does not
name (Z segments, later fields) has an empty name. Nothing is left out: an empty field is, but its
number shows that it is.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from labinterp.formats.fhir_document import quotable
from labinterp.formats.hl7v2_names import components_of, fields_of
from labinterp.formats.hl7v2_text import unescaped

if TYPE_CHECKING:
    from labinterp.formats.hl7v2_text import Message, Segment

_LONGEST: Final = 2000
_VALUE: Final = 5
_ENCODING: Final = 2


@dataclass(frozen=True, slots=True)
class MessagePart:
    """One sub-component.

    Attributes:
        raw: as it came.
        text: without escapes; the same where there are none.
    """

    number: int
    name: str
    raw: str
    text: str


@dataclass(frozen=True, slots=True)
class MessageComponent:
    """One component.

    Attributes:
        raw: as it came.
        text: without escapes; the same where there are none.
        parts: its sub-components, where it has several.
    """

    number: int
    name: str
    raw: str
    text: str
    parts: tuple[MessagePart, ...] = ()


@dataclass(frozen=True, slots=True)
class MessageField:
    """One field that says something.

    Attributes:
        where: its place, as problems name it: `OBX[3]-5`.
        repetitions: the components of each.
    """

    number: int
    name: str
    where: str
    raw: str
    repetitions: tuple[tuple[MessageComponent, ...], ...]


@dataclass(frozen=True, slots=True)
class MessageSegment:
    """One segment."""

    name: str
    where: str
    fields: tuple[MessageField, ...]


def tree_of(message: Message) -> tuple[MessageSegment, ...]:
    """The segments of a message, in their order."""
    return tuple(
        MessageSegment(segment.name, segment.place, tuple(_fields(segment)))
        for segment in message.segments
    )


def _fields(segment: Segment) -> list[MessageField]:
    known = fields_of(segment.name)
    found = []
    for number, raw in enumerate(segment.fields):
        if number == 0 or not raw:
            continue
        kind, name = known[number - 1] if number <= len(known) else ("", "")
        if segment.name == "OBX" and number == _VALUE:
            kind = segment.component(2).upper()
        is_signs = segment.name == "MSH" and number <= _ENCODING
        repetitions = (
            ((MessageComponent(1, "", raw, raw),),)
            if is_signs
            else tuple(
                _components(segment, one, kind) for one in raw.split(segment.signs.repetition)
            )
        )
        found.append(
            MessageField(number, name, f"{segment.place}-{number}", _cut(raw), repetitions)
        )
    return found


def _components(segment: Segment, text: str, kind: str) -> tuple[MessageComponent, ...]:
    known = components_of(kind)
    parts = text.split(segment.signs.component)
    return tuple(
        _component(segment, number, part, known[number - 1] if number <= len(known) else ("", ""))
        for number, part in enumerate(parts, start=1)
        if part
    )


def _component(segment: Segment, number: int, raw: str, known: tuple[str, str]) -> MessageComponent:
    kind, name = known
    sign = segment.signs.subcomponent
    pieces = raw.split(sign) if sign else [raw]
    inner = components_of(kind)
    parts = (
        tuple(
            MessagePart(
                place,
                inner[place - 1][1] if place <= len(inner) else "",
                _cut(piece),
                _read(segment, piece),
            )
            for place, piece in enumerate(pieces, start=1)
            if piece
        )
        if len(pieces) > 1
        else ()
    )
    return MessageComponent(number, name, _cut(raw), _read(segment, raw), parts)


def _read(segment: Segment, raw: str) -> str:
    return _cut(quotable(unescaped(raw, segment.signs, segment.charset)))


def _cut(text: str) -> str:
    """As much as there is room for; a document in a field is no text to be read here."""
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
