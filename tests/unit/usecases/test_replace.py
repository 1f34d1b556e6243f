"""A later message about results that are stored makes the next version of their panel."""

from __future__ import annotations

import json
import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from labinterp.formats import json_panel
from labinterp.usecases import journey
from labinterp.usecases.changes import changes_between
from labinterp.usecases.replace import take_row
from tests.unit.usecases.conftest import a_panel

RECEIVED = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)


def result(name, value, status=None, **more):
    said = {"test": name, "value": value, "unit": "mmol/L", "identifier": f"A-1/{name}", **more}
    return {**said, **({"status": status} if status else {})}


def message(*results, patient="MRN-1", collected_at="2026-11-24T08:00:00Z", **more):
    panel = {
        "patient": {"identifier": {"value": patient, "system": "urn:example:mrn"}},
        "results": list(results),
        "collected_at": collected_at,
        **more,
    }
    return json_panel.received_of(panel, RECEIVED)


FIRST = (result("Potassium", "7.9"), result("Sodium", "139"))


def values(services, ward, panel_id):
    record = journey.read_panel(services, ward, panel_id)
    return {one["test"]: (one.get("value"), one.get("status")) for one in record.panel["results"]}


@pytest.fixture
def first(services, ward):
    told = {"email": ["a@example.org"]}
    return journey.take(services, ward, message(*FIRST, deliver=told))


def test_a_corrected_result_replaces_the_one_of_its_identifier_and_leaves_the_rest(
    services, ward, first
):
    again = journey.take(services, ward, message(result("Potassium", "4.1", "corrected")))
    assert (again.panel_id, again.version, again.replayed) == (first.panel_id, 2, False)
    assert values(services, ward, first.panel_id) == {
        "Potassium": ("4.1", "corrected"),
        "Sodium": ("139", None),
    }
    assert journey.read_panel(services, ward, first.panel_id).panel["status"] == "corrected"
    journey.draw_due(services, "w", 10)
    report = journey.read_report(services, ward, first.panel_id)
    assert b"Potassium: was 7.9 mmol/L, now 4.1 mmol/L." in report.pdf
    assert {one.to for one in journey.list_deliveries(services, ward, first.panel_id)} == {
        "a@example.org"
    }


def test_a_final_result_follows_a_preliminary_one_and_never_the_other_way(services, ward):
    early = message(result("Potassium", "3.0", "preliminary"), result("Sodium", "139"))
    panel_id = journey.take(services, ward, early).panel_id
    assert journey.take(services, ward, message(result("Potassium", "3.1", "final"))).version == 2
    late = journey.take(services, ward, message(result("Potassium", "3.0", "preliminary")))
    assert (late.version, late.replayed) == (2, True)
    assert values(services, ward, panel_id)["Potassium"] == ("3.1", "final")


def test_a_late_final_result_does_not_replace_a_corrected_one(services, ward, first):
    journey.take(services, ward, message(result("Potassium", "4.1", "corrected")))
    late = journey.take(services, ward, message(result("Potassium", "7.9", "final")))
    assert (late.version, late.replayed) == (2, True)


@pytest.mark.hazard("old-results")
def test_a_result_collected_before_the_stored_one_does_not_replace_it(services, ward, first):
    older = message(
        result("Potassium", "1.0", "corrected"), collected_at="2026-11-23T08:00:00+00:00"
    )
    assert journey.take(services, ward, older).version == 1
    assert values(services, ward, first.panel_id)["Potassium"] == ("7.9", None)


def test_a_later_specimen_under_the_same_identifier_is_a_new_panel(services, ward, first):
    second = message(result("Potassium", "5.0"), collected_at="2026-11-24T14:00:00Z")
    later = journey.take(services, ward, second)
    assert later.panel_id != first.panel_id
    corrected = message(
        result("Potassium", "4.9", "corrected"), collected_at="2026-11-24T14:00:00Z"
    )
    assert journey.take(services, ward, corrected).panel_id == later.panel_id


def test_a_withdrawn_result_stays_listed_with_that_status(services, ward, first):
    journey.take(services, ward, message(result("Potassium", "7.9", "entered-in-error")))
    assert values(services, ward, first.panel_id)["Potassium"] == ("7.9", "entered-in-error")
    assert journey.read_panel(services, ward, first.panel_id).panel["status"] == "corrected"


