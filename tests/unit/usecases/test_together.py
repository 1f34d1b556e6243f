"""The panels of several patients in one message are there all together, or none is."""

from __future__ import annotations

import pytest

from labinterp.errors import Conflict, SubmissionError
from labinterp.formats import json_panel
from labinterp.usecases import journey, replace, together
from labinterp.usecases.together import take_together
from tests.unit.usecases.test_replace import RECEIVED, message, result


def panels(services, ward):
    return {one.id for one in journey.list_panels(services, ward).items}


def of(patient, value="2.9"):
    potassium = result("Potassium", value, identifier=f"{patient}/K")
    return message(potassium, patient=patient)


def unreadable(patient):
    panel = {**of(patient).panel, "results": [{"test": "Potassium", "value": "see comment"}]}
    return json_panel.received_of(panel, RECEIVED, where=f"Bundle.entry[{patient}]")


def test_what_can_be_read_is_kept_and_the_rest_is_named(services, ward):
    made = take_together(services, ward, [of("A"), unreadable("B"), of("C")])
    assert {one.panel_id for one in made.accepted} == panels(services, ward)
    assert len(made.accepted) == 2
    assert made.refused


def test_where_nothing_can_be_read_nothing_is_kept(services, ward):
    with pytest.raises(SubmissionError) as refused:
        take_together(services, ward, [unreadable("A"), unreadable("B")])
    assert len(refused.value.errors) == 2
    assert panels(services, ward) == set()


def test_a_fault_on_the_way_leaves_no_panel_of_the_message(services, ward, monkeypatch):
    kept = []

    def store(*given):
        if kept:
            raise RuntimeError("a fault of ours")
        kept.append(replace.store_plan(*given))
        return kept[-1]

    sent = [of("A"), of("B")]
    with monkeypatch.context() as patched:
        patched.setattr(together, "store_plan", store)
        with pytest.raises(RuntimeError):
            take_together(services, ward, sent, idempotency_key="k")
    assert kept
    assert panels(services, ward) == set()
    assert len(take_together(services, ward, sent, idempotency_key="k").accepted) == 2


def test_the_same_message_under_its_key_is_answered_again_refusals_too(services, ward):
    sent = [of("A"), unreadable("B"), of("C")]
    first = take_together(services, ward, sent, idempotency_key="k")
    again = take_together(services, ward, sent, idempotency_key="k")
    assert [one.panel_id for one in again.accepted] == [one.panel_id for one in first.accepted]
    assert all(one.replayed for one in again.accepted)
    assert again.refused == first.refused
    with pytest.raises(Conflict):
        take_together(services, ward, [of("A"), of("D")], idempotency_key="k")


def test_a_message_corrects_one_patients_panel_and_adds_anothers(services, ward):
    (first,) = take_together(services, ward, [of("A")]).accepted
    made = take_together(services, ward, [of("A", "3.9"), of("B")])
    assert (made.accepted[0].panel_id, made.accepted[0].version) == (first.panel_id, 2)
    assert made.accepted[1].version == 1
