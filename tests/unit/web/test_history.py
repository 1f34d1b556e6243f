"""A patient's samples side by side: comparable results in a row, everything else apart, nothing lost."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from labinterp.formats import json_panel
from labinterp.store import tables
from labinterp.usecases import administer, journey
from labinterp.web import trends
from tests.unit.web.browsing import Person, said

WHO = {
    "identifier": {"value": "MRN-1", "system": "urn:example:mrn"},
    "family": "Example",
    "given": "Anna",
    "birth_date": "1972-02-03",
    "sex": "female",
}
NEWEST = datetime(2026, 11, 20, 8, 5, tzinfo=UTC)


def a_result(line):
    test, value, unit, *interval = line.split(" | ")
    held = {"test": test, "value": value, "unit": unit}
    return held | ({"reference_interval": interval[0]} if interval else {})


@pytest.fixture
def keep(services, ann_acts):
    """Stores one panel of so many days before the newest; its id."""

    def keeping(days, *lines, laboratory="Example General", who=WHO, **more):
        panel = {
            "patient": who,
            "collected_at": (NEWEST - timedelta(days=days)).isoformat(),
            "laboratory": {"name": laboratory},
            "results": [a_result(line) for line in lines],
            **more,
        }
        received = json_panel.received_of(panel, services.now())
        return journey.take(services, ann_acts, received, origin="web").panel_id

    return keeping


@pytest.fixture
def read(services, ann_acts):
    """The history of the patient of this panel."""

    def reading(panel_id, page=1):
        record = journey.read_panel(services, ann_acts, panel_id)
        records = journey.patient_history(services, ann_acts, record.patient_ref)
        return trends.history(records, services.knowledge, page)

    return reading


def row_of(history, name):
    return next(row for row in history.rows if row.name.startswith(name))


def shown(row):
    return [entry.shown.replace("\u00a0", " ") for cell in row.cells for entry in cell]


def test_the_result_page_leads_to_the_history_and_no_address_holds_an_identifier(person, keep):
    keep(60, "Potassium | 3.4 | mmol/L | 3.5-5.3")
    newest = keep(0, "Potassium | 2.9 | mmol/L | 3.5-5.3")
    path = re.search(r"/patients/[0-9a-f]{40}/history", person.get(f"/panels/{newest}"))[0]
    page = person.get(path)
    assert "<title>MRN-1: history" in page
    assert "2 samples" in said(page)
    assert "Down 15 % since 21 Sep 2026" in said(page)
    assert "MRN" not in path


def test_the_search_by_identifier_leads_to_the_history_too(person, keep):
    keep(0, "Potassium | 2.9 | mmol/L | 3.5-5.3")
    led = person.send(person.get("/"), "/panels/search", {"identifier": "MRN-1"})
    assert re.search(r"/patients/[0-9a-f]{40}/history", person.get(led))


def test_a_single_panel_says_that_there_is_nothing_earlier(person, keep):
    newest = keep(0, "Potassium | 2.9 | mmol/L | 3.5-5.3")
    path = re.search(r"/patients/\w+/history", person.get(f"/panels/{newest}"))[0]
    page = person.get(path)
    assert "No earlier results for this identifier." in said(page)
    assert "2.9 mmol/L" in said(page)
    assert 'class="nl tr"' not in page


def test_without_an_identifier_there_is_no_way_to_a_history(person, keep):
    panel_id = keep(0, "Potassium | 2.9 | mmol/L", who={"sex": "male", "birth_date": "1980-01-01"})
    assert "/history" not in person.get(f"/panels/{panel_id}")


def test_at_most_eight_samples_stand_side_by_side_and_the_rest_is_on_further_pages(keep, read):
    ids = [keep(days, f"Potassium | 3.{days} | mmol/L | 3.5-5.3") for days in range(9)]
    first, second = read(ids[0]), read(ids[0], page=2)
    assert [sample.panel_id for sample in first.samples] == ids[:8]
    assert [sample.panel_id for sample in second.samples] == ids[8:]
    assert shown(row_of(first, "Potassium"))[:2] == ["3.0 mmol/L", "3.1 mmol/L"]
    assert first.pages == 2
    assert read(ids[0], page=99).page == 2


def test_every_page_draws_the_same_course_on_the_same_axis(keep, read):
    ids = [keep(days, f"Potassium | 3.{days} | mmol/L | 3.5-5.3") for days in range(9)]
    strips = {row_of(read(ids[0], page), "Potassium").strip for page in (1, 2)}
    assert len(strips) == 1
    assert strips.pop().count("<circle") == 9


def test_a_line_goes_through_neighbours_only_and_many_results_are_drawn_in_part(
    keep, read, monkeypatch
):
    monkeypatch.setattr(trends, "DRAWN", 4)
    for days in range(trends.DRAWN + 2):
        keep(days + 1, "Potassium | 3.6 | mmol/L | 3.5-5.3")
    newest = keep(0, "Potassium | 3.4 | mmol/L | 3.5-5.3")
    strip = row_of(read(newest), "Potassium").strip
    assert strip.count("<circle") == trends.DRAWN
    assert strip.count("tr-join") == 1


def test_a_change_is_told_as_the_report_tells_it(keep, read, services, ann_acts):
    keep(60, "Calcium | 2.40 | mmol/L | 2.20-2.60")
    newest = keep(0, "Calcium | 1.95 | mmol/L | 2.20-2.60")
    told = journey.read_panel(services, ann_acts, newest).interpretation.results[0].change.text
    assert "expected variation" in told
    assert row_of(read(newest), "Calcium").change == f"{told[:1].upper()}{told[1:]}."


@pytest.mark.hazard("wrong-interval")
def test_a_result_of_another_laboratory_is_marked_hollow_and_not_joined(keep, read):
    keep(90, "Potassium | 3.6 | mmol/L | 3.5-5.3")
    keep(60, "Potassium | 3.9 | mmol/L | 3.5-5.3", laboratory="Other Laboratory")
    newest = keep(0, "Potassium | 3.4 | mmol/L | 3.5-5.3")
    row = row_of(read(newest), "Potassium")
    assert [entry.marks for cell in row.cells for entry in cell] == [(), ("≠ lab",), ()]
    assert row.strip.count("tr-hollow") == 1
    assert "tr-join" not in row.strip
    assert "another laboratory" in row.change


def test_a_result_of_another_method_is_marked_hollow(keep, read):
    keep(60, "Sodium | 139 | mmol/L", specimen={"sodium_method": "direct-ise"})
    newest = keep(0, "Sodium | 131 | mmol/L", specimen={"sodium_method": "indirect-ise"})
    row = row_of(read(newest), "Sodium")
    assert row.cells[1][0].marks == ("≠ method",)
    assert "tr-hollow" in row.strip


def test_a_result_in_another_unit_is_converted_marked_and_drawn_on_the_same_axis(keep, read):
    keep(60, "Magnesium | 2.43 | mg/dL | 1.7-2.4")
    newest = keep(0, "Magnesium | 1.00 | mmol/L | 0.70-1.00")
    row = row_of(read(newest), "Magnesium")
    earlier = row.cells[1][0]
    assert earlier.shown.replace("\u00a0", " ") == "2.43 mg/dL"
    assert earlier.second.replace("\u00a0", " ") == "1.00 mmol/L"
    assert earlier.marks == ("≠ unit",)
    heights = {float(height) for height in re.findall(r'<circle[^>]* cy="([\d.]+)"', row.strip)}
    assert max(heights) - min(heights) < 0.5


@pytest.mark.hazard("wrong-unit")
def test_a_unit_that_cannot_be_converted_is_shown_apart_and_never_drawn(keep, read):
    keep(60, "Vitamin B12 | 32 | nmol/g", "Potassium | 4.0 | mmol/L")
    newest = keep(0, "Vitamin B12 | 410 | pg/mL | 180-914")
    history = read(newest)
    assert shown(row_of(history, "Vitamin B12")) == ["410 pg/mL"]
    assert row_of(history, "Vitamin B12").strip == ""
    (apart,) = history.apart
    assert apart.name.endswith("nmol/g")
    assert shown(apart) == ["32 nmol/g"]


def test_a_test_that_is_not_known_is_shown_apart_as_it_was_sent(keep, read):
    newest = keep(0, "Zorblax | 3 | mmol/L", "Potassium | 4.0 | mmol/L")
    assert [row.name for row in read(newest).apart] == ["Zorblax, mmol/L"]


@pytest.mark.hazard("lost-comparator")
def test_a_result_below_what_can_be_measured_is_an_arrow_and_no_point(keep, read):
    keep(60, "Vitamin B12 | 410 | pg/mL | 180-914")
    newest = keep(0, "Vitamin B12 | <150 | pg/mL | 180-914")
    row = row_of(read(newest), "Vitamin B12")
    assert row.strip.count("tr-arrow") == 1
    assert row.strip.count("<circle") == 1
    assert "tr-join" not in row.strip
    assert "cannot be reckoned" in row.change


@pytest.mark.hazard("artefact-believed")
def test_a_change_from_or_to_a_doubtful_result_says_so(keep, read):
    keep(60, "Potassium | 4.1 | mmol/L | 3.5-5.3")
    newest = keep(0, "Potassium | 6.9 | mmol/L | 3.5-5.3", specimen={"haemolysis": "gross"})
    row = row_of(read(newest), "Potassium")
    assert row.cells[0][0].doubtful
    assert row.change.endswith("; one of the two is doubtful.")


def test_a_single_result_that_was_withdrawn_is_named_and_neither_drawn_nor_compared(
    keep, read, services, ann_acts
):
    keep(60, "Potassium | 4.1 | mmol/L | 3.5-5.3")
    results = [
        a_result("Potassium | 9.9 | mmol/L | 3.5-5.3") | {"status": "entered-in-error"},
        a_result("Sodium | 139 | mmol/L | 133-146"),
    ]
    panel = {"patient": WHO, "collected_at": NEWEST.isoformat(), "results": results}
    received = json_panel.received_of(panel, services.now())
    newest = journey.take(services, ann_acts, received, origin="web").panel_id
    row = row_of(read(newest), "Potassium")
    assert shown(row) == ["withdrawn", "4.1 mmol/L"]
    assert (row.strip, row.change) == ("", "")


@pytest.mark.hazard("correction-missed")
def test_what_was_taken_back_is_not_compared(keep, read):
    keep(60, "Potassium | 9.9 | mmol/L | 3.5-5.3", status="cancelled")
    newest = keep(0, "Potassium | 3.4 | mmol/L | 3.5-5.3")
    history = read(newest)
    assert history.cancelled == 1
    assert history.total == 1
    assert shown(row_of(history, "Potassium")) == ["3.4 mmol/L"]


@pytest.mark.hazard("wrong-patient")
def test_panels_that_do_not_agree_on_who_the_patient_is_say_so(person, keep):
    keep(60, "Potassium | 3.4 | mmol/L", who=WHO | {"birth_date": "1992-02-03"})
    newest = keep(0, "Potassium | 3.4 | mmol/L")
    path = re.search(r"/patients/\w+/history", person.get(f"/panels/{newest}"))[0]
    page = said(person.get(path))
    assert "do not agree on who the patient is" in page
    assert "born 3 Feb 1992" in page


def test_each_look_at_a_history_is_written_down(person, keep, services):
    newest = keep(0, "Potassium | 3.4 | mmol/L")
    path = re.search(r"/patients/(\w+)/history", person.get(f"/panels/{newest}"))
    person.get(path[0])
    with services.store.reading() as connection:
        kinds = connection.execute(
            select(tables.audit_event.c.subtype, tables.audit_event.c.patient_key)
        ).all()
    assert ("history-read", path[1]) in [tuple(kind) for kind in kinds]


@pytest.mark.hazard("stranger-reads")
def test_anothers_patient_reads_like_one_that_does_not_exist(person, keep, services, app):
    newest = keep(0, "Potassium | 3.4 | mmol/L")
    path = re.search(r"/patients/\w+/history", person.get(f"/panels/{newest}"))[0]
    other = administer.create_organisation(services, "Other Trust")
    administer.create_user(
        services,
        other.id,
        email="bob@example.org",
        name="Bob",
        scopes=("panels:read",),
        password="correct horse battery",
    )
    bob = Person(app.test_client())
    bob.sign_in("bob@example.org")
    theirs, none = bob.get(path, 404), bob.get(f"/patients/{'0' * 40}/history", 404)
    assert said(theirs) == said(none)
    person.get("/patients/MRN-1/history", 404)
