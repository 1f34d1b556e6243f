"""One panel through any door is one Interpretation: a table of doors, each with what it sends."""

from __future__ import annotations

import dataclasses
import io
import json
from datetime import UTC, datetime

import pytest
import simplejson

from app import create_app
from labinterp import formats, interpretation, knowledge
from labinterp.access import SCOPES
from labinterp.formats import cds_request
from labinterp.formats.limits import Context
from labinterp.store.records import to_document
from labinterp.usecases import administer
from labinterp.web import reading
from labinterp.web.draft import Draft
from tests.contract.test_hl7v2_doors import framed, listening, talk

NOW = datetime(2026, 1, 10, 12, tzinfo=UTC)
COLLECTED = "2026-01-02T08:00:00+00:00"
RESULTS = (
    ("2823-3", "Potassium", "2.90", "mmol/L"),
    ("2601-3", "Magnesium", "0.45", "mmol/L"),
    ("2000-8", "Calcium", "1.95", "mmol/L"),
)


def _json():
    results = [
        {
            "code": {"system": "http://loinc.org", "code": code},
            "test": name,
            "value": value,
            "unit": unit,
        }
        for code, name, value, unit in RESULTS
    ]
    patient = {
        "identifier": {"value": "MRN-1", "system": "urn:example:mrn"},
        "birth_date": "1971-05-04",
        "sex": "female",
    }
    return json.dumps({"patient": patient, "collected_at": COLLECTED, "results": results})


def _fhir():
    patient = {
        "resourceType": "Patient",
        "identifier": [{"system": "urn:example:mrn", "value": "MRN-1"}],
        "gender": "female",
        "birthDate": "1971-05-04",
    }
    observations = [
        {
            "resourceType": "Observation",
            "status": "final",
            "code": {"coding": [{"system": "http://loinc.org", "code": code}], "text": name},
            "effectiveDateTime": COLLECTED,
            "valueQuantity": {
                "value": f"@{value}@",
                "unit": unit,
                "system": "http://unitsofmeasure.org",
                "code": unit,
            },
        }
        for code, name, value, unit in RESULTS
    ]
    entries = [{"resource": one} for one in (patient, *observations)]
    bundle = {"resourceType": "Bundle", "type": "collection", "entry": entries}
    return json.dumps(bundle).replace('"@', "").replace('@"', "")


def _hl7v2():
    head = "MSH|^~\\&|LIS||||20260110||ORU^R01|1|P|2.5.1"
    patient = "PID|1||MRN-1^^^urn:example:mrn^MR||||19710504|F"
    order = "OBR|1||A-1|CHEM|||20260102080000+0000||||||||||||||||||F"
    results = [
        f"OBX|{number}|NM|{code}^{name}^LN||{value}|{unit}|||||F"
        for number, (code, name, value, unit) in enumerate(RESULTS, start=1)
    ]
    return "\r".join((head, patient, order, *results, ""))


def _csv():
    head = "Patient ID,DOB,Sex,Collected,LOINC,Test,Result,Units"
    about = f"MRN-1,1971-05-04,F,{COLLECTED}"
    return "\n".join((head, *(",".join((about, *result)) for result in RESULTS)))


def _pasted():
    about = ("MRN: MRN-1", "DOB: 1971-05-04", "Sex: F", f"Collected: {COLLECTED}")
    return "\n".join((*about, *(f"{name} {value} {unit}" for _, name, value, unit in RESULTS)))


def _ndjson():
    return _fhir() + "\n"


def _prefetch():
    """What a record prefetches for a card: the patient, and a search of her results."""
    bundle = _fhir()
    first, _, rest = bundle.partition('{"resource": {"resourceType": "Observation"')
    patient = first.partition('[{"resource": ')[2].rpartition("}, ")[0]
    patient = patient.replace('"Patient",', '"Patient", "id": "p1",')
    subject = '{"resource": {"resourceType": "Observation", "subject": {"reference": "Patient/p1"}'
    labs = (
        '{"resourceType": "Bundle", "type": "searchset", "entry": ['
        + subject
        + rest.replace('{"resource": {"resourceType": "Observation"', subject)
    )
    call = {"hook": "patient-view", "hookInstance": "i", "context": {"patientId": "p1"}}
    prefetch = f', "prefetch": {{"patient": {patient}, "labs": {labs}}}}}'
    return json.dumps(call)[:-1] + prefetch.replace(', "type": "collection"', "")


