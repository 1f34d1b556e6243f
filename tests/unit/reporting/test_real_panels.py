"""Real answers of the real knowledge, drawn: what a clinician would read of them."""

import io
import json
import re
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from functools import cache
from pathlib import Path

import pytest
from pypdf import PdfReader

from labinterp.formats import json_panel
from labinterp.interpretation import interpret
from labinterp.knowledge import load
from labinterp.reporting.glyphs import drawable
from labinterp.reporting.render import best_drawn, draw
from labinterp.reporting.scripts import is_plain
from labinterp.reporting.text import long_text, summary
from labinterp.reporting.view import build
from tests.unit.reporting.orders import an_order

LOW = {
    "Magnesium": "1.1 mg/dL",
    "Potassium": "2.9 mmol/L",
    "Calcium": "7.2 mg/dL",
    "Albumin": "4.1 g/dL",
    "Sodium": "139 mEq/L",
    "25-OH vitamin D": "18 ng/mL",
    "Vitamin B12": "410 pg/mL",
}
EDTA = {**LOW, "Potassium": "7.9 mmol/L", "Calcium": "4.0 mg/dL", "Magnesium": "0.5 mg/dL"}
WITHIN = {"Potassium": "4.4 mmol/L", "Sodium": "139 mmol/L"}
NUMBER = re.compile(r"\d+(?:\.\d+)?")


@cache
def the_order(name):
    sent, symptoms = {
        "low": (LOW, ["facial-twitch", "carpopedal-spasm"]),
        "edta": (EDTA, ["facial-twitch", "carpopedal-spasm"]),
        "within": (WITHIN, []),
    }[name]
    panel = {
        "patient": {"identifier": {"value": "MRN-1"}, "birth_date": "1972-02-03", "sex": "female"},
        "collected_at": "2026-11-20T08:00:00Z",
        "results": [
            {"test": test, "value": text.split()[0], "unit": text.split()[1]}
            for test, text in sent.items()
        ],
        "symptoms": symptoms,
        "medications": ["omeprazole"],
    }
    received = json_panel.received_of(panel, datetime(2026, 11, 20, 9, tzinfo=UTC), "json")
    answer = interpret(received.submission, load())
    return an_order(answer, identity=received.identity, panel=received.panel)


def the_text(name):
    pages = PdfReader(io.BytesIO(draw(the_order(name)).pdf)).pages
    return re.sub(r"\s+", " ", " ".join(page.extract_text() for page in pages))


@pytest.mark.parametrize("name", ["low", "edta"])
def test_on_shorter_paper_it_has_two_pages_as_well(name):
    order = replace(the_order(name), page_size="Letter", demo=True)
    assert best_drawn(build(order), order).pages == 2


def test_a_severe_panel_in_mixed_units_has_two_pages_on_shorter_paper():
    path = Path(__file__).parents[2] / "golden" / "omeprazole-three-lows-mixed-units.json"
    panel = json.loads(path.read_text("utf-8"), parse_float=Decimal)
    panel = {**panel, "patient": {**panel["patient"], "identifier": {"value": "MRN-1"}}}
    received = json_panel.received_of(panel, datetime(2026, 11, 20, 9, tzinfo=UTC), "json")
    answer = interpret(received.submission, load())
    order = an_order(answer, identity=received.identity, panel=received.panel)
    shorter = replace(order, page_size="Letter", demo=True)
    assert best_drawn(build(shorter), shorter).pages == 2


@pytest.mark.parametrize("name", ["low", "edta", "within"])
def test_a_report_without_attachment_has_at_most_60_kilobytes(name):
    assert len(draw(the_order(name)).pdf) <= 60_000


@pytest.mark.parametrize("name", ["low", "edta", "within"])
def test_a_real_report_has_at_most_two_pages(name):
    assert draw(the_order(name)).pages <= 2


def test_a_severe_panel_is_drawn_from_magnesium_to_the_face_and_cites_what_it_rests_on():
    text = the_text("low")
    picture = text[text.index("Carpopedal spasm: a likely") : text.index("Arrows read")]
    order = ["Low magnesium", "PTH secretion", "Nerve fires", "Tetany", "Facial twitching"]
    places = [picture.index(words) for words in order]
    assert min(places) >= 0
    assert re.search(r"Arrows read “leads to”; filled: where a path starts\. .*?\[\d", text)


@pytest.mark.parametrize("name", ["low", "edta", "within"])
def test_every_value_as_sent_is_in_the_pdf(name):
    text = the_text(name)
    for result in the_order(name).interpretation.results:
        if result.reported:
            assert f"{result.reported.value} {result.reported.unit}" in text


@pytest.mark.parametrize("name", ["low", "edta", "within"])
@pytest.mark.hazard("report-loses-text")
def test_the_pdf_prints_no_number_that_the_report_does_not_say(name):
    order = the_order(name)
    view = build(order)
    lines = [row.line for row in view.section("results").blocks[0].rows if row.line]
    labels = " ".join(label.text for line in lines for label in line.labels)
    addresses = " ".join(source.url or "" for source in order.interpretation.sources)
    known = set(NUMBER.findall(f"{long_text(view)} {labels} {addresses}"))
    counts = {str(number) for number in range(100)}
    assert set(NUMBER.findall(the_text(name))) <= known | counts


def test_a_severe_panel_says_what_matters():
    text = the_text("low")
    for part in (
        "Urgency: emergency",
        "Red flag",
        "12-lead ECG",
        "Likely",
        "magnesium",
        "Carpopedal spasm",
    ):
        assert part in text


def test_a_contaminated_sample_is_doubted_and_stays_critical():
    text = the_text("edta")
    for part in (
        "Critical high",
        "Doubtful",
        "EDTA contamination",
        "Cannot tell",
        "Urgency: emergency",
    ):
        assert part in text


@pytest.mark.parametrize("name", ["low", "edta", "within"])
def test_the_summary_pastes_into_a_record(name):
    lines = summary(the_order(name)).splitlines()
    assert len(lines) <= 25
    assert all(len(line) <= 110 for line in lines)


@pytest.mark.parametrize(
    "kind",
    [
        "sources",
        "next_steps",
        "causes",
        "patterns",
        "mechanisms",
        "artefacts",
        "red_flags",
        "statements",
        "terms",
        "nodes",
        "measurands",
    ],
)
@pytest.mark.hazard("report-loses-text")
def test_the_fonts_have_every_character_of_the_knowledge(kind):
    text = repr(getattr(load(), kind))
    assert is_plain(drawable(text))
