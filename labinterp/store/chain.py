"""The audit's chain: each event carries the hash of the one before it.

So no event can be changed, removed or slipped in without every later hash giving it away. There is
one chain for each organisation, and one, `service`, for what belongs to none. An event's hash is
the SHA-256 (hexadecimal) of its canonical bytes: the JSON object of `canonical`, members sorted by
name, no blanks, ASCII only, moments as whole microseconds since 1970 (UTC). It takes in the chain's
name, the event's place in it (1, 2, 3 …) and the hash before; the first one follows sixty-four
zeros.

Links are added when the transaction of the act is about to commit: the chain's row in `audit_chain`
is the lock, held for the commit only, and always the last one taken, so that two writers wait for
one another and never in a circle. Several events of a transaction are linked at once.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import bindparam, func, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite

from labinterp.store.moment import microseconds_since_epoch
from labinterp.store.tables import audit_chain, audit_event

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from sqlalchemy import Connection

OF_SERVICE: Final = "service"
BEGINNING: Final = "0" * 64
_AT_ONCE: Final = 500
_HASHED: Final = (
    "id",
    "organisation_id",
    "recorded_at",
    "action",
    "subtype",
    "outcome",
    "why",
    "actor_kind",
    "actor_id",
    "actor_name",
    "address",
    "request_id",
    "panel_id",
    "version",
    "patient_key",
    "entity",
    "chain",
    "sequence",
    "previous_hash",
)
"""Every column but the hash itself (a test compares them)."""
_ADD: Final = insert(audit_event)
_LOCK: Final = (
    select(audit_chain.c.sequence, audit_chain.c.hash)
    .where(audit_chain.c.chain == bindparam("chain"))
    .with_for_update()
)
_MOVE: Final = update(audit_chain).where(audit_chain.c.chain == bindparam("of_chain"))


@dataclass(frozen=True, slots=True)
class Break:
    """Where a chain does not hold.

    Attributes:
        sequence: the place at which it first fails; None for an event that is in no chain.
        why: what is wrong there.
    """

    chain: str
    sequence: int | None
    why: str


@dataclass(frozen=True, slots=True)
class Head:
    """The newest link: how many events the chain has, and the hash that stands for all of them."""

    chain: str
    sequence: int
    hash: str


def canonical(row: Mapping[str, Any]) -> bytes:
    """The bytes of an event that are hashed."""
    known = {name: row[name] for name in _HASHED}
    known["recorded_at"] = microseconds_since_epoch(known["recorded_at"])
    return json.dumps(known, sort_keys=True, separators=(",", ":"), ensure_ascii=True).encode()


def hash_of(row: Mapping[str, Any]) -> str:
    """An event's hash."""
    return hashlib.sha256(canonical(row)).hexdigest()


def add(connection: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert events at the ends of their chains, in the order given."""
    linked = [link for chain, own in _by_chain(rows) for link in _linked(connection, chain, own)]
    connection.execute(_ADD, linked)


def add_those_without(connection: Connection) -> int:
    """Link events that an older version of the program wrote without a hash; how many.

    The triggers allow exactly this change. The order is that of their recording.
    """
    done = 0
    while True:
        found = connection.execute(
            select(audit_event)
            .where(audit_event.c.hash.is_(None))
            .order_by(audit_event.c.recorded_at, audit_event.c.id)
            .limit(_AT_ONCE)
        ).mappings()
        rows = [dict(row) for row in found]
        if not rows:
            return done
        for chain, own in _by_chain(rows):
            for link in _linked(connection, chain, own):
                connection.execute(
                    update(audit_event).where(audit_event.c.id == link["id"]).values(link)
                )
        done += len(rows)


def _by_chain(
    rows: Sequence[Mapping[str, Any]],
) -> Iterator[tuple[str, list[Mapping[str, Any]]]]:
    """Chains in the order of their names, so that two transactions lock them alike."""
    chains: dict[str, list[Mapping[str, Any]]] = {}
    for row in rows:
        chains.setdefault(row["organisation_id"] or OF_SERVICE, []).append(row)
    yield from sorted(chains.items())


def _linked(
    connection: Connection, chain: str, rows: Sequence[Mapping[str, Any]]
) -> Iterator[dict[str, Any]]:
    sequence, previous = _locked(connection, chain)
    for row in rows:
        sequence += 1
        link = {**row, "chain": chain, "sequence": sequence, "previous_hash": previous}
        previous = link["hash"] = hash_of(link)
        yield link
    connection.execute(_MOVE, {"of_chain": chain, "sequence": sequence, "hash": previous})


def _locked(connection: Connection, chain: str) -> tuple[int, str]:
    """The chain's newest link; nobody else adds to the chain until this transaction ends."""
    found = connection.execute(_LOCK, {"chain": chain}).first()
    if found is None:
        make = (sqlite if connection.dialect.name == "sqlite" else postgresql).insert
        connection.execute(
            make(audit_chain)
            .values(chain=chain, sequence=0, hash=BEGINNING)
            .on_conflict_do_nothing()
        )
        found = connection.execute(_LOCK, {"chain": chain}).one()
    return found.sequence, found.hash


def heads(connection: Connection, chain: str | None = None) -> tuple[Head, ...]:
    """The newest link of one chain, or of all by name."""
    query = select(audit_chain).order_by(audit_chain.c.chain)
    if chain is not None:
        query = query.where(audit_chain.c.chain == chain)
    return tuple(Head(row.chain, row.sequence, row.hash) for row in connection.execute(query))


def unlinked(connection: Connection) -> int:
    """Events in no chain: an older version of the program, or somebody else, wrote them."""
    query = select(func.count()).where(audit_event.c.hash.is_(None))
    return int(connection.execute(query).scalar_one())


def first_break(connection: Connection, head: Head, noted: Head | None = None) -> Break | None:
    """Reckon a chain anew from its beginning; None when it holds.

    Args:
        connection: a transaction that only reads.
        head: the newest link as the database says it.
        noted: a link somebody wrote down earlier, which must still be in the chain: whoever can
            write to the database could also reckon a false chain to its end.
    """
    sequence, previous = 0, BEGINNING
    rows = connection.execute(
        select(audit_event)
        .where(audit_event.c.chain == head.chain, audit_event.c.sequence <= head.sequence)
        .order_by(audit_event.c.sequence),
        execution_options={"yield_per": _AT_ONCE},
    )
    for kept in rows.mappings():
        row = dict(kept)
        sequence += 1
        fault = _fault(row, head.chain, sequence, previous, noted)
        if fault:
            return Break(head.chain, sequence, fault)
        previous = row["hash"]
    if (sequence, previous) != (head.sequence, head.hash):
        return Break(head.chain, sequence + 1, "events are missing at the end")
    if noted is not None and noted.sequence > head.sequence:
        return Break(head.chain, head.sequence + 1, "events that were noted are missing")
    return None


def _fault(
    row: Mapping[str, Any], chain: str, sequence: int, previous: str, noted: Head | None
) -> str | None:
    if row["sequence"] != sequence:
        return "an event is missing"
    if row["previous_hash"] != previous:
        return "it does not follow the event before it"
    if (row["organisation_id"] or OF_SERVICE) != chain or hash_of(row) != row["hash"]:
        return f"event {row['id']} was changed"
    if noted is not None and noted.sequence == sequence and noted.hash != row["hash"]:
        return "the chain was written anew: the hash noted for this place is another"
    return None
