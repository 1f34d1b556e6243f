"""Whatever is done to a message, a document or a file on its way: the door answers in its own form,
at once and never by a fault of ours, and what it says it has kept is there.
"""

from __future__ import annotations

import io
import json
import re
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.properties.spoiling import IS_PROOF, PROOF, bodies
from tests.properties.test_hl7v2_dirty import dirty
from tests.properties.test_tables_and_pastes_dirty import HEADER, numbers_in, rows

EXAMPLES = settings(max_examples=PROOF if IS_PROOF else 20, suppress_health_check=list(HealthCheck))
FHIR = "application/fhir+json"
MESSAGES = Path(__file__).parents[1] / "contract" / "fhir_messages"
ANSWERED = re.compile(rb"(?:^|\r)MSA.(..)", re.DOTALL)
DOCUMENTS = st.sampled_from(
    [json.loads(path.read_text("utf-8")) for path in sorted(MESSAGES.glob("*-in-*.json"))]
)


def as_transaction(bundle):
    """The same resources, asked to be stored together."""
    entries = [
        {**one, "request": {"method": "POST", "url": str(one["resource"].get("resourceType"))}}
        for one in bundle.get("entry", ())
    ]
    return {"resourceType": "Bundle", "type": "transaction", "entry": entries}


TRANSACTIONS = DOCUMENTS.filter(lambda one: one["resourceType"] == "Bundle").map(as_transaction)


@EXAMPLES
@given(body=dirty())
@pytest.mark.hazard("hostile-input")
def test_a_dirty_message_is_acknowledged_and_when_it_is_kept_it_stays_kept(post, body):
    answer = post("/api/v1/hl7v2", body, content_type="application/hl7-v2")
    assert answer.status_code in (200, 400, 413, 422), answer.data
    codes = ANSWERED.findall(answer.data)
    assert set(codes) <= {b"AA", b"AE", b"AR", b"CA", b"CE", b"CR"}
    if codes and set(codes) <= {b"AA", b"CA"}:
        again = post("/api/v1/hl7v2", body, content_type="application/hl7-v2")
        assert again.data == answer.data


@EXAMPLES
@given(body=bodies(DOCUMENTS))
@pytest.mark.hazard("hostile-input")
def test_a_dirty_document_is_interpreted_or_refused_in_words(post, body):
    answer = post("/fhir/$interpret-panel", body, content_type=FHIR)
    assert answer.status_code in (200, 400, 409, 413, 422), answer.json
    wanted = "Bundle" if answer.status_code == 200 else "OperationOutcome"
    assert answer.json["resourceType"] == wanted


@EXAMPLES
@given(body=bodies(TRANSACTIONS))
@pytest.mark.hazard("hostile-input")
def test_a_dirty_transaction_is_stored_whole_or_not_at_all(post, body):
    answer = post("/fhir", body, content_type=FHIR)
    assert answer.status_code in (200, 400, 409, 412, 413, 422), answer.json
    if answer.status_code != 200:
        assert answer.json["resourceType"] == "OperationOutcome"
        return
    assert len(answer.json["entry"]) == len(json.loads(body)["entry"])


GOOD = {
    "patient_id": "Z 9",
    "birth_date": "1971-05-01",
    "sex": "F",
    "collected_at": "2026-01-02T08:00:00Z",
    "test": "Potassium",
    "value": "2.9",
    "unit": "mmol/L",
    "range": "3.5-5.3",
}


@EXAMPLES
@given(
    st.lists(rows(), min_size=1, max_size=12),
    st.sampled_from([",", ";", "\t"]),
    st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "cp1252"]),
)
@pytest.mark.hazard("hostile-input")
def test_in_a_dirty_file_the_good_row_is_kept_and_what_is_said_to_be_kept_is_there(
    post, table, delimiter, encoding
):
    good = [GOOD[name] for name in HEADER]
    lines = [delimiter.join(cells) for cells in (HEADER, *table, good)]
    file = (io.BytesIO("\n".join(lines).encode(encoding, errors="replace")), "results.csv")
    answer = post("/api/v1/panels/import", {"file": file}, content_type="multipart/form-data")
    assert answer.status_code == 200, answer.json
    outcomes = answer.json["outcomes"]
    number = len(lines)
    (of_good,) = [one for one in outcomes if number in numbers_in([one["where"]], "row")]
    assert of_good["panel_id"], of_good
    for panel_id in {one["panel_id"] for one in outcomes} - {None}:
        assert post.get(f"/api/v1/panels/{panel_id}").status_code == 200
