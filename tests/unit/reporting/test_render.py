"""The PDF says what the view says, on few pages, the same each time."""

import io
import re
import unicodedata
from dataclasses import replace

import pytest
from pypdf import PdfReader

from labinterp.errors import ReportFailure
from labinterp.model.interpretation import ProblemRecord
from labinterp.model.submission import Identity
from labinterp.reporting.render import draw
from tests.unit.reporting.orders import a_change, a_plain_answer, a_result, an_answer, an_order
from tests.unit.reporting.test_glyphs import HOSTILE


def the_pages(order):
    return [page.extract_text() for page in PdfReader(io.BytesIO(draw(order).pdf)).pages]


def the_text(order):
    """All text of the PDF, spaces and line ends made one space."""
    return re.sub(r"\s+", " ", " ".join(the_pages(order)))


def test_the_same_order_gives_the_same_bytes():
    assert draw(an_order()).pdf == draw(an_order()).pdf


def test_the_panel_of_seven_fits_on_two_pages_and_is_small():
    report = draw(an_order())
    assert report.pages <= 2
    assert len(report.pdf) < 200_000


def test_every_page_has_name_identifier_and_its_number():
    pages = the_pages(an_order())
    for number, page in enumerate(pages, start=1):
        assert "EXAMPLE, Anna" in page
        assert "MRN-4711" in page
        assert f"Page {number} of {len(pages)}" in page


def test_the_report_says_where_it_ends():
    assert "End of report" in the_pages(an_order())[-1]


@pytest.mark.hazard("report-loses-text")
def test_every_value_and_limit_of_the_answer_is_in_the_pdf():
    text = the_text(an_order())
    for result in an_answer().results:
        if result.reported:
            assert f"{result.reported.value} {result.reported.unit}" in text
        for end in (result.interval.low, result.interval.high):
            assert end is None or str(end) in text


@pytest.mark.hazard("report-loses-text")
def test_a_hostile_text_comes_out_whole():
    results = [a_result(f"{text} {n}") for n, text in enumerate(HOSTILE)]
    text = the_text(an_order(a_plain_answer(results)))
    squeezed = text.replace(" ", "")
    for hostile in HOSTILE:
        assert hostile.replace(" ", "") in squeezed


def test_a_foreign_text_becomes_no_link_and_no_embedded_file():
    results = [a_result(f"{text} {n}") for n, text in enumerate(HOSTILE)]
    pdf = PdfReader(io.BytesIO(draw(an_order(a_plain_answer(results, sources=()))).pdf))
    assert all("/Annots" not in page for page in pdf.pages)
    assert all(not page.images for page in pdf.pages)


@pytest.mark.hazard("report-loses-text")
def test_a_name_that_cannot_be_printed_fails_visibly():
    with pytest.raises(ReportFailure, match="U\\+0906"):
        draw(an_order(identity=Identity("MRN-1", None, "आना")))


@pytest.mark.parametrize(
    ("family", "given"), [("山田", "太郎"), ("김", "민수"), ("הכהן", "דוד"), ("الخطيب", "محمد")]
)
def test_a_name_in_other_letters_is_on_every_page_and_well_tagged(family, given, tmp_path):
    pdfua = pytest.importorskip("pdfua")
    order = an_order(identity=Identity("MRN-1", None, family, given=given))
    report = draw(order)
    assert given != "محمد" or report.pdf == draw(order).pdf
    file = tmp_path / "report.pdf"
    file.write_bytes(report.pdf)
    found = pdfua.validate(str(file))
    assert [one.rule_id for one in found.outcomes if one.findings] == ["UA-28-004"]
    for page in PdfReader(io.BytesIO(report.pdf)).pages:
        told = unicodedata.normalize("NFKC", page.extract_text())
        assert all(name in told or name[::-1] in told for name in (family, given))


def test_without_an_identifier_no_report_is_made():
    with pytest.raises(ReportFailure) as refused:
        draw(an_order(identity=Identity(family="Example")))
    assert refused.value.code == "no-identifier"


def test_test_data_are_marked_on_every_page():
    assert all("TEST DATA, NOT A PATIENT" in page for page in the_pages(an_order(demo=True)))


@pytest.mark.hazard("correction-missed")
def test_a_superseded_report_says_so_on_every_page():
    assert all("SUPERSEDED" in page for page in the_pages(an_order(status="superseded")))


