"""Any bytes at all: a reading or a refusal, never another exception, and each result is accounted for."""

import contextlib
from datetime import UTC, datetime

import pytest
import simplejson
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from labinterp.errors import SubmissionError
from labinterp.formats import READERS, detect
from labinterp.formats.json_panel import received_of
from labinterp.formats.limits import Context
from labinterp.model.submission import Received

NOW = datetime(2026, 1, 10, 12, tzinfo=UTC)
CONTEXT = Context(NOW, names={"potassium": "potassium", "k": "potassium", "25 oh vitamin d": "d"})
FEW = settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])

MEMBERS = st.sampled_from(
    ["patient", "results", "value", "unit", "test", "code", "reference_interval", "low", "specimen", "symptoms",
     "previous", "deliver", "email", "schemes", "age", "birth_date", "collected_at", "identifier", "haemolysis_index"]
)  # fmt: skip
LEAVES = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.text(max_size=20)
    | st.sampled_from(
        ["2026-01-02T08:00:00Z", "1980-02-03", "<0.5", "a@example.org", "female", "\ud800"]
    )
)
JSON = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(MEMBERS, inner, max_size=5),
    max_leaves=25,
)
CELLS = st.sampled_from(
    ["test", "value", "unit", "mrn", "dob", "K", "2,4", "<5", "mmol/L", "", '"', "F", "03/02/1980", "\x00", "é", "1,250"]
)  # fmt: skip
TABLES = st.lists(st.lists(CELLS, min_size=1, max_size=6), max_size=8)
WORDS = st.sampled_from(
    ["K", "Potassium", "25-OH vitamin D", "2.4", "2,4", "<", "≤3", "mmol/L", "(3.5-5.3)", "L", "*", ":", ";", "\t",
     "Name:", "DOB: 1980-02-03", "\n", "10:30", "1.2.3", "-", "[", ")", "mg", "\u202e", "٣"]
)  # fmt: skip


def is_answered(name, body):
    refused = None
    try:
        reading = READERS[name](body, CONTEXT)
    except SubmissionError as error:
        refused = error
    if refused is not None:
        assert refused.message
        assert all(place.where and place.code and place.message for place in refused.errors)
        return
    assert reading.received or reading.refused
    for received in reading.received:
        assert isinstance(received, Received)
        places = [result.where for result in received.submission.results]
        assert places
        assert len(places) == len(set(places))
        simplejson.dumps(received.panel, use_decimal=True).encode()
        again = received_of(received.panel, NOW, received.submission.format)
        assert again.submission.results == received.submission.results


@pytest.mark.parametrize("name", READERS)
@FEW
@given(st.binary(max_size=300))
@example(b"")
@example(b"\xff\xfe\x00")
@example(b"\xfe\xff\xd8\x00")
@example(b'{"results": [{"value": "\\ud800"}]}')
def test_any_bytes_are_answered(name, body):
    is_answered(name, body)


@FEW
@given(JSON)
def test_any_json_is_answered(document):
    is_answered("json", simplejson.dumps(document).encode())


@FEW
@given(
    TABLES, st.sampled_from([",", ";", "\t", "|"]), st.sampled_from(["utf-8", "utf-16", "cp1252"])
)
def test_any_table_is_answered(rows, delimiter, charset):
    text = "\n".join(["mrn,test,value,unit".replace(",", delimiter), *map(delimiter.join, rows)])
    is_answered("csv", text.encode(charset))


@FEW
@given(st.lists(WORDS, max_size=12).map(" ".join))
def test_any_line_is_answered(text):
    is_answered("pasted", text.encode())


@FEW
@given(st.binary(max_size=100), st.text(max_size=20) | st.none(), st.text(max_size=20) | st.none())
def test_any_body_has_a_format_or_is_refused(body, media_type, file_name):
    with contextlib.suppress(SubmissionError):
        assert detect(body, media_type, file_name)
