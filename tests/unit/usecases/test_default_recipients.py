"""Whom an organisation tells of panels whose message names nobody."""

from __future__ import annotations

import pytest

from labinterp.errors import AccessDenied, SubmissionError
from labinterp.usecases import administer, journey
from labinterp.usecases.default_recipients import (
    addresses_in,
    default_recipients,
    set_default_recipients,
)
from tests.unit.usecases.conftest import a_panel


@pytest.fixture
def services(sqlite_services):
    return sqlite_services


@pytest.fixture
def chief(services, ward):
    organisation = administer.create_organisation(services, "Ward 7")
    assert organisation.id == ward.organisation_id
    return administer.system_actor(organisation)


@pytest.mark.parametrize(
    ("door", "named", "told"),
    [
        ("import", (), ["duty@example.org"]),
        ("hl7v2", (), ["duty@example.org"]),
        ("hl7v2", ("a@example.org",), ["a@example.org"]),
        ("api", (), []),
        ("web", (), []),
    ],
)
def test_who_is_told_depends_on_what_the_message_could_say(  # noqa: PLR0917 - fixtures
    services, ward, chief, door, named, told
):
    set_default_recipients(services, chief, ("duty@example.org", "Duty@example.org"))
    taken = journey.take(services, ward, a_panel(email=named), origin=door)
    found = journey.list_deliveries(services, ward, taken.panel_id)
    assert [one.to for one in found] == told


def test_addresses_are_checked_and_can_be_taken_back(services, chief):
    with pytest.raises(SubmissionError):
        set_default_recipients(services, chief, ("nobody",))
    assert set_default_recipients(services, chief, ("a@example.org",)) == ("a@example.org",)
    assert set_default_recipients(services, chief, ()) == ()
    assert default_recipients(services, chief) == ()


def test_only_an_administrator_decides(services, ward):
    with pytest.raises(AccessDenied):
        set_default_recipients(services, ward, ("a@example.org",))
    with pytest.raises(AccessDenied):
        default_recipients(services, ward)


def test_what_was_typed_may_be_separated_as_people_do():
    assert addresses_in(" a@x.org, b@x.org;c@x.org\n") == ("a@x.org", "b@x.org", "c@x.org")
