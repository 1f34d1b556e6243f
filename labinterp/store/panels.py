"""Panels and their versions: writing and reading them, within one organisation.

One file, because every statement on these tables must name the organisation, as is seen here.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import and_, bindparam, delete, insert, select, update

from labinterp.errors import NotFound
from labinterp.model.interpretation import Interpretation
from labinterp.store import sealed
from labinterp.store.records import from_document, read_back, to_document, written
from labinterp.store.store import is_id
from labinterp.store.tables import (
    identity,
    panel,
    panel_measurand,
    panel_standing,
    panel_version,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from datetime import datetime

    from sqlalchemy import ColumnElement, Connection, Row

    from labinterp.model.submission import Identity
    from labinterp.store.crypto import Vault

TEST: Final = "test"
"""Origin of a panel that its sender marked as a test."""
_PACKED: Final = 1
_HIGHEST: Final = 2**31 - 1
_CRITICAL: Final = frozenset({"critically_low", "critically_high"})
_ADD_PANEL: Final = insert(panel)
_ADD_VERSION: Final = insert(panel_version)
_ADD_IDENTITY: Final = insert(identity)
_ADD_STANDINGS: Final = insert(panel_standing)
_ADD_MEASURANDS: Final = insert(panel_measurand)


@dataclass(frozen=True, slots=True)
class NewVersion:
    """One version of a panel as it is to be stored."""

    panel_id: str
    version: int
    organisation_id: str
    status: str
    origin: str
    format: str
    received_at: datetime
    collected_at: datetime | None
    panel: Mapping[str, object]
    interpretation: Interpretation
    identity: Identity
    actor_id: str


@dataclass(frozen=True, slots=True)
class StoredVersion:
    """One version as read, with what its panel says of all versions."""

    panel_id: str
    version: int
    newest_version: int
    status: str
    origin: str
    format: str
    received_at: datetime
    collected_at: datetime | None
    panel: Mapping[str, object]
    interpretation: Interpretation
    identity: Identity
    patient_key: str | None


def patient_key(vault: Vault, organisation_id: str, who: Identity) -> str | None:
    """The patient by identifier and issuer within one organisation; None when either is missing."""
    if not who.identifier or not who.issuer:
        return None
    return vault.fingerprint("patient", organisation_id, who.issuer, who.identifier)


def identifier_key(vault: Vault, organisation_id: str, identifier: str | None) -> str | None:
    """The identifier alone, for the search box."""
    if not identifier:
        return None
    return vault.fingerprint("identifier", organisation_id, identifier)


def add_panel(connection: Connection, vault: Vault, new: NewVersion, now: datetime) -> None:
    """A panel with its first version."""
    connection.execute(
        _ADD_PANEL,
        {
            "id": new.panel_id,
            "organisation_id": new.organisation_id,
            "created_at": now,
            **_listed(vault, new),
        },
    )
    _add_version(connection, vault, new)


def add_correction(connection: Connection, vault: Vault, new: NewVersion) -> bool:
    """The next version of a panel; false when another correction was faster."""
    moved = connection.execute(
        update(panel)
        .where(
            panel.c.organisation_id == new.organisation_id,
            panel.c.id == new.panel_id,
            panel.c.newest_version == new.version - 1,
        )
        .values(**_listed(vault, new))
    )
    if moved.rowcount != 1:
        return False
    for table in (panel_standing, panel_measurand):
        connection.execute(
            delete(table).where(
                table.c.organisation_id == new.organisation_id,
                table.c.panel_id == new.panel_id,
            )
        )
    _add_version(connection, vault, new)
    return True


def _listed(vault: Vault, new: NewVersion) -> dict[str, Any]:
    standings = _standings(new.interpretation)
    return {
        "newest_version": new.version,
        "received_at": new.received_at,
        "collected_at": new.collected_at,
        "patient_key": patient_key(vault, new.organisation_id, new.identity),
        "identifier_key": identifier_key(vault, new.organisation_id, new.identity.identifier),
        "urgency": new.interpretation.urgency,
        "standings": " ".join(sorted(standings)),
        "critical": is_critical(new.interpretation),
        "acknowledged_at": None,
    }


def is_critical(interpretation: Interpretation) -> bool:
    """Does somebody have to be told at once?"""
    return bool(_standings(interpretation) & _CRITICAL) or interpretation.urgency == "emergency"


def status_of(connection: Connection, organisation_id: str, panel_id: str, version: int) -> str:
    """What a stored version says of itself: final, preliminary, corrected, cancelled."""
    return str(
        connection.execute(
            select(panel_version.c.status).where(
                panel_version.c.organisation_id == organisation_id,
                panel_version.c.panel_id == panel_id,
                panel_version.c.version == version,
            )
        ).scalar_one()
    )


def is_test(connection: Connection, organisation_id: str, panel_id: str) -> bool:
    """Did its sender mark it as a test? Whatever is done to it later, it stays one."""
    query = select(panel_version.c.panel_id).where(
        panel_version.c.organisation_id == organisation_id,
        panel_version.c.panel_id == panel_id,
        panel_version.c.version == 1,
        panel_version.c.origin == TEST,
    )
    return connection.execute(query).first() is not None


def _standings(interpretation: Interpretation) -> frozenset[str]:
    return frozenset(result.standing for result in interpretation.results)


def _add_version(connection: Connection, vault: Vault, new: NewVersion) -> None:
    place = (new.organisation_id, new.panel_id, new.version)
    own = {
        "panel_id": new.panel_id,
        "version": new.version,
        "organisation_id": new.organisation_id,
    }
    answer = written(to_document(new.interpretation))
    connection.execute(
        _ADD_VERSION,
        {
            **own,
            "status": new.status,
            "origin": new.origin,
            "format": new.format,
            "received_at": new.received_at,
            "collected_at": new.collected_at,
            "panel_sealed": sealed.seal_document(vault, new.panel, "panel", *place),
            "interpretation": "",
            "interpretation_sealed": seal_interpretation(vault, answer, *place),
            "knowledge_version": new.interpretation.knowledge.version,
            "knowledge_digest": new.interpretation.knowledge.digest,
            "engine_version": new.interpretation.engine.version,
            "actor_id": new.actor_id,
        },
    )
    who = sealed.seal_identity(vault, new.identity, *place)
    connection.execute(_ADD_IDENTITY, {**own, "sealed": who})
    rows = [
        {
            "panel_id": new.panel_id,
            "standing": standing,
            "organisation_id": new.organisation_id,
            "received_at": new.received_at,
        }
        for standing in sorted(_standings(new.interpretation))
    ]
    if rows:
        connection.execute(_ADD_STANDINGS, rows)
    measured = {result.measurand for result in new.interpretation.results}
    add_measurands(connection, new.organisation_id, new.panel_id, measured)


def add_measurands(
    connection: Connection, organisation_id: str, panel_id: str, measurands: Collection[str]
) -> None:
    """What was measured in a panel's newest version, so that it is found by it."""
    rows = [
        {"panel_id": panel_id, "measurand": one, "organisation_id": organisation_id}
        for one in sorted(measurands) or [""]
    ]
    connection.execute(_ADD_MEASURANDS, rows)


