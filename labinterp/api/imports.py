"""`POST /api/v1/panels/import`: a file of many panels; a bad row loses only itself.

A table or an NDJSON file that is too long to be answered at once is read in the background, as one
that came to `/bulk`; the answer then says where to ask after it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from flask import Response, request

from labinterp import formats
from labinterp.api import answers, bodies, bulk, wire
from labinterp.api.openapi import answered, content
from labinterp.api.panels import address_of
from labinterp.api.parameters import SenderParameters
from labinterp.api.resource import Resource, actor, operation, request_id, services
from labinterp.errors import TooLarge
from labinterp.formats import csv_template
from labinterp.store.records import to_document
from labinterp.usecases import bulk as in_bulk
from labinterp.usecases import journey

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import IO

    from werkzeug.datastructures import FileStorage

    from labinterp.usecases.outcomes import ImportOutcome

resource = Resource("import", "Take in a file of panels.")

_FILE: Final = {
    "type": "object",
    "required": ["file"],
    "properties": {"file": {"type": "string", "contentMediaType": "application/octet-stream"}},
}
CSV: Final = "text/csv"
_LINE_BY_LINE: Final[Mapping[str, str]] = {
    "csv": CSV,
    "ndjson": "application/x-ndjson",
}
"""Formats that are read piece by piece where they are long."""
_START: Final = 65_536


@resource.post("/panels/import")
@operation(
    "Import a file; every row or message is accepted or refused alone",
    scope="panels:write",
    body={"required": True, **content(_FILE, bodies.MULTIPART)},
    answers={
        200: answered("One outcome for each row or message", wire.ImportDocument),
        202: answered(
            "It is long, and read in the background; ask its job for the outcomes",
            headers=("Content-Location", "Retry-After"),
        ),
    },
    refusals=(400, 404, 413, 415, 422),
)
@resource.query(SenderParameters())
def take_in(wanted: dict[str, Any]) -> Response:
    """Sending the same file again makes nothing twice: each row's outcome is told again.

    A table or NDJSON beyond BODY_LIMIT bytes, or 50,000 lines or 5,000 panels, is answered with
    202 and the address of a job, whose files hold one outcome a line. A table or HL7 v2 is read
    with what was agreed with the `sender` that is named.
    """
    request.max_content_length = services().policy.bulk_limit
    file = bodies.uploaded()
    form = formats.detect(file.stream.read(_START), file.mimetype or None, file.filename)
    try:
        outcomes = _outcomes(file, form, wanted["sender"] or "")
    except TooLarge:
        if form not in _LINE_BY_LINE:
            raise
        return _in_the_background(file, form, wanted["sender"] or "")
    return answers.json(to_document(_document(outcomes)))


def _outcomes(file: FileStorage, form: str, sender: str) -> tuple[ImportOutcome, ...]:
    """What became of each row.

    Raises:
        TooLarge: there are too many to be told at once; nothing was stored.
    """
    most = services().policy.body_limit
    file.stream.seek(0)
    body = file.stream.read(most + 1)
    if len(body) > most:
        raise TooLarge(f"The file has more than {most} bytes; a {form} file may not.")
    return journey.import_file(
        services(),
        actor(),
        body,
        media_type=file.mimetype or None,
        file_name=file.filename,
        sender=sender,
        request_id=request_id(),
    )


@resource.get("/panels/template.csv")
@operation(
    "Fetch a table to fill in",
    scope="panels:write",
    answers={200: {"description": "A table", **content({"type": "string"}, CSV)}},
)
def template() -> Response:
    """One result a row; its header and its two rows of an example are read as they stand."""
    return csv_file(csv_template.TEXT)


def csv_file(text: str) -> Response:
    """A table that is saved rather than shown."""
    headers = {"Content-Disposition": f'attachment; filename="{csv_template.FILE_NAME}"'}
    return Response(text, headers=headers, content_type=f"{CSV}; charset=utf-8")


def _in_the_background(file: FileStorage, form: str, sender: str) -> Response:
    job_id = in_bulk.receive(
        services(),
        actor(),
        _chunks(file.stream),
        _LINE_BY_LINE[form],
        url=bulk.asked_url(),
        sender=sender,
        request_id=request_id(),
    )
    return bulk.begun(bulk.address_of_job(job_id))


def _chunks(stream: IO[bytes]) -> Iterator[bytes]:
    stream.seek(0)
    while chunk := stream.read(_START):
        yield chunk


def _document(outcomes: tuple[ImportOutcome, ...]) -> wire.ImportDocument:
    stored = sum(outcome.status == "stored" for outcome in outcomes)
    return wire.ImportDocument(
        stored=stored,
        refused=len(outcomes) - stored,
        outcomes=tuple(wire.import_outcome(each, _address(each)) for each in outcomes),
    )


def _address(outcome: ImportOutcome) -> str | None:
    return address_of(outcome.panel_id) if outcome.panel_id else None
