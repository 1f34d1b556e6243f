"""The audit is append-only, and a chain of hashes shows whatever was done to it all the same."""

from __future__ import annotations

import hashlib
import json
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import delete, insert, select, text, update
from sqlalchemy.exc import IntegrityError

from labinterp.store import audit, chain
from labinterp.store.audit import Deed, Who
from labinterp.store.chain import Head, canonical, first_break, heads
from labinterp.store.tables import audit_chain, audit_event
from labinterp.store.upgrade import upgrade
from tests.conftest import START

ONE, OTHER = Who("org-one", "key", "k1", "Ward"), Who("org-other", "user", "u1", "A. Person")


def _record(store, who=ONE, subtype="panel-read"):
    store.write(lambda held: audit.record(held, who, Deed("R", subtype), START))


def _breaks(store, noted=None):
    with store.reading() as connection:
        found = (first_break(connection, head, noted) for head in heads(connection))
        return [each for each in found if each is not None]


def _rows(store):
    with store.reading() as connection:
        return connection.execute(select(audit_event).order_by(audit_event.c.sequence)).all()


def _as_intruder(store, statement):
    """Whoever owns the database can switch the triggers off."""
    with store.writing() as connection:
        if connection.dialect.name == "sqlite":
            connection.execute(text("DROP TRIGGER audit_event_is_not_changed"))
            connection.execute(text("DROP TRIGGER audit_event_is_not_removed"))
        else:
            connection.execute(text("SET LOCAL session_replication_role = replica"))
        connection.execute(statement)


def test_each_event_follows_the_one_before_it_in_its_own_organisations_chain(either_store):
    for who in (ONE, OTHER, ONE, Who(None, "system", "system", "labinterp")):
        _record(either_store, who)
    with either_store.reading() as connection:
        lengths = {head.chain: head.sequence for head in heads(connection)}
    assert lengths == {"org-one": 2, "org-other": 1, "service": 1}
    assert _breaks(either_store) == []


def test_the_hash_is_that_of_the_documented_bytes(either_store):
    _record(either_store)
    row = _rows(either_store)[0]._mapping
    known = json.loads(canonical(row))
    assert set(known) | {"hash"} == set(audit_event.c.keys())
    assert known["recorded_at"] == 1795510800000000
    assert known["previous_hash"] == "0" * 64
    written = json.dumps(known, sort_keys=True, separators=(",", ":")).encode()
    assert row["hash"] == hashlib.sha256(written).hexdigest()


def test_an_act_that_is_taken_back_leaves_no_event_and_no_gap(either_store):
    _record(either_store)

    def fail(held):
        audit.record(held, ONE, Deed("C", "key-created"), START)
        raise RuntimeError("the act failed")

    with pytest.raises(RuntimeError):
        either_store.write(fail)
    _record(either_store)
    assert [row.sequence for row in _rows(either_store)] == [1, 2]
    assert _breaks(either_store) == []


def test_many_writers_at_once_make_one_chain_without_gaps(either_store):
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda turn: _record(either_store, (ONE, OTHER)[turn % 2]), range(60)))
    with either_store.reading() as connection:
        assert {head.chain: head.sequence for head in heads(connection)} == {
            "org-one": 30,
            "org-other": 30,
        }
    assert _breaks(either_store) == []


def test_two_chains_in_one_transaction_never_wait_in_a_circle(either_store):
    def both(turn):
        def work(held):
            for who in (ONE, OTHER) if turn % 2 else (OTHER, ONE):
                audit.record(held, who, Deed("U", "moved"), START)

        either_store.write(work)

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(both, range(24)))
    assert _breaks(either_store) == []


@pytest.mark.parametrize(
    "statement",
    [
        update(audit_event).values(outcome="0"),
        delete(audit_event),
        text("UPDATE audit_event SET why = 'x'"),
    ],
    ids=["change", "remove", "why"],
)
def test_the_database_refuses_to_change_or_remove_an_event(either_store, statement):
    _record(either_store)
    with pytest.raises(IntegrityError, match="append-only"):
        either_store.write(lambda held: held.execute(statement))
    assert len(_rows(either_store)) == 1


@pytest.mark.postgres
@pytest.mark.xdist_group("pg")
def test_the_audit_cannot_be_emptied_at_once(postgres_store):
    _record(postgres_store)
    with pytest.raises(IntegrityError, match="append-only"):
        postgres_store.write(lambda held: held.execute(text("TRUNCATE audit_event")))


def _second(store):
    return _rows(store)[1].id


@pytest.mark.parametrize(
    ("done", "why"),
    [
        (
            lambda row: update(audit_event).where(audit_event.c.id == row).values(outcome="4"),
            "changed",
        ),
        (
            lambda row: (
                update(audit_event).where(audit_event.c.id == row).values(organisation_id="org-x")
            ),
            "changed",
        ),
        (lambda row: delete(audit_event).where(audit_event.c.id == row), "missing"),
    ],
    ids=["changed", "moved", "removed"],
)
def test_verifying_names_the_place_where_somebody_laid_hands_on_it(sqlite_store, done, why):
    for _ in range(3):
        _record(sqlite_store)
    _as_intruder(sqlite_store, done(_second(sqlite_store)))
    (found,) = _breaks(sqlite_store)
    assert (found.chain, found.sequence) == ("org-one", 2)
    assert why in found.why


def test_events_cut_off_at_the_end_are_missed(either_store):
    for _ in range(3):
        _record(either_store)
    _as_intruder(either_store, delete(audit_event).where(audit_event.c.sequence == 3))
    (found,) = _breaks(either_store)
    assert (found.sequence, found.why) == (3, "events are missing at the end")


def test_a_chain_written_anew_is_found_by_a_link_that_was_noted(sqlite_store):
    for _ in range(2):
        _record(sqlite_store)
    with sqlite_store.reading() as connection:
        (noted,) = heads(connection)
    _as_intruder(sqlite_store, delete(audit_event))
    sqlite_store.write(lambda held: held.execute(delete(audit_chain)))
    for _ in range(3):
        _record(sqlite_store, subtype="panels-listed")
    assert _breaks(sqlite_store) == []
    (found,) = _breaks(sqlite_store, noted)
    assert found.sequence == 2
    assert "written anew" in found.why
    assert _breaks(sqlite_store, Head("org-one", 9, "0" * 64))[0].sequence == 4


def test_what_an_older_version_wrote_is_linked_by_the_next_upgrade(either_store):
    _record(either_store)
    kept = {
        name: value
        for name, value in _rows(either_store)[0]._mapping.items()
        if name not in {"chain", "sequence", "hash", "previous_hash"}
    }
    either_store.write(
        lambda held: held.execute(insert(audit_event).values({**kept, "id": "older"}))
    )
    with either_store.reading() as connection:
        assert chain.unlinked(connection) == 1
    upgrade(either_store, START)
    with either_store.reading() as connection:
        assert chain.unlinked(connection) == 0
    assert _breaks(either_store) == []
    assert [row.sequence for row in _rows(either_store)] == [1, 2]
