"""A second factor: set up by a code, asked for at every sign-in, each code once; lost, it is reset."""

import re
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select

from labinterp.access import one_time
from labinterp.errors import AccessDenied
from labinterp.store import tables
from labinterp.usecases import administer, second_factor
from labinterp.usecases.sign_in import CodeNeeded
from tests.unit.web.browsing import PASSWORD, Person, fields, said

STEP = timedelta(seconds=30)


@pytest.fixture
def authenticator(services):
    """What a phone does: codes from the secret as it is typed in."""

    class Phone:
        secret = b""

        def reads(self, page):
            self.secret = one_time.decoded(re.search(r'<code id="secret">([A-Z2-7-]+)<', page)[1])

        def shows(self, later=timedelta(0)):
            return one_time.code_at(self.secret, services.now() + later)

    return Phone()


@pytest.fixture
def guarded(person, authenticator, clock):
    """Ann with an authenticator, the code of its setting up used; and her recovery codes."""
    page = person.get("/account/second-factor")
    authenticator.reads(page)
    page = person.send(page, "/account/second-factor", {"code": authenticator.shows()}, 200)
    person.codes = re.findall(r"(?:[A-Z2-7]{4}-){5}[A-Z2-7]{4}", page)
    clock.move(STEP)
    return person


def by_password(person, password=PASSWORD):
    """Sign in by password; the page that asks for the code."""
    typed = {"email": "ann@example.org", "password": password}
    return person.send(person.get("/login"), "/login", typed, 200)


def deeds(services):
    with services.store.reading() as connection:
        return list(connection.execute(select(tables.audit_event.c.subtype)).scalars())


def test_it_is_set_up_by_the_picture_or_the_secret_and_proved_by_a_code(
    person, authenticator, services, ann
):
    page = person.get("/account/second-factor")
    authenticator.reads(page)
    assert '<svg class="qr"' in page
    assert "otpauth://totp/Labinterp:ann%40example.org?" in page
    page = person.send(page, "/account/second-factor", {"code": "000000"}, 422)
    authenticator.reads(page)  # the same secret: the phone need not begin again
    page = person.send(page, "/account/second-factor", {"code": authenticator.shows()}, 200)
    assert len(re.findall(r"(?:[A-Z2-7]{4}-){5}[A-Z2-7]{4}", page)) == one_time.RECOVERY_CODES
    with services.store.reading() as connection:
        row = connection.execute(select(tables.second_factor)).one()
        kept = list(connection.execute(select(tables.recovery_code.c.digest)).scalars())
    assert authenticator.secret not in row.secret_sealed
    assert not any(code.replace("-", "") in "".join(kept) for code in re.findall(r"\S+", page))
    assert "second-factor-set" in deeds(services)


def test_a_right_password_alone_opens_nothing(guarded, app):
    thief = Person(app.test_client())
    by_password(thief)
    assert thief.client.get("/").status_code == 303
    assert thief.client.get("/account").status_code == 303


def test_password_and_code_let_in_and_the_same_code_does_not_again(guarded, authenticator, app):
    first, second = Person(app.test_client()), Person(app.test_client())
    code = authenticator.shows()
    assert first.send(by_password(first), "/login/code", {"code": code}).endswith("/")
    first.get("/")
    page = second.send(by_password(second), "/login/code", {"code": code}, 422)
    assert "was used" in said(page)
    assert second.client.get("/").status_code == 303


@pytest.mark.parametrize(("steps", "status"), [(-2, 422), (-1, 422), (0, 303), (1, 303), (2, 422)])
def test_a_clock_may_be_a_step_off_but_no_code_from_before_the_last_one_counts(
    guarded, authenticator, app, steps, status
):
    other = Person(app.test_client())
    other.send(
        by_password(other), "/login/code", {"code": authenticator.shows(steps * STEP)}, status
    )


