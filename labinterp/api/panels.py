"""`/api/v1/panels`: accept, correct, list and read stored panels."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from flask import request, url_for

from labinterp.api import answers, bodies, wire
from labinterp.api.openapi import answered, content, header
from labinterp.api.parameters import ListParameters, VersionParameters
from labinterp.api.resource import Resource, actor, operation, request_id, services
from labinterp.formats.panel_schema import PanelSchema
from labinterp.store.records import to_document
from labinterp.usecases import journey

if TYPE_CHECKING:
    from flask import Response

    from labinterp.usecases.outcomes import Accepted

resource = Resource("panels", "Accept panels, correct them, list them, read them.")

IDEMPOTENCY_KEY: Final = header(
    "Idempotency-Key",
    "The same key and body again gets the first answer again and stores nothing; another body "
    "under the same key is refused.",
    {"type": "string", "minLength": 1, "maxLength": 200, "pattern": "^[!-~]+$"},
)
_PANEL: Final = {"required": True, **content(PanelSchema)}
_STORED: Final = answered(
    "It is on disk; its report and its messages are on their way",
    wire.PanelRecordDocument,
    headers=("Location", "Idempotent-Replayed"),
)
_REFUSALS: Final = (400, 409, 413, 415, 422)


@resource.post("/panels")
@operation(
    "Accept a panel: store it, explain it, have its report drawn and sent",
    scope="panels:write",
    body=_PANEL,
    parameters=(IDEMPOTENCY_KEY,),
    answers={201: _STORED},
    refusals=_REFUSALS,
)
def accept() -> Response:
    """It leaves only after panel, interpretation, report job and messages are durable together."""
    key, sent = bodies.idempotency_key(), bodies.panel()
    accepted = journey.take(
        services(),
        actor(),
        sent.received,
        idempotency_key=key,
        body_digest=sent.digest,
        origin="api",
        request_id=request_id(),
    )
    return _stored(accepted)


@resource.post("/panels/<panel_id>/corrections")
@operation(
    "Correct a panel: a new version under the same id",
    scope="panels:write",
    body=_PANEL,
    parameters=(IDEMPOTENCY_KEY,),
    answers={201: _STORED},
    refusals=(404, *_REFUSALS),
)
def correct(panel_id: str) -> Response:
    """Send a whole panel of the same patient. The old version stays readable, marked superseded."""
    key, sent = bodies.idempotency_key(), bodies.panel()
    accepted = journey.correct(
        services(),
        actor(),
        panel_id,
        sent.received,
        idempotency_key=key,
        body_digest=sent.digest,
        request_id=request_id(),
    )
    return _stored(accepted)


@resource.get("/panels")
@operation(
    "List panels, newest first",
    scope="panels:read",
    answers={200: answered("One page", wire.PanelPage)},
    refusals=(422,),
)
@resource.query(ListParameters())
def page(wanted: dict[str, Any]) -> Response:
    """Cursor pages: follow `next` until it is null."""
    found = journey.list_panels(services(), actor(), **wanted)
    document = wire.PanelPage(
        panels=tuple(wire.panel_summary(each, address_of(each.id)) for each in found.items),
        next=_next_page(found.next_cursor),
        next_cursor=found.next_cursor,
    )
    return answers.json(to_document(document))


@resource.get("/panels/<panel:panel_id>")
@operation(
    "Read one panel with its interpretation, report and messages",
    scope="panels:read",
    answers={200: answered("The record", wire.PanelRecordDocument)},
    refusals=(404, 422),
)
@resource.query(VersionParameters())
def read(wanted: dict[str, Any], panel_id: str) -> Response:
    """A stored answer is never rewritten; `version` reads an older one, marked superseded."""
    record = journey.read_panel(
        services(), actor(), panel_id, wanted["version"], request_id=request_id()
    )
    return answers.json(journey.panel_document(record))


def address_of(panel_id: str) -> str:
    """Where a panel is read."""
    return url_for("panels.read", panel_id=panel_id)


def _stored(accepted: Accepted) -> Response:
    record = journey.accepted_record(services(), actor(), accepted)
    headers = {"Location": address_of(accepted.panel_id)}
    if accepted.replayed:
        headers["Idempotent-Replayed"] = "true"
    return answers.json(journey.panel_document(record), 201, headers=headers)


def _next_page(cursor: str | None) -> str | None:
    if cursor is None:
        return None
    kept = {name: value for name, value in request.args.items() if name != "cursor"}
    return url_for("panels.page", **kept, cursor=cursor)  # type: ignore[arg-type]  # texts, all