FILES = {
    "json": _json,
    "fhir": _fhir,
    "ndjson": _ndjson,
    "hl7v2": _hl7v2,
    "csv": _csv,
    "pasted": _pasted,
}
"""Format to what it sends. To add a door, add what its sender would send of this panel."""
_KNOWLEDGE = knowledge.load()
_PANELS = "/api/v1/panels"
_FHIR = "application/fhir+json"
NAMES_ALONE = ("pasted", "web form")
"""Where a test is known by its name, as people write it, and not by a code."""
NO_ISSUER = ("csv", *NAMES_ALONE)
"""Where nothing says who gave the patient her number."""


def _read(door):
    body = FILES[door]().encode()
    (received,) = formats.read(door, body, NOW, names=formats.names_of(_KNOWLEDGE)).received
    return received


def _prefetched():
    call = cds_request.call_of(_prefetch().encode())
    received, others = cds_request.panel_of(call, Context(NOW))
    assert others == 0
    return received


def _typed(services):
    """What the form's own rows hold, typed by a clinician."""
    about = {
        "identifier": "MRN-1",
        "sex": "female",
        "zone": "UTC",
        "birth-day": "4",
        "birth-month": "5",
        "birth-year": "1971",
        "sample-day": "2",
        "sample-month": "1",
        "sample-year": "2026",
        "sample-time": "08:00",
    }
    for _, name, value, unit in RESULTS:
        about |= {f"{name.lower()}-value": value, f"{name.lower()}-unit": unit}
    fields = {name: [value] for name, value in about.items()}
    (received,) = reading.read(Draft("typed", b"", fields=fields), {}, services).received
    return received


def _meaning(door, received):
    answer = interpretation.interpret(received.submission, _KNOWLEDGE)
    return _told(door, answer, received.identity)


def _told(door, answer, identity):
    """The answer without where a result stood, and what only some doors can say of it."""
    results = tuple(_without_place(door, result) for result in answer.results)
    if door in NO_ISSUER:
        identity = dataclasses.replace(identity, issuer=None)
    return dataclasses.replace(answer, results=results), identity


def _without_place(door, result):
    """Where a result stood, its status, which only some doors send, and by what it was known.

    The form prints our own name of a test, where everyone else sends theirs.
    """
    reported = result.reported
    if reported:
        name = "" if door == "web form" else reported.name
        reported = dataclasses.replace(reported, status=None, name=name)
    matched = "" if door in NAMES_ALONE else result.matched_by
    return dataclasses.replace(result, where="", reported=reported, matched_by=matched)


@pytest.mark.parametrize("door", [door for door in FILES if door != "json"])
def test_a_body_means_the_same_as_in_our_own_form(door):
    assert _meaning(door, _read(door)) == _meaning(door, _read("json"))


def test_what_a_record_prefetches_means_the_same():
    mine, identity = _meaning("cds", _prefetched())
    ours, known = _meaning("cds", _read("json"))
    assert mine == ours
    assert identity == known


def test_what_is_typed_into_the_form_means_the_same(services):
    assert _meaning("web form", _typed(services)) == _meaning("web form", _read("json"))


@pytest.fixture
def client(services):
    organisation = administer.create_organisation(services, "Ward 7")
    _, key = administer.create_key(services, organisation.id, name="k", scopes=tuple(SCOPES))
    client = create_app(services).test_client()
    client.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {key}"
    return client


def _by_mllp(_client, services):
    with listening(services) as port:
        talk(port, framed(_hl7v2().encode()))


def _by_file(client, _services):
    data = {"file": (io.BytesIO(_csv().encode()), "panel.csv")}
    assert client.post(f"{_PANELS}/import", data=data).json["stored"] == 1


SENT = {
    "json": lambda client, _: client.post(_PANELS, data=_json(), content_type="application/json"),
    "fhir": lambda client, _: client.post(
        "/fhir/$interpret-panel", data=_fhir(), content_type=_FHIR
    ),
    "hl7v2 over http": lambda client, _: client.post(
        "/api/v1/hl7v2", data=_hl7v2(), content_type="application/hl7-v2"
    ),
    "hl7v2 over mllp": _by_mllp,
    "csv": _by_file,
}


@pytest.mark.parametrize("door", SENT)
def test_what_is_stored_and_read_again_is_the_same_by_each_door(door, client, services):
    SENT[door](client, services)
    (kept,) = client.get(_PANELS).json["panels"]
    record = client.get(f"{_PANELS}/{kept['id']}").json
    stored = record["interpretation"]
    wanted = json.loads(simplejson.dumps(to_document(_meaning(door, _read("json"))[0])))
    assert _plain(stored) == _plain(wanted)


def _plain(answer):
    """As a client reads it, without what `_without_place` leaves out."""
    for result in answer["results"]:
        result["where"] = ""
        if result.get("reported"):
            result["reported"].pop("status", None)
    return answer