def test_what_is_no_code_is_refused(guarded, app):
    other = Person(app.test_client())
    page = by_password(other)
    for code in ("", "12345", "1234567", "١٢٣٤٥٦", "0x1234", "' OR 1=1", "A" * 9999):
        other.send(page, "/login/code", {"code": code}, 422)
    assert other.client.get("/").status_code == 303


def test_a_recovery_code_lets_in_once_however_it_is_typed(guarded, app, services):
    first, second = Person(app.test_client()), Person(app.test_client())
    typed = guarded.codes[0].lower().replace("-", " ")
    first.send(by_password(first), "/login/code", {"code": typed})
    second.send(by_password(second), "/login/code", {"code": guarded.codes[0]}, 422)
    assert "9 recovery codes are left" in said(first.get("/account"))
    assert "sign-in-by-recovery-code" in deeds(services)


def test_new_recovery_codes_put_the_former_ones_out_of_force(guarded, app):
    guarded.send(guarded.get("/account/second-factor"), "/second-factor/codes", {}, 200)
    other = Person(app.test_client())
    other.send(by_password(other), "/login/code", {"code": guarded.codes[0]}, 422)


def test_codes_are_not_guessed_without_end_and_the_password_forgives_none(
    guarded, authenticator, services, clock, ann
):
    """A right password between the guesses neither resets the count nor opens the account."""
    services = replace(services, policy=replace(services.policy, sign_in_failures=2))
    for _ in range(2):
        with pytest.raises(CodeNeeded):
            administer.sign_in(services, "ann@example.org", PASSWORD)
        with pytest.raises(AccessDenied):
            second_factor.sign_in_by_code(services, ann.id, "000000", since=services.now())
    right = authenticator.shows()
    with pytest.raises(AccessDenied):
        second_factor.sign_in_by_code(services, ann.id, right, since=services.now())
    clock.move(services.policy.sign_in_lock + STEP)
    right = authenticator.shows()
    second_factor.sign_in_by_code(services, ann.id, right, since=services.now())


def test_a_stranger_who_types_wrong_passwords_locks_nobody_out(
    guarded, authenticator, services, ann
):
    services = replace(services, policy=replace(services.policy, sign_in_failures=1))
    for password in ("wrong", PASSWORD):
        with pytest.raises(AccessDenied, match="not right"):
            administer.sign_in(services, "ann@example.org", password)
    with pytest.raises(CodeNeeded):
        administer.sign_in_by_link(services, administer.sign_in_link(services, ann.id))
    code = authenticator.shows()
    second_factor.sign_in_by_code(services, ann.id, code, since=services.now())


def test_a_link_needs_the_code_as_well(guarded, authenticator, app, services, ann):
    token = administer.sign_in_link(services, ann.id)
    other = Person(app.test_client())
    assert other.send(other.get(f"/login/link/{token}"), token, {}).endswith("/login/code")
    assert other.client.get("/").status_code == 303
    other.send(other.get("/login/code"), "/login/code", {"code": authenticator.shows()})
    other.get("/")


def test_the_second_step_is_over_after_ten_minutes_and_with_a_new_password(
    guarded, authenticator, app, clock, services
):
    other, ann = Person(app.test_client()), administer.users(services)[0]
    page = by_password(other)
    clock.move(timedelta(minutes=11))
    assert other.send(page, "/login/code", {"code": authenticator.shows()}).endswith("/login")
    page = by_password(other)
    clock.move(1)
    administer.set_password(services, ann.id, "another good passphrase")
    other.send(page, "/login/code", {"code": authenticator.shows()}, 422)


def test_nobody_skips_to_the_second_step(stranger):
    assert stranger.client.get("/login/code").status_code == 303
    token = fields(stranger.get("/login"), "/login")["csrf_token"]
    answer = stranger.client.post("/login/code", data={"code": "123456", "csrf_token": token})
    assert answer.headers["Location"].endswith("/login")


