"""Nobody reads a page of a patient before signing in; a session ends; a link works once."""

from datetime import timedelta

import pytest

from labinterp.usecases import administer
from tests.unit.web.browsing import PASSWORD, Person, fields, said


def test_someone_who_is_not_signed_in_is_led_to_the_form_and_then_to_where_they_wanted(stranger):
    answer = stranger.client.get("/panels/new")
    assert answer.status_code == 303
    assert answer.headers["Location"].endswith("/login")
    assert "panels" not in answer.headers["Location"]
    assert stranger.sign_in().endswith("/panels/new")


def test_a_wrong_password_and_an_unknown_address_read_the_same(stranger):
    answers = [
        stranger.send(stranger.get("/login"), "/login", {"email": email, "password": "wrong"}, 422)
        for email in ("ann@example.org", "nobody@example.org")
    ]
    told = [said(page).replace("nobody@", "ann@") for page in answers]
    assert told[0] == told[1]
    assert "<title>Error: " in answers[0]
    assert 'aria-invalid="true"' in answers[0]
    assert 'value="ann@example.org"' in answers[0]


def test_an_empty_form_names_both_fields(stranger):
    page = stranger.send(stranger.get("/login"), "/login", {}, 422)
    assert "Write your e-mail address." in page
    assert "Write your password." in page
    assert 'href="#password"' in page


def test_too_many_tries_are_told_how_long_to_wait(stranger):
    page = stranger.get("/login")
    for _ in range(10):
        stranger.send(page, "/login", {"email": "ann@example.org", "password": "wrong"}, 422)
    answer = stranger.client.post(
        "/login", data=fields(page, "/login") | {"email": "ann@example.org", "password": "wrong"}
    )
    assert answer.status_code == 429
    assert int(answer.headers["Retry-After"]) > 0
    assert "Try again in" in answer.text


@pytest.mark.hazard("stranger-writes")
def test_a_form_without_its_token_is_refused_and_nothing_happens(stranger):
    answer = stranger.client.post(
        "/login", data={"email": "ann@example.org", "password": "correct horse battery"}
    )
    assert answer.status_code == 400
    assert stranger.client.get("/").status_code == 303


def test_opening_a_sign_in_link_does_not_use_it_up_and_pressing_the_button_does(
    stranger, services, ann, app
):
    token = administer.sign_in_link(services, ann.id)
    stranger.get(f"/login/link/{token}")
    page = stranger.get(f"/login/link/{token}")
    assert stranger.send(page, token, {}).endswith("/")
    assert stranger.client.get("/").status_code == 200
    other = Person(app.test_client())
    assert "Error" in other.send(other.get(f"/login/link/{token}"), token, {}, 422)


def test_a_session_ends_when_nothing_happens_and_for_good_after_some_hours(person, services, clock):
    person.get("/")
    clock.move(services.policy.session_idle - timedelta(minutes=1))
    person.get("/")
    clock.move(services.policy.session_idle + timedelta(minutes=1))
    assert person.client.get("/").status_code == 303
    assert "signed out" in said(person.get("/login"))
    person.sign_in()
    for _ in range(30):
        clock.move(timedelta(minutes=25))
        last = person.client.get("/").status_code
    assert last == 303


def test_signing_out_ends_the_session(person):
    person.send(person.get("/"), "/logout", {})
    assert person.client.get("/").status_code == 303


def copied(person, app):
    """Another browser with the same cookie."""
    thief = Person(app.test_client())
    thief.client.set_cookie("labinterp", person.client.get_cookie("labinterp").value)
    assert thief.client.get("/").status_code == 200
    return thief


@pytest.mark.hazard("stranger-reads")
def test_a_copied_cookie_opens_nothing_after_signing_out(person, app, clock):
    thief = copied(person, app)
    clock.move(1)
    answer = person.client.post("/logout", data=fields(person.get("/"), "/logout"))
    assert "storage" in answer.headers["Clear-Site-Data"]
    assert thief.client.get("/").status_code == 303
    clock.move(1)
    person.sign_in()
    assert thief.client.get("/").status_code == 303
    assert person.client.get("/").status_code == 200


def test_a_new_password_ends_all_sessions_but_the_one_it_was_chosen_in(person, app, clock):
    thief = copied(person, app)
    clock.move(1)
    words = "a new set of four words"
    told = {"current": PASSWORD, "new": words, "again": words}
    person.send(person.get("/account"), "/account/password", told)
    assert person.client.get("/").status_code == 200
    assert thief.client.get("/").status_code == 303


def test_an_account_that_is_opened_again_opens_no_old_session(person, services, ann, clock):
    clock.move(1)
    administer.set_active(services, ann.id, active=False)
    administer.set_active(services, ann.id, active=True)
    assert person.client.get("/").status_code == 303


def test_each_sign_in_gives_the_session_another_id(person, app):
    def held(client):
        with client.session_transaction() as session:
            return session["id"]

    first = held(person.client)
    person.send(person.get("/"), "/logout", {})
    person.sign_in()
    assert held(person.client) != first


def test_an_account_that_was_closed_is_out_at_once(person, services, ann):
    administer.set_active(services, ann.id, active=False)
    assert person.client.get("/").status_code == 303


def test_the_session_cookie_is_kept_from_scripts_and_other_sites(stranger):
    page = stranger.get("/login")
    answer = stranger.client.post(
        "/login",
        data=fields(page, "/login")
        | {"email": "ann@example.org", "password": "correct horse battery"},
    )
    cookie = answer.headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie


def test_every_page_carries_its_policy_and_clinical_ones_are_not_stored(person):
    answer = person.client.get("/")
    assert "default-src 'self'" in answer.headers["Content-Security-Policy"]
    assert "unsafe" not in answer.headers["Content-Security-Policy"]
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Referrer-Policy"] == "no-referrer"


def test_what_was_entered_when_the_session_ended_is_there_after_signing_in_again(
    person, services, clock
):
    form = person.get("/panels/new")
    clock.move(services.policy.session_idle + timedelta(minutes=1))
    page = person.send(form, "/panels/new", {"text": "Potassium 2.4 mmol/L"}, 401)
    assert "What you entered is kept" in page
    assert "Potassium" not in page
    login = {"email": "ann@example.org", "password": PASSWORD}
    resumed = person.send(page, "/login", login, 200)
    again = person.send(resumed, "/panels/new", {}, 422)
    assert "Potassium 2.4 mmol/L" in again


def test_somebody_else_signing_in_gets_nothing_of_what_was_entered(
    person, services, clock, organisation
):
    administer.create_user(
        services,
        organisation.id,
        email="bob@example.org",
        name="Bob",
        scopes=("panels:read",),
        password=PASSWORD,
    )
    form = person.get("/panels/new")
    clock.move(services.policy.session_idle + timedelta(minutes=1))
    page = person.send(form, "/panels/new", {"text": "Potassium 2.4 mmol/L"}, 401)
    assert person.send(page, "/login", {"email": "bob@example.org", "password": PASSWORD})
