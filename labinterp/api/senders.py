"""`/api/v1/senders`: systems that send HL7 v2, and what was agreed with each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from flask import Response, url_for
from marshmallow import fields

from labinterp.api import answers, bodies, wire
from labinterp.api.openapi import answered, content
from labinterp.api.resource import Resource, actor, operation, request_id, services
from labinterp.formats.fields import Base, Text
from labinterp.formats.sender_settings import SenderSettingsSchema
from labinterp.store.records import to_document
from labinterp.usecases import senders

if TYPE_CHECKING:
    from labinterp.store.rows import SenderRecord

resource = Resource("senders", "Agree with a sending system on codes, units and times.")


class SenderSchema(Base):
    """A sending system, by the names in its messages."""

    name = Text(metadata={"description": "What it is called", "example": "North laboratory"})
    application = Text(metadata={"description": "Its name in MSH-3", "example": "LIS"})
    facility = Text(metadata={"description": "Its name in MSH-4", "example": "NORTHLAB"})
    settings = fields.Nested(
        SenderSettingsSchema(), metadata={"description": "What was agreed with it"}
    )


class SenderChangeSchema(Base):
    """Other settings for a sender."""

    name = Text(metadata={"description": "What it is called"})
    settings = fields.Nested(
        SenderSettingsSchema(),
        required=True,
        metadata={"description": "All that is agreed with it"},
    )


class SettingsToTrySchema(Base):
    """Settings to try."""

    settings = fields.Nested(
        SenderSettingsSchema(), required=True, metadata={"description": "What would be agreed"}
    )
    table = Text(
        200_000,
        lines=True,
        metadata={"description": "A table (CSV) of its, to be read both ways, too"},
    )


_NEW: Final = SenderSchema()
_CHANGE: Final = SenderChangeSchema()
_TRIAL: Final = SettingsToTrySchema()


@resource.post("/senders")
@operation(
    "Register a sending system",
    scope="admin",
    body={"required": True, **content(SenderSchema)},
    answers={201: answered("It is known from now on", wire.SenderDocument, headers=("Location",))},
    refusals=(400, 409, 413, 415, 422),
)
def create() -> Response:
    """Messages with these names in MSH-3 and MSH-4 belong to this organisation."""
    wanted = bodies.loaded(_NEW)
    made = senders.create_sender(
        services(),
        actor(),
        name=wanted.get("name") or wanted.get("application") or "",
        application=wanted.get("application") or "",
        facility=wanted.get("facility") or "",
        settings=_said(wanted),
        request_id=request_id(),
    )
    document = _document(made)
    return answers.json(to_document(document), 201, headers={"Location": document.links["self"]})


@resource.get("/senders")
@operation(
    "List the sending systems",
    scope="admin",
    answers={200: answered("All of them", wire.Senders)},
)
def page() -> Response:
    """Oldest first."""
    found = senders.list_senders(services(), actor())
    return answers.json(to_document(wire.Senders(tuple(map(_document, found)))))


@resource.get("/senders/<sender_id>")
@operation(
    "Read one sending system",
    scope="admin",
    answers={200: answered("It and what was agreed", wire.SenderDocument)},
    refusals=(404,),
)
def read(sender_id: str) -> Response:
    """What was agreed with it."""
    return answers.json(to_document(_document(senders.read_sender(services(), actor(), sender_id))))


@resource.post("/senders/<sender_id>")
@operation(
    "Change what was agreed",
    scope="admin",
    body={"required": True, **content(SenderChangeSchema)},
    answers={200: answered("It holds from the next message on", wire.SenderDocument)},
    refusals=(400, 404, 413, 415, 422),
)
def change(sender_id: str) -> Response:
    """The settings replace those before; stored panels stay as they are."""
    wanted = bodies.loaded(_CHANGE)
    changed = senders.change_sender(
        services(),
        actor(),
        sender_id,
        name=wanted.get("name"),
        settings=_said(wanted),
        request_id=request_id(),
    )
    return answers.json(to_document(_document(changed)))


@resource.post("/senders/<sender_id>/dry-run")
@operation(
    "See what other settings would change",
    scope="admin",
    body={"required": True, **content(SettingsToTrySchema)},
    answers={200: answered("The newest stored messages, read both ways", wire.SenderTrial)},
    refusals=(400, 404, 413, 415, 422),
)
def dry_run(sender_id: str) -> Response:
    """Stored messages are read with the settings in force and with these; nothing is changed."""
    wanted = bodies.loaded(_TRIAL)
    effects = senders.dry_run(
        services(),
        actor(),
        sender_id,
        _said(wanted),
        table=wanted.get("table") or "",
        request_id=request_id(),
    )
    listed = tuple(
        wire.SenderEffect(one.control_id, one.before != one.after, one.before, one.after)
        for one in effects
    )
    return answers.json(to_document(wire.SenderTrial(listed)))


@resource.delete("/senders/<sender_id>")
@operation(
    "Forget a sending system",
    scope="admin",
    answers={204: {"description": "Its messages and panels stay"}},
    refusals=(404,),
)
def remove(sender_id: str) -> Response:
    """Its next message is one of an unknown system."""
    senders.delete_sender(services(), actor(), sender_id, request_id=request_id())
    return Response(status=204)


def _said(wanted: dict[str, Any]) -> dict[str, Any]:
    settings = wanted.get("settings") or {}
    return {name: said for name, said in settings.items() if said is not None}


def _document(found: SenderRecord) -> wire.SenderDocument:
    where = url_for("senders.read", sender_id=found.id)
    return wire.SenderDocument(
        id=found.id,
        name=found.name,
        application=found.application,
        facility=found.facility,
        settings=found.settings,
        created_at=found.created_at,
        changed_at=found.changed_at,
        links={"self": where, "dry_run": f"{where}/dry-run"},
    )