def add_missing_measurands(connection: Connection, vault: Vault, most: int) -> int:
    """The same for panels that an older version of the program stored; for how many."""
    there = select(panel_measurand.c.panel_id).where(panel_measurand.c.panel_id == panel.c.id)
    query = select(panel_version).join_from(panel, panel_version, is_newest())
    rows = connection.execute(query.where(~there.exists()).limit(most)).all()
    for row in rows:
        answer = read_back(_interpretation(vault, row))
        measured = {one["measurand"] for one in answer["results"]}
        add_measurands(connection, row.organisation_id, row.panel_id, measured)
    return len(rows)


def newest_version(
    connection: Connection, organisation_id: str, panel_id: str, *, lock: bool = False
) -> int:
    """The highest version under this id.

    Args:
        connection: a transaction.
        organisation_id: the one asking.
        panel_id: what it asks for.
        lock: hold the panel until the end of the transaction.

    Raises:
        NotFound: no such panel in this organisation.
    """
    if not is_id(panel_id):
        raise _no_such_panel()
    query = select(panel.c.newest_version).where(
        panel.c.organisation_id == organisation_id, panel.c.id == panel_id
    )
    found = connection.execute(query.with_for_update() if lock else query).scalar()
    if found is None:
        raise _no_such_panel()
    return int(found)


def read_version(
    connection: Connection,
    vault: Vault,
    organisation_id: str,
    panel_id: str,
    version: int | None = None,
) -> StoredVersion:
    """One version, the newest when none is named.

    Raises:
        NotFound: no such panel or version in this organisation.
    """
    if not is_id(panel_id) or not (version is None or 0 < version <= _HIGHEST):
        raise _no_such_panel()
    wanted = panel.c.newest_version if version is None else version
    row = connection.execute(
        select(
            panel_version,
            panel.c.newest_version,
            panel.c.patient_key,
            identity.c.sealed.label("identity_sealed"),
        )
        .join_from(panel, panel_version, panel.c.id == panel_version.c.panel_id)
        .join(
            identity,
            and_(
                identity.c.panel_id == panel_version.c.panel_id,
                identity.c.version == panel_version.c.version,
            ),
        )
        .where(
            panel.c.organisation_id == organisation_id,
            panel.c.id == panel_id,
            panel_version.c.version == wanted,
        )
    ).first()
    if row is None:
        raise _no_such_panel()
    return _version_of(vault, row)


def _no_such_panel() -> NotFound:
    return NotFound("There is no such panel, or it is not yours.")


