"""Which characters foreign text may hold, and how it is quoted back."""

import pytest

from labinterp.errors import SubmissionError, UnsupportedFormat
from labinterp.formats.characters import decoded, folded, forbidden_character, quoted


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Müller-Lüdenscheidt", None),
        ("王小明", None),
        ("\u200fשם\u200f", None),
        ("a\x00b", "U+0000"),
        ("a\nb", "U+000A"),
        ("a\x85b", "U+0085"),
        ("a\u202eb", "U+202E"),
        ("a\ud800b", "U+D800"),
        ("a\u2028b", "U+2028"),
    ],
)
def test_letters_of_all_scripts_pass_and_controls_are_named(text, expected):
    assert forbidden_character(text) == expected


def test_remarks_may_have_lines():
    assert forbidden_character("one\r\n\ttwo", lines=True) is None
    assert forbidden_character("one\x0btwo", lines=True) == "U+000B"


def test_foreign_text_is_quoted_short_and_on_one_line():
    assert quoted("a\nb\x07") == "a\ufffdb\ufffd"
    assert quoted("x" * 100) == "x" * 60 + "…"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Date de naissance", "DATE-DE_NAISSANCE"),
        ("Prénom", "prenom"),
        ("Ref. range", "ref range"),
        ("ＭＲＮ", "mrn"),
        ("Kö\u200bnig", "KOENIG".replace("OE", "O")),
    ],
)
def test_names_are_compared_without_case_accents_and_signs(one, other):
    assert folded(one) == folded(other)


@pytest.mark.parametrize(
    ("body", "text", "is_guessed"),
    [
        (b"\xc2\xb5mol", "µmol", False),
        (b"\xef\xbb\xbfmol", "mol", False),
        ("µmol".encode("utf-16"), "µmol", False),
        (b"\xff\xfe\xff\xfem\x00", "m", False),
        ("µmol/L".encode("utf-16-le"), "µmol/L", True),
        ("µmol/L".encode("utf-16-be"), "µmol/L", True),
        (b"\xb5mol", "µmol", True),
        (b"", "", False),
    ],
)
def test_a_charset_is_known_or_said_to_be_guessed(body, text, is_guessed):
    found, sentence = decoded(body)
    assert found == text
    assert (sentence is not None) is is_guessed


@pytest.mark.parametrize("body", [b"\xff\xfea", b"\x81\x8d", b"\xfe\xff\xd8\x00"])
def test_bytes_that_fit_no_charset_are_refused(body):
    with pytest.raises(SubmissionError) as refused:
        decoded(body)
    assert refused.value.code == "charset-invalid"


@pytest.mark.parametrize("body", [b"%PDF-1.4", b"PK\x03\x04", b"\xd0\xcf\x11\xe0", b"\x1f\x8b"])
def test_what_is_no_text_is_named(body):
    with pytest.raises(UnsupportedFormat, match="is not read"):
        decoded(body)
