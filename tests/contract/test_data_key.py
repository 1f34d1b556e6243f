"""The data key is changed while everything stays readable, in small steps that can be cut off."""

from __future__ import annotations

import itertools

import pytest
from sqlalchemy import LargeBinary, select, text

from labinterp import bootstrap, formats
from labinterp.cli import DONE, main
from labinterp.errors import SettingsError, TemporaryFailure
from labinterp.model.submission import Recipients
from labinterp.store import resealing
from labinterp.store.crypto import Vault
from labinterp.store.door_tables import metadata
from labinterp.store.records import to_document, written
from labinterp.store.store import Store
from labinterp.store.upgrade import upgrade, verify_key
from labinterp.usecases import administer, data_key, journey, patients
from tests.conftest import START, VAULT, wired
from tests.contract.test_patients import a_body, lived
from tests.unit.usecases.conftest import drawn

OLD, NEW = b"the data key of all tests, which seals nothing real", b"the data key after the change"


@pytest.fixture
def services(either_store, clock, outbox, queue):
    either_store.vault = Vault(OLD)
    return wired(either_store, clock=clock, outbox=outbox, queue=queue, draw=drawn)


@pytest.fixture
def actor(services):
    return administer.system_actor(administer.create_organisation(services, "Ward"))


@pytest.fixture(autouse=True)
def keyring_as_before(either_store):
    """The database of the tests' PostgreSQL is used again by others."""
    yield
    back = Store(either_store.engine, Vault(OLD, (NEW,)))
    list(resealing.reseal(back))
    either_store.vault = VAULT


def with_keys(services, key, *former):
    """The same database, opened by a process with these keys."""
    services.store.vault = Vault(key, former)
    verify_key(services.store)
    return services


def test_every_sealed_column_is_known():
    columns = {
        column
        for table in metadata.sorted_tables
        for column in table.columns
        if isinstance(column.type, LargeBinary)
    }
    assert {box.column for box in resealing.BOXES} == columns


def test_what_the_former_key_sealed_opens_and_is_sealed_anew(services, actor):
    first, hl7 = lived(services, actor)
    with_keys(services, NEW, OLD)
    before = journey.read_panel(services, actor, first)
    total = data_key.left(services)
    assert total > 15
    assert sum(data_key.rotate(services)) == total
    assert data_key.left(services) == 0
    with_keys(services, NEW)
    assert journey.read_panel(services, actor, first).identity == before.identity
    assert journey.read_report(services, actor, first, 1).pdf
    patient = patients.patient_of_panel(services, actor, hl7)
    assert any(
        name.startswith("messages/") for name, _ in patients.exported(services, actor, patient)
    )


def test_the_former_key_alone_opens_the_database_no_more(services, actor):
    lived(services, actor)
    list(data_key.rotate(with_keys(services, NEW, OLD)))
    with pytest.raises(SettingsError) as refused:
        with_keys(services, OLD)
    assert refused.value.code == "data-key-wrong"


def test_without_the_former_key_the_new_one_is_refused(services, actor):
    with pytest.raises(SettingsError) as refused:
        with_keys(services, NEW)
    assert refused.value.code == "data-key-wrong"


def test_patients_and_keys_are_found_as_before(services, actor):
    first, _ = lived(services, actor)
    fingerprint = services.store.vault.fingerprint("x")
    credentials = services.store.vault.kept("credentials")
    list(data_key.rotate(with_keys(services, NEW, OLD)))
    with_keys(services, NEW)
    assert services.store.vault.fingerprint("x") == fingerprint
    assert services.store.vault.kept("credentials") == credentials
    assert patients.patient_of(services, actor, "MRN-1").panel_ids == (first,)
    (received,) = formats.read("json", a_body(), services.now()).received
    assert journey.take(services, actor, received).panel_id == first


def test_a_run_that_was_cut_off_goes_on_where_it_was(services, actor, monkeypatch):
    monkeypatch.setattr(resealing, "_AT_ONCE", 1)
    lived(services, actor)
    with_keys(services, NEW, OLD)
    total = data_key.left(services)
    assert sum(itertools.islice(data_key.rotate(services), 5)) == 5
    assert data_key.left(services) == total - 5
    with_keys(services, NEW, OLD)
    assert sum(data_key.rotate(services)) == total - 5
    assert sum(data_key.rotate(services)) == 0


def test_a_process_that_only_has_the_new_key_as_former_reads_both(services, actor):
    """The first step on several machines: everyone can open what the new key will seal."""
    first, _ = lived(services, actor)
    rotation = data_key.rotate(with_keys(services, NEW, OLD))
    next(rotation)
    with_keys(services, OLD, NEW)
    assert journey.read_panel(services, actor, first).identity.family == "Quillfeather"
    with_keys(services, NEW, OLD)
    list(rotation)