def _version_of(vault: Vault, row: Row[Any]) -> StoredVersion:
    place = (row.organisation_id, row.panel_id, row.version)
    return StoredVersion(
        panel_id=row.panel_id,
        version=row.version,
        newest_version=row.newest_version,
        status=row.status,
        origin=row.origin,
        format=row.format,
        received_at=row.received_at,
        collected_at=row.collected_at,
        panel=sealed.open_document(vault, row.panel_sealed, "panel", *place),
        interpretation=from_document(Interpretation, read_back(_interpretation(vault, row))),
        identity=sealed.open_identity(vault, row.identity_sealed, *place),
        patient_key=row.patient_key,
    )


def _interpretation(vault: Vault, row: Row[Any]) -> str | bytes:
    if row.interpretation_sealed is None:
        return str(row.interpretation)
    place = sealed.place("interpretation", row.organisation_id, row.panel_id, row.version)
    return zlib.decompress(vault.open(row.interpretation_sealed, place))


def seal_interpretation(
    vault: Vault, text: str, organisation_id: str, panel_id: str, version: int
) -> bytes:
    """An interpretation as it is kept: its own text, packed first, for sealed nothing packs it."""
    packed = zlib.compress(text.encode(), _PACKED)
    return vault.seal(packed, sealed.place("interpretation", organisation_id, panel_id, version))


def earlier_panels(
    connection: Connection,
    vault: Vault,
    organisation_id: str,
    patient: str,
    *,
    before: datetime,
    since: datetime,
    limit: int,
    other_than: str | None = None,
) -> tuple[tuple[str, datetime, datetime, Mapping[str, object]], ...]:
    """Earlier panels of one patient, latest first: id, collected, received, panel as received."""
    wanted = {
        "organisation_id": organisation_id,
        "patient": patient,
        "before": before,
        "since": since,
        "other_than": other_than or "",
        "limit": limit,
    }
    return tuple(
        (
            row.panel_id,
            row.collected_at,
            row.received_at,
            sealed.open_document(
                vault, row.panel_sealed, "panel", organisation_id, row.panel_id, row.version
            ),
        )
        for row in connection.execute(_EARLIER, wanted)
    )


def versions_of_patient(
    connection: Connection, vault: Vault, organisation_id: str, patient: str, limit: int
) -> tuple[StoredVersion, ...]:
    """The newest version of each of a patient's panels, latest collection first."""
    rows = connection.execute(
        select(
            panel_version,
            panel.c.newest_version,
            panel.c.patient_key,
            identity.c.sealed.label("identity_sealed"),
        )
        .join_from(panel, panel_version, is_newest())
        .join(
            identity,
            and_(
                identity.c.panel_id == panel_version.c.panel_id,
                identity.c.version == panel_version.c.version,
            ),
        )
        .where(panel.c.organisation_id == organisation_id, panel.c.patient_key == patient)
        .order_by(panel.c.collected_at.desc(), panel.c.received_at.desc(), panel.c.id.desc())
        .limit(limit)
    )
    return tuple(_version_of(vault, row) for row in rows)


def of_identifier(
    connection: Connection, vault: Vault, organisation_id: str, identifier: str
) -> tuple[tuple[str, Identity], ...]:
    """Every panel of this identifier, whoever issued it, oldest first, with its newest identity."""
    rows = connection.execute(
        select(panel.c.id, panel.c.newest_version, identity.c.sealed)
        .join_from(
            panel,
            identity,
            and_(identity.c.panel_id == panel.c.id, identity.c.version == panel.c.newest_version),
        )
        .where(
            panel.c.organisation_id == organisation_id,
            panel.c.identifier_key == identifier_key(vault, organisation_id, identifier),
        )
        .order_by(panel.c.received_at, panel.c.id)
    )
    return tuple(
        (
            row.id,
            sealed.open_identity(vault, row.sealed, organisation_id, row.id, row.newest_version),
        )
        for row in rows
    )


def is_newest() -> ColumnElement[bool]:
    """Joins a panel with its newest version."""
    return and_(
        panel_version.c.panel_id == panel.c.id, panel_version.c.version == panel.c.newest_version
    )


_EARLIER: Final = (
    select(
        panel_version.c.panel_id,
        panel_version.c.version,
        panel_version.c.collected_at,
        panel_version.c.received_at,
        panel_version.c.panel_sealed,
    )
    .join_from(panel, panel_version, is_newest())
    .where(
        panel.c.organisation_id == bindparam("organisation_id"),
        panel.c.id != bindparam("other_than"),
        panel.c.patient_key == bindparam("patient"),
        panel.c.collected_at < bindparam("before"),
        panel.c.collected_at >= bindparam("since"),
        panel_version.c.status != "cancelled",
        panel_version.c.origin != TEST,
    )
    .order_by(panel.c.collected_at.desc())
    .limit(bindparam("limit"))
)
