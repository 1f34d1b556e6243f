"""Whatever is sent, the answer is one of ours: never a 500, never silence."""

from __future__ import annotations

import json
import string
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

DOORS = ("/api/v1/interpretations", "/api/v1/panels", "/api/v1/panels/import")
MEMBERS = st.sampled_from(
    [
        *("patient", "collected_at", "status", "laboratory", "specimen", "results", "symptoms"),
        *("medications", "conditions", "history", "previous", "range_set", "range_policy"),
        *("critical_policy", "schemes", "deliver", "identifier", "value", "unit", "test", "code"),
        *("reference_interval", "flag", "note", "birth_date", "age", "sex", "pregnancy", "email"),
    ]
)
WORDS = st.one_of(
    st.text(max_size=20),
    st.sampled_from(
        ["Potassium", "2823-3", "http://loinc.org", "mmol/L", "mg", "<0.5", "NaN", "1e400", "-1"]
    ),
)
NUMBERS = st.one_of(st.integers(), st.floats(allow_nan=True, allow_infinity=True))
VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), NUMBERS, WORDS),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.dictionaries(st.one_of(MEMBERS, WORDS), inner, max_size=5),
    ),
    max_leaves=25,
)
RESULTS = st.fixed_dictionaries(
    {"test": WORDS, "value": st.one_of(WORDS, NUMBERS, VALUES), "unit": WORDS},
    optional={"reference_interval": VALUES, "flag": WORDS, "code": VALUES, "collected_at": WORDS},
)
PANELS = st.fixed_dictionaries(
    {"results": st.lists(RESULTS, max_size=4)},
    optional={
        "patient": VALUES,
        "collected_at": WORDS,
        "specimen": VALUES,
        "symptoms": VALUES,
        "medications": st.lists(WORDS, max_size=3),
        "previous": VALUES,
        "schemes": VALUES,
        "deliver": VALUES,
    },
)
BODIES = st.one_of(
    st.binary(max_size=200),
    st.text(max_size=200).map(lambda text: text.encode("utf-8", "surrogatepass")),
    VALUES.map(lambda value: json.dumps(value).encode()),
    PANELS.map(lambda panel: json.dumps(panel).encode()),
)
HEADER_VALUES = st.text(
    alphabet=[*string.printable.replace("\r", "").replace("\n", ""), "é", "\xff"], max_size=60
)
HEADERS = st.dictionaries(
    st.sampled_from(
        [
            *("X-Request-ID", "Idempotency-Key", "Content-Encoding", "Accept", "X-Forwarded-For"),
            *("If-None-Match", "Range", "Expect", "Cookie", "Accept-Language", "X-Forwarded-Host"),
        ]
    ),
    HEADER_VALUES,
    max_size=3,
)
CONTENT_TYPES = st.one_of(
    st.just("application/json"),
    st.sampled_from(["text/csv", "multipart/form-data", "multipart/form-data; boundary=x", "/"]),
    HEADER_VALUES,
)
HERE = settings(
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


def is_an_answer_of_ours(answer):
    assert answer.status_code < 500, answer.get_data(as_text=True)
    assert answer.headers["X-Request-ID"]
    if answer.status_code >= 400:
        assert answer.mimetype == "application/problem+json"
        assert answer.json["status"] == answer.status_code
        assert answer.json["detail"]


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.hazard("hostile-input")
def test_any_body_has_an_answer(caller, door):
    @HERE
    @given(body=BODIES)
    def holds(body):
        is_an_answer_of_ours(caller.post(door, body=body))

    holds()


@pytest.mark.parametrize("door", DOORS)
def test_any_headers_have_an_answer(caller, door, panel):
    body = json.dumps(panel).encode()

    @HERE
    @given(headers=HEADERS, content_type=CONTENT_TYPES)
    def holds(headers, content_type):
        answer = caller.post(door, body=body, headers=headers, content_type=content_type)
        is_an_answer_of_ours(answer)

    holds()


def test_any_file_has_an_answer(caller):
    @HERE
    @given(body=st.one_of(BODIES, st.text(alphabet='a1,;"\n\t.|^', max_size=200).map(str.encode)))
    def holds(body):
        wrapped = (
            b'--x\r\nContent-Disposition: form-data; name="file"; filename="f.csv"\r\n'
            b"Content-Type: text/csv\r\n\r\n" + body + b"\r\n--x--\r\n"
        )
        answer = caller.post(DOORS[2], body=wrapped, content_type="multipart/form-data; boundary=x")
        is_an_answer_of_ours(answer)

    holds()


def test_any_address_and_query_has_an_answer(caller):
    @HERE
    @given(part=st.text(max_size=40), query=st.text(max_size=60))
    def holds(part, query):
        for place in ("panels", "knowledge/analytes", "panels/x"):
            answer = caller.get(f"/api/v1/{place}/{quote(part)}", query_string=query)
            if answer.status_code not in (301, 308):
                is_an_answer_of_ours(answer)
        for name in ("cursor", "patient", "from", "version", "limit"):
            is_an_answer_of_ours(caller.get("/api/v1/panels", query_string={name: part}))

    holds()
