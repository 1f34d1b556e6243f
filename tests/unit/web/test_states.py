"""The words for what is empty, lacking or broken: what happened, what to do, nothing of the patient."""

import pytest

from labinterp.errors import TemporaryFailure
from labinterp.usecases import journey
from tests.unit.web.browsing import Person, said


def test_a_unit_that_is_none_is_questioned_with_what_was_perhaps_meant(person):
    page = said(person.check("Magnesium 1.1 mg\nSodium 139 mmol/L"))
    assert "not a concentration" in page
    assert "did you mean mg/dL or mg/L?" in page


def test_where_no_interval_fits_the_details_say_so(person):
    page = person.get(
        person.enter(
            "Magnesium 0.9 mmol/L", **{"birth-year": "2026", "birth-month": "10", "sex": "male"}
        )
    )
    assert "No reference interval is held for this age and sex" in page


def test_where_no_rule_finds_anything_the_page_says_how_many_were_looked_at(person):
    page = said(person.get(person.enter("Sodium 139 mmol/L (133-146)", symptom=[], medications="")))
    assert "No finding." in page
    assert "rules were looked at" in page


def test_an_example_stands_open_beside_text_that_could_not_be_read(person):
    page = person.check("hello", status=422)
    assert "No result was recognised" in said(page)
    assert "<details open><summary>See an example" in page


@pytest.mark.hazard("stranger-reads")
def test_a_fault_of_ours_gives_a_reference_and_nothing_else(person, monkeypatch):
    def broken(*_args, **_more):
        raise RuntimeError("potassium of MRN-1 in /srv/secret.py")

    monkeypatch.setattr(journey, "list_panels", broken)
    page = person.get("/", 500)
    assert "Something failed here" in said(page)
    assert "Reference for whoever helps you" in page
    assert "MRN-1" not in page
    assert "RuntimeError" not in page


def test_a_part_that_does_not_answer_says_when_to_try_again(person, monkeypatch):
    def away(*_args, **_more):
        raise TemporaryFailure("The database did not answer.", retry_after=7)

    monkeypatch.setattr(journey, "list_panels", away)
    answer = person.client.get("/")
    assert answer.status_code == 503
    assert answer.headers["Retry-After"] == "7"
    assert "Not available" in said(answer.text)


def test_a_check_page_that_was_altered_stores_nothing(person, services, ann_acts):
    page = person.check()
    told = person.send(page, "/panels/check", {"draft": "altered", "confirm": "1"}, 422)
    assert "too old or was altered. Nothing was stored" in said(told)
    assert journey.list_panels(services, ann_acts).items == ()


def test_a_form_of_another_session_says_so_and_changes_nothing(person, app):
    page = person.get("/panels/new")
    other = Person(app.test_client())
    other.sign_in()
    told = other.send(page, "/panels/new", {"text": "Sodium 139 mmol/L"}, 400)
    assert "This form is too old" in said(told)
