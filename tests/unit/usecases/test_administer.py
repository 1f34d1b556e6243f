"""Organisations, people and keys: made once, shut out at once, and one answer for every refusal."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import select

from labinterp.access import SCOPES
from labinterp.errors import AccessDenied, Conflict, NotFound, SubmissionError
from labinterp.store import audit
from labinterp.store.tables import api_key, sign_in_link, user_account
from labinterp.usecases import administer
from tests.unit.usecases.conftest import with_policy

PASSWORD = "correct horse battery"


@pytest.fixture
def trust(services):
    return administer.create_organisation(services, "Example Trust")


@pytest.fixture
def ann(services, trust):
    return administer.create_user(
        services,
        trust.id,
        email="Ann@Example.org",
        name="Ann",
        scopes=("panels:read",),
        password=PASSWORD,
    )


def refused(services, *given):
    with pytest.raises(AccessDenied) as error:
        administer.sign_in(services, *given)
    assert error.value.code == "sign-in-refused"
    return error.value.message


def test_an_organisation_is_made_once_however_many_ask(services):
    with ThreadPoolExecutor(4) as pool:
        made = set(
            pool.map(lambda _: administer.create_organisation(services, " Trust ").id, range(8))
        )
    assert len(made) == 1
    assert [one.name for one in administer.organisations(services)] == ["Trust"]


@pytest.mark.hazard("stranger-writes")
def test_a_key_opens_until_it_is_revoked(services, trust):
    record, presented = administer.create_key(
        services, trust.id, name="feed", scopes=("panels:write", "panels:read")
    )
    actor = administer.actor_of_key(services, presented, address="192.0.2.1")
    assert (actor.organisation_id, actor.name, actor.kind) == (trust.id, "feed", "key")
    assert actor.scopes == {"panels:write", "panels:read"}
    (listed,) = administer.keys(services, trust.id)
    assert listed.last_used_at is not None
    administer.revoke_key(services, trust.id, record.id)
    with pytest.raises(AccessDenied) as error:
        administer.actor_of_key(services, presented)
    assert error.value.code == "unauthenticated"
    with pytest.raises(NotFound):
        administer.revoke_key(services, trust.id, record.id)


def test_another_organisation_cannot_revoke_a_key(services, trust):
    record, presented = administer.create_key(services, trust.id, name="a", scopes=SCOPES)
    other = administer.create_organisation(services, "Other")
    with pytest.raises(NotFound):
        administer.revoke_key(services, other.id, record.id)
    assert administer.actor_of_key(services, presented)


@pytest.mark.hazard("stranger-writes")
def test_nothing_stored_can_be_used_to_come_in(services, trust, ann):
    _, key = administer.create_key(services, trust.id, name="a", scopes=SCOPES)
    token = administer.sign_in_link(services, ann.id)
    with services.store.reading() as connection:
        rows = [
            repr(tuple(row))
            for table in (api_key, sign_in_link, user_account)
            for row in connection.execute(select(table))
        ]
    for secret in (key, key.split("_", 2)[2], token, PASSWORD):
        assert not any(secret in row for row in rows)


def test_the_use_of_a_key_is_noted_now_and_then(services, trust, clock):
    _, presented = administer.create_key(services, trust.id, name="a", scopes=SCOPES)
    administer.actor_of_key(services, presented)
    first = administer.keys(services, trust.id)[0].last_used_at
    clock.move(60)
    administer.actor_of_key(services, presented)
    assert administer.keys(services, trust.id)[0].last_used_at == first
    clock.move(600)
    administer.actor_of_key(services, presented)
    assert administer.keys(services, trust.id)[0].last_used_at > first


@pytest.mark.parametrize("scopes", [(), ("panels:destroy",), ("admin", "x")])
def test_scopes_are_those_of_the_list(services, trust, scopes):
    with pytest.raises(SubmissionError) as error:
        administer.create_key(services, trust.id, name="a", scopes=scopes)
    assert error.value.code == "scope-unknown"


def test_a_key_needs_an_organisation(services):
    with pytest.raises(NotFound):
        administer.create_key(services, "nobody", name="a", scopes=SCOPES)


@pytest.mark.parametrize("name", ["", " ", "a\nb", "x" * 201, "\0"])
def test_names_are_one_line(services, trust, name):
    with pytest.raises(SubmissionError):
        administer.create_organisation(services, name)
    with pytest.raises(SubmissionError):
        administer.create_key(services, trust.id, name=name, scopes=SCOPES)


def test_a_person_signs_in_by_password_whatever_the_case_of_the_address(services, ann):
    actor = administer.sign_in(services, "aNN@example.ORG", PASSWORD, address="192.0.2.1")
    assert (actor.id, actor.kind, actor.organisation) == (ann.id, "user", "Example Trust")
    assert administer.actor_of_user(services, ann.id).name == "Ann"


def test_every_refused_sign_in_reads_the_same(services, ann):
    said = {
        refused(services, "ann@example.org", "wrong password here"),
        refused(services, "nobody@example.org", PASSWORD),
        refused(services, "no address", PASSWORD),
        refused(services, "\0", "\0"),
        refused(services, "", ""),
    }
    administer.set_active(services, ann.id, active=False)
    said.add(refused(services, "ann@example.org", PASSWORD))
    assert len(said) == 1
    assert administer.actor_of_user(services, ann.id) is None


def test_many_wrong_passwords_lock_an_account_for_a_while(services, ann, clock):
    strict = with_policy(services, sign_in_failures=3)
    for _ in range(3):
        refused(strict, "ann@example.org", "wrong password here")
    refused(strict, "ann@example.org", PASSWORD)
    clock.move(services.policy.sign_in_lock)
    clock.move(1)
    assert administer.sign_in(strict, "ann@example.org", PASSWORD).id == ann.id


def test_a_new_password_replaces_the_old_one(services, ann):
    administer.set_password(services, ann.id, "another good password")
    refused(services, "ann@example.org", PASSWORD)
    assert administer.sign_in(services, "ann@example.org", "another good password").id == ann.id
    with pytest.raises(NotFound):
        administer.set_password(services, "nobody", "another good password")


def test_an_address_is_one_persons(services, trust, ann):
    with pytest.raises(Conflict):
        administer.create_user(services, trust.id, email="ann@example.org", name="B", scopes=SCOPES)
    with pytest.raises(SubmissionError):
        administer.create_user(services, trust.id, email="nobody", name="B", scopes=SCOPES)


def test_without_a_password_only_links_sign_in(services, trust):
    bob = administer.create_user(
        services, trust.id, email="bob@example.org", name="Bob", scopes=SCOPES
    )
    refused(services, "bob@example.org", "")
    token = administer.sign_in_link(services, bob.id)
    assert administer.sign_in_by_link(services, token).id == bob.id


def test_a_sign_in_link_works_once_even_if_used_at_once(services, ann):
    token = administer.sign_in_link(services, ann.id)

    def use(_):
        try:
            return administer.sign_in_by_link(services, token).id
        except AccessDenied:
            return None

    with ThreadPoolExecutor(4) as pool:
        assert sorted(filter(None, pool.map(use, range(4)))) == [ann.id]


def test_a_sign_in_link_ends(services, ann, clock):
    token = administer.sign_in_link(services, ann.id)
    clock.move(services.policy.sign_in_lifetime)
    clock.move(1)
    for presented in (token, "", "x" * 10_000, "\ud800"):
        with pytest.raises(AccessDenied):
            administer.sign_in_by_link(services, presented)


def test_who_is_shut_out_cannot_use_a_link_either(services, ann):
    token = administer.sign_in_link(services, ann.id)
    administer.set_active(services, ann.id, active=False)
    with pytest.raises(AccessDenied):
        administer.sign_in_by_link(services, token)


def test_refusals_and_changes_are_audited(services, trust, ann):
    refused(services, "ann@example.org", "wrong password here")
    administer.sign_in(services, "ann@example.org", PASSWORD)
    with services.store.reading() as connection:
        seen = [(deed.subtype, deed.outcome) for _, deed, _ in audit.events(connection, trust.id)]
    assert set(seen) == {
        ("organisation-created", "0"),
        ("user-created", "0"),
        ("sign-in", "4"),
        ("sign-in", "0"),
    }


def test_the_demonstration_is_made_once_and_shows_its_key_once(services):
    first = administer.ensure_demo(services)
    again = administer.ensure_demo(services)
    assert first.organisation.name == "Demo"
    assert (again.organisation, again.user) == (first.organisation, first.user)
    assert first.key is not None
    assert again.key is None
    assert administer.actor_of_key(services, first.key).organisation == "Demo"
