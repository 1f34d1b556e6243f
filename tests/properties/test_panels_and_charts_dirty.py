"""Whatever is done to a panel in our own JSON, or to a chart that a record sends for its cards:
the answer is one of ours, it comes at once, and no result goes unmentioned.
"""

from __future__ import annotations

import copy
import json
import os
import shutil
import time
from datetime import UTC, datetime
from pathlib import Path

import jsonschema
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app import create_app
from labinterp.formats import cds_request
from labinterp.formats.limits import Context
from labinterp.jobs import InlineQueue
from labinterp.store.store import open_store
from labinterp.usecases import administer
from tests.conftest import OPENING, VAULT, Clock, Outbox, wired
from tests.unit.api.conftest import LIMITS_OUT_OF_THE_WAY, new_caller

IS_PROOF = os.environ.get("HYPOTHESIS_PROFILE") == "prove"  # noqa: TID251
EXAMPLES = 10_000 if IS_PROOF else 60
NOW = datetime(2026, 3, 5, 12, tzinfo=UTC)
LONGEST = 5.0
"""For one answer [s]; far above what any takes, far below what a person would call a hang."""
CALLS = Path(__file__).parents[1] / "contract" / "cds"
CHARTS = [json.loads(path.read_text("utf-8")) for path in sorted(CALLS.glob("2[034]-*.json"))]
SCHEMA = jsonschema.Draft202012Validator(
    json.loads((CALLS / "response.schema.json").read_text("utf-8"))
)
SERVICES = {
    "patient-view": "twitch-labs",
    "order-sign": "twitch-labs-order-sign",
    "order-select": "twitch-labs-order-select",
}
PANEL = {
    "patient": {
        "identifier": {"value": "MRN-1", "system": "urn:example:mrn"},
        "family": "Testcase",
        "birth_date": "1971-05-04",
        "sex": "female",
        "pregnancy": {"status": "not_pregnant"},
    },
    "collected_at": "2026-03-04T08:00:00Z",
    "laboratory": {"name": "North"},
    "specimen": {"material": "serum", "haemolysis_index": 12},
    "results": [
        {
            "code": {"system": "http://loinc.org", "code": "2823-3"},
            "test": "Potassium",
            "value": "2.90",
            "unit": "mmol/L",
            "reference_interval": {"low": "3.5", "high": "5.3"},
            "identifier": "A-1/K",
            "order": "A-1",
        },
        {"test": "Magnesium", "value": 0.45, "unit": "mmol/L", "flag": "L", "note": "repeat"},
        {"test": "Calcium", "value": {"comparator": "<", "value": "1.5"}, "unit": "mmol/L"},
        {"test": "Sodium", "status": "cancelled", "not_measured": "clotted"},
    ],
    "symptoms": ["eyelid-twitch", {"id": "facial-twitch", "onset": "sudden"}],
    "medications": ["omeprazole"],
    "previous": [
        {
            "collected_at": "2026-01-04T08:00:00Z",
            "results": [{"test": "Potassium", "value": "4.1", "unit": "mmol/L"}],
        }
    ],
    "range_policy": "lab-then-service",
}
UNKNOWN_AGAIN = {
    **PANEL,
    "results": [
        {name: member for name, member in one.items() if name not in ("identifier", "order")}
        for one in PANEL["results"]
    ],
}
"""The same without that by which it would be known again: a panel of its own each time."""
JUNK = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**18), 10**18),
    st.floats(),
    st.text(max_size=20),
    st.sampled_from(
        [
            *("A" * 3000, "9" * 400, "1e999999999", "-0", "<", "\x00", "\u2028", "½", "\ud800"),
            *("2,9", "≤ 3", "0000-00-00", "2026-02-30T08:00:00Z", "Patient/nobody", "#gone"),
            *("cancelled", "entered-in-error", "preliminary", "http://loinc.org", "mmol/L"),
            *([], {}, [[]], [None], [{}], {"value": None}, {"reference": "urn:uuid:nothing"}),
            {"value": "2,9", "unit": "mmol/l"},
            {"resourceType": "OperationOutcome"},
            {"resourceType": "Bundle", "entry": [{"resource": {"resourceType": "Observation"}}]},
        ]
    ),
).map(copy.deepcopy)  # what is spoilt further must not be what the next document is given


def places_in(node, path=()):
    if path:
        yield path
    listed = node.items() if isinstance(node, dict) else enumerate(node)
    for name, inner in listed:
        yield (*path, name)
        if isinstance(inner, dict | list):
            yield from places_in(inner, (*path, name))


