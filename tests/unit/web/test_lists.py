"""Panels, deliveries, knowledge and statements: found by identifier, free of what does not belong there."""

import re
from datetime import timedelta

import pytest

from tests.unit.web.browsing import said

CRITICAL = "Potassium 2.0 mmol/L (3.5-5.3)\nMagnesium 0.3 mmol/L (0.7-1.0)"


def test_a_patient_is_found_by_identifier_which_never_stands_in_an_address(person):
    path = person.enter()
    person.enter(identifier="MRN-2")
    led = person.send(person.get("/"), "/panels/search", {"identifier": "MRN-1"})
    assert "MRN" not in led
    page = person.get(led)
    assert path in page
    assert "MRN-2" not in said(page)


def test_an_unknown_identifier_says_there_is_nothing(person):
    led = person.send(person.get("/"), "/panels/search", {"identifier": "MRN-404"})
    assert "No earlier results for this identifier." in said(person.get(led))


def test_an_empty_service_says_what_to_do_first(person):
    page = said(person.get("/"))
    assert "No panel was entered yet." in page
    assert "Critical results not yet acknowledged None." in page


def test_the_list_of_deliveries_shows_domains_first_and_nothing_clinical(person):
    path = person.enter()
    back = person.send(person.get(path), "/send", {"email": "clinician@example.org"}, 200)
    person.send(back, "/send", {"confirmed": "1"})
    page = person.get("/deliveries")
    assert "…@example.org" in page
    assert "Magnesium" not in page
    assert "MRN-1" not in page
    assert "Example, Anna" not in page
    assert "No delivery is in this state." in said(person.get("/deliveries?show=failed"))


def sent_to(person, path, address="clinician@example.org"):
    back = person.send(person.get(path), "/send", {"email": address}, 200)
    person.send(back, "/send", {"confirmed": "1"})


def test_the_filter_shows_what_waits_and_what_failed_and_nothing_else(person):
    sent_to(person, person.enter())
    assert "…@example.org" in person.get("/deliveries?show=waiting")
    assert "No delivery is in this state." in said(person.get("/deliveries?show=delivered"))
    assert "…@example.org" in person.get("/deliveries?show=nonsense")


@pytest.mark.hazard("mail-lost")
def test_a_critical_report_that_is_late_is_told_on_every_page_until_somebody_was_told(
    person, clock
):
    path = person.enter(CRITICAL)
    sent_to(person, path)
    late = "1 critical report is not delivered after 30 minutes"
    assert late not in said(person.get("/help"))
    clock.move(timedelta(minutes=31) - timedelta(minutes=2))
    person.get("/")
    clock.move(timedelta(minutes=2))
    assert late in said(person.get("/help"))
    told = {"told": "Ward sister", "how": "by telephone", "read-back": "yes"}
    person.send(person.get(path), "/acknowledge", told)
    assert late not in said(person.get("/help"))


def test_a_report_that_nobody_draws_says_so_and_the_results_stand_there(person, clock):
    path = person.enter()
    assert "The PDF waits to be drawn" in said(person.get(path))
    clock.move(timedelta(minutes=3))
    page = said(person.get(path))
    assert "The report could not be drawn yet. Your results are stored and shown here." in page


@pytest.mark.parametrize("kind", ["analytes", "rules", "sources"])
def test_every_item_of_the_knowledge_can_be_opened(person, kind):
    page = person.get(f"/knowledge?kind={kind}")
    assert "/knowledge/" in page


def test_an_unknown_item_is_not_found(person):
    person.get("/knowledge/no-such-thing", 404)


@pytest.mark.parametrize("path", ["/help", "/accessibility", "/privacy", "/login"])
def test_statements_need_no_sign_in_and_every_page_says_who_runs_this(stranger, services, path):
    page = said(stranger.get(path))
    assert services.policy.operator_line in page
    assert services.policy.contact in page
    assert services.knowledge.version in page
    assert "does not replace it" in page


def test_an_unknown_mail_link_reads_like_any_missing_page(person):
    assert "not found, or it is not yours" in said(person.get("/r/" + "x" * 32, 404))


@pytest.mark.hazard("stranger-reads")
def test_the_identifier_that_was_searched_for_stands_sealed_in_the_cookie(person):
    person.enter()
    page = person.send(person.get("/panels"), "/panels/search", {"identifier": "MRN-1"})
    assert 'value="MRN-1"' in person.get(page)
    with person.client.session_transaction() as session:
        assert "MRN-1" not in str(dict(session))
        session["sought"] = "not sealed by anybody"
    assert 'value="not sealed' not in person.get(page)


def test_a_limit_of_the_knowledge_is_one_phrase_and_what_goes_without_saying_is_not_said(person):
    page = said(person.get("/knowledge/potassium"))
    assert re.search(r"Interval 3\.5–5\.3 mmol/L", page)
    assert re.search(r"Bounds ≥ \S+ and < \S+ mmol/L", page)
    assert "Applies to everyone" in page
    assert not re.search(r"Unverified no|Usable yes|Low included yes|\b[Gg]e \d", page)


def test_a_rule_leads_to_the_steps_it_asks_for(person):
    page = person.get("/knowledge/mg-driven-hypokalaemia")
    steps = re.findall(r'<a href="(/knowledge/[a-z-]+)">[a-z-]+</a>', page)
    assert "/knowledge/check-ecg" in steps
    assert "12-lead ECG" in said(person.get("/knowledge/check-ecg"))
    assert "Unverified no" not in said(page)
