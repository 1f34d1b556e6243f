"""Pages released to patients: added and withdrawn, never changed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import insert, select, update

from labinterp.store.rows import PatientPageRecord
from labinterp.store.sealed import open_document, place, seal_document
from labinterp.store.tables import patient_page

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Connection, Row

    from labinterp.store.crypto import Vault

_KIND = "patient-page"


def add_page(
    connection: Connection,
    vault: Vault,
    organisation_id: str,
    new: PatientPageRecord,
    *,
    page: object,
    pdf: bytes,
    released_by_id: str,
) -> None:
    """Keep a page as it is shown, sealed, with its PDF."""
    row = (organisation_id, new.id)
    connection.execute(
        insert(patient_page).values(
            id=new.id,
            organisation_id=organisation_id,
            panel_id=new.panel_id,
            version=new.version,
            asked=new.asked,
            language=new.language,
            released_at=new.released_at,
            released_by=new.released_by,
            released_by_id=released_by_id,
            contact=new.contact,
            knowledge_digest=new.knowledge_digest,
            digest=new.digest,
            file_name=new.file_name,
            page_sealed=seal_document(vault, page, _KIND, *row),
            pdf_sealed=vault.seal(pdf, place(f"{_KIND}-pdf", *row)),
        )
    )


def newest_page(
    connection: Connection, organisation_id: str, panel_id: str
) -> PatientPageRecord | None:
    """The page of a panel that was released last, withdrawn or not."""
    row = connection.execute(
        select(patient_page)
        .where(
            patient_page.c.organisation_id == organisation_id, patient_page.c.panel_id == panel_id
        )
        .order_by(
            patient_page.c.withdrawn_at.is_not(None),
            patient_page.c.version.desc(),
            patient_page.c.released_at.desc(),
        )
        .limit(1)
    ).first()
    return None if row is None else _record(row)


def pages_of(connection: Connection, organisation_id: str, panel_id: str) -> tuple[str, ...]:
    """Ids of all pages ever released of a panel, oldest first."""
    rows = connection.execute(
        select(patient_page.c.id)
        .where(
            patient_page.c.organisation_id == organisation_id, patient_page.c.panel_id == panel_id
        )
        .order_by(patient_page.c.released_at, patient_page.c.id)
    )
    return tuple(rows.scalars())


def read_page(connection: Connection, vault: Vault, organisation_id: str, page_id: str) -> Any:
    """The page as it was kept, as plain data, and its PDF; None when there is none."""
    row = connection.execute(
        select(patient_page.c.page_sealed, patient_page.c.pdf_sealed).where(
            patient_page.c.organisation_id == organisation_id, patient_page.c.id == page_id
        )
    ).first()
    if row is None:
        return None
    key = (organisation_id, page_id)
    return (
        open_document(vault, row.page_sealed, _KIND, *key),
        vault.open(row.pdf_sealed, place(f"{_KIND}-pdf", *key)),
    )


def withdraw_pages(
    connection: Connection, organisation_id: str, panel_id: str, by: str, now: datetime
) -> int:
    """None of the panel's pages is shown any more; how many were."""
    return connection.execute(
        update(patient_page)
        .where(
            patient_page.c.organisation_id == organisation_id,
            patient_page.c.panel_id == panel_id,
            patient_page.c.withdrawn_at.is_(None),
        )
        .values(withdrawn_at=now, withdrawn_by=by[:200])
    ).rowcount


def _record(row: Row[Any]) -> PatientPageRecord:
    return PatientPageRecord(
        id=row.id,
        panel_id=row.panel_id,
        version=row.version,
        asked=row.asked,
        language=row.language,
        released_at=row.released_at,
        released_by=row.released_by,
        contact=row.contact,
        knowledge_digest=row.knowledge_digest,
        digest=row.digest,
        file_name=row.file_name,
        withdrawn_at=row.withdrawn_at,
        withdrawn_by=row.withdrawn_by,
    )