def test_an_organisation_that_wants_it_shows_nothing_else_before_it_is_set_up(
    person, authenticator, services, organisation
):
    second_factor.require_of_all(services, organisation.id, required=True)
    for path in ("/", "/panels/new", "/account", "/deliveries"):
        answer = person.client.get(path)
        assert (answer.status_code, answer.headers["Location"]) == (303, "/account/second-factor")
    page = person.get("/account/second-factor")
    assert "wants everybody" in said(page)
    authenticator.reads(page)
    page = person.send(page, "/account/second-factor", {"code": authenticator.shows()}, 200)
    person.get("/")
    page = person.get("/account/second-factor")
    assert "/second-factor/remove" not in page
    token = fields(page, "/second-factor/codes")
    assert person.client.post("/account/second-factor/remove", data=token).status_code == 422


def test_it_can_be_removed_where_nobody_wants_it(guarded, app, services):
    guarded.send(guarded.get("/account/second-factor"), "/second-factor/remove", {})
    Person(app.test_client()).sign_in()
    assert "second-factor-removed" in deeds(services)


def test_whoever_lost_it_is_let_in_after_a_reset(guarded, app, services, ann):
    assert second_factor.reset(services, ann.id)
    assert not second_factor.reset(services, ann.id)
    assert guarded.client.get("/").status_code == 303  # her sessions are over
    Person(app.test_client()).sign_in()


def test_an_offer_of_somebody_else_sets_nothing_up(person, services, authenticator, ann_acts):
    bob = administer.create_user(
        services,
        ann_acts.organisation_id,
        email="bob@example.org",
        name="Bob",
        scopes=("panels:read",),
        password=PASSWORD,
    )
    theirs = second_factor.offer(services, administer.actor_of_user(services, bob.id))
    authenticator.secret = one_time.decoded(theirs.typed)
    typed = {"offer": theirs.sealed, "code": authenticator.shows()}
    person.send(person.get("/account/second-factor"), "/account/second-factor", typed, 422)


# ---- sessions, and being asked again


def test_sessions_are_listed_with_their_browser_and_ended_one_by_one(person, app, services):
    other = Person(app.test_client())
    other.client.environ_base["HTTP_USER_AGENT"] = 'Evil<script>"\t1.0'
    other.sign_in()
    page = person.get("/account")
    assert "Evil&lt;script&gt;" in page
    action = re.search(r"/account/sessions/[0-9a-v]{26}/end", page)[0]
    person.send(page, action, {})
    assert other.client.get("/").status_code == 303
    person.get("/")
    assert "session-ended" in deeds(services)


def test_all_others_are_ended_at_once(person, app):
    others = [Person(app.test_client()) for _ in range(2)]
    for one in others:
        one.sign_in()
    person.send(person.get("/account"), "/account/sessions/end", {})
    assert [one.client.get("/").status_code for one in others] == [303, 303]
    person.get("/")


def test_who_signed_in_long_ago_shows_again_who_they_are_and_goes_on(
    person, clock, services, authenticator
):
    page = person.get("/account/second-factor")
    authenticator.reads(page)
    clock.move(services.policy.session_fresh + timedelta(seconds=1))
    asked = person.send(page, "/account/second-factor", {"code": "123456"}, 401)
    person.send(asked, "/account/proof", {"password": "wrong"}, 422)
    again = person.send(asked, "/account/proof", {"password": PASSWORD}, 200)
    page = person.send(again, "/account/second-factor", {"code": authenticator.shows()}, 200)
    assert "Recovery codes" in page


def test_with_an_authenticator_the_password_alone_is_not_enough(
    guarded, clock, services, authenticator
):
    page = guarded.get("/account/second-factor")
    clock.move(services.policy.session_fresh + timedelta(seconds=1))
    asked = guarded.send(page, "/second-factor/remove", {}, 401)
    guarded.send(asked, "/account/proof", {"password": PASSWORD}, 422)
    typed = {"password": PASSWORD, "code": authenticator.shows()}
    guarded.send(asked, "/account/proof", typed, 200)