def test_when_every_result_is_taken_back_the_panel_is_cancelled(services, ward, first):
    gone = message(*(result(one["test"], one["value"], "cancelled") for one in FIRST))
    assert journey.take(services, ward, gone).version == 2
    assert journey.read_panel(services, ward, first.panel_id).panel["status"] == "cancelled"
    back = journey.take(services, ward, message(result("Sodium", "140", "corrected")))
    assert back.version == 3


def test_a_new_result_of_the_order_joins_the_panel(services, ward, first):
    more = message(result("Sodium", "139"), result("Magnesium", "0.5"))
    assert journey.take(services, ward, more).version == 2
    assert set(values(services, ward, first.panel_id)) == {"Potassium", "Sodium", "Magnesium"}


def test_the_same_message_again_changes_nothing(services, ward, first):
    again = journey.take(services, ward, message(*FIRST))
    assert (again.panel_id, again.version, again.replayed) == (first.panel_id, 1, True)


def test_another_patients_or_organisations_identifier_is_another_result(
    services, ward, neighbour, first
):
    corrected = result("Potassium", "4.1", "corrected")
    other = journey.take(services, ward, message(corrected, patient="MRN-2"))
    theirs = journey.take(services, neighbour, message(corrected))
    assert len({first.panel_id, other.panel_id, theirs.panel_id}) == 3


def test_one_message_may_correct_several_panels(services, ward, first):
    other = result("Calcium", "1.9", identifier="B-2/Calcium")
    second = journey.take(services, ward, message(other))
    both = message(
        result("Potassium", "4.1", "corrected"),
        result("Calcium", "2.3", "corrected", identifier="B-2/Calcium"),
    )
    journey.take(services, ward, both)
    assert values(services, ward, first.panel_id)["Potassium"] == ("4.1", "corrected")
    assert values(services, ward, second.panel_id) == {"Calcium": ("2.3", "corrected")}


def test_a_correction_under_a_key_is_one_version(services, ward, first):
    corrected = message(result("Potassium", "4.1", "corrected"))
    more = {"idempotency_key": "k", "body_digest": "b"}
    one = journey.take(services, ward, corrected, **more)
    again = journey.take(services, ward, corrected, **more)
    assert (one.version, again.version, again.replayed) == (2, 2, True)


def test_messages_at_once_about_one_order_make_one_panel_and_lose_no_result(services, ward):
    names = ("Potassium", "Sodium", "Magnesium", "Calcium")
    shared = result("Albumin", "40")

    def take(name):
        return journey.take(services, ward, message(shared, result(name, "1.0"))).panel_id

    with ThreadPoolExecutor(4) as pool:
        panels = set(pool.map(take, names))
    assert len(panels) == 1
    assert set(values(services, ward, panels.pop())) == {"Albumin", *names}


def test_a_whole_panel_without_identifiers_is_new_each_time(services, ward):
    one = journey.take(services, ward, a_panel())
    assert journey.take(services, ward, a_panel()).panel_id != one.panel_id


def test_the_messages_on_the_page_are_a_panel_and_its_correction(services, ward):
    page = Path(__file__).parents[3] / "docs" / "how-to" / "correct-results.md"
    texts = re.findall(r"```json\n(.+?)```", page.read_text(encoding="utf-8"), re.DOTALL)
    first, second = (
        journey.take(services, ward, json_panel.received_of(json.loads(text), RECEIVED))
        for text in texts
    )
    assert (second.panel_id, first.version, second.version) == (first.panel_id, 1, 2)
    assert values(services, ward, first.panel_id) == {
        "Potassium": ("4.1", "corrected"),
        "Sodium": ("139", None),
    }


def test_a_row_of_a_file_corrects_a_stored_result_too(services, ward, first):
    corrected = message(result("Potassium", "4.1", "corrected"))
    row = take_row(services, ward, corrected, request_id="")
    again = take_row(services, ward, corrected, request_id="")
    assert (row.panel_id, row.version) == (first.panel_id, 2)
    assert (again.version, again.replayed) == (2, True)


