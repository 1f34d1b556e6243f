"""A page for the patient: off by default, released by name, kept as shown, ended by a correction."""

from __future__ import annotations

from dataclasses import replace

import pytest

from labinterp.errors import AccessDenied, Conflict, NotFound, SubmissionError
from labinterp.formats import json_panel
from labinterp.store import audit
from labinterp.usecases import journey, patient_pages
from tests.conftest import START, wired
from tests.unit.usecases.conftest import an_actor

PANEL = {
    "patient": {
        "identifier": {"value": "MRN-7", "system": "urn:example:mrn"},
        "family": "Example",
        "given": "Ana",
        "birth_date": "1972-02-03",
        "sex": "female",
    },
    "collected_at": "2026-11-24T08:00:00Z",
    "results": [
        {"test": "Magnesium", "value": "0.62", "unit": "mmol/L"},
        {"test": "Sodium", "value": "139", "unit": "mmol/L"},
    ],
    "symptoms": ["eyelid-twitch"],
}
SAID = {"language": "es", "contact": "the practice, 020 7946 0000", "released_by": "Dr A. Example"}


def received(**changed):
    return json_panel.received_of({**PANEL, **changed}, START)


@pytest.fixture(autouse=True)
def small_medicine():
    """Here the real medicine is asked: what a page says is its matter."""


@pytest.fixture
def services(either_store, clock, outbox, queue):
    made = wired(either_store, clock=clock, outbox=outbox, queue=queue)
    return replace(made, policy=replace(made.policy, patient_page=True))


@pytest.fixture
def actor(services):
    return an_actor(services)


@pytest.fixture
def panel_id(services, actor):
    return journey.take(services, actor, received()).panel_id


def subtypes(services, actor):
    with services.store.reading() as connection:
        return [deed.subtype for _, deed, _ in audit.events(connection, actor.organisation_id)]


@pytest.mark.hazard("patient-misled")
def test_it_is_off_unless_the_operator_allows_it(services, actor, panel_id):
    off = replace(services, policy=replace(services.policy, patient_page=False))
    with pytest.raises(Conflict) as refused:
        patient_pages.release(off, actor, panel_id, **SAID)
    assert refused.value.code == "patient-page-off"
    assert patient_pages.offered(off) == ()


def test_nothing_is_shown_before_somebody_releases_it(services, actor, panel_id):
    with pytest.raises(NotFound) as refused:
        patient_pages.read(services, actor, panel_id)
    assert refused.value.code == "patient-page-not-released"


def test_a_clinician_releases_it_by_name_and_it_reads_the_same_ever_after(
    services, actor, panel_id, clock
):
    made = patient_pages.release(services, actor, panel_id, **SAID)
    clock.move(86_400)
    read = patient_pages.read(services, actor, panel_id)
    assert read == made
    assert read.page.language == "es"
    assert "Dr A. Example compartió esta página" in "\n".join(read.page.about_patient)
    assert read.pdf.startswith(b"%PDF-")
    assert subtypes(services, actor)[:2] == ["patient-page-read", "patient-page-released"]


def test_a_signed_in_person_releases_in_their_own_name(services, actor, panel_id):
    person = replace(actor, kind="user", name="Dr B. Signed-In")
    made = patient_pages.release(services, person, panel_id, **SAID)
    assert made.record.released_by == "Dr B. Signed-In"


def test_the_setting_says_whom_to_ask_where_nobody_is_named(services, actor, panel_id):
    told = replace(services, policy=replace(services.policy, patient_contact="the ward, ext. 12"))
    made = patient_pages.release(told, actor, panel_id, **{**SAID, "contact": ""})
    assert made.record.contact == "the ward, ext. 12"


@pytest.mark.parametrize(
    ("missing", "where"),
    [
        ({"language": "xx"}, "language"),
        ({"contact": ""}, "contact"),
        ({"contact": "two\nlines"}, "contact"),
        ({"released_by": " "}, "released_by"),
        ({"released_by": "x" * 201}, "released_by"),
    ],
)
def test_what_is_missing_is_named(services, actor, panel_id, missing, where):
    with pytest.raises(SubmissionError) as refused:
        patient_pages.release(services, actor, panel_id, **{**SAID, **missing})
    assert [place.where for place in refused.value.errors] == [where]


