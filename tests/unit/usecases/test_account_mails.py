"""Whoever's way in is changed hears of it by mail, whoever changed it, and of nothing else."""

from __future__ import annotations

from datetime import timedelta

import pytest

from labinterp.access import Actor, one_time
from labinterp.delivery.mailer import SendOutcome
from labinterp.delivery.message import ACCOUNT_EVENTS
from labinterp.errors import SubmissionError
from labinterp.usecases import account_mails, administer, given_up, journey, members, second_factor
from labinterp.usecases.due import due_counts
from labinterp.usecases.tidy import tidy
from tests.unit.usecases.conftest import with_policy

PASSWORD = "seven quiet herons wade"


@pytest.fixture
def person(sqlite_services):
    organisation = administer.create_organisation(sqlite_services, "Ward 7")
    return administer.create_user(
        sqlite_services,
        organisation.id,
        email="ada@example.org",
        name="Ada Example",
        scopes=["admin"],
    )


@pytest.fixture
def actor(person):
    return Actor(
        person.organisation_id, "Ward 7", "user", person.id, person.name, frozenset({"admin"})
    )


def mailed(services, outbox):
    """What the workers hand over now: subject, address and text of each mail."""
    before = len(outbox.sent)
    journey.deliver_due(services, "w", 10)
    return [
        (message["Subject"], to, message.get_body(("plain",)).get_content())
        for message, to in outbox.sent[before:]
    ]


def changed(services, actor):
    """Something that is told, and quickly done."""
    members.add_key(services, actor, name="A key", scopes=["panels:read"])


@pytest.fixture
def set_up(sqlite_services, actor, clock):
    """An authenticator, and the recovery codes that came with it."""

    def work():
        offered = second_factor.offer(sqlite_services, actor)
        secret = one_time.decoded(offered.typed)
        code = one_time.code_at(secret, clock())
        return second_factor.set_up(sqlite_services, actor, sealed=offered.sealed, code=code)

    return work


@pytest.mark.hazard("stranger-reads")
def test_a_new_password_is_told_to_its_owner_without_the_password(sqlite_services, actor, outbox):
    members.set_own_password(sqlite_services, actor, current="", new=PASSWORD)
    assert due_counts(sqlite_services).deliveries_due == 1
    ((subject, to, text),) = mailed(sqlite_services, outbox)
    assert (subject, to) == ("Your password was changed", "ada@example.org")
    assert "Organisation: Ward 7" in text
    assert "https://labinterp.example.org/account" in text
    assert PASSWORD not in outbox.sent[-1][0].as_string()
    assert due_counts(sqlite_services).deliveries_due == 0
    assert mailed(sqlite_services, outbox) == []


def test_a_password_that_was_refused_is_told_nobody(sqlite_services, actor, outbox):
    with pytest.raises(SubmissionError):
        members.set_own_password(sqlite_services, actor, current="", new="short")
    assert mailed(sqlite_services, outbox) == []


@pytest.mark.hazard("stranger-reads")
def test_each_change_of_the_second_factor_is_told(sqlite_services, actor, outbox, set_up, clock):
    services = sqlite_services
    set_up()
    codes = second_factor.new_codes(services, actor)
    assert second_factor.is_right(services, actor, codes[0])
    second_factor.remove(services, actor)
    found = mailed(services, outbox)
    set_up()
    administer.set_active(services, actor.id, active=False)
    second_factor.reset(services, actor.id)
    found += mailed(services, outbox)
    assert [subject for subject, _, _ in found] == [
        ACCOUNT_EVENTS[event][0]
        for event in (
            "second-factor-set",
            "recovery-codes-made",
            "recovery-code-used",
            "second-factor-removed",
            "second-factor-set",
            "second-factor-reset",
        )
    ]
    assert {to for _, to, _ in found} == {"ada@example.org"}
    whole = "".join(message.as_string() for message, _ in outbox.sent)
    assert not any(code in whole for code in codes)


def test_a_link_into_an_account_is_told_to_whom_it_is_not_the_first_way_in(
    sqlite_services, actor, outbox
):
    administer.sign_in_link(sqlite_services, actor.id)
    assert mailed(sqlite_services, outbox) == []
    members.set_own_password(sqlite_services, actor, current="", new=PASSWORD)
    token = administer.sign_in_link(sqlite_services, actor.id)
    found = mailed(sqlite_services, outbox)
    assert found[-1][0] == "A sign-in link was made for your account"
    assert not any(token in text for _, _, text in found)


