"""Text from outside comes out of the PDF whole, as text, or the report is refused."""

import html

import pytest

from labinterp.errors import ReportFailure
from labinterp.reporting import fonts
from labinterp.reporting.glyphs import drawable, escape

HOSTILE = (
    "<b>bold</b>",
    "<img src='/etc/passwd'/>",
    '<a href="http://example.org">x</a>',
    "<para><unclosed",
    "a < b & c > d",
    "&amp; &lt; &#65;",
    "]]> <!-- x -->",
    "<?xml?><onDraw name='x'/>",
    "${1+1} {{ 7*7 }}",
)


@pytest.mark.parametrize("text", HOSTILE)
def test_markup_in_a_text_stays_text(text):
    assert html.unescape(escape(text, fonts.covered())) == text


@pytest.mark.parametrize(
    "text", ["Łódź Ñandú Şükrü", "Ελλάδα", "Иванов", "Nguyễn", "− – ≤ ≥ µ → … ’"]
)
def test_european_names_and_the_signs_of_a_report_can_be_drawn(text):
    assert drawable(text, fonts.covered()) == text


def test_a_name_in_parts_is_composed_before_it_is_drawn():
    assert drawable("Nun\u0303ez", fonts.covered()) == "Nuñez"


@pytest.mark.parametrize(
    ("text", "code"), [("山田", "U+5C71"), ("محمد", "U+0645"), ("K🧪", "U+1F9EA")]
)
def test_a_character_without_glyph_is_refused_by_name(text, code):
    with pytest.raises(ReportFailure, match=code.replace("+", r"\+")) as refused:
        drawable(text, fonts.covered())
    assert refused.value.code == "glyph-missing"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\tb\nc", "a b c"),
        ("a\x00b", "a<U+0000>b"),
        ("a\u202eb", "a<U+202E>b"),
        ("\ufeffa", "<U+FEFF>a"),
        ("\ud800", "<U+D800>"),
    ],
)
def test_invisible_characters_are_shown_by_their_code(text, shown):
    assert drawable(text, fonts.covered()) == shown
