"""Writing down who was told of a critical result; what is written stays."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from labinterp.access import Actor, require
from labinterp.errors import Place, SubmissionError
from labinterp.store import acknowledgements, audit, panels
from labinterp.store.audit import Deed
from labinterp.store.rows import AcknowledgementRecord
from labinterp.store.store import fresh_id
from labinterp.usecases.acting import who

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from labinterp.usecases.services import Services

_LONGEST: Final = 200


def acknowledge(
    services: Services,
    actor: Actor,
    panel_id: str,
    *,
    told: str,
    how: str,
    read_back: bool,
    request_id: str = "",
) -> AcknowledgementRecord:
    """Note that someone was told of the newest version's critical results.

    Raises:
        NotFound: no such panel in this organisation.
        SubmissionError: who was told, or how, is missing or too long.
    """
    require(actor, "panels:write")
    _said(told=told, how=how)
    now = services.now()

    def work(connection: Connection) -> AcknowledgementRecord:
        version = panels.newest_version(connection, actor.organisation_id, panel_id, lock=True)
        entry = AcknowledgementRecord(
            id=fresh_id(now),
            panel_id=panel_id,
            version=version,
            at=now,
            by=actor.name,
            told=told.strip(),
            how=how.strip(),
            read_back=read_back,
        )
        acknowledgements.acknowledge(connection, actor.organisation_id, entry, actor.id)
        deed = Deed("U", "critical-acknowledged", panel_id=panel_id, version=version)
        audit.record(connection, who(actor, request_id), deed, now)
        return entry

    return services.store.write(work)


def _said(**texts: str) -> None:
    faults = tuple(
        Place(name, "text-invalid", f"One line of 1 to {_LONGEST} characters is needed.")
        for name, text in texts.items()
        if not text.strip() or len(text) > _LONGEST or not text.isprintable()
    )
    if faults:
        raise SubmissionError(
            "Say who was told, and how.", code="acknowledgement-incomplete", errors=faults
        )
