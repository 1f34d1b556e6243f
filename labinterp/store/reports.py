"""Report rows: the document of one panel version, and the job of drawing it in one.

A claim is one conditional UPDATE that counts the attempt before the work and leaves a token; every
later write repeats the token, so that a worker that slept through its lease changes nothing.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import and_, insert, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite

from labinterp.errors import NotFound
from labinterp.store.moment import db_now, microseconds
from labinterp.store.rows import ReportRecord
from labinterp.store.sealed import place
from labinterp.store.tables import report, report_file, report_number

if TYPE_CHECKING:
    from datetime import datetime, timedelta

    from sqlalchemy import ColumnElement, Connection, Executable, Row

    from labinterp.model.report import Report
    from labinterp.store.crypto import Vault

OPEN: Final = ("queued", "drawing")
_ADD: Final = insert(report)
_ADD_DUE: Final = insert(report).values(due_at=db_now())


@dataclass(frozen=True, slots=True)
class Claim:
    """A worker's hold on one row: what it may do, and the token that proves it."""

    id: str
    token: str
    organisation_id: str
    panel_id: str
    version: int
    attempts: int


def next_number(connection: Connection, organisation_id: str, year: int) -> str:
    """The next `LI-<year>-<six digits or more>`; gaps are possible, a second use is not."""
    first = {"organisation_id": organisation_id, "year": year, "last": 1}
    counted = connection.execute(_counting(connection.dialect.name), first)
    return f"LI-{year}-{counted.scalar_one():06d}"


@cache
def _counting(dialect: str) -> Executable:
    make = (sqlite if dialect == "sqlite" else postgresql).insert
    counting: Executable = (
        make(report_number)
        .on_conflict_do_update(
            index_elements=[report_number.c.organisation_id, report_number.c.year],
            set_={"last": report_number.c.last + 1},
        )
        .returning(report_number.c.last)
    )
    return counting


def add_report(
    connection: Connection,
    organisation_id: str,
    new: ReportRecord,
    now: datetime,
) -> None:
    """The row of a version's document: queued, due now, or never to be made."""
    connection.execute(
        _ADD_DUE if new.status == "queued" else _ADD,
        {
            "id": new.id,
            "organisation_id": organisation_id,
            "panel_id": new.panel_id,
            "version": new.version,
            "number": new.number,
            "status": new.status,
            "why": new.why,
            "attempts": 0,
            "created_at": now,
        },
    )


def read_report(
    connection: Connection,
    organisation_id: str,
    panel_id: str,
    version: int,
    *,
    lock: bool = False,
) -> ReportRecord:
    """The row of one version's document.

    Args:
        connection: a transaction.
        organisation_id: the one asking.
        panel_id: which panel.
        version: which of its versions.
        lock: hold the row until the end of the transaction.

    Raises:
        NotFound: no such panel or version in this organisation.
    """
    query = select(report).where(
        report.c.organisation_id == organisation_id,
        report.c.panel_id == panel_id,
        report.c.version == version,
    )
    row = connection.execute(query.with_for_update() if lock else query).first()
    if row is None:
        raise NotFound("There is no such panel, or it is not yours.")
    return _record(row)


def first_number(connection: Connection, organisation_id: str, panel_id: str) -> str | None:
    """The number given to any version of this panel; a correction keeps it."""
    return connection.execute(
        select(report.c.number)
        .where(
            report.c.organisation_id == organisation_id,
            report.c.panel_id == panel_id,
            report.c.number.is_not(None),
        )
        .limit(1)
    ).scalar()


def _record(row: Row[Any]) -> ReportRecord:
    return ReportRecord(
        id=row.id,
        panel_id=row.panel_id,
        version=row.version,
        status=row.status,
        number=row.number,
        why=row.why,
        attempts=row.attempts,
        file_name=row.file_name,
        digest=row.digest,
        ready_at=row.ready_at,
    )


# ---- the job


def is_due(due_at: ColumnElement[Any], implausible: timedelta) -> ColumnElement[bool]:
    """Its moment has come, or lies so far ahead that a clock must have jumped."""
    return or_(due_at <= db_now(), due_at > db_now() + microseconds(implausible))


def due_reports(
    connection: Connection, implausible: timedelta, limit: int
) -> tuple[tuple[str, int], ...]:
    """Ids and attempts of rows a worker may take, oldest first."""
    rows = connection.execute(
        select(report.c.id, report.c.attempts)
        .where(report.c.status.in_(OPEN), is_due(report.c.due_at, implausible))
        .order_by(report.c.due_at)
        .limit(limit)
    )
    return tuple((row.id, row.attempts) for row in rows)


