"""A message that nearly is one: a good one of each door with some of its parts replaced.

Any door answers it as its standard has it: never a 500, never silence.
"""

from __future__ import annotations

import copy
import dataclasses
import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from labinterp.outbound import Outbound
from tests.properties.spoiling import places_in

MESSAGES = Path(__file__).parents[2] / "contract"
FHIR, JSON, HL7 = "application/fhir+json", "application/json", "application/hl7-v2"
OUTCOME = ("/fhir", "/cds-services")
SUBSCRIPTION = {
    "resourceType": "Subscription",
    "status": "requested",
    "reason": "results of a ward",
    "criteria": "DiagnosticReport?category=LAB",
    "channel": {
        "type": "rest-hook",
        "endpoint": "https://ehr.example.org/hook",
        "payload": FHIR,
        "header": ["Authorization: Bearer x"],
    },
}
FEEDBACK = {
    "feedback": [
        {
            "card": "ee1c2b7e-5a70-4c5e-8a84-0a1f2f5d9b01",
            "outcome": "overridden",
            "overrideReason": {"reason": {"code": "c", "system": "urn:x"}, "userComment": "no"},
            "outcomeTimestamp": "2026-03-04T12:00:00Z",
        }
    ]
}
JUNK = st.sampled_from(
    [
        *(None, True, False, 0, -1, 1e308, 10**400, "", "\0", "\ud800", "x" * 3000, [], {}, [[]]),
        *([None], {"a": None}, "2026-02-30", "9999-12-31T23:59:59Z", "0001-01-01", "NaN", "#"),
        *("urn:uuid:", "Patient/", "http://[", "<", "-", {"reference": 5}, {"reference": "#"}),
        *({"coding": 5}, {"coding": [5]}, {"value": {}}, {"value": "1"}, {"resourceType": 1}),
        *("2026-01-01T00:00:00+99:00", "1e999999", {"resourceType": "Patient"}),
    ]
)
BYTES = st.sampled_from(
    [
        *(b"|", b"^", b"~", b"\\X41\\", b"\\X4", b"&", b"\r", b"\n", b"\x0b", b"\x1c", b"\0"),
        *(b"\rOBX|", b"\rMSH|^~\\&|", b"\rPID|", b'""', b"<", b"1e999", b"\xef\xbb\xbf", b"\xff"),
        *(b"20261345", b"-", b"9" * 40),
    ]
)
HERE = settings(
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


def _stored(folder, pattern):
    return [path.read_bytes() for path in sorted((MESSAGES / folder).glob(pattern))]


def _documents(folder, pattern):
    return [json.loads(body) for body in _stored(folder, pattern)]


@st.composite
def changed(draw, documents):
    """A document with one to four of its members replaced, taken away or moved."""
    made = copy.deepcopy(draw(st.sampled_from(documents)))
    for _ in range(draw(st.integers(1, 4))):
        places = list(places_in(made))
        if not places:
            break
        *way, last = draw(st.sampled_from(places))
        holder = made
        for name in way:
            holder = holder[name]
        if draw(st.booleans()):
            holder[last] = copy.deepcopy(draw(JUNK))
        else:
            del holder[last]
    return made


@st.composite
def disturbed(draw, messages):
    """Bytes with some of them replaced, taken away or put in."""
    made = draw(st.sampled_from(messages))
    for _ in range(draw(st.integers(1, 6))):
        begin = draw(st.integers(0, len(made)))
        end = begin + draw(st.sampled_from([0, 0, 1, 3, 20]))
        made = made[:begin] + draw(BYTES) + made[end:]
    return made


@pytest.fixture
def services(services):
    """Names that a request holds lead nowhere, so nobody is called."""
    return dataclasses.replace(services, outbound=Outbound(look_up=lambda _host, _port: ()))


def is_an_answer_of(door, answer):
    assert answer.status_code < 500, answer.get_data(as_text=True)
    assert answer.headers["X-Request-ID"]
    if answer.status_code >= 400 and door.startswith(OUTCOME):
        assert answer.json["resourceType"] == "OperationOutcome"
        assert answer.json["issue"]


HALF = "\ud800"
DOCUMENTS = {
    "/fhir/$interpret-panel": (FHIR, _documents("fhir_messages", "0*.json"), None),
    "/fhir/Subscription": (FHIR, [SUBSCRIPTION], {**SUBSCRIPTION, "status": {"value": 1}}),
    "/cds-services/twitch-labs": (JSON, _documents("cds", "2*.json"), {"hook": HALF}),
    "/cds-services/twitch-labs/feedback": (JSON, [FEEDBACK], {"feedback": [{"card": HALF}]}),
}


@pytest.mark.parametrize("door", DOCUMENTS)
@pytest.mark.hazard("hostile-input")
def test_a_document_that_is_nearly_right_has_an_answer(caller, door):
    content_type, documents, once = DOCUMENTS[door]
    assert documents

    @HERE
    @example(document=once or {})
    @given(document=changed(documents))
    def holds(document):
        is_an_answer_of(door, caller.post(door, document, content_type=content_type))

    holds()


def test_a_message_that_is_nearly_right_has_an_answer(caller):
    messages = _stored("hl7v2", "[01]*.hl7")
    assert messages

    @HERE
    @given(body=disturbed(messages))
    def holds(body):
        is_an_answer_of("/api/v1/hl7v2", caller.post("/api/v1/hl7v2", body=body, content_type=HL7))

    holds()


@pytest.mark.parametrize("name", ["display", "text"])
def test_half_a_character_is_refused_by_its_place(caller, name):
    (document, *_) = _documents("fhir_messages", "01*.json")
    code = next(
        entry["resource"]["code"]
        for entry in document["entry"]
        if entry["resource"]["resourceType"] == "Observation"
    )
    (code if name == "text" else code["coding"][0])[name] = HALF
    refused = caller.post("/fhir/$interpret-panel", document, content_type=FHIR)
    assert refused.status_code == 422
    (issue,) = refused.json["issue"]
    assert issue["details"]["coding"][0]["code"] == "control-character"
    assert issue["expression"][0].endswith(name)
