"""A FHIR client that others wrote connects to a live server and reads our answers."""

from __future__ import annotations

import dataclasses
import json
import re
import shlex
import threading
from pathlib import Path

import pytest
import requests
from fhirclient import client
from fhirclient.models.diagnosticreport import DiagnosticReport
from fhirclient.models.observation import Observation
from werkzeug.serving import make_server

from app import create_app
from labinterp.cli import main
from labinterp.usecases import administer

PANEL = {
    "resourceType": "Bundle",
    "type": "collection",
    "entry": [
        {
            "resource": {
                "resourceType": "Patient",
                "identifier": [{"system": "urn:example:mrn", "value": "SYN-1"}],
                "gender": "female",
                "birthDate": "1971-05-04",
            }
        },
        {
            "resource": {
                "resourceType": "Observation",
                "status": "final",
                "code": {"coding": [{"system": "http://loinc.org", "code": "2823-3"}]},
                "effectiveDateTime": "2026-01-02T08:00:00Z",
                "valueQuantity": {
                    "value": 2.9,
                    "unit": "mmol/L",
                    "system": "http://unitsofmeasure.org",
                    "code": "mmol/L",
                },
            }
        },
    ],
}


@pytest.fixture
def base(services):
    """Where a live server is, and what its key is."""
    organisation = administer.create_organisation(services, "Ward 7")
    scopes = ("panels:read", "panels:write")
    _, key = administer.create_key(services, organisation.id, name="test", scopes=scopes)
    server = make_server("127.0.0.1", 0, create_app(services), threaded=True)
    address = f"http://127.0.0.1:{server.server_port}"
    policy = dataclasses.replace(services.policy, base_url=address)
    server.app = create_app(dataclasses.replace(services, policy=policy))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"{address}/fhir", {"Authorization": f"Bearer {key}"}
    server.shutdown()
    thread.join()
    server.server_close()


def test_fhirclient_reads_report_and_observations(base):
    address, key = base
    posted = requests.post(
        f"{address}/$interpret-panel",
        json=PANEL,
        headers={**key, "Content-Type": "application/fhir+json"},
        timeout=20,
    )
    smart = client.FHIRClient(settings={"app_id": "test", "api_base": address})
    smart.server.session.headers.update(key)
    assert smart.server.capabilityStatement.fhirVersion == "4.0.1"
    report = DiagnosticReport.read(posted.json()["entry"][0]["resource"]["id"], smart.server)
    assert report.status == "final"
    observations = [
        Observation.read(one.reference.partition("/")[2], smart.server) for one in report.result
    ]
    (potassium,) = [one for one in observations if one.code.coding[0].code == "2823-3"]
    assert (potassium.valueQuantity.value, potassium.valueQuantity.code) == (2.9, "mmol/L")
    found = DiagnosticReport.where({"patient.identifier": "urn:example:mrn|SYN-1"})
    (same,) = found.perform_resources_iter(smart.server)
    assert same.id == report.id


def test_the_command_of_the_how_to_page_prints_a_bundle(capsys, monkeypatch):
    root = Path(__file__).parents[2]
    page = (root / "docs" / "how-to" / "use-fhir.md").read_text(encoding="utf-8")
    command = re.search(r"^python -m labinterp (.+)$", page, re.MULTILINE)
    monkeypatch.chdir(root)
    assert main(shlex.split(command[1])) == 0
    bundle = json.loads(capsys.readouterr().out)
    assert bundle["entry"][0]["resource"]["resourceType"] == "DiagnosticReport"
