"""An administrator sees to the people and keys of their own organisation, and to nobody else's."""

import re
from datetime import timedelta

import pytest
from sqlalchemy import select

from labinterp.errors import AccessDenied
from labinterp.formats import json_panel
from labinterp.store import tables
from labinterp.usecases import administer, journey
from tests.unit.web.browsing import PASSWORD, Person, said


@pytest.fixture
def other(services):
    """Somebody of another organisation, and a key of theirs."""
    trust = administer.create_organisation(services, "Other Trust")
    bob = administer.create_user(
        services, trust.id, email="bob@other.example", name="Bob", scopes=("panels:read",)
    )
    key, _ = administer.create_key(services, trust.id, name="theirs", scopes=("panels:read",))
    return bob, key


@pytest.fixture
def chief(app, services, organisation):
    """An administrator, signed in."""
    administer.create_user(
        services,
        organisation.id,
        email="chief@example.org",
        name="Chief Example",
        scopes=("admin",),
        password=PASSWORD,
    )
    person = Person(app.test_client())
    person.sign_in("chief@example.org")
    return person


def deeds(services):
    with services.store.reading() as connection:
        rows = connection.execute(
            select(tables.audit_event.c.subtype, tables.audit_event.c.actor_name)
        )
        return [tuple(row) for row in rows]


def id_of(services, email):
    return next(user.id for user in administer.users(services) if user.email == email)


def add(chief, **more):
    fields = {"name": "Dr New", "email": "new@example.org", "user-scopes": "panels:read"} | more
    return chief.send(chief.get("/administration"), "/administration/users", fields, 200)


def test_a_new_user_comes_in_by_the_link_and_chooses_a_password(chief, app, services):
    page = add(chief)
    token = re.search(r"/login/link/([\w-]+)", page)[1]
    new = Person(app.test_client())
    assert new.send(new.get(f"/login/link/{token}"), token, {}) == "/"
    account = new.get("/account")
    assert "Choose a password" in said(account)
    chosen = {"new": "twelve small cats", "again": "twelve small cats"}
    new.send(account, "/account/password", chosen)
    assert Person(app.test_client()).sign_in("new@example.org", "twelve small cats") == "/"
    assert ("user-created", "Chief Example") in deeds(services)
    assert ("sign-in-link-made", "Chief Example") in deeds(services)
    assert ("password-set", "Dr New") in deeds(services)


def test_somebody_with_a_password_has_to_know_it_to_change_it(person):
    page = person.get("/account")
    fields = {"current": "wrong", "new": "twelve small cats", "again": "twelve small cats"}
    refused = person.send(page, "/account/password", fields, 422)
    assert "The current password is not right." in said(refused)
    differing = person.send(page, "/account/password", fields | {"again": "other"}, 422)
    assert "The two new passwords differ." in said(differing)
    short = person.send(
        page, "/account/password", {"current": PASSWORD, "new": "short", "again": "short"}, 422
    )
    assert "12 to 200 characters" in said(short)
    person.send(page, "/account/password", fields | {"current": PASSWORD})


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"email": "nobody"}, "no mail address"),
        ({"name": ""}, "A name is one line"),
        ({"user-scopes": "root"}, "Scopes are some of"),
        ({"email": "ann@example.org"}, "Somebody has this address already."),
    ],
)
def test_what_cannot_be_used_is_told_beside_its_field_and_kept(chief, fields, told):
    typed = {"name": "Dr New", "email": "new@example.org", "user-scopes": "panels:read"} | fields
    page = chief.send(chief.get("/administration"), "/administration/users", typed, 422)
    assert told in said(page)
    assert "<title>Error: " in page
    assert f'value="{typed["email"]}"' in page


@pytest.mark.hazard("stranger-reads")
def test_a_closed_account_is_out_at_its_next_request_and_can_be_opened_again(
    chief, person, services, ann, app
):
    person.get("/")
    page = chief.get("/administration")
    chief.send(page, f"/users/{ann.id}/state", {})
    assert person.client.get("/").status_code == 303
    page = chief.get("/administration")
    assert "Closed" in said(page)
    assert f"/users/{ann.id}/link" not in page
    chief.send(page, f"/users/{ann.id}/state", {})
    assert Person(app.test_client()).sign_in() == "/"
    assert ("user-deactivated", "Chief Example") in deeds(services)


def test_what_somebody_may_do_is_changed_from_their_next_request_on(chief, person, services, ann):
    page = chief.get("/administration")
    chief.send(page, f"/users/{ann.id}/scopes", {"scopes": "panels:read"})
    person.get("/panels/new", 404)
    person.get("/panels")
    assert ("user-scopes-set", "Chief Example") in deeds(services)
    none = chief.send(
        chief.get("/administration"), f"/users/{ann.id}/scopes", {"scopes": "root"}, 422
    )
    assert "Scopes are some of" in said(none)


