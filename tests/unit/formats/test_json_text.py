"""JSON as foreign text: bounded before parsing, strict, digits kept."""

import pytest

from labinterp.errors import SubmissionError, TooLarge
from labinterp.formats.fields import NumberLiteral
from labinterp.formats.json_text import parsed
from labinterp.formats.limits import Limits

LIMITS = Limits(body_bytes=10_000, depth=5, elements=50)


@pytest.mark.parametrize("literal", ["2.40", "-0", "1e400", "1E-7", "9" * 5000])
def test_a_number_keeps_every_digit_that_was_sent(literal):
    assert parsed(literal.encode(), LIMITS) == NumberLiteral(literal)


def test_a_byte_order_mark_before_utf_8_is_no_part_of_the_document():
    assert parsed(b"\xef\xbb\xbf{}", LIMITS) == {}


@pytest.mark.parametrize(
    ("body", "where", "code"),
    [
        (b'{"a": 1, "a": 2}', "a", "duplicate-key"),
        (b'{"a": [{"b": 1, "b": 1}]}', "a[0].b", "duplicate-key"),
        (b'{"a": NaN}', "a", "bad-number"),
        (b'{"a": [-Infinity]}', "a[0]", "bad-number"),
        (b"{} {}", "line 1, column 4", "json-invalid"),
        (b'{"a": 1,}', "line 1, column 9", "json-invalid"),
        (b'{"a": "\x01"}', "line 1, column 8", "json-invalid"),
        (b"", "line 1, column 1", "json-invalid"),
        (b"\xff", "byte 1", "charset-invalid"),
        ('{"a": 1}'.encode("utf-16"), "byte 1", "charset-invalid"),
        (b'{"a\\u0000b": 1}', "a\ufffdb", "control-character"),
    ],
)
def test_what_is_not_strict_json_is_refused_at_its_place(body, where, code):
    with pytest.raises(SubmissionError) as refused:
        parsed(body, LIMITS)
    assert (refused.value.errors[0].where, refused.value.errors[0].code) == (where, code)


def test_all_repeated_keys_are_named_at_once():
    with pytest.raises(SubmissionError) as refused:
        parsed(b'{"a": 1, "a": 2, "b": {"c": 1, "c": 2, "c": 3}}', LIMITS)
    assert [place.where for place in refused.value.errors] == ["a", "b.c"]


@pytest.mark.parametrize(
    "body",
    [
        b"[" * 6 + b"]" * 6,
        b"[" * 9_000,
        b'{"a":' * 1_900,
        b"[" + b"1," * 51 + b"1]",
        b"[" + b"[]," * 51 + b"1]",
        b" " * 10_001,
    ],
)
def test_deeper_longer_or_more_than_the_limits_is_too_large(body):
    with pytest.raises(TooLarge):
        parsed(body, LIMITS)


def test_brackets_inside_a_text_are_no_nesting():
    text = "[" * 100 + '\\"{{{'
    assert parsed(f'["{text}"]'.encode(), LIMITS) == [text.replace('\\"', '"')]


def test_a_text_that_never_ends_is_refused_and_not_searched_twice():
    with pytest.raises(SubmissionError):
        parsed(b'{"a":"' + b'\\"' * 4_000, LIMITS)
