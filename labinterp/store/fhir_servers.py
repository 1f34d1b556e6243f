"""FHIR servers that results are fetched from, each with the token it asks for, sealed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import delete, insert, select

from labinterp.errors import NotFound
from labinterp.store.door_tables import fhir_server
from labinterp.store.rows import ServerRecord
from labinterp.store.sealed import place
from labinterp.store.store import is_id

if TYPE_CHECKING:
    from sqlalchemy import Connection, Row

    from labinterp.store.crypto import Vault

_WORD: Final = "fhir-server"


def add_server(connection: Connection, vault: Vault, new: ServerRecord) -> None:
    """A new one.

    Raises:
        sqlalchemy.exc.IntegrityError: the organisation has it already.
    """
    where = place(_WORD, new.organisation_id, new.id)
    connection.execute(
        insert(fhir_server).values(
            id=new.id,
            organisation_id=new.organisation_id,
            base=new.base,
            token_sealed=vault.seal(new.token.encode(), where) if new.token else None,
            created_at=new.created_at,
        )
    )


def servers(connection: Connection, vault: Vault, organisation_id: str) -> tuple[ServerRecord, ...]:
    """An organisation's servers, oldest first."""
    rows = connection.execute(
        select(fhir_server)
        .where(fhir_server.c.organisation_id == organisation_id)
        .order_by(fhir_server.c.created_at, fhir_server.c.id)
    )
    return tuple(_record(vault, row) for row in rows)


def by_base(
    connection: Connection, vault: Vault, organisation_id: str, base: str
) -> ServerRecord | None:
    """The organisation's server at this address, if it has one there."""
    row = connection.execute(
        select(fhir_server).where(
            fhir_server.c.organisation_id == organisation_id, fhir_server.c.base == base
        )
    ).first()
    return _record(vault, row) if row else None


def delete_server(connection: Connection, organisation_id: str, server_id: str) -> None:
    """Nothing is fetched from it any more.

    Raises:
        NotFound: no such server in this organisation.
    """
    gone = is_id(server_id) and connection.execute(
        delete(fhir_server).where(
            fhir_server.c.organisation_id == organisation_id, fhir_server.c.id == server_id
        )
    )
    if not gone or gone.rowcount != 1:
        raise NotFound("There is no such server, or it is not yours.")


def _record(vault: Vault, row: Row[Any]) -> ServerRecord:
    sealed = row.token_sealed
    opened = vault.open(sealed, place(_WORD, row.organisation_id, row.id)) if sealed else b""
    return ServerRecord(row.id, row.organisation_id, row.base, row.created_at, opened.decode())
