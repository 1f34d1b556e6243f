"""A signature covers every byte of a report and says who issued it; a protected copy opens with its password."""

import datetime as dt
import io
import re
import shutil
import subprocess
from pathlib import Path

import pikepdf
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID
from pyhanko.keys import load_certs_from_pemder_data
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.validation import validate_pdf_signature
from pyhanko_certvalidator import ValidationContext

from labinterp import bootstrap
from labinterp.errors import SettingsError
from labinterp.reporting.render import draw
from labinterp.reporting.sealing import protected, seal_of
from tests.unit.reporting.orders import an_order
from tests.unit.reporting.test_archive import BUNDLE

NAME = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Reports of Example Pathology")])
USE = x509.KeyUsage(
    digital_signature=True,
    content_commitment=True,
    key_encipherment=False,
    data_encipherment=False,
    key_agreement=False,
    key_cert_sign=False,
    crl_sign=False,
    encipher_only=False,
    decipher_only=False,
)
PASSWORD = "correct horse battery staple"


def a_key(kind):
    if kind == "rsa":
        return rsa.generate_private_key(65537, 2048)
    return ec.generate_private_key(ec.SECP256R1())


def a_certificate(key):
    begins = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(NAME)
        .issuer_name(NAME)
        .public_key(key.public_key())
        .serial_number(4711)
        .not_valid_before(begins)
        .not_valid_after(begins.replace(year=2046))
        .add_extension(USE, critical=True)
        .sign(key, hashes.SHA256())
    )
    return made.public_bytes(serialization.Encoding.PEM).decode()


def written(key):
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    ).decode()


@pytest.fixture(scope="module")
def pem():
    key = a_key("rsa")
    return written(key) + a_certificate(key)


@pytest.fixture(scope="module")
def report(pem):
    return draw(an_order(), BUNDLE, seal_of(pem)).pdf


def checked(pdf, pem):
    """What pyHanko says of the one signature, the signer being trusted."""
    (signature,) = PdfFileReader(io.BytesIO(pdf)).embedded_signatures
    trusted = ValidationContext(
        trust_roots=list(load_certs_from_pemder_data(pem[pem.index("-----BEGIN CERT") :].encode())),
        moment=dt.datetime(2026, 11, 20, 10, tzinfo=dt.UTC),
    )
    return signature, validate_pdf_signature(signature, trusted)


def test_the_signature_covers_the_whole_file_and_is_that_of_the_key(report, pem):
    signature, status = checked(report, pem)
    assert status.bottom_line
    assert status.coverage.name == "ENTIRE_FILE"
    assert status.signing_cert.subject.native["common_name"] == "Reports of Example Pathology"
    assert signature.sig_object["/SubFilter"] == "/ETSI.CAdES.detached"
    assert signature.self_reported_timestamp == an_order().issued_at


def test_a_key_on_a_curve_signs_as_well():
    key = a_key("ec")
    pem = written(key) + a_certificate(key)
    _, status = checked(draw(an_order(), seal=seal_of(pem)).pdf, pem)
    assert status.bottom_line


def test_a_changed_byte_is_noticed(report, pem):
    place = report.index(b"/Title") if b"/Title" in report else len(report) // 4
    changed = report[:place] + bytes([report[place] ^ 1]) + report[place + 1 :]
    try:
        _, status = checked(changed, pem)
    except Exception:  # noqa: BLE001 - no longer a PDF is noticed too
        return
    assert not status.bottom_line


def test_the_field_was_there_and_tagged_before_it_was_signed(report):
    with pikepdf.open(io.BytesIO(report)) as pdf:
        form = pdf.Root.StructTreeRoot.K[0].K[-1]
        assert form.S == "/Form"
        assert form.K.Obj.FT == "/Sig"
        assert str(form.Alt) == str(form.K.Obj.TU) == "Electronic signature of this report"
        assert pdf.Root.AF[0].AFRelationship == "/Data"


