"""The result page says what the PDF says, shows how it knows, and never loses who the patient is."""

import re
from dataclasses import replace

import pytest
from flask import Flask
from sqlalchemy import select

from labinterp import bootstrap, web
from labinterp.delivery.mailer import SendOutcome
from labinterp.reporting import view
from labinterp.store import tables
from labinterp.usecases import administer, journey
from labinterp.web.orders import order_of
from tests.unit.web.browsing import FIVE_LINES, Person, said

CRITICAL = "Potassium 2.0 mmol/L (3.5-5.3)\nMagnesium 0.3 mmol/L (0.7-1.0)\nCalcium 1.6 mmol/L (2.2-2.6)\nAlbumin 41 g/L"


class Postbox:
    """Takes every message, as a mail server would."""

    def __init__(self):
        self.messages = []

    def send(self, message, recipient, still_ours):
        assert still_ours()
        self.messages.append((recipient, message))
        return SendOutcome("sent", "250 OK")


def words_of(view_made):
    for section in view_made.sections:
        yield section.title
        for block in section.blocks:
            if block.kind == "results":
                for row in block.rows:
                    yield from (row.name, row.value_and_unit, row.flag, row.interval)
            if block.kind == "findings":
                for entry in (*block.leading, *block.also):
                    yield from (entry.title, entry.text, entry.rule)
            if block.kind == "steps":
                yield from (step.text for group in block.groups for step in group.steps)


@pytest.mark.parametrize("parts", [("", "/reasons"), ("?open=all",)])
def test_the_page_says_everything_the_report_says(person, services, ann_acts, parts):
    path = person.enter()
    record = journey.read_panel(services, ann_acts, path.rsplit("/", 1)[1])
    page = " ".join(said(person.get(path + part)) for part in parts)
    for text in words_of(view.build(order_of(services, ann_acts, record))):
        assert " ".join(text.replace("\u00a0", " ").split()) in page


@pytest.mark.hazard("wrong-patient")
def test_the_identifier_stands_in_the_title_and_the_strip_and_not_in_the_address(person):
    path = person.enter()
    page = person.get(path)
    assert "<title>MRN-1" in page
    assert "MRN" not in path
    assert "Example, Anna" in said(page)
    assert "born 3 Feb 1972 (54 years)" in said(page)


def test_each_finding_says_why_it_appears(person):
    page = person.get(person.enter())
    assert "Why this appears" in page
    assert 'class="evidence"' in page
    assert "/knowledge/" in page


def test_each_result_says_as_received_how_it_was_converted_and_which_interval(person):
    page = said(person.get(person.enter() + "/reasons"))
    assert "As received Magnesium 1.1 mg/dL (1.7-2.2) L" in page
    assert "Conversion mg/dL to mmol/L" in page
    assert "Interval chosen" in page


def test_a_critical_result_is_acknowledged_with_who_how_and_read_back(person):
    path = person.enter(CRITICAL)
    page = person.get(path)
    assert "Critical results" in said(page)
    missing = person.send(page, "/acknowledge", {"told": ""}, 422)
    for message in ("Who was told: write a name", "How: choose one", "Read back: choose yes or no"):
        assert message in said(missing)
    assert "<title>Error: " in missing
    person.send(
        page, "/acknowledge", {"told": "Ward sister", "how": "by telephone", "read-back": "yes"}
    )
    after = said(person.get(path))
    assert "told Ward sister, by telephone, read back: yes" in after
    assert "Ann Example" in after


def test_an_unacknowledged_critical_result_waits_on_the_start_page(person):
    path = person.enter(CRITICAL)
    assert path in person.get("/").split("Recent panels")[0]
    person.send(
        person.get(path), "/acknowledge", {"told": "GP", "how": "in person", "read-back": "no"}
    )
    assert path not in person.get("/").split("Recent panels")[0]


def test_the_line_about_the_pdf_changes_by_reloading_alone(person, draw):
    path = person.enter()
    assert "The PDF waits to be drawn" in said(person.get(path))
    assert person.client.get(f"{path}/report.pdf").status_code == 303
    draw()
    page = person.get(path)
    assert "The PDF is ready" in said(page)
    answer = person.client.get(f"{path}/report.pdf")
    assert answer.data.startswith(b"%PDF")
    assert "MRN" not in answer.headers["Content-Disposition"]


def test_asking_how_far_the_pdf_is_writes_down_no_view_of_the_patient(person, services, draw):
    path = person.enter()

    def views():
        with services.store.reading() as connection:
            return len(connection.execute(select(tables.audit_event.c.id)).all())

    before = views()
    answer = person.client.get(f"{path}/state?version=1").json
    assert answer["waits"]
    draw()
    drawn = views()
    answer = person.client.get(f"{path}/state?version=1").json
    assert "The PDF is ready" in answer["html"]
    assert not answer["waits"]
    assert views() == drawn
    assert drawn == before + 1


