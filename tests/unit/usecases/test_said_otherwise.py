"""The same results with something else said beside them: that is read too, and changes the answer."""

from __future__ import annotations

import pytest

from labinterp.formats import json_panel
from labinterp.usecases import journey
from tests.unit.usecases.test_replace import FIRST, RECEIVED, message, values


@pytest.fixture
def first(services, ward):
    return journey.take(services, ward, message(*FIRST))


@pytest.mark.parametrize(
    "said",
    [
        {"symptoms": ["facial-twitch"]},
        {"range_policy": "service-only"},
        {"patient": {"identifier": {"value": "MRN-1", "system": "urn:example:mrn"}, "sex": "male"}},
    ],
)
def test_what_is_newly_said_beside_the_same_results_makes_the_next_version(
    services, ward, first, said
):
    received = json_panel.received_of({**message(*FIRST).panel, **said}, RECEIVED)
    again = journey.take(services, ward, received)
    assert (again.panel_id, again.version) == (first.panel_id, 2)
    assert values(services, ward, first.panel_id)["Potassium"] == ("7.9", None)
    assert journey.take(services, ward, received).version == 2


@pytest.mark.parametrize("said", [{"unit_system": "si"}, {"requester": "Dr Ito"}])
def test_what_no_answer_depends_on_makes_no_version(services, ward, first, said):
    received = json_panel.received_of({**message(*FIRST).panel, **said}, RECEIVED)
    assert journey.take(services, ward, received).version == 1


def test_a_part_of_the_results_again_says_nothing_new(services, ward, first):
    again = journey.take(services, ward, message(FIRST[0], symptoms=["facial-twitch"]))
    assert again.version == 1
