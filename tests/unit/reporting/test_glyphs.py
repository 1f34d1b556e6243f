"""Text from outside comes out of the PDF whole, as text, or the report is refused."""

import html
import unicodedata

import pytest

from labinterp.errors import ReportFailure
from labinterp.reporting.glyphs import drawable, escape
from labinterp.reporting.scripts import stretches

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
    assert html.unescape(escape(text)) == text


@pytest.mark.parametrize(
    "text",
    [
        "山田太郎",
        "やまだ タロウ",
        "王小明",
        "김민수",
        "דוד כהן",
        "محمد الخطيب",
        "Արամ",
        "ნინო",
        "مُحَمَّد",
    ],
)
def test_names_of_the_world_can_be_drawn(text):
    assert drawable(text) == text
    assert "<font name=" in escape(text)


def test_right_to_left_names_are_joined_and_turned_and_none_of_their_letters_is_lost():
    (only,) = stretches("الخطيب, محمد")
    assert only.turned
    assert only.drawn[0] == "\ufeaa"  # the last letter, in its final shape, at the left
    assert " " not in only.drawn  # no line ends inside it, for its lines would change places
    again = unicodedata.normalize("NFKC", only.drawn[::-1])
    assert again.replace("\u00a0", " ") == "الخطيب, محمد"


def test_vowel_signs_stay():
    (only,) = stretches("مُحَمَّد")
    assert unicodedata.normalize("NFKC", only.drawn[::-1]).count("\u064f") == 1


def test_a_name_in_two_scripts_is_drawn_in_two_faces():
    parts = stretches("Li 王 (Wang)")
    assert [(part.face == "", part.drawn) for part in parts] == [
        (True, "Li "),
        (False, "王"),
        (True, " (Wang)"),
    ]


@pytest.mark.parametrize(
    "text", ["Łódź Ñandú Şükrü", "Ελλάδα", "Иванов", "Nguyễn", "− – ≤ ≥ µ → … ’"]
)
def test_european_names_and_the_signs_of_a_report_can_be_drawn(text):
    assert drawable(text) == text


def test_a_name_in_parts_is_composed_before_it_is_drawn():
    assert drawable("Nun\u0303ez") == "Nuñez"


@pytest.mark.parametrize(
    ("text", "code"), [("आना", "U+0906"), ("สมชาย", "U+0E2A"), ("K🧪", "U+1F9EA")]
)
def test_a_character_without_glyph_is_refused_by_name(text, code):
    with pytest.raises(ReportFailure, match=code.replace("+", r"\+")) as refused:
        drawable(text)
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
    assert drawable(text) == shown
