"""Which panel holds the result, or the order, that a sender knows by its own identifier.

Only a keyed hash over organisation, patient and identifier is kept: the table names nobody, and an
identifier that two patients share by mistake finds only the one patient's panel.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sqlalchemy import bindparam, insert, select, update

from labinterp.store.door_tables import result_identity

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from datetime import datetime

    from sqlalchemy import Connection

    from labinterp.model.submission import Identity
    from labinterp.store.crypto import Vault

_AT_ONCE: Final = 200
_KEEP: Final = insert(result_identity)
_HELD: Final = select(result_identity.c.key, result_identity.c.panel_id).where(
    result_identity.c.organisation_id == bindparam("organisation_id"),
    result_identity.c.key.in_(bindparam("keys", expanding=True)),
)


class HeldElsewhere(Exception):
    """Another message moved one of the keys since they were looked up."""


def key_of(vault: Vault, organisation_id: str, who: Identity, identifier: str) -> str | None:
    """The key of one result; None without a patient's identifier, by which alone it is safe."""
    if not who.identifier:
        return None
    return vault.fingerprint(
        "result", organisation_id, who.issuer or "", who.identifier, identifier
    )


def order_key_of(vault: Vault, organisation_id: str, who: Identity, order: str) -> str | None:
    """The same of one order, of which later parts may come."""
    if not who.identifier:
        return None
    return vault.fingerprint("order", organisation_id, who.issuer or "", who.identifier, order)


def held(connection: Connection, organisation_id: str, keys: Collection[str]) -> dict[str, str]:
    """Key to panel, for those that a panel holds."""
    wanted, found = sorted(keys), {}
    for start in range(0, len(wanted), _AT_ONCE):
        some = {"organisation_id": organisation_id, "keys": wanted[start : start + _AT_ONCE]}
        rows = connection.execute(_HELD, some)
        found.update({row.key: row.panel_id for row in rows})
    return found


def keep(
    connection: Connection,
    organisation_id: str,
    keys: Collection[str],
    panel_id: str,
    *,
    seen: Mapping[str, str | None] | None,
    is_new: bool,
    now: datetime,
) -> None:
    """Say that this panel holds these results, in the transaction that stores it.

    Args:
        connection: a transaction.
        organisation_id: whose.
        keys: of the results.
        panel_id: the panel that holds them from now on.
        seen: who held each looked-up key (None: nobody) when it was decided what to do; None where
            nobody looked.
        is_new: the panel is a new one, and a later measurement of what another panel holds.
        now: for the rows.

    Raises:
        HeldElsewhere: what was seen is no longer so.
        sqlalchemy.exc.IntegrityError: another transaction took a key at this moment.
    """
    there = held(connection, organisation_id, keys)
    if seen is not None:
        others = {key: one for key, one in there.items() if one != panel_id and key in seen}
        for key, holder in others.items():
            if seen[key] != holder:
                raise HeldElsewhere
            if is_new:
                _move(connection, organisation_id, key, holder, panel_id)
    missing = [
        {"organisation_id": organisation_id, "key": key, "panel_id": panel_id, "created_at": now}
        for key in sorted(set(keys) - there.keys())
    ]
    if missing:
        connection.execute(_KEEP, missing)


def _move(
    connection: Connection, organisation_id: str, key: str, holder: str, panel_id: str
) -> None:
    moved = connection.execute(
        update(result_identity)
        .where(
            result_identity.c.organisation_id == organisation_id,
            result_identity.c.key == key,
            result_identity.c.panel_id == holder,
        )
        .values(panel_id=panel_id)
    )
    if moved.rowcount != 1:
        raise HeldElsewhere