def test_nobody_shuts_themselves_out(chief, services, ann):
    page = chief.get("/administration")
    own = id_of(services, "chief@example.org")
    assert f"/users/{own}/" not in page
    form = chief.client.post(
        f"/administration/users/{own}/state",
        data={"csrf_token": re.search(r'name="csrf_token" value="([^"]+)"', page)[1]},
    )
    assert form.status_code == 422
    assert "nobody shuts themselves out" in said(form.text)


def test_a_key_is_shown_once_opens_what_it_may_and_is_revoked_at_once(chief, services):
    page = chief.get("/administration")
    fields = {"key-name": "Ward system", "key-scopes": "panels:read"}
    made = chief.send(page, "/administration/keys", fields, 200)
    text = re.search(r"<pre[^>]*>(li_[^<]+)</pre>", made)[1]
    assert administer.actor_of_key(services, text).scopes == {"panels:read"}
    listed = chief.get("/administration")
    assert text not in listed
    assert "Ward system" in said(listed)
    key = administer.keys(services)[-1]
    chief.send(listed, f"/keys/{key.id}/revoke", {})
    with pytest.raises(AccessDenied):
        administer.actor_of_key(services, text)
    assert ("key-created", "Chief Example") in deeds(services)
    assert ("key-revoked", "Chief Example") in deeds(services)


def test_a_key_that_is_asked_for_twice_is_made_once(chief, services):
    page = chief.get("/administration")
    fields = {"key-name": "Ward system", "key-scopes": "panels:read"}
    chief.send(page, "/administration/keys", fields, 200)
    chief.send(page, "/administration/keys", fields)
    assert [key.name for key in administer.keys(services)] == ["Ward system"]


def test_a_key_without_a_name_is_told_beside_its_field(chief):
    page = chief.send(chief.get("/administration"), "/administration/keys", {"key-name": ""}, 422)
    assert 'href="#key-name"' in page


def test_the_sign_in_link_ends_after_its_time(chief, app, services, clock):
    token = re.search(r"/login/link/([\w-]+)", add(chief))[1]
    clock.move(services.policy.sign_in_lifetime + timedelta(minutes=1))
    new = Person(app.test_client())
    assert "Error" in new.send(new.get(f"/login/link/{token}"), token, {}, 422)


def test_others_find_nothing_there(person, chief):
    assert "Users and keys" not in said(person.get("/"))
    page = said(person.get("/administration", 404))
    assert page == said(person.get("/panels/none", 404))
    assert "Users and keys" in said(chief.get("/"))


@pytest.mark.hazard("stranger-reads", "stranger-writes")
def test_people_and_keys_of_another_organisation_read_like_none_at_all(chief, services, other):
    bob, key = other
    page = chief.get("/administration")
    assert "Bob" not in said(page)
    assert "theirs" not in said(page)
    token = re.search(r'name="csrf_token" value="([^"]+)"', page)[1]
    for path in (
        f"/administration/users/{bob.id}/link",
        f"/administration/users/{bob.id}/scopes",
        f"/administration/users/{bob.id}/state",
        f"/administration/keys/{key.id}/revoke",
        "/administration/users/nobody/link",
    ):
        answer = chief.client.post(path, data={"csrf_token": token, "scopes": "panels:read"})
        assert answer.status_code == 404, path
    assert administer.users(services, bob.organisation_id)[0].active
    assert administer.keys(services, bob.organisation_id)[0].revoked_at is None


def test_a_form_without_its_token_changes_nothing(chief, services, ann):
    answer = chief.client.post(f"/administration/users/{ann.id}/state", data={"active": "no"})
    assert answer.status_code == 400
    assert administer.actor_of_user(services, ann.id) is not None


def test_who_is_told_by_default_is_kept_and_told_of_a_panel_that_names_nobody(
    chief, services, organisation
):
    page = chief.get("/administration")
    told = {"recipients": "duty@example.org, ward@example.org"}
    chief.send(page, "/administration/recipients", told)
    page = chief.get("/administration")
    assert "Told by default: duty@example.org, ward@example.org." in said(page)
    assert 'value="duty@example.org, ward@example.org"' in page
    received = json_panel.received_of(
        {"results": [{"test": "Potassium", "value": "4.1", "unit": "mmol/L"}]}, services.now()
    )
    sender = administer.system_actor(organisation)
    taken = journey.take(services, sender, received, origin="hl7v2")
    sent = journey.list_deliveries(services, sender, taken.panel_id)
    assert [one.to for one in sent] == ["duty@example.org", "ward@example.org"]


def test_an_address_that_is_none_is_shown_back_and_nothing_is_kept(chief):
    page = chief.get("/administration")
    page = chief.send(page, "/administration/recipients", {"recipients": "duty@, x"}, 422)
    assert "<title>Error: " in page
    assert 'value="duty@, x"' in page
    assert 'aria-invalid="true"' in page
    assert 'value="duty@, x"' not in chief.get("/administration")
