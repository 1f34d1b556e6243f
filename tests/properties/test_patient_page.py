"""What holds of every page for a patient and of every summary for a record, whatever the panel."""

from __future__ import annotations

import json
import unicodedata
from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labinterp.interpretation import interpret
from labinterp.model.submission import ReportedTerm
from labinterp.reporting.patient_page import PatientPage
from labinterp.reporting.record_text import LINES, WIDTH
from labinterp.reporting.text import summary
from labinterp.store.records import from_document, to_document
from tests.build import knowledge
from tests.knowledge.test_patient_page import LANGUAGES, a_page, section, words_of
from tests.properties.panels import hostile_submissions, submissions
from tests.unit.reporting.orders import an_order

KIDNEYS = ("ckd", "ckd-3", "ckd-4-5", "dialysis")
ANY = st.one_of(submissions(), hostile_submissions())


@given(ANY, st.sampled_from(LANGUAGES))
@pytest.mark.hazard("patient-misled")
def test_every_page_is_whole_in_its_language_and_says_what_is_urgent(submission, language):
    answer = interpret(submission, knowledge())
    page = a_page(answer, language)
    told = words_of(page)
    texts = knowledge().patient.texts[language].sentences
    assert page.language == language
    assert (texts["help-now-box"] in told) == (answer.urgency == "emergency")
    assert texts["range-note"] not in told or answer.urgency not in ("emergency", "same_day")
    kept = json.loads(json.dumps(to_document(page), default=str), parse_float=Decimal)
    assert from_document(PatientPage, kept) == page


@given(ANY)
@pytest.mark.hazard("patient-misled", "invented-normal")
def test_what_was_not_judged_is_always_named(submission):
    answer = interpret(submission, knowledge())
    found = section(a_page(answer), "found")
    unknown = [one for one in answer.results if one.standing == "unknown" and not one.derived_from]
    told = "\n".join(found.after)
    assert sum(row.word.startswith("Not judged") for row in found.rows) == len(unknown)
    if not found.rows or all(row.standing == "unknown" for row in found.rows):
        assert "None of the results could be judged." in told


@given(submissions(), st.sampled_from(KIDNEYS))
@pytest.mark.hazard("patient-misled")
def test_no_panel_of_failing_kidneys_names_food(submission, condition):
    ill = (*submission.conditions, ReportedTerm("conditions", condition))
    answer = interpret(replace(submission, conditions=ill), knowledge())
    assert condition in {term.id for term in answer.patient.conditions}
    assert section(a_page(answer), "foods") is None


@given(ANY)
@pytest.mark.hazard("report-loses-text")
def test_every_summary_fits_a_record_and_leads_with_its_urgency(submission):
    answer = interpret(submission, knowledge())
    text = summary(an_order(answer))
    lines = text.removesuffix("\n").split("\n")
    assert len(lines) <= LINES
    assert all(line.strip() and len(line) <= WIDTH for line in lines)
    assert all(m.isascii() or unicodedata.category(m)[0] in "LM" for m in text)
    if text.startswith("CANCELLED: "):  # nothing was judged, and nothing is said to be
        return
    assert "URGENCY: " in text
    assert ("RED FLAG: " in text) == bool(answer.twitching.red_flags)