def test_the_link_in_a_mail_needs_sign_in_and_then_opens_the_panel(person, services, app, draw):
    path = person.enter()
    back = person.send(person.get(path), "/send", {"email": "ann@example.org"}, 200)
    person.send(back, "/send", {"confirmed": "1"})
    draw()
    postbox = Postbox()
    journey.deliver_due(replace(services, mailer=postbox), "test", 10)
    ((recipient, message),) = postbox.messages
    assert recipient == "ann@example.org"
    assert "Magnesium" not in message.as_string()
    link = re.search(r"/r/[\w-]+", message.get_body(("plain",)).get_content())[0]
    someone = Person(app.test_client())
    assert "Mail me a code" in said(someone.get(link))
    led = someone.sign_in()
    assert led == link
    assert someone.client.get(led).headers["Location"].endswith(path)
    assert "opened" in said(person.get(path))


def test_without_an_identifier_there_is_no_pdf_and_the_page_says_why(person):
    page = said(person.get(person.enter(identifier="", issuer="")))
    assert "No PDF is made" in page
    assert "identifier" in page


def test_the_address_is_shown_back_before_anything_is_sent(person):
    path = person.enter()
    back = person.send(person.get(path), "/send", {"email": "Clinician@Example.org"}, 200)
    assert "Clinician@example.org" in back
    assert "Messages about this panel None" in said(person.get(path))
    person.send(back, "/send", {"confirmed": "1"})
    assert "clinician@example.org: waiting" in said(person.get(path)).lower()


@pytest.mark.parametrize(
    "typed", ["", "nobody", "a@b@c", "a@b.org\r\nBcc: x@y.org extra", "<script>@x.org"]
)
def test_what_is_no_address_is_refused_and_kept(person, typed):
    path = person.enter()
    page = person.send(person.get(path), "/send", {"email": typed}, 422)
    assert "Send to:" in said(page)
    assert "<script>@" not in page
    assert "Messages about this panel None" in said(person.get(path))


def test_the_text_is_at_most_25_lines_and_plain(person):
    path = person.enter()
    answer = person.client.get(f"{path}/summary.txt")
    assert answer.mimetype == "text/plain"
    assert len(answer.text.splitlines()) <= 25
    assert "Magnesium" in answer.text


def test_the_json_is_the_record_as_the_api_gives_it(person):
    path = person.enter()
    answer = person.client.get(f"{path}/interpretation.json")
    assert answer.json["interpretation"]["results"]
    assert '"2.9"' in answer.text


def test_the_fhir_is_one_bundle_of_what_the_fhir_interface_gives(person):
    path = person.enter()
    answer = person.client.get(f"{path}/report.fhir.json")
    assert answer.mimetype == "application/fhir+json"
    assert "MRN" not in answer.headers["Content-Disposition"]
    kinds = {entry["resource"]["resourceType"] for entry in answer.json["entry"]}
    assert {"DiagnosticReport", "Observation", "Patient", "Provenance"} <= kinds
    assert "report.fhir.json" in person.get(path)


def test_what_must_be_acknowledged_stands_first_and_doubts_stand_before_results(person):
    page = person.get(
        person.enter(
            "Potassium 6.9 mmol/L (3.5-5.3) H\nSodium 139 mmol/L (133-146)", haemolysis="gross"
        )
    )
    places = [page.index(f'id="{name}"') for name in ("critical", "sample_doubts", "results")]
    assert places == sorted(places)
    assert "Doubtful" in page


def test_doubts_that_no_check_found_are_folded_away_behind_the_results(person):
    page = person.get(person.enter("Sodium 139 mmol/L (133-146)"))
    assert page.index('id="results"') < page.index('id="sample_doubts"')


def test_everything_can_be_opened_at_once_to_be_printed(person):
    page = person.get(person.enter(CRITICAL) + "?open=all")
    closed = re.findall(r"<details(?![^>]* open)[^>]*>", page)
    assert closed == []
    assert "Sources" in page


def test_a_finding_leads_to_its_rule(person):
    page = person.get(person.enter())
    rule = re.search(r'href="/knowledge/([a-z0-9-]+)"', page)[1]
    answer = person.client.get(f"/findings/{rule}")
    assert answer.headers["Location"].endswith(f"/knowledge/{rule}")