@pytest.mark.hazard("patient-misled")
def test_a_correction_ends_it(services, actor, panel_id):
    patient_pages.release(services, actor, panel_id, **SAID)
    results = [{"test": "Magnesium", "value": "0.85", "unit": "mmol/L"}]
    journey.correct(services, actor, panel_id, received(results=results))
    assert patient_pages.state(services, actor, panel_id) is None
    with pytest.raises(NotFound):
        patient_pages.read(services, actor, panel_id)
    again = patient_pages.release(services, actor, panel_id, **SAID)
    assert again.record.version == 2


def test_a_withdrawn_one_is_shown_to_nobody(services, actor, panel_id):
    patient_pages.release(services, actor, panel_id, **SAID)
    patient_pages.withdraw(services, actor, panel_id)
    with pytest.raises(NotFound):
        patient_pages.read(services, actor, panel_id)
    with pytest.raises(NotFound):
        patient_pages.withdraw(services, actor, panel_id)
    assert subtypes(services, actor)[0] == "patient-page-withdrawn"


def test_a_second_release_takes_the_place_of_the_first(services, actor, panel_id):
    patient_pages.release(services, actor, panel_id, **SAID)
    patient_pages.release(services, actor, panel_id, **{**SAID, "language": "de"})
    assert patient_pages.read(services, actor, panel_id).page.language == "de"


@pytest.mark.parametrize(
    "changed",
    [{"status": "preliminary"}, {"status": "cancelled"}, {"patient": {"birth_date": "1972-02-03"}}],
)
def test_a_panel_that_is_not_final_or_nobodys_is_not_released(services, actor, changed):
    panel_id = journey.take(services, actor, received(**changed)).panel_id
    with pytest.raises(Conflict):
        patient_pages.release(services, actor, panel_id, **SAID)


def test_another_organisation_finds_nothing(services, actor, panel_id):
    patient_pages.release(services, actor, panel_id, **SAID)
    neighbour = an_actor(services, "Another hospital")
    with pytest.raises(NotFound):
        patient_pages.read(services, neighbour, panel_id)
    with pytest.raises(NotFound):
        patient_pages.release(services, neighbour, panel_id, **SAID)


def test_a_key_that_may_only_read_releases_nothing(services, actor, panel_id):
    reader = replace(actor, scopes=frozenset({"panels:read"}))
    with pytest.raises(AccessDenied):
        patient_pages.release(services, reader, panel_id, **SAID)


def test_the_page_is_stored_sealed(services, actor, panel_id):
    made = patient_pages.release(services, actor, panel_id, **SAID)
    with services.store.engine.connect() as connection:
        row = connection.exec_driver_sql("SELECT page_sealed, pdf_sealed FROM patient_page").one()
    assert b"Magnesio" not in bytes(row[0])
    assert made.pdf not in bytes(row[1])


def test_a_name_no_font_can_print_is_refused_by_its_character(services, actor):
    patient = {**PANEL["patient"], "given": "आना"}
    panel_id = journey.take(services, actor, received(patient=patient)).panel_id
    with pytest.raises(Conflict) as refused:
        patient_pages.release(services, actor, panel_id, **SAID)
    assert "U+0906" in str(refused.value)
    assert patient_pages.state(services, actor, panel_id) is None


def test_what_was_corrected_since_it_was_read_is_not_released(services, actor, panel_id):
    seen = patient_pages.preview(services, actor, panel_id, **SAID)
    results = [{"test": "Magnesium", "value": "0.85", "unit": "mmol/L"}]
    journey.correct(services, actor, panel_id, received(results=results))
    with pytest.raises(Conflict) as refused:
        patient_pages.release(services, actor, panel_id, **SAID, version=seen.version)
    assert refused.value.code == "superseded"
    assert patient_pages.state(services, actor, panel_id) is None
    assert patient_pages.release(services, actor, panel_id, **SAID, version=2).record.version == 2
