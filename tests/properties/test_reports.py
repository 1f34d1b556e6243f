"""Whatever panel was answered, its report is whole: every value in it, everything tagged, no heading left behind."""

from __future__ import annotations

import io
import re

import pikepdf
import pytest
from hypothesis import HealthCheck, given, settings
from pypdf import PdfReader

from labinterp.errors import ReportFailure
from labinterp.interpretation import interpret
from labinterp.reporting.lookups import value_text
from labinterp.reporting.render import draw
from tests.build import RECEIVED, knowledge
from tests.properties.panels import hostile_submissions, submissions
from tests.unit.reporting.orders import an_order
from tests.unit.reporting.tagged import CHECKS

# Drawing takes a fifth of a second, so that few are drawn where all of the tests run.
SOME = settings(
    max_examples=max(4, settings().max_examples // 12),
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)


def drawn(submission):
    """The answer and its report; no report where a character cannot be printed, and that is said."""
    answer = interpret(submission, knowledge())
    sent = [{"test": one.name, "value": one.value, "unit": one.unit} for one in submission.results]
    order = an_order(answer, panel={"results": sent}, received_at=RECEIVED)
    try:
        return answer, draw(order).pdf
    except ReportFailure as failure:
        if failure.code != "glyph-missing":
            raise
        return answer, None


def whole(pdf):
    with pikepdf.open(io.BytesIO(pdf)) as opened:
        for check in CHECKS:
            check(opened)


@pytest.mark.hazard("report-loses-text")
@SOME
@given(submissions(max_results=20))
def test_a_plausible_panels_report_is_whole_and_holds_every_value(submission):
    answer, pdf = drawn(submission)
    whole(pdf)
    pages = PdfReader(io.BytesIO(pdf)).pages
    text = re.sub(r"\s+", "", "".join(page.extract_text() for page in pages))
    for result in answer.results:
        assert re.sub(r"\s+", "", value_text(result)) in text


@pytest.mark.hazard("report-loses-text")
@SOME
@given(hostile_submissions())
def test_a_hostile_panels_report_is_whole_or_refused_by_the_name_of_a_character(submission):
    _, pdf = drawn(submission)
    if pdf is not None:
        whole(pdf)
