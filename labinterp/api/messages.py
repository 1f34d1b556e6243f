"""`/api/v1/messages`: stored HL7 v2 messages, looked for, looked at, and read again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from flask import Response, request, url_for
from marshmallow import fields

from labinterp.api import answers, bodies, wire
from labinterp.api.openapi import answered, content
from labinterp.api.parameters import MessageParameters
from labinterp.api.resource import Resource, actor, operation, request_id, services
from labinterp.formats.fields import Base
from labinterp.store.records import to_document
from labinterp.usecases import message_store

if TYPE_CHECKING:
    from collections.abc import Iterable

    from labinterp.errors import Place
    from labinterp.store.messages import MessageSummary

resource = Resource("messages", "Look at stored HL7 v2 messages, and read them again.")


class ReplaySchema(Base):
    """How a message is to be read again."""

    dry_run = fields.Boolean(
        required=True,
        truthy={True},
        falsy={False},
        metadata={"description": "true: only say what would change; false: change it"},
    )


_REPLAY: Final = ReplaySchema()


@resource.get("/messages")
@operation(
    "List the stored messages, newest first",
    scope="admin",
    answers={200: answered("One page, without their content", wire.MessagePage)},
    refusals=(422,),
)
@resource.query(MessageParameters())
def page(wanted: dict[str, Any]) -> Response:
    """Cursor pages: follow `next` until it is null."""
    found = message_store.list_messages(services(), actor(), **wanted)
    document = wire.MessagePage(
        messages=tuple(map(_entry, found.items)),
        next=_next_page(found.next_cursor),
        next_cursor=found.next_cursor,
    )
    return answers.json(to_document(document))


@resource.get("/messages/<message_id>")
@operation(
    "Look at one message: its segments, fields and components by name, and what is wrong",
    scope="admin",
    answers={200: answered("The message, taken apart", wire.MessageDocument)},
    refusals=(404,),
)
def read(message_id: str) -> Response:
    """It holds a patient's data; each look stands in the audit."""
    found = message_store.view_message(services(), actor(), message_id, request_id=request_id())
    document = wire.MessageDocument(
        message=_entry(found.summary),
        charset=found.charset,
        text=found.text,
        segments=found.segments,
        problems=_places(found.problems),
        answers=found.answers,
    )
    return answers.json(to_document(document))


@resource.post("/messages/<message_id>/replay")
@operation(
    "Read a message again with what is agreed with its sender now",
    scope="admin",
    body={"required": True, **content(ReplaySchema)},
    answers={200: answered("What changes, row by row", wire.ReplayDocument)},
    refusals=(400, 404, 409, 413, 415, 422),
)
def replay(message_id: str) -> Response:
    """What reads otherwise becomes the next version of its panel; former recipients are told."""
    wanted = bodies.loaded(_REPLAY)
    found = message_store.replay(
        services(), actor(), message_id, dry_run=wanted["dry_run"], request_id=request_id()
    )
    panels = tuple(
        wire.ReplayedPanel(
            change=one.change,
            panel_id=one.panel_id,
            version=one.version,
            why=one.why,
            rows=tuple(
                wire.ReplayedRow(row.where, row.before != row.after, row.before, row.after)
                for row in one.rows
            ),
        )
        for one in found.effects
    )
    return answers.json(
        to_document(wire.ReplayDocument(found.dry_run, panels, _places(found.faults)))
    )


def _entry(found: MessageSummary) -> wire.MessageEntry:
    where = url_for("messages.read", message_id=found.id)
    return wire.MessageEntry(
        id=found.id,
        received_at=found.received_at,
        door=found.door,
        application=found.application,
        facility=found.facility,
        control_id=found.control_id,
        status=found.outcome,
        panels=found.panels,
        links={"self": where, "replay": f"{where}/replay"},
    )


def _places(found: Iterable[Place]) -> tuple[wire.ProblemPlace, ...]:
    return tuple(wire.ProblemPlace(one.where, one.code, one.message) for one in found)


def _next_page(cursor: str | None) -> str | None:
    if cursor is None:
        return None
    kept = {name: value for name, value in request.args.items() if name != "cursor"}
    return url_for("messages.page", **kept, cursor=cursor)  # type: ignore[arg-type]  # texts, all