@pytest.mark.hazard("stranger-reads")
def test_a_new_key_is_told_to_all_administrators_but_not_one_that_the_operator_made(
    sqlite_services, actor, outbox
):
    services, organisation = sqlite_services, actor.organisation_id
    for address, scopes in (("bea@example.org", ["admin"]), ("cy@example.org", ["panels:read"])):
        administer.create_user(services, organisation, email=address, name="Another", scopes=scopes)
    administer.create_key(services, organisation, name="of the operator", scopes=["panels:read"])
    assert mailed(services, outbox) == []
    _, presented = members.add_key(services, actor, name="Clara's", scopes=["panels:read"])
    found = mailed(services, outbox)
    assert {to for _, to, _ in found} == {"ada@example.org", "bea@example.org"}
    assert not any(presented in text or "Clara" in text for _, _, text in found)


def test_many_changes_at_once_are_one_mail(sqlite_services, actor, outbox):
    for number in range(5):
        members.add_key(sqlite_services, actor, name=f"Key {number}", scopes=["panels:read"])
    assert len(mailed(sqlite_services, outbox)) == 1
    members.add_key(sqlite_services, actor, name="Another", scopes=["panels:read"])
    assert len(mailed(sqlite_services, outbox)) == 1


def test_a_mail_that_is_not_taken_is_tried_again_as_the_same_and_not_for_ever(
    sqlite_services, actor, outbox
):
    services = with_policy(sqlite_services, retry_first=timedelta(0), delivery_attempts=3)
    changed(services, actor)
    outbox.answers = [SendOutcome("unknown", "the line broke")] * 2
    for _ in range(3):
        mailed(services, outbox)
    assert len(outbox.sent) == 3
    assert len({message["Message-ID"] for message, _ in outbox.sent}) == 1
    changed(services, actor)
    outbox.answers = [SendOutcome("deferred", "451 later")] * 4
    for _ in range(4):
        mailed(services, outbox)
    assert len(outbox.answers) == 1  # after the third nobody tried again
    assert due_counts(services).deliveries_due == 0
    outbox.answers = []
    (dead,) = given_up.listed(services)
    assert (dead.kind, dead.about, dead.why) == ("account", "key-created", "451 later")
    given_up.replay(services, actor, dead)
    assert len(mailed(services, outbox)) == 1
    assert given_up.listed(services) == ()


def test_a_row_that_cannot_be_written_holds_up_no_other(sqlite_services, actor, outbox):
    services = with_policy(sqlite_services, retry_first=timedelta(0))
    services.store.write(
        lambda held: account_mails.tell(
            held, actor.organisation_id, actor.id, "of-a-later-release", services.now()
        )
    )
    changed(services, actor)
    assert len(mailed(services, outbox)) == 1
    assert due_counts(services).deliveries_due == 1  # for when its release is here


def test_a_fault_of_our_own_settings_ends_no_mail(sqlite_services, actor, outbox):
    services = with_policy(sqlite_services, retry_first=timedelta(0), delivery_attempts=1)
    changed(services, actor)
    outbox.answers = [SendOutcome("operator", "535 authentication failed")] * 3
    for _ in range(4):
        mailed(services, outbox)
    assert len(outbox.sent) == 1


def test_who_lost_the_row_meanwhile_sends_nothing(sqlite_services, actor, outbox):
    services = with_policy(sqlite_services, delivery_lease=timedelta(0))
    changed(services, actor)

    def another_worker_takes_it():
        outbox.before_data = None
        account_mails.mail_due(services, 1)

    outbox.before_data = another_worker_takes_it
    assert len(mailed(services, outbox)) == 1


def test_what_was_mailed_is_forgotten_after_its_time(sqlite_services, actor, outbox, clock):
    services = sqlite_services
    changed(services, actor)
    clock.move(services.policy.notice_kept + timedelta(days=1))
    assert tidy(services) == 0  # it still waits
    mailed(services, outbox)
    assert tidy(services) == 1
