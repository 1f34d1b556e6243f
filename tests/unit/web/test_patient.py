"""The page for the patient is read before it is released, shown as released, and withdrawn."""

import re
from dataclasses import replace

import pytest

from labinterp.usecases import patient_pages
from tests.unit.web.browsing import said

ASKED = {"language": "de", "contact": "Praxis Beispiel, 0123 456"}


@pytest.fixture
def services(services):
    return replace(services, policy=replace(services.policy, patient_page=True))


@pytest.fixture
def path(person):
    return person.enter()


def previewed(person, path, status=200, **changed):
    return person.send(person.get(path), f"{path}/patient/preview", {**ASKED, **changed}, status)


def test_it_is_offered_only_where_the_operator_allows_it(person, path, services, app):
    assert "Page for the patient" in said(person.get(path))
    off = replace(services, policy=replace(services.policy, patient_page=False))
    assert patient_pages.offered(off) == ()


def test_it_is_read_before_it_is_released(person, path):
    page = previewed(person, path)
    assert "Read this page before you release it" in said(page)
    assert "Ihre Blutwerte" in said(page)
    assert '<div lang="de">' in page
    person.get(f"{path}/patient", status=404)


def test_released_it_is_a_document_of_its_own_language(person, path):
    person.send(previewed(person, path), f"{path}/patient", ASKED, 303)
    page = person.get(f"{path}/patient")
    assert '<html lang="de">' in page
    assert "Ann Example hat diese Seite am 24. Nov. 2026 mit Ihnen geteilt" in said(page)
    assert "Fragen beantwortet: Praxis Beispiel, 0123 456" in said(page)
    assert page.count("<svg") >= 3
    assert not re.search(r"<(style|script)|style=", page)
    assert "Released by Ann Example" in said(person.get(path))


def test_its_pdf_is_served_beside_it(person, path):
    person.send(previewed(person, path), f"{path}/patient", ASKED, 303)
    answer = person.client.get(f"{path}/patient.pdf")
    assert answer.mimetype == "application/pdf"
    assert answer.data.startswith(b"%PDF-")
    assert "Anna" not in answer.headers["Content-Disposition"]
    assert answer.headers["Cache-Control"] == "no-store"


def test_withdrawn_it_is_gone(person, path):
    person.send(previewed(person, path), f"{path}/patient", ASKED, 303)
    person.send(person.get(path), f"{path}/patient/withdraw", {}, 303)
    person.get(f"{path}/patient", status=404)
    assert person.client.get(f"{path}/patient.pdf").status_code == 404
    assert "Not released." in said(person.get(path))


def test_without_anybody_to_ask_nothing_is_shown_and_the_panel_says_why(person, path):
    person.send(person.get(path), f"{path}/patient/preview", {**ASKED, "contact": ""}, 303)
    assert "Whom the patient asks" in said(person.get(path))


def test_nobody_reads_it_without_signing_in(person, path, app):
    person.send(previewed(person, path), f"{path}/patient", ASKED, 303)
    answer = app.test_client().get(f"{path}/patient")
    assert answer.status_code in (302, 303, 401)
    assert b"Blutwerte" not in answer.data


def test_what_came_from_outside_is_text(person):
    path = person.enter(text="Magnesium 0.6 mmol/L <b>(0.7-1.0)")
    page = person.send(
        person.get(path),
        f"{path}/patient/preview",
        {**ASKED, "contact": "<script>alert(1)</script>"},
        200,
    )
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert(1)" in page


def test_a_release_without_having_read_the_page_is_refused(person, path):
    page = previewed(person, path).replace('name="version" value="1"', 'name="version" value=""')
    person.send(page, f"{path}/patient", ASKED, 303)
    assert "Read its page first" in said(person.get(path))
    person.get(f"{path}/patient", status=404)
