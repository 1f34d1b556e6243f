"""Many rows or messages at once: each its own transaction and its own outcome."""

from __future__ import annotations

from typing import TYPE_CHECKING

from labinterp import formats
from labinterp.access import Actor, require
from labinterp.errors import Conflict, Place, SubmissionError
from labinterp.usecases.outcomes import ImportOutcome
from labinterp.usecases.replace import take_row

if TYPE_CHECKING:
    from labinterp.model.submission import Received
    from labinterp.usecases.services import Services


def import_file(
    services: Services,
    actor: Actor,
    body: bytes,
    *,
    media_type: str | None = None,
    file_name: str | None = None,
    request_id: str = "",
) -> tuple[ImportOutcome, ...]:
    """Accept what can be accepted of a file; a bad row loses only itself.

    A row that was stored before (by its content, in whatever file) is answered as it was then, so
    that a file whose import broke off is repaired by sending it again.

    Raises:
        AccessDenied: the actor may not.
        SubmissionError: nothing of the file can be read.
        TemporaryFailure: the database cannot be had; rows before that are stored.
    """
    require(actor, "panels:write")
    reading = formats.read(formats.detect(body, media_type, file_name), body, services.now())
    stored = tuple(
        row_outcome(services, actor, received, request_id) for received in reading.received
    )
    return stored + tuple(refused_row(place) for place in reading.refused)


def row_outcome(
    services: Services,
    actor: Actor,
    received: Received,
    request_id: str,
    origin: str = "import",
) -> ImportOutcome:
    """What becomes of one row, in a transaction of its own.

    Raises:
        Conflict: the same row is being stored at this moment.
        TemporaryFailure: the database cannot be had.
    """
    try:
        accepted = take_row(services, actor, received, request_id=request_id, origin=origin)
    except Conflict:
        raise
    except SubmissionError as error:
        return ImportOutcome(
            where=received.where,
            status="refused",
            code=error.code,
            message=error.message,
            errors=error.errors,
        )
    return ImportOutcome(
        where=received.where,
        status="stored",
        panel_id=accepted.panel_id,
        version=accepted.version,
        duplicate=accepted.replayed,
        problems=accepted.problems,
    )


def refused_row(place: Place) -> ImportOutcome:
    """A row that could not be read at all."""
    return ImportOutcome(
        where=place.where,
        status="refused",
        code=place.code,
        message=place.message,
        errors=(place,),
    )
