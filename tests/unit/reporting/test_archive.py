"""The file around the pages: the same each time, self-contained, and saying the same in every place."""

import hashlib
import io
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pikepdf
import pytest
import simplejson

from labinterp.knowledge import load
from labinterp.model.submission import Identity
from labinterp.reporting.archive import Attached
from labinterp.reporting.attached import bundle_inside
from labinterp.reporting.render import draw
from tests.unit.reporting.orders import a_plain_answer, a_result, an_order
from tests.unit.reporting.test_real_panels import LOW, the_order

ROOT = Path(__file__).parents[3]
BUNDLE = Attached(
    "report.fhir.json", b'{"resourceType": "Bundle"}', "application/fhir+json", "The same answer"
)
DIGEST = """
import hashlib
from labinterp.reporting.render import draw
from tests.unit.reporting.orders import an_order
from tests.unit.reporting.test_archive import BUNDLE
print(hashlib.sha256(draw(an_order(), BUNDLE).pdf).hexdigest())
"""


def opened(order=None, attached=BUNDLE):
    return pikepdf.open(io.BytesIO(draw(order or an_order(), attached).pdf))


def properties(pdf):
    return pdf.open_metadata(update_docinfo=False, set_pikepdf_as_editor=False)


def everything(pdf):
    """Every object of a file."""
    return [one for one in pdf.objects if isinstance(one, pikepdf.Dictionary | pikepdf.Stream)]


def test_another_process_elsewhere_and_later_makes_the_same_bytes():
    here = hashlib.sha256(draw(an_order(), BUNDLE).pdf).hexdigest()
    elsewhere = {"PYTHONHASHSEED": "4711", "TZ": "Asia/Tokyo", "LC_ALL": "C"}
    made = subprocess.run(
        [sys.executable, "-c", DIGEST],
        cwd=ROOT,
        env=elsewhere,
        capture_output=True,
        check=True,
        text=True,
    )
    assert made.stdout.strip() == here


def test_another_answer_makes_another_identifier():
    one, other = opened(), opened(an_order(number="LI-2026-000124"))
    assert bytes(one.trailer.ID[0]) != bytes(other.trailer.ID[0])


def test_the_properties_say_the_same_in_both_places():
    pdf = opened()
    with properties(pdf) as xmp:
        assert xmp["dc:title"] == str(pdf.docinfo.Title)
        assert xmp["dc:creator"] == [str(pdf.docinfo.Author)]
        assert xmp["dc:description"] == str(pdf.docinfo.Subject)
        assert xmp["pdf:Producer"] == str(pdf.docinfo.Producer)
        assert xmp["xmp:CreatorTool"] == str(pdf.docinfo.Creator)
        assert xmp["dc:language"] == {str(pdf.Root.Lang)}
        assert xmp["xmp:CreateDate"] == "2026-11-20T09:31:00+00:00"
        assert xmp["xmp:ModifyDate"] == xmp["xmp:MetadataDate"] == xmp["xmp:CreateDate"]
    assert str(pdf.docinfo.CreationDate) == "D:20261120093100+00'00'"
    assert str(pdf.docinfo.ModDate) == str(pdf.docinfo.CreationDate)


def test_the_file_is_marked_as_pdf_a_3_and_claims_no_pdf_ua():
    pdf = opened()
    with properties(pdf) as xmp:
        assert (xmp["pdfaid:part"], xmp["pdfaid:conformance"]) == ("3", "B")
        assert not [name for name in xmp if "pdfua" in name]


def test_nothing_of_the_patient_is_in_the_properties():
    identity = Identity("MRN-4711", "urn:example:mrn", "Unmistakable", "Anna")
    pdf = opened(an_order(identity=identity), None)
    said = f"{pdf.Root.Metadata.read_bytes()!r} {dict(pdf.docinfo.items())}"
    assert "nmistakable" not in said
    assert "4711" not in said


def test_the_colours_mean_srgb():
    pdf = opened()
    (intent,) = pdf.Root.OutputIntents
    assert intent.S == "/GTS_PDFA1"
    profile = intent.DestOutputProfile.read_bytes()
    assert (profile[12:20], profile[36:40]) == (b"mntrRGB ", b"acsp")
    assert "sRGB built-in" in profile.decode("utf-16-be", "replace")
    assert int(intent.DestOutputProfile.N) == 3


def test_nothing_is_said_that_is_empty_and_pages_do_not_move():
    pdf = opened()
    assert all(str(value) for value in pdf.docinfo.values())
    assert not any("/Trans" in page for page in pdf.pages)


def test_only_colours_of_that_intent_are_used():
    pdf = opened(an_order(demo=True))
    for page in pdf.pages:
        used = {str(operator) for _, operator in pikepdf.parse_content_stream(page)}
        assert not used & {"k", "K", "g", "G", "cs", "CS", "sc", "SC", "scn", "SCN", "Do", "sh"}


def test_every_font_is_inside_and_says_what_its_glyphs_mean():
    pdf = opened()
    fonts = [one for one in everything(pdf) if one.get("/Type") == "/Font"]
    assert fonts
    for font in fonts:
        assert font.FontDescriptor.FontFile2.read_bytes()
        assert b"beginbf" in font.ToUnicode.read_bytes()


def test_the_bundle_is_inside_as_it_was_given():
    pdf = opened()
    (associated,) = pdf.Root.AF
    assert associated.AFRelationship == "/Data"
    kept = pdf.attachments["report.fhir.json"]
    assert kept.obj.objgen == associated.objgen
    assert kept.get_file().read_bytes() == BUNDLE.body
    assert kept.get_file().mime_type == BUNDLE.media_type
    assert str(associated.Desc) == BUNDLE.about


def test_forty_results_with_their_bundle_stay_small():
    results = [a_result(f"Analyte {n}", f"{n}.5") for n in range(40)]
    order = an_order(a_plain_answer(results), panel_id="0123")
    inside = bundle_inside(order, load(), "https://lab.example/fhir")
    assert len(draw(order, inside).pdf) < 200_000


def test_without_a_bundle_nothing_is_inside():
    pdf = opened(attached=None)
    assert "/AF" not in pdf.Root
    assert not list(pdf.attachments)


def test_the_answer_inside_a_report_is_that_of_fhir_with_digits_as_sent():
    order = replace(the_order("low"), panel_id="0123", status="superseded")
    inside = bundle_inside(order, load(), "https://lab.example/fhir")
    pdf = opened(order, inside)
    kept = pdf.attachments["report.fhir.json"].get_file().read_bytes()
    bundle = simplejson.loads(kept, use_decimal=True)
    assert bundle["id"] == order.panel_id
    found = [one["resource"] for one in bundle["entry"]]
    assert found[0]["resourceType"] == "DiagnosticReport"
    assert "presentedForm" not in found[0]
    assert '"value":2.9,"unit":"mmol/L"' in kept.decode()
    assert len([one for one in found if one["resourceType"] == "Observation"]) >= len(LOW)


@pytest.mark.parametrize("key", ["/JavaScript", "/JS", "/Launch", "/AA", "/RichMedia", "/XFA"])
def test_nothing_in_it_acts_by_itself(key):
    pdf = opened()
    assert "/OpenAction" not in pdf.Root
    assert not any(key in one or one.get("/S") == key for one in everything(pdf))


def test_pages_are_free_of_encryption_and_version_is_that_of_pdf_a_3():
    pdf = opened()
    assert not pdf.is_encrypted
    assert pdf.pdf_version == "1.7"