@pytest.fixture
def a_year_later(services):
    """The same service with newer knowledge, in which one rule is gone and one reads otherwise."""

    def later(rule, **changed):
        held = services.knowledge
        patterns = {id_: one for id_, one in held.patterns.items() if id_ != rule}
        newer = replace(held, version="2027.11.0", digest="f" * 64, patterns=patterns | changed)
        app = Flask("later", static_folder=None)
        app.config.update(bootstrap.flask_config(services))
        web.register(app, replace(services, knowledge=newer))
        person = Person(app.test_client())
        person.sign_in()
        return person

    return later


@pytest.mark.hazard("changed-answer")
def test_newer_knowledge_is_told_of_and_what_would_differ_is_shown_and_not_kept(
    person, services, ann_acts, a_year_later
):
    path = person.enter()
    assert "See what would differ" not in person.get(path)
    before = journey.read_panel(services, ann_acts, path.rsplit("/", 1)[1]).interpretation
    gone = before.patterns[0]
    later = a_year_later(gone.rule)
    page = said(later.get(path))
    assert f"Read with knowledge {services.knowledge.version}. Newer: 2027.11.0." in page
    differences = said(later.get(f"{path}/differences"))
    assert f"Would no longer appear: {gone.title}" in differences
    after = journey.read_panel(services, ann_acts, path.rsplit("/", 1)[1]).interpretation
    assert after == before


def test_where_nothing_would_differ_the_page_says_so(person):
    assert "Nothing would differ" in said(person.get(person.enter() + "/differences"))


def test_a_correction_becomes_a_new_version_and_the_old_one_says_so(person):
    path = person.enter()
    form = person.get(f"{path}/correct")
    assert "Potassium 2.9 mmol/L (3.5-5.3) L" in form
    text = FIVE_LINES.replace("Potassium 2.9", "Potassium 3.9")
    check = person.send(form, "/panels/new", {"text": text}, 200)
    assert person.confirm(check) == path
    corrected = said(person.get(path))
    assert "CORRECTED" in corrected
    assert "Potassium: was 2.9 mmol/L, now 3.9 mmol/L" in corrected
    old = said(person.get(f"{path}?version=1"))
    assert "Superseded" in old
    assert "Read the newest" in old


@pytest.mark.hazard("stranger-reads")
def test_another_organisations_panel_reads_like_none_at_all(person, services, app):
    path = person.enter()
    other = administer.create_organisation(services, "Other Trust")
    administer.create_user(
        services,
        other.id,
        email="bob@example.org",
        name="Bob",
        scopes=("panels:read", "panels:write"),
        password="correct horse battery",
    )
    bob = Person(app.test_client())
    bob.sign_in("bob@example.org")
    theirs, none = bob.get(path, 404), bob.get("/panels/" + "0" * 26, 404)
    assert said(theirs) == said(none)
    assert "not found, or it is not yours" in said(theirs)


def test_text_from_outside_is_text_on_every_line_of_the_page(person):
    path = person.enter(
        "Potassium 2.4 mmol/L (3.5-5.3) L",
        family="<img src=x onerror=alert(1)>",
        laboratory="<b>Lab</b>",
        medications="<i>omeprazole</i>",
    )
    page = person.get(path)
    assert "<img" not in page
    assert "<b>Lab" not in page
    assert "<i>omeprazole" not in page


def test_a_page_holds_no_inline_script_or_style_and_names_no_other_site(person):
    for path in (
        "/",
        "/panels/new",
        person.enter(),
        "/panels",
        "/deliveries",
        "/knowledge",
        "/help",
    ):
        page = person.get(path)
        assert " style=" not in page
        assert "<style" not in page
        assert " onclick" not in page
        assert 'src="http' not in page
        assert page.count("<script") == 1


def test_pages_are_small(person):
    path = person.enter()
    paths = (
        "/",
        "/panels/new",
        path,
        f"{path}/text",
        "/panels",
        "/deliveries",
        "/knowledge",
        "/help",
    )
    sizes = sorted(len(person.get(each).encode()) for each in paths)
    assert sizes[len(sizes) // 2] < 60_000
    assert sizes[-1] < 120_000


def test_the_paths_are_drawn_as_an_image_that_a_screen_reader_can_say(person):
    page = person.get(person.enter(CRITICAL))
    (drawing,) = re.findall(r'<svg class="pp".*?</svg>', page, re.DOTALL)
    assert 'role="img"' in drawing
    title, desc = re.search(r'aria-labelledby="(\S+) (\S+)"', drawing).groups()
    assert f'<title id="{title}">' in drawing
    told = re.search(rf'<desc id="{desc}">(.*?)</desc>', drawing)[1]
    assert told.startswith("Low magnesium, then ")
    assert told.endswith(".")
    assert "style=" not in drawing
    assert "Arrows read “leads to”" in said(page)


def test_without_an_active_path_nothing_is_drawn(person):
    page = person.get(person.enter("Sodium 140 mmol/L (133-146)"))
    assert 'class="pp"' not in page