@pytest.mark.parametrize("count", [1, 6, 12, 40])
@pytest.mark.hazard("report-loses-text")
def test_any_number_of_results_is_printed_whole(count):
    results = [a_result(f"Analyte {n}", f"{n}.5") for n in range(count)]
    text = the_text(an_order(a_plain_answer(results)))
    assert all(f"Analyte {n} " in text and f"{n}.5 mmol/L" in text for n in range(count))


def test_the_header_of_the_table_is_repeated():
    results = [a_result(f"Analyte {n}", f"{n}.5", change=a_change()) for n in range(36)]
    pages = the_pages(an_order(a_plain_answer(results)))
    assert all("Previous and change" in " ".join(page.split()) for page in pages[:2])


@pytest.mark.parametrize("count", range(30, 44, 2))
def test_the_header_of_the_table_does_not_stand_alone_at_the_foot_of_a_page(count):
    told = tuple(f"Change {n}." for n in range(count))
    result = a_result("Analyte " * 20, notes=("word " * 90,))
    order = an_order(a_plain_answer([result]), status="corrected", version=2, changes=told)
    for page in the_pages(order):
        assert ("Reference interval" in page) == ("3.5–5.3" in page)


def test_very_long_texts_neither_stop_the_report_nor_get_lost():
    long = "Supercalifragilistic" * 10
    result = a_result(long, notes=("word " * 900,))
    identity = Identity("MRN-1", None, "Verylongfamilyname" * 8, "Given " * 20)
    text = the_text(an_order(a_plain_answer([result]), identity=identity))
    assert text.replace(" ", "").count("Supercalifragilistic") >= 10
    assert text.casefold().count("word") >= 900


def test_texts_longer_than_a_page_are_cut_visibly_and_do_not_stop_the_report():
    endless = "x" * 20_000
    result = a_result(endless, endless, endless, notes=(endless,), doubts=(endless,))
    order = an_order(
        a_plain_answer([result], problems=(ProblemRecord("c", endless, endless),)),
        identity=Identity("MRN-1", endless, endless, endless, None, endless),
    )
    assert "more characters are in the record" in the_text(order)


def test_five_hundred_results_are_drawn():
    results = [a_result(f"Analyte {n}", "2.9") for n in range(500)]
    assert draw(an_order(a_plain_answer(results))).pages > 10


def test_language_title_and_date_are_set():
    pdf = PdfReader(io.BytesIO(draw(an_order()).pdf))
    assert pdf.root_object["/Lang"] == "en-GB"
    assert pdf.root_object["/ViewerPreferences"]["/DisplayDocTitle"]
    assert pdf.metadata.title == "Interpretation of laboratory results LI-2026-000123"
    assert pdf.metadata.creation_date.isoformat() == "2026-11-20T09:31:00+00:00"


def test_letter_paper_can_be_asked_for():
    pdf = PdfReader(io.BytesIO(draw(an_order(page_size="Letter")).pdf))
    assert tuple(map(float, pdf.pages[0].mediabox[2:])) == (612.0, 792.0)


def test_the_fonts_are_embedded():
    pdf = draw(an_order()).pdf
    fonts = {
        font.get_object()["/BaseFont"]
        for page in PdfReader(io.BytesIO(pdf)).pages
        for font in page["/Resources"]["/Font"].values()
    }
    assert fonts
    assert all("SourceSans3" in name for name in fonts)


def test_a_report_of_nothing_readable_has_one_page():
    row = a_result("Potassium", "see text", None, None, None, "unknown")
    report = draw(an_order(a_plain_answer([replace(row, value=None)], sources=())))
    assert report.pages == 1


def test_the_end_says_what_the_abbreviations_of_this_report_stand_for_and_no_others():
    text = the_text(an_order(a_plain_answer([a_result()], problems=())))
    assert "Abbreviations: EDTA, " in text
    assert "PTH, parathyroid" not in text


def test_a_panel_that_asks_for_nothing_takes_one_page():
    within = [a_result(name, value="4.0", standing="within") for name in ("Potassium", "Sodium")]
    for paper in ("A4", "Letter"):
        assert draw(an_order(a_plain_answer(within), page_size=paper)).pages == 1
