"""Whoever does not see a page is told the same: everything on it has its place in the structure tree."""

import io
import re
import shutil
import subprocess
from functools import cache

import pikepdf
import pytest

from labinterp.reporting.render import draw
from tests.unit.reporting import tagged
from tests.unit.reporting.orders import a_change, a_plain_answer, a_result, an_order
from tests.unit.reporting.tagged import HEADINGS, elements, kids, marks
from tests.unit.reporting.test_glyphs import HOSTILE


def many(count, **more):
    return a_plain_answer([a_result(f"Analyte {n}", f"{n}.5", **more) for n in range(count)])


ORDERS = {
    "seven": an_order,
    "one": lambda: an_order(a_plain_answer([a_result(value="4.0", standing="within")])),
    "forty": lambda: an_order(many(40, change=a_change())),
    "hostile": lambda: an_order(a_plain_answer([a_result(text) for text in HOSTILE])),
    "corrected": lambda: an_order(status="corrected", version=2, changes=("Potassium 6.8 → 4.1",)),
    "superseded": lambda: an_order(status="superseded", demo=True),
}


@cache
def the_bytes(name):
    return draw(ORDERS[name]()).pdf


@pytest.fixture(params=ORDERS)
def pdf(request):
    with pikepdf.open(io.BytesIO(the_bytes(request.param))) as opened:
        yield opened


def test_nothing_is_painted_outside_of_a_tag_or_an_artefact(pdf):
    tagged.nothing_is_painted_outside_of_a_tag(pdf)


def test_every_marked_stretch_has_one_place_in_the_tree_and_is_found_from_its_page(pdf):
    tagged.every_stretch_has_one_place_in_the_tree(pdf)


def test_the_tree_is_read_in_the_order_in_which_it_is_drawn(pdf):
    tagged.the_tree_is_read_as_it_is_drawn(pdf)


def test_there_is_one_title_and_every_section_has_a_heading_below_it(pdf):
    headings = [str(node.S) for node, _ in elements(pdf) if str(node.S) in HEADINGS]
    assert headings[0] == "/H1"
    assert set(headings[1:]) == {"/H2"}


def test_no_page_ends_with_a_heading(pdf):
    tagged.no_page_ends_with_a_heading(pdf)


@pytest.mark.parametrize("count", range(1, 31, 2))
def test_a_page_break_leaves_no_heading_behind(count):
    pdf = pikepdf.open(io.BytesIO(draw(an_order(many(count, group="minerals"))).pdf))
    tagged.no_page_ends_with_a_heading(pdf)


def test_the_rows_of_a_table_have_the_same_number_of_columns_and_headers_say_what_they_head(pdf):
    tagged.rows_have_the_same_columns_and_headers_a_scope(pdf)


def test_the_repeated_header_of_a_long_table_is_an_artefact():
    with pikepdf.open(io.BytesIO(the_bytes("forty"))) as pdf:
        head = next(node for node, _ in elements(pdf) if node.S == "/THead")
        pages = {page for (page, _), node in marks(pdf) if within(node, head)}
        assert len(pdf.pages) > 1
    assert pages == {0}


def within(node, above):
    while "/P" in node:
        if node.objgen == above.objgen:
            return True
        node = node.P
    return False


@pytest.mark.skipif(not shutil.which("pdftotext"), reason="pdftotext of poppler-utils is not here")
def test_a_group_of_rows_that_goes_on_overleaf_is_named_there(tmp_path):
    results = [a_result(f"Analyte {n}", f"{n}.5", group="minerals") for n in range(90)]
    file = tmp_path / "report.pdf"
    file.write_bytes(draw(an_order(a_plain_answer(results))).pdf)
    asked = ["pdftotext", "-layout", str(file), "-"]
    pages = subprocess.run(asked, capture_output=True, check=True, text=True).stdout.split("\f")
    assert "Minerals, continued" not in pages[0]
    assert "Minerals, continued" in pages[1]
    assert "Minerals, continued" in pages[2]


def test_a_figure_has_words_in_its_place_and_stands_on_its_page(pdf):
    for node, _ in elements(pdf):
        if node.S != "/Figure":
            continue
        assert len(str(node.Alt)) > 10
        left, bottom, right, top = map(float, node.A.BBox)
        assert 0 <= left < right <= float(node.Pg.MediaBox[2])
        assert 0 <= bottom < top <= float(node.Pg.MediaBox[3])


def test_every_link_is_in_the_tree_with_its_address_in_words(pdf):
    links = [annotation for page in pdf.pages for annotation in page.get("/Annots", [])]
    taken = [
        kid.Obj
        for node, _ in elements(pdf)
        if node.S == "/Link"
        for kid in kids(node)
        if isinstance(kid, pikepdf.Dictionary) and kid.get("/Type") == "/OBJR"
    ]
    assert [one.objgen for one in taken] == [one.objgen for one in links]
    for annotation in links:
        assert str(annotation.Contents) == str(annotation.A.URI)
        assert int(annotation.F) == 4


def test_a_list_holds_items_and_nothing_else(pdf):
    for node, _ in elements(pdf):
        if node.S == "/L":
            assert {str(kid.S) for kid in kids(node)} == {"/LI"}
        if node.S == "/LI":
            assert [str(kid.S) for kid in kids(node)] in (["/Lbl", "/LBody"], ["/LBody"])


def test_language_title_and_reading_order_are_set(pdf):
    root = pdf.Root
    assert root.Lang == "en-GB"
    assert root.MarkInfo.Marked
    assert root.ViewerPreferences.DisplayDocTitle
    assert all(page.Tabs == "/S" for page in pdf.pages)


@pytest.mark.skipif(not shutil.which("pdfinfo"), reason="pdfinfo of poppler-utils is not here")
def test_words_stay_apart_where_a_line_was_broken(tmp_path):
    told = struct_text(the_bytes("seven"), tmp_path)
    assert "Weakness, wasting, spread, bulbar signs or seizures need assessment" in told
    assert not re.search(r"[a-z]\.[A-Z][a-z]", told.replace("Example.E", ""))


@pytest.mark.skipif(not shutil.which("pdfinfo"), reason="pdfinfo of poppler-utils is not here")
def test_the_marks_across_a_page_are_said_to_whoever_does_not_see_them(tmp_path):
    told = struct_text(the_bytes("superseded"), tmp_path)
    assert "TEST DATA, NOT A PATIENT" in told
    assert "This version has been replaced by a newer one" in told


def struct_text(document, folder):
    """What poppler reads aloud of a document."""
    file = folder / "report.pdf"
    file.write_bytes(document)
    asked = ["pdfinfo", "-struct-text", str(file)]
    return subprocess.run(asked, capture_output=True, check=True, text=True).stdout


@pytest.mark.parametrize("name", ["seven", "forty"])
def test_the_checker_finds_nothing_but_that_no_conformance_is_claimed(name, tmp_path):
    pdfua = pytest.importorskip("pdfua")
    file = tmp_path / "report.pdf"
    file.write_bytes(the_bytes(name))
    found = pdfua.validate(str(file))
    assert [one.rule_id for one in found.outcomes if one.findings] == ["UA-28-004"]
    assert not [one.rule_id for one in found.outcomes if one.skipped_reason]


@pytest.mark.skipif(not shutil.which("qpdf"), reason="qpdf is not here")
@pytest.mark.parametrize("name", ["seven", "forty"])
def test_the_file_is_well_formed(name, tmp_path):
    file = tmp_path / "report.pdf"
    file.write_bytes(the_bytes(name))
    done = subprocess.run(["qpdf", "--check", str(file)], capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