def test_signing_leaves_the_document_as_it_was_drawn(report, pem):
    unsigned = draw(an_order(), BUNDLE).pdf
    with pikepdf.open(io.BytesIO(report)) as pdf, pikepdf.open(io.BytesIO(unsigned)) as other:
        assert pdf.Root.Metadata.read_bytes() == other.Root.Metadata.read_bytes()
        assert dict(pdf.docinfo) == dict(other.docinfo)
        for page, same in zip(pdf.pages, other.pages, strict=True):
            assert page.Contents.read_bytes() == same.Contents.read_bytes()


def test_without_a_seal_there_is_no_field():
    with pikepdf.open(io.BytesIO(draw(an_order()).pdf)) as pdf:
        assert "/AcroForm" not in pdf.Root


@pytest.mark.skipif(not shutil.which("pdfsig"), reason="pdfsig of poppler-utils is not here")
def test_another_reader_finds_it_valid(report, tmp_path):
    file = tmp_path / "report.pdf"
    file.write_bytes(report)
    asked = ["pdfsig", "-nocert", str(file)]
    told = subprocess.run(asked, capture_output=True, check=False, text=True).stdout
    assert "Signature is Valid" in told
    assert "Total document signed" in told


def test_a_seal_needs_the_certificate_of_its_own_key(pem):
    with pytest.raises(SettingsError, match="not that of its private key"):
        seal_of(written(a_key("ec")) + pem[pem.index("-----BEGIN CERT") :])


@pytest.mark.parametrize("part", ["key", "certificate", "neither"])
def test_half_a_seal_is_refused_without_showing_it(pem, part):
    cut = pem.index("-----BEGIN CERT")
    half = {"key": pem[:cut], "certificate": pem[cut:], "neither": "nothing"}[part]
    with pytest.raises(SettingsError) as refused:
        seal_of(half)
    assert refused.value.code == "signing-key-unreadable"
    assert "BEGIN" not in str(refused.value)


def test_a_seal_does_not_show_its_key(pem):
    assert "PRIVATE" not in repr(seal_of(pem))


def test_a_protected_copy_opens_with_its_password_and_no_other(report):
    copy = protected(report, PASSWORD)
    for wrong in ("", "correct horse"):
        with pytest.raises(pikepdf.PasswordError):
            pikepdf.open(io.BytesIO(copy), password=wrong)
    with pikepdf.open(io.BytesIO(copy), password=PASSWORD) as pdf:
        assert pdf.encryption.bits == 256
        assert pdf.encryption.stream_method.name == "aesv3"
        assert pdf.allow.accessibility
        assert pdf.Root.MarkInfo.Marked
        assert pdf.attachments["report.fhir.json"].get_file().read_bytes() == BUNDLE.body


def test_a_protected_copy_claims_neither_a_signature_nor_pdf_a(report):
    with pikepdf.open(io.BytesIO(protected(report, PASSWORD)), password=PASSWORD) as pdf:
        assert "/V" not in pdf.Root.AcroForm.Fields[0]
        with pdf.open_metadata(update_docinfo=False) as said:
            assert not [name for name in said if "pdfa" in name]


@pytest.mark.skipif(not shutil.which("openssl"), reason="openssl is not here")
def test_the_how_to_makes_a_key_that_signs(tmp_path):
    page = Path(__file__).parents[3] / "docs/how-to/sign-and-protect-reports.md"
    blocks = re.findall(r"```sh\n(.*?)```", page.read_text("utf-8"), re.DOTALL)
    (commands,) = [block for block in blocks if block.startswith("openssl")]
    subprocess.run(["bash", "-ec", commands], cwd=tmp_path, check=True, capture_output=True)
    seal = seal_of((tmp_path / "report-signing.pem").read_text("utf-8"))
    assert b"/ETSI.CAdES.detached" in draw(an_order(), seal=seal).pdf


def test_the_service_does_not_start_with_half_a_key_to_sign_with(pem, tmp_path):
    half = tmp_path / "half.pem"
    half.write_text(pem[: pem.index("-----BEGIN CERT")])
    with pytest.raises(SettingsError, match="REPORT_SIGNING_KEY"):
        bootstrap.services({"DATA_DIR": str(tmp_path), "REPORT_SIGNING_KEY_FILE": str(half)})