def test_what_changes_meanwhile_is_not_overwritten(services, actor):
    panel_id, _ = lived(services, actor)
    journey.draw_due(services, "w", 10)
    journey.send(services, actor, panel_id, Recipients(("c@example.org",)))
    with_keys(services, NEW, OLD)
    rotation = data_key.rotate(services)
    put = resealing._put

    def sent_meanwhile(connection, box, anew):
        if box.column.name == "link_sealed":
            connection.execute(text("UPDATE delivery SET link_sealed = NULL"))
        return put(connection, box, anew)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(resealing, "_put", sent_meanwhile)
        list(rotation)
    with services.store.reading() as connection:
        links = connection.execute(select(metadata.tables["delivery"].c.link_sealed)).scalars()
        assert set(links) == {None}


def test_a_database_that_goes_away_leaves_what_was_done(services, actor, monkeypatch):
    lived(services, actor)
    with_keys(services, NEW, OLD)
    total = data_key.left(services)
    writes = itertools.count()
    write = services.store.write

    def once(work):
        if next(writes) == 2:
            raise TemporaryFailure("gone")
        return write(work)

    monkeypatch.setattr(services.store, "write", once)
    rotation = data_key.rotate(services)
    done = next(rotation) + next(rotation)
    with pytest.raises(TemporaryFailure):
        next(rotation)
    monkeypatch.undo()
    assert data_key.left(services) == total - done > 0
    list(data_key.rotate(services))


def test_values_of_the_first_form_open_and_are_sealed_anew():
    sealed = VAULT.seal(b"x", "place")
    first = b"\x01" + sealed[5:]
    assert VAULT.open(first, "place") == b"x"
    assert Vault(NEW, (OLD,)).open(first, "place") == b"x"
    assert first[:5] != VAULT.head


def test_an_older_database_keeps_the_keys_of_the_key_that_sealed_it(services, actor):
    """Changing the key with the very upgrade that brought the keyring."""
    first, _ = lived(services, actor)
    credentials = services.store.vault.kept("credentials")
    services.store.write(lambda held: held.execute(text("DELETE FROM keyring WHERE id <> '1'")))
    with_keys(services, NEW, OLD)
    upgrade(services.store, START)
    list(data_key.rotate(services))
    with_keys(services, NEW)
    assert services.store.vault.kept("credentials") == credentials
    assert patients.patient_of(services, actor, "MRN-1").panel_ids == (first,)


def test_an_interpretation_that_was_stored_plain_is_sealed_by_the_next_upgrade(services, actor):
    first, _ = lived(services, actor)
    before = journey.read_panel(services, actor, first).interpretation
    plain = written(to_document(before))
    services.store.write(
        lambda held: held.execute(
            text("UPDATE panel_version SET interpretation = :plain, interpretation_sealed = NULL"),
            {"plain": plain},
        )
    )
    assert journey.read_panel(services, actor, first).interpretation == before
    upgrade(services.store, START)
    with services.store.reading() as connection:
        column = metadata.tables["panel_version"].c.interpretation
        assert set(connection.execute(select(column)).scalars()) == {""}
    assert journey.read_panel(services, actor, first).interpretation == before


def test_the_command_says_what_is_left_and_does_it(services, actor, monkeypatch, capsys):
    lived(services, actor)
    with_keys(services, NEW, OLD)
    monkeypatch.setattr(bootstrap, "services", lambda *_: services)
    total = data_key.left(services)
    assert main(["keys", "rotate", "--check"]) == DONE
    assert capsys.readouterr().out == f"{total} values are sealed with a former key\n"
    assert main(["keys", "rotate"]) == DONE
    assert capsys.readouterr().out.startswith(f"{total} values sealed anew")


def test_settings_name_the_keys(tmp_path):
    """DATA_KEY can be set later: what the key derived from SECRET_KEY sealed opens."""
    given = {"DATA_DIR": str(tmp_path), "SECRET_KEY": "s" * 20 + "0123456789abcdefghij"}
    first = bootstrap.services(given)
    bootstrap.upgrade(first)
    sealed = first.store.vault.seal(b"x", "p")
    later = bootstrap.services({**given, "DATA_KEY": "d" * 20 + "0123456789abcdefghij"})
    assert later.store.vault.open(sealed, "p") == b"x"
    assert later.policy.secret == first.policy.secret
    sum(data_key.rotate(later))
    changed = bootstrap.services(
        {
            "DATA_DIR": str(tmp_path),
            "SECRET_KEY": "another one 0123456789abcdefghij",
            "DATA_KEY": "e" * 20 + "0123456789abcdefghij",
            "FORMER_DATA_KEYS": "d" * 20 + "0123456789abcdefghij",
        }
    )
    assert changed.policy.secret == first.policy.secret
    for one in (first, later, changed):
        one.store.close()
