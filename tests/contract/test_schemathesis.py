"""Every operation of the OpenAPI document, called with what the document allows and forbids.

The schema's own reader of the document writes the requests, so that nothing here knows our code:
any status, content type, header or body that the document does not promise is a fault. `make check`
tries a few of each; `make prove` (HYPOTHESIS_PROFILE=prove) many, and runs the command as anybody
would, with all its checks and phases, against a listening server. What `schemathesis.toml` expects
beside the rules holds for both.
"""

from __future__ import annotations

import dataclasses
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest
import schemathesis
import waitress
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.checks import CHECKS, load_all_checks

from app import create_app
from labinterp.access import SCOPES
from labinterp.api.document import document
from labinterp.jobs import InlineQueue
from labinterp.outbound import Outbound
from labinterp.store.store import open_store
from labinterp.usecases import administer
from tests.conftest import OPENING, VAULT, Clock, Outbox, wired

PROVING = os.environ.get("HYPOTHESIS_PROFILE") == "prove"  # noqa: TID251
EXAMPLES = 400 if PROVING else 3
ROOT = Path(__file__).parents[2]
ALONE = {
    # They follow one resource through a series of calls, which `make prove` makes.
    "use_after_free",
    "ensure_resource_availability",
}
LABELS = sorted(
    f"{method.upper()} {path}"
    for path, methods in document()["paths"].items()
    for method in methods
    if method != "parameters"
)
load_all_checks()
CHECKED = [CHECKS.get_one(name) for name in CHECKS.get_all_names() if name not in ALONE]
PANEL = {
    "patient": {"identifier": {"value": "MRN-1"}, "birth_date": "1971-05-04", "sex": "female"},
    "collected_at": "2026-01-02T08:00:00Z",
    "results": [{"test": "Potassium", "value": "2.9", "unit": "mmol/L"}],
}


@pytest.fixture(scope="module")
def services(sqlite_template, tmp_path_factory):
    """One database for all; the names that a request holds lead nowhere, so nobody is called."""
    path = tmp_path_factory.mktemp("schemathesis") / "labinterp.db"
    path.write_bytes(sqlite_template.read_bytes())
    store = open_store(f"sqlite:///{path}", VAULT, OPENING)
    often = "1000000 per minute"
    parts = {"clock": Clock(), "outbox": Outbox(), "queue": InlineQueue()}
    made = wired(store, **parts, request_rate=often, stranger_rate=often)
    yield dataclasses.replace(made, outbound=Outbound(look_up=lambda _host, _port: ()))
    store.close()


@pytest.fixture(scope="module")
def key(services):
    organisation = administer.create_organisation(services, "Ward 7")
    return administer.create_key(services, organisation.id, name="k", scopes=tuple(SCOPES))[1]


@pytest.fixture(scope="module")
def app(services):
    return create_app(services)


@pytest.fixture(scope="module")
def schema(app):
    return schemathesis.openapi.from_wsgi("/api/openapi.json", app)


@pytest.fixture(scope="module")
def headers(key):
    """Both places of a key, lest one is made up; and no packing, which a call in-process keeps."""
    return {"Authorization": f"Bearer {key}", "X-API-Key": key, "Accept-Encoding": "identity"}


@pytest.fixture(scope="module")
def there(app, headers):
    """What is there, by the name of the parameter it is asked with."""
    client = app.test_client()
    panel = client.post("/api/v1/panels", json=PANEL, headers=headers).json["id"]
    asked = {"name": "Lab", "application": "LIS", "facility": "NORTH", "settings": {}}
    sender = client.post("/api/v1/senders", json=asked, headers=headers).json["id"]
    services = client.get("/cds-services").json["services"]
    return {
        "panel_id": [panel],
        "resource_id": [panel, f"{panel}-potassium"],
        "sender_id": [sender],
        "service_id": [one["id"] for one in services],
        "kind": ["DiagnosticReport", "Observation", "Bundle", "analytes", "sources"],
        "version": [1],
    }


@pytest.mark.parametrize(
    "mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE], ids=["as documented", "against it"]
)
@pytest.mark.parametrize("label", LABELS)
def test_every_answer_is_documented(schema, headers, there, label, mode):
    method, path = label.split(" ")
    cases = schema[path][method].as_strategy(generation_mode=mode)

    @settings(
        max_examples=EXAMPLES,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=cases, data=st.data())
    def holds(case, data):
        known = set(there) if mode is GenerationMode.POSITIVE else ()
        for name in set(case.path_parameters or ()).intersection(known):
            case.path_parameters[name] = data.draw(
                st.sampled_from([case.path_parameters[name], *there[name]])
            )
        case.call_and_validate(headers=headers, checks=CHECKED)

    try:
        holds()
    except Unsatisfiable:
        assert mode is GenerationMode.NEGATIVE, "no request can be made of what is documented"


@pytest.fixture
def listening(app):
    """The application's address while it is served."""
    server = waitress.create_server(app, host="127.0.0.1", port=0, threads=4)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.effective_port}"
    server.close()
    thread.join(10)


if PROVING:  # it takes many minutes

    def test_the_command_finds_nothing_with_all_its_checks_and_phases(listening, key, tmp_path):
        command = [
            *(
                Path(sys.executable).with_name("schemathesis"),
                f"--config-file={ROOT}/schemathesis.toml",
            ),
            *("run", f"{listening}/api/openapi.json", "--checks=all", "--continue-on-failure"),
            *("--phases=examples,coverage,fuzzing,stateful", "--max-examples=50"),
            *("--header", f"Authorization: Bearer {key}"),
        ]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout[-20_000:]
