"""`POST /api/v1/panels/import`: a file of many panels; a bad row loses only itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from labinterp.api import answers, bodies, wire
from labinterp.api.openapi import answered, content
from labinterp.api.panels import address_of
from labinterp.api.resource import Resource, actor, operation, request_id, services
from labinterp.store.records import to_document
from labinterp.usecases import journey

if TYPE_CHECKING:
    from flask import Response

    from labinterp.usecases.outcomes import ImportOutcome

resource = Resource("import", "Take in a file of panels.")

_FILE: Final = {
    "type": "object",
    "required": ["file"],
    "properties": {"file": {"type": "string", "contentMediaType": "application/octet-stream"}},
}


@resource.post("/panels/import")
@operation(
    "Import a file; every row or message is accepted or refused alone",
    scope="panels:write",
    body={"required": True, **content(_FILE, bodies.MULTIPART)},
    answers={200: answered("One outcome for each row or message", wire.ImportDocument)},
    refusals=(400, 413, 415, 422),
)
def take_in() -> Response:
    """Sending the same file again makes nothing twice: each row's outcome is told again."""
    file = bodies.uploaded()
    outcomes = journey.import_file(
        services(),
        actor(),
        file.read(),
        media_type=file.mimetype or None,
        file_name=file.filename,
        request_id=request_id(),
    )
    return answers.json(to_document(_document(outcomes)))


def _document(outcomes: tuple[ImportOutcome, ...]) -> wire.ImportDocument:
    stored = sum(outcome.status == "stored" for outcome in outcomes)
    return wire.ImportDocument(
        stored=stored,
        refused=len(outcomes) - stored,
        outcomes=tuple(wire.import_outcome(each, _address(each)) for each in outcomes),
    )


def _address(outcome: ImportOutcome) -> str | None:
    return address_of(outcome.panel_id) if outcome.panel_id else None