def claim_report(
    connection: Connection,
    report_id: str,
    worker: str,
    *,
    lease: timedelta,
    implausible: timedelta,
    attempts: int,
) -> Claim | None:
    """Take one due row; None when somebody else was faster."""
    token = secrets.token_urlsafe(24)
    row = connection.execute(
        update(report)
        .where(
            report.c.id == report_id,
            report.c.status.in_(OPEN),
            is_due(report.c.due_at, implausible),
            report.c.attempts < attempts,
        )
        .values(
            status="drawing",
            attempts=report.c.attempts + 1,
            lease_token=token,
            leased_by=worker[:100],
            due_at=db_now() + microseconds(lease),
        )
        .returning(report.c.organisation_id, report.c.panel_id, report.c.version, report.c.attempts)
    ).first()
    if row is None:
        return None
    return Claim(report_id, token, row.organisation_id, row.panel_id, row.version, row.attempts)


def park_report(
    connection: Connection, report_id: str, *, why: str, implausible: timedelta, attempts: int
) -> bool:
    """Give up a due row whose attempts are used up; false when it moved meanwhile."""
    done = connection.execute(
        update(report)
        .where(
            report.c.id == report_id,
            report.c.status.in_(OPEN),
            is_due(report.c.due_at, implausible),
            report.c.attempts >= attempts,
        )
        .values(status="failed", why=why[:500], due_at=None, lease_token=None)
    )
    return done.rowcount == 1


def version_of(connection: Connection, report_id: str) -> tuple[str, str, int]:
    """Organisation, panel and version that a report is of."""
    row = connection.execute(
        select(report.c.organisation_id, report.c.panel_id, report.c.version).where(
            report.c.id == report_id
        )
    ).one()
    return row.organisation_id, row.panel_id, row.version


def _held(claim: Claim) -> ColumnElement[bool]:
    return and_(
        report.c.id == claim.id,
        report.c.organisation_id == claim.organisation_id,
        report.c.status == "drawing",
        report.c.lease_token == claim.token,
    )


def finish_report(
    connection: Connection, vault: Vault, claim: Claim, drawn: Report, now: datetime
) -> bool:
    """Store the bytes and say ready, in one transaction; false when the claim was lost."""
    done = connection.execute(
        update(report)
        .where(_held(claim))
        .values(
            status="ready",
            why=None,
            due_at=None,
            lease_token=None,
            ready_at=now,
            digest=drawn.digest,
            file_name=drawn.file_name,
            pages=drawn.pages,
        )
    )
    if done.rowcount != 1:
        return False
    row = (claim.organisation_id, claim.id)
    connection.execute(
        insert(report_file).values(
            report_id=claim.id,
            organisation_id=claim.organisation_id,
            pdf_sealed=vault.seal(drawn.pdf, place("pdf", *row)),
            summary_sealed=vault.seal(drawn.summary.encode(), place("summary", *row)),
        )
    )
    return True


def defer_report(connection: Connection, claim: Claim, *, error: str, delay: timedelta) -> bool:
    """Put a row back after a failed attempt, due again after the delay."""
    done = connection.execute(
        update(report)
        .where(_held(claim))
        .values(
            status="queued",
            last_error=error[:500],
            lease_token=None,
            due_at=db_now() + microseconds(delay),
        )
    )
    return done.rowcount == 1


def fail_report(connection: Connection, claim: Claim, *, why: str, error: str) -> bool:
    """Give a row to a person, with the reason."""
    done = connection.execute(
        update(report)
        .where(_held(claim))
        .values(
            status="failed", why=why[:500], last_error=error[:500], lease_token=None, due_at=None
        )
    )
    return done.rowcount == 1


def requeue_report(connection: Connection, organisation_id: str, report_id: str) -> bool:
    """A person asks for a failed drawing to be tried anew; the count begins again."""
    done = connection.execute(
        update(report)
        .where(
            report.c.organisation_id == organisation_id,
            report.c.id == report_id,
            report.c.status == "failed",
        )
        .values(status="queued", why=None, attempts=0, due_at=db_now())
    )
    return done.rowcount == 1


def close_failed(connection: Connection, organisation_id: str, panel_id: str) -> int:
    """A correction: a failed drawing of an old version is nobody's work any more."""
    return connection.execute(
        update(report)
        .where(
            report.c.organisation_id == organisation_id,
            report.c.panel_id == panel_id,
            report.c.status == "failed",
        )
        .values(status="not_made", why="Drawing failed, and the panel was corrected since.")
    ).rowcount


def read_file(
    connection: Connection, vault: Vault, organisation_id: str, report_id: str
) -> tuple[bytes, str] | None:
    """The document's bytes and its plain-text form."""
    row = connection.execute(
        select(report_file.c.pdf_sealed, report_file.c.summary_sealed).where(
            report_file.c.organisation_id == organisation_id,
            report_file.c.report_id == report_id,
        )
    ).first()
    if row is None:
        return None
    key = (organisation_id, report_id)
    return (
        vault.open(row.pdf_sealed, place("pdf", *key)),
        vault.open(row.summary_sealed, place("summary", *key)).decode(),
    )
