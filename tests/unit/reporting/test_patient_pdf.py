"""The patient page on paper: every word and number of it, tagged, in large type, always the same bytes."""

import io
import re
import shutil
import subprocess
from datetime import UTC, date, datetime

import pytest
from pypdf import PdfReader

from labinterp.errors import ReportFailure
from labinterp.model.submission import Identity
from labinterp.reporting.patient_page import PatientOrder, build
from labinterp.reporting.patient_pdf import draw
from tests.build import a_panel, interpret, knowledge

AT = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
LOW = ("magnesium 0.62 mmol/L", "potassium 3.40 mmol/L", "sodium 139 mmol/L", "glucose 4.0 mmol/L")


def made(*results, language="en", given="Ana", **more):
    panel = a_panel(*results, age="54 years", sex="female", symptoms=["eyelid-twitch"])
    order = PatientOrder(
        number="LI-2026-000123",
        version=1,
        interpretation=interpret(panel, knowledge()),
        identity=Identity("MRN-1", family="Example", given=given, birth_date=date(1972, 2, 3)),
        panel={},
        collected_at=AT,
        released_at=AT,
        released_by="Dr R. Invented",
        contact="the practice, 0123 456",
        language=language,
        **more,
    )
    return build(order, knowledge().patient)


def words_of(pdf):
    pages = PdfReader(io.BytesIO(pdf)).pages
    return " ".join(" ".join(page.extract_text() for page in pages).replace("\u00a0", " ").split())


@pytest.mark.parametrize("language", ["en", "es", "fr", "de"])
def test_every_word_of_the_page_stands_in_it(language):
    page = made(*LOW, language=language)
    told = words_of(draw(page, AT).pdf)
    for section in page.page.sections:
        for text in (section.title, *section.before, *section.bullets, *section.after):
            assert " ".join(text.replace("\u00a0", " ").split()) in told
        for row in section.rows:
            for text in (row.test, row.value, row.word, row.range):
                assert " ".join(text.replace("\u00a0", " ").split()) in told


def test_every_number_of_a_result_is_as_it_was_sent():
    told = words_of(draw(made(*LOW), AT).pdf)
    for value in ("0.62 mmol/L", "3.40 mmol/L", "139 mmol/L", "0.70–1.00"):
        assert value in told


def test_the_same_page_gives_the_same_bytes():
    assert draw(made(*LOW), AT).pdf == draw(made(*LOW), AT).pdf


def test_test_data_is_marked_on_every_page():
    report = draw(made(*LOW, demo=True, language="de"), AT)
    for page in PdfReader(io.BytesIO(report.pdf)).pages:
        assert "TESTDATEN, KEIN PATIENT" in page.extract_text()


def test_its_language_and_its_title_are_said_and_no_name_is_in_the_file_name():
    report = draw(made(*LOW, language="fr"), AT)
    pdf = PdfReader(io.BytesIO(report.pdf))
    assert pdf.trailer["/Root"]["/Lang"] == "fr"
    assert "Example" not in report.file_name + str(pdf.metadata)


def test_a_name_no_font_can_print_is_refused_and_not_lost():
    with pytest.raises(ReportFailure, match="cannot print"):
        draw(made(*LOW, given="आना"), AT)


def test_nothing_is_printed_small():
    sizes = set()

    def seen(text, _matrix, _line, _font, size):
        if text.strip():
            sizes.add(round(size, 1))

    for page in PdfReader(io.BytesIO(draw(made(*LOW), AT).pdf)).pages:
        page.extract_text(visitor_text=seen)
    assert min(sizes) >= 9
    assert sorted(sizes)[1] >= 10  # the page number alone is smaller


def test_many_results_take_more_pages_and_every_row_stays_whole():
    names = [name for name in knowledge().measurands if "urine" not in name][:40]
    page = made(*(f"{name} 1 mmol/L" for name in names))
    report = draw(page, AT)
    told = words_of(report.pdf)
    rows = [row for section in page.page.sections for row in section.rows]
    assert len(rows) >= 30
    for row in rows:
        assert re.sub(r"\s+", " ", row.test) in told


def test_the_checker_finds_nothing_but_that_no_conformance_is_claimed(tmp_path):
    pdfua = pytest.importorskip("pdfua")
    file = tmp_path / "page.pdf"
    file.write_bytes(draw(made(*LOW, language="es"), AT).pdf)
    found = pdfua.validate(str(file))
    assert [one.rule_id for one in found.outcomes if one.findings] == ["UA-28-004"]


@pytest.mark.skipif(not shutil.which("qpdf"), reason="qpdf is not here")
def test_the_file_is_well_formed(tmp_path):
    file = tmp_path / "page.pdf"
    file.write_bytes(draw(made(*LOW), AT).pdf)
    done = subprocess.run(["qpdf", "--check", str(file)], capture_output=True, check=False)
    assert done.returncode == 0, done.stderr


SEVERE = (
    "potassium 2.9 mmol/L",
    "sodium 131 mmol/L",
    "adjusted_calcium 1.85 mmol/L",
    "magnesium 0.45 mmol/L",
    "phosphate 0.60 mmol/L",
    "vitamin_b12 170 ng/L",
    "vitamin_d_25oh 22 nmol/L",
    "creatinine 90 umol/L",
    "albumin 38 g/L",
    "glucose 4.0 mmol/L",
)
LACKING = (
    "magnesium 0.66 mmol/L",
    "vitamin_d_25oh 31 nmol/L",
    "vitamin_b12 140 ng/L",
    "potassium 4.4 mmol/L",
    "sodium 141 mmol/L",
    "adjusted_calcium 2.28 mmol/L",
    "creatinine 80 umol/L",
)


@pytest.mark.parametrize(
    ("language", "paper"),
    [("en", "Letter"), ("es", "Letter"), ("fr", "Letter"), ("de", "Letter"), ("fr", "A4")],
)
def test_a_usual_panel_takes_one_page_however_much_must_be_said(language, paper):
    for results in (SEVERE, LACKING):
        page = made(*results, language=language, page_size=paper)
        assert any(section.id == "foods" for section in page.page.sections) == (results is LACKING)
        assert draw(page, AT).pages == 1