def test_a_withdrawn_result_is_named_among_the_changes(services, ward, first):
    journey.take(services, ward, message(result("Potassium", "7.9", "cancelled")))
    before = journey.read_panel(services, ward, first.panel_id, 1).interpretation
    after = journey.read_panel(services, ward, first.panel_id).interpretation
    marked = tuple(
        replace(one, reported=replace(one.reported, status="cancelled"))
        if one.name == "Potassium"
        else one
        for one in after.results
    )
    said = changes_between(before, replace(after, results=marked))
    (change,) = said
    assert change.text == "Potassium: was 7.9 mmol/L, now withdrawn."
    assert (change.kind, change.measurand) == ("withdrawn", "potassium")
    assert (change.was, change.now) == ("7.9 mmol/L", None)


def test_record_and_report_name_the_same_changes_with_the_old_and_the_new_value(
    services, ward, first
):
    assert journey.read_panel(services, ward, first.panel_id).changes == ()
    corrected = result("Potassium", "4.1", "corrected", note="haemolysed before")
    later = {"collected_at": "2026-11-24T08:30:00Z", "conditions": ["ckd"]}
    journey.take(services, ward, message(corrected, result("Magnesium", "0.7"), **later))
    journey.draw_due(services, "w", 10)
    record = journey.read_panel(services, ward, first.panel_id)
    told = [(one.kind, one.about, one.was, one.now) for one in record.changes]
    assert told == [
        ("changed", "Potassium", "7.9 mmol/L", "4.1 mmol/L"),
        ("added", "Magnesium", None, "0.7 mmol/L"),
        ("context", "conditions", None, None),
    ]
    report = journey.read_report(services, ward, first.panel_id).pdf.decode()
    assert all(one.text in report for one in record.changes)
    assert [one["text"] for one in journey.panel_document(record)["changes"]] == [
        one.text for one in record.changes
    ]
    assert journey.read_panel(services, ward, first.panel_id, 1).changes == ()


def part(name, value, order="A-1", **more):
    return result(name, value, identifier=f"{order}|{name}", order=order, **more)


def test_a_late_part_of_an_order_joins_its_panel_however_late(services, ward, clock):
    first = journey.take(services, ward, message(part("Potassium", "2.9")))
    clock.move(timedelta(days=40))
    late = journey.take(services, ward, message(part("Magnesium", "0.5")))
    assert (late.panel_id, late.version) == (first.panel_id, 2)
    assert set(values(services, ward, first.panel_id)) == {"Potassium", "Magnesium"}
    other = journey.take(services, ward, message(part("Sodium", "139", order="A-2")))
    assert other.panel_id != first.panel_id
    again = journey.take(services, ward, message(part("Sodium", "139", order="A-2")))
    assert again.replayed


def test_a_later_specimen_of_an_order_is_a_panel_of_its_own(services, ward):
    first = journey.take(services, ward, message(part("Glucose", "5.1")))
    noon = {"collected_at": "2026-11-24T12:00:00Z"}
    second = journey.take(services, ward, message(part("Insulin", "60"), **noon))
    assert second.panel_id != first.panel_id
    third = journey.take(services, ward, message(part("C-peptide", "1.0"), **noon))
    assert (third.panel_id, third.version) == (second.panel_id, 2)


def test_parts_of_several_orders_each_join_their_own(services, ward):
    one = journey.take(services, ward, message(part("Potassium", "2.9")))
    two = journey.take(services, ward, message(part("Calcium", "1.9", order="A-2")))
    both = message(part("Magnesium", "0.5"), part("Albumin", "40", order="A-2"))
    journey.take(services, ward, both)
    assert set(values(services, ward, one.panel_id)) == {"Potassium", "Magnesium"}
    assert set(values(services, ward, two.panel_id)) == {"Calcium", "Albumin"}


def test_parts_of_one_order_at_once_make_one_panel_and_lose_no_result(services, ward):
    names = ("Potassium", "Sodium", "Magnesium", "Calcium")

    def take(name):
        return journey.take(services, ward, message(part(name, "1.0"))).panel_id

    with ThreadPoolExecutor(4) as pool:
        panels = set(pool.map(take, names))
    assert len(panels) == 1
    assert set(values(services, ward, panels.pop())) == set(names)
