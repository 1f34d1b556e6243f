"""Which reader takes which format, and which format a body is in."""

from datetime import UTC, datetime

import pytest

from labinterp.errors import SubmissionError, TooLarge, UnsupportedFormat
from labinterp.formats import READERS, Limits, detect, read, registry

NOW = datetime(2026, 1, 10, 12, tzinfo=UTC)
TABLE = b"test,value,unit\nK,4,mmol/L\n"


@pytest.mark.parametrize(
    ("body", "media_type", "file_name", "expected"),
    [
        (b"anything", "application/json", None, "json"),
        (b"anything", "application/json; charset=utf-8", None, "json"),
        (b"anything", "text/csv", None, "csv"),
        (b"anything", "Application/FHIR+json", None, "fhir"),
        (b'{"results": []}', "text/plain", None, "json"),
        (b'\xef\xbb\xbf \n{"results": []}', None, None, "json"),
        (b'{"resourceType": "Bundle"}', None, None, "fhir"),
        (b'{"a": 1}\n{"a": 2}', None, "rows.ndjson", "ndjson"),
        (b"MSH|^~\\&|LAB", None, None, "hl7v2"),
        (TABLE, None, None, "csv"),
        (TABLE.decode().encode("utf-16"), None, None, "csv"),
        (b"x", "application/octet-stream", "panel.CSV", "csv"),
        (b"x", "application/vnd.ms-excel", "panel.csv", "csv"),
        (b'{"results": []}', None, "panel.csv", "json"),
        (b"Potassium 2.4 mmol/L", "text/plain", None, "pasted"),
        (b"", None, None, "pasted"),
    ],
)
def test_the_format_is_what_the_sender_says_else_the_name_else_the_bytes(
    body, media_type, file_name, expected
):
    assert detect(body, media_type, file_name) == expected


@pytest.mark.parametrize(
    ("body", "media_type"),
    [(b"x", "image/png"), (b"x", "multipart/form-data"), (b"%PDF-1.7", None), (b"PK\x03\x04", "text/plain")],
)  # fmt: skip
def test_what_is_not_read_is_refused(body, media_type):
    with pytest.raises(UnsupportedFormat):
        detect(body, media_type)


@pytest.mark.parametrize("name", ["xml", "pdf", ""])
def test_a_format_without_a_reader_is_unsupported(name):
    with pytest.raises(UnsupportedFormat, match="json, "):
        read(name, b"{}", NOW)


@pytest.mark.parametrize("name", READERS)
def test_a_body_beyond_the_limit_is_too_large_before_any_reader_sees_it(name):
    with pytest.raises(TooLarge, match="at most 10 are taken"):
        read(name, b"x" * 11, NOW, Limits(body_bytes=10))


@pytest.mark.parametrize("name", READERS)
def test_eleven_megabytes_are_refused_by_default(name):
    with pytest.raises(TooLarge):
        read(name, b"x" * 11_000_000, NOW)


def test_whatever_a_parser_raises_is_the_senders_fault_and_is_not_quoted(monkeypatch):
    def broken(body, context):
        raise ZeroDivisionError("secret contents")

    monkeypatch.setattr(registry, "READERS", {"json": broken})
    with pytest.raises(SubmissionError) as refused:
        read("json", b"{}", NOW)
    assert refused.value.code == "unreadable"
    assert "secret" not in refused.value.message
