"""Sealing anew, with the data key in force, what a former one sealed: a few rows a transaction.

A sealed value begins with the name of its key, so that the database finds what is left to do, and a
run that was cut off is simply begun again. A row is changed only if it still holds what was read,
so that nobody waits for it and nothing written meanwhile is lost.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import and_, func, select, tuple_, update

from labinterp.store import door_tables, tables
from labinterp.store.crypto import HEAD
from labinterp.store.panels import seal_interpretation
from labinterp.store.sealed import place

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Column, ColumnElement, Connection, Row

    from labinterp.store.crypto import Vault
    from labinterp.store.store import Store

_AT_ONCE: Final = 50


@dataclass(frozen=True, slots=True)
class Box:
    """A column of sealed values, and what each is bound to: a word, and columns of its row."""

    column: Column[Any]
    word: str
    bound_to: tuple[str, ...]

    def context(self, row: Row[Any]) -> str:
        """What the value in this row is bound to."""
        return place(self.word, *(getattr(row, name) for name in self.bound_to))


_PANEL: Final = ("organisation_id", "panel_id", "version")
_OWN: Final = ("organisation_id", "id")
_REPORT: Final = ("organisation_id", "report_id")
BOXES: Final = (
    Box(tables.panel_version.c.panel_sealed, "panel", _PANEL),
    Box(tables.panel_version.c.interpretation_sealed, "interpretation", _PANEL),
    Box(tables.identity.c.sealed, "identity", _PANEL),
    Box(tables.report_file.c.pdf_sealed, "pdf", _REPORT),
    Box(tables.report_file.c.summary_sealed, "summary", _REPORT),
    Box(tables.delivery.c.link_sealed, "link", _OWN),
    Box(tables.patient_page.c.page_sealed, "patient-page", _OWN),
    Box(tables.patient_page.c.pdf_sealed, "patient-page-pdf", _OWN),
    Box(door_tables.message.c.body_sealed, "message", _OWN),
    Box(door_tables.message.c.answer_sealed, "message-answer", _OWN),
    Box(door_tables.webhook.c.secret_sealed, "webhook", _OWN),
    Box(door_tables.webhook.c.former_secret_sealed, "webhook", _OWN),
    Box(door_tables.webhook.c.details_sealed, "subscription", _OWN),
    Box(door_tables.fhir_server.c.token_sealed, "fhir-server", _OWN),
    Box(door_tables.cds_feedback.c.details_sealed, "cds_feedback", ("id",)),
    Box(
        door_tables.job_part.c.sealed,
        "job-part",
        ("organisation_id", "job_id", "name", "position"),
    ),
    Box(
        tables.second_factor.c.secret_sealed,
        "second-factor",
        ("organisation_id", "user_account_id"),
    ),
    Box(tables.keyring.c.proof, "keyring", ("id",)),
)
"""All of them (a test compares them with the tables); the keyring, last, proves the end."""


def left(connection: Connection, vault: Vault) -> int:
    """How many values a former key sealed."""
    return sum(
        connection.execute(select(func.count()).where(_is_former(box, vault))).scalar_one()
        for box in BOXES
    )


def seal_plain(store: Store) -> int:
    """Seal the interpretations that an older version of the program stored plain; how many."""
    table, done = tables.panel_version, 0
    plain = select(table).where(table.c.interpretation_sealed.is_(None)).limit(_AT_ONCE)

    def some(connection: Connection) -> int:
        rows = connection.execute(plain).all()
        for row in rows:
            place = (row.organisation_id, row.panel_id, row.version)
            text = seal_interpretation(store.vault, row.interpretation, *place)
            connection.execute(
                update(table)
                .where(table.c.panel_id == row.panel_id, table.c.version == row.version)
                .values(interpretation="", interpretation_sealed=text)
            )
        return len(rows)

    while count := store.write(some):
        done += count
    return done


def reseal(store: Store) -> Iterator[int]:
    """Seal anew what a former key sealed; after each transaction, how many values it was.

    Raises:
        SettingsError: a value does not open with any key; what was done before stays done.
        TemporaryFailure: the database cannot be had.
    """
    for box in BOXES:
        after: tuple[Any, ...] | None = None
        while True:
            with store.reading() as connection:
                rows = _next(connection, store.vault, box, after)
            if not rows:
                break
            after = tuple(getattr(rows[-1], name) for name in _key_of(box))
            anew = [(row, _anew(store.vault, box, row)) for row in rows]
            yield store.write(lambda held, box=box, anew=anew: _put(held, box, anew))  # type: ignore[misc]


def _next(
    connection: Connection, vault: Vault, box: Box, after: tuple[Any, ...] | None
) -> tuple[Row[Any], ...]:
    keys = [box.column.table.c[name] for name in _key_of(box)]
    query = select(box.column.table).where(_is_former(box, vault)).order_by(*keys)
    if after is not None:
        query = query.where(tuple_(*keys) > tuple_(*after))
    return tuple(connection.execute(query.limit(_AT_ONCE)))


def _key_of(box: Box) -> tuple[str, ...]:
    return tuple(column.name for column in box.column.table.primary_key)


def _is_former(box: Box, vault: Vault) -> ColumnElement[bool]:
    return and_(
        box.column.is_not(None),
        func.length(box.column) > 0,
        func.substr(box.column, 1, HEAD) != vault.head,
    )


def _anew(vault: Vault, box: Box, row: Row[Any]) -> bytes:
    context = box.context(row)
    return vault.seal(vault.open(getattr(row, box.column.name), context), context)


def _put(connection: Connection, box: Box, anew: list[tuple[Row[Any], bytes]]) -> int:
    table, done = box.column.table, 0
    for row, sealed in anew:
        changed = connection.execute(
            update(table)
            .where(
                *(table.c[name] == getattr(row, name) for name in _key_of(box)),
                box.column == getattr(row, box.column.name),
            )
            .values({box.column: sealed})
        )
        done += changed.rowcount
    return done
