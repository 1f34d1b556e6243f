"""Which FHIR servers an organisation's results may be fetched from: those it registered, only."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sqlalchemy.exc import IntegrityError

from labinterp.access import require
from labinterp.errors import Conflict, Place, SubmissionError
from labinterp.formats.fhir_pulled import is_below
from labinterp.store import audit, fhir_servers
from labinterp.store.audit import Deed
from labinterp.store.rows import ServerRecord
from labinterp.store.store import fresh_id
from labinterp.usecases.acting import who

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from labinterp.access import Actor
    from labinterp.usecases.services import Services

_MOST: Final = 20


def register(
    services: Services, actor: Actor, base: str, token: str, *, request_id: str = ""
) -> ServerRecord:
    """Allow results to be fetched from a server.

    Args:
        services: the wired parts.
        actor: who allows it.
        base: the address that FHIR has there, such as `https://ehr.example.org/fhir`.
        token: what the server is sent as a bearer token, or empty; it is kept sealed and
            never shown.
        request_id: for the audit.

    Raises:
        SubmissionError: code `url-refused`; `not-allowed`: the token cannot be one.
        Conflict: it is registered already, or there are as many as are allowed.
    """
    require(actor, "admin")
    _check(services, base, token)
    now = services.now()
    record = ServerRecord(fresh_id(now), actor.organisation_id, base.rstrip("/"), now, token)

    def work(connection: Connection) -> None:
        vault = services.store.vault
        if len(fhir_servers.servers(connection, vault, actor.organisation_id)) >= _MOST:
            raise Conflict(f"There are {_MOST} servers already.")
        fhir_servers.add_server(connection, vault, record)
        deed = Deed("C", "fhir-server-created", entity=f"fhir-server:{record.id}")
        audit.record(connection, who(actor, request_id), deed, now)

    try:
        services.store.write(work)
    except IntegrityError as error:
        raise Conflict("This server is registered already; delete it first.") from error
    return record


def _check(services: Services, base: str, token: str) -> None:
    """Whatever is put behind the base is to stay behind it, and the token in one header."""
    services.outbound.check(base)
    if "?" in base or not is_below(f"{base}/", base):
        message = "The base of a FHIR server holds no query and no steps upwards."
        raise SubmissionError(
            message, code="url-refused", errors=(Place("base", "url-refused", message),)
        )
    if not (token.isascii() and token.isprintable()) or " " in token:
        message = "A token is one word of printable ASCII characters."
        raise SubmissionError(
            message, code="not-allowed", errors=(Place("token", "not-allowed", message),)
        )


def registered(services: Services, actor: Actor) -> tuple[ServerRecord, ...]:
    """The organisation's servers, oldest first."""
    require(actor, "admin")
    with services.store.reading() as connection:
        return fhir_servers.servers(connection, services.store.vault, actor.organisation_id)


def remove(services: Services, actor: Actor, server_id: str, *, request_id: str = "") -> None:
    """Nothing is fetched from a server any more.

    Raises:
        NotFound: there is no such one in this organisation.
    """
    require(actor, "admin")

    def work(connection: Connection) -> None:
        fhir_servers.delete_server(connection, actor.organisation_id, server_id)
        deed = Deed("D", "fhir-server-deleted", entity=f"fhir-server:{server_id}")
        audit.record(connection, who(actor, request_id), deed, services.now())

    services.store.write(work)


def at(services: Services, actor: Actor, base: str) -> ServerRecord | None:
    """The organisation's server at this address; None where it registered none there."""
    with services.store.reading() as connection:
        return fhir_servers.by_base(
            connection, services.store.vault, actor.organisation_id, base.rstrip("/")
        )
