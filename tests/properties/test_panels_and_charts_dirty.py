"""Whatever is done to a panel in our own JSON, or to a chart that a record sends for its cards:
the answer is one of ours, it comes at once, and no result goes unmentioned.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import jsonschema
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from labinterp.formats import cds_request
from labinterp.formats.limits import Context
from tests.properties.spoiling import IS_PROOF, PROOF, bodies

EXAMPLES = PROOF if IS_PROOF else 60
NOW = datetime(2026, 3, 5, 12, tzinfo=UTC)
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
