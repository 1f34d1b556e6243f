"""Many rows or messages at once: each its own transaction and its own outcome."""

from __future__ import annotations

from typing import TYPE_CHECKING

from labinterp import formats
from labinterp.access import Actor, require
from labinterp.errors import Conflict, Place, SubmissionError
from labinterp.usecases import senders
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
    sender: str = "",
    request_id: str = "",
) -> tuple[ImportOutcome, ...]:
    """Accept what can be accepted of a file; a bad row loses only itself.

    A row that was stored before (by its content, in whatever file) is answered as it was then, so
    that a file whose import broke off is repaired by sending it again.

    Args:
        services: the wired parts.
        actor: who sends it.
        body: the bytes.
        media_type: what the sender says it is.
        file_name: what the sender calls it.
        sender: the id of the registered sender whose settings a table or HL7 v2 is read with.
        request_id: for the audit.

    Raises:
        AccessDenied: the actor may not.
        NotFound: there is no such sender.
        SubmissionError: nothing of the file can be read.
        TemporaryFailure: the database cannot be had; rows before that are stored.
    """
    require(actor, "panels:write")
    settings = senders.settings_by_id(services, actor, sender)
    form = formats.detect(body, media_type, file_name)
    reading = formats.read(form, body, services.now(), settings=settings)
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