@st.composite
def spoilt(draw, whole):
    """A document with one to four of its members gone, doubled, misplaced or nonsense."""
    document = copy.deepcopy(draw(whole))
    for _ in range(draw(st.integers(1, 4))):
        *way, last = draw(st.sampled_from(sorted(set(places_in(document)), key=str)))
        holder = document
        for step in way:
            holder = holder[step]
        how = draw(st.sampled_from(["drop", "list", "text", "junk", "more", "twice"]))
        if how == "drop":
            del holder[last]
        elif how == "list":
            holder[last] = [holder[last]]
        elif how == "text":
            holder[last] = json.dumps(holder[last])
        elif how == "more" and isinstance(holder, dict):
            holder[draw(st.text(max_size=10))] = draw(JUNK)
        elif how == "twice" and isinstance(holder, list):
            holder.insert(last, copy.deepcopy(holder[last]))
        else:
            holder[last] = draw(JUNK)
        if not document:
            break
    return document


@st.composite
def bodies(draw, whole):
    """The same as bytes, now and then cut off or with a byte put in."""
    body = json.dumps(draw(spoilt(whole))).encode()
    if draw(st.integers(0, 9)) == 0:
        at = draw(st.integers(0, len(body)))
        body = draw(
            st.sampled_from([body[:at], body[:at] + b"\xff" + body[at:], body[:at] + b"," + body])
        )
    return body


@pytest.fixture(scope="module")
def post(module_services):
    organisation = administer.create_organisation(module_services, "Ward 7")
    caller = new_caller(
        create_app(module_services), module_services, organisation, "panels:write", "panels:read"
    )

    def send(path, body):
        began = time.monotonic()
        answer = caller.post(path, body=body)
        assert time.monotonic() - began < LONGEST
        assert answer.status_code < 500, (answer.status_code, answer.json)
        return answer

    return send


@pytest.fixture(scope="module")
def module_services(sqlite_template, tmp_path_factory):
    """One service for all examples: what one leaves behind, the next must bear."""
    path = tmp_path_factory.mktemp("dirty") / "labinterp.db"
    shutil.copyfile(sqlite_template, path)
    store = open_store(f"sqlite:///{path}", VAULT, OPENING)
    yield wired(store, clock=Clock(), outbox=Outbox(), queue=InlineQueue(), **LIMITS_OUT_OF_THE_WAY)
    store.close()


def without_its_index(where):
    return where.partition(".")[0]


@settings(max_examples=EXAMPLES, suppress_health_check=list(HealthCheck))
@given(body=bodies(st.sampled_from([PANEL, UNKNOWN_AGAIN, UNKNOWN_AGAIN])))
@pytest.mark.hazard("hostile-input")
def test_a_dirty_panel_is_stored_whole_or_refused_by_the_place_of_each_fault(post, body):
    answer = post("/api/v1/panels", body)
    assert answer.status_code in (201, 400, 409, 413, 422), answer.json
    if answer.status_code != 201:
        assert answer.json["detail"]
        assert answer.status_code != 422 or all(one["where"] for one in answer.json["errors"])
        return
    sent, record = json.loads(body)["results"], answer.json
    if record["version"] > 1 or "Idempotent-Replayed" in answer.headers:
        return  # it was made one with a stored panel
    assert len(record["panel"]["results"]) == len(sent)
    told = {without_its_index(one["where"]) for one in record["interpretation"]["problems"]}
    told |= {one["where"] for one in record["interpretation"]["results"]}
    for index, one in enumerate(sent):
        places = {f"results[{index}]", str(one.get("where", ""))}
        assert places & told, one


@settings(max_examples=EXAMPLES, suppress_health_check=list(HealthCheck))
@given(body=bodies(st.sampled_from(CHARTS)))
@pytest.mark.hazard("hostile-input")
def test_a_dirty_chart_gets_cards_or_is_refused_and_no_result_is_lost(post, body):
    hook = next((one for one in SERVICES if f'"hook": "{one}"'.encode() in body), "patient-view")
    answer = post(f"/cds-services/{SERVICES[hook]}", body)
    assert answer.status_code in (200, 400, 412, 413), answer.json
    if answer.status_code != 200:
        assert answer.json["resourceType"] == "OperationOutcome"
        return
    assert not list(SCHEMA.iter_errors(answer.json))
    call = cds_request.call_of(body)
    received, others = cds_request.panel_of(call, Context(NOW))
    places = [
        one.path for one in cds_request._resources(call.prefetch) if one.kind == "Observation"
    ]
    if received is None:
        return
    told = {one.where for one in received.submission.results}
    told |= {where for where, _, _ in received.submission.problems}
    lost = [path for path in places if not any(where.startswith(path) for where in told)]
    assert len(lost) <= others, lost
