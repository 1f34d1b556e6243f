"""The pages about SMART, webhooks and bulk do what they say: their scripts and commands are run."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from labinterp.local.ports import free_port
from labinterp.usecases import administer, journey
from tests.workers.harness import Site, until

PAGES = Path(__file__).parents[2] / "docs" / "how-to"
ROOT = PAGES.parents[1]
BLOCK = re.compile(r'```(\w+)(?: title="([\w.]+)")?\n(.+?)```', re.DOTALL)
PANEL = {
    "patient": {"birth_date": "1971-05-01", "sex": "female"},
    "results": [{"test": "Potassium", "value": "3.40", "unit": "mmol/L"}],
}


class Reader:
    """Someone who follows a page in an empty folder, on a machine of their own."""

    def __init__(self, page, folder, site, ports):
        self.folder = folder
        self.text = (PAGES / page).read_text(encoding="utf-8")
        for old, new in ports.items():
            self.text = self.text.replace(f"127.0.0.1:{old}", f"127.0.0.1:{new}")
            self.text = self.text.replace(f"receiver.py {old}", f"receiver.py {new}")
        blocks = BLOCK.findall(self.text)
        for _, name, content in blocks:
            if name:
                (folder / name).write_text(content, encoding="utf-8")
        self.commands = [content for kind, _, content in blocks if kind == "sh"]
        bin_folder = folder / "bin"
        bin_folder.mkdir()
        (bin_folder / "python").symlink_to(sys.executable)
        self.environment = {
            **site.environment,
            "PATH": f"{Path(sys.executable).parent}:{bin_folder}:{os.defpath}",
            "PYTHONPATH": str(ROOT),
        }

    def run(self, command, **more):
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", command],
            cwd=self.folder,
            env={**self.environment, **more},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, (command, done.stdout, done.stderr)
        return done.stdout


@pytest.fixture
def site(tmp_path):
    if not shutil.which("curl"):
        pytest.skip("curl is not installed")
    ports = {"8000": free_port(), "9000": free_port()}
    made = Site(
        tmp_path,
        "redis://127.0.0.1:1/0",
        1,
        PORT=str(ports["8000"]),
        OUTBOUND_ALLOW=f"127.0.0.1:{ports['9000']}",
    )
    made.ports = ports
    made.start("web")
    yield made
    made.stop()


def _reader(site, page, tmp_path):
    folder = tmp_path / "reader"
    folder.mkdir()
    return Reader(page, folder, site, site.ports)


def test_a_system_is_connected_as_the_page_says(site, tmp_path):
    reader = _reader(site, "connect-smart-backend.md", tmp_path)
    make_key, register, discover, use = reader.commands
    reader.run(make_key)
    client_id = re.search(r"client id +(\w+)", reader.run(register))[1]
    until(lambda: _answers(reader, discover))
    found = json.loads(reader.run(discover))
    assert found["token_endpoint"] == f"http://127.0.0.1:{site.ports['8000']}/oauth/token"
    assert json.loads(reader.run(use, CLIENT_ID=client_id))["panels"] == []
    reader.run(f"python -m labinterp clients revoke {client_id}")
    assert client_id in reader.run("python -m labinterp clients list")


def _answers(reader, command):
    try:
        reader.run(command)
    except AssertionError:
        return False
    return True


def test_webhooks_and_subscriptions_are_received_as_the_page_says(site, tmp_path):
    reader = _reader(site, "receive-webhooks.md", tmp_path)
    register, deliveries, change, subscribe = reader.commands
    organisation = administer.create_organisation(site.services, "Demo")
    _, key = administer.create_key(site.services, organisation.id, name="page", scopes=("admin",))
    base = f"http://127.0.0.1:{site.ports['8000']}"
    until(lambda: _answers(reader, f"curl -sf {base}/healthz"))
    start, rest = register.split("\n", 1)
    program = start.removesuffix(" &").split()
    receiver = subprocess.Popen(
        [sys.executable, *program[1:]],
        cwd=reader.folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        until(
            lambda: _answers(reader, f"curl -s -o /dev/null http://127.0.0.1:{site.ports['9000']}")
        )
        reader.run(rest, KEY=key)
        send = (
            f"curl -sf {base}/api/v1/panels -H 'Authorization: Bearer {key}'"
            f" -H 'Content-Type: application/json' -d '{json.dumps(PANEL)}'"
        )
        stored = json.loads(reader.run(send))["id"]
        journey.notify_due(site.services, "test", 10)
        said = receiver.stdout.readline().split()
        assert said[1:3] == ["interpretation.completed", "1"]
        assert said[3] == f"{base}/api/v1/panels/{stored}?version=1"
        listed = json.loads(reader.run(deliveries, KEY=key))["deliveries"]
        assert [(one["id"], one["status"]) for one in listed] == [(said[0], "sent")]
        webhook = json.loads((reader.folder / "webhook.json").read_text())["id"]
        reader.run(change, KEY=key, WEBHOOK=webhook)
        assert json.loads((reader.folder / "changed.json").read_text())["secret"]
        # The old secret still verifies: the reader has not taken the new one into use.
        again = f"curl -sf -X POST {base}/api/v1/webhooks/{webhook}/deliveries/{said[0]}/redeliver"
        reader.run(f"{again} -H 'Authorization: Bearer {key}'")
        journey.notify_due(site.services, "test", 10)
        assert receiver.stdout.readline().split() == said
        made = json.loads(reader.run(subscribe, KEY=key))
        assert (made["resourceType"], made["status"]) == ("Subscription", "requested")
    finally:
        receiver.terminate()
        receiver.wait()
        receiver.stdout.close()


def test_the_template_is_fetched_and_sent_as_the_page_says(site, tmp_path):
    reader = _reader(site, "send-csv.md", tmp_path)
    send, agree = (one for one in reader.commands if "curl" in one)
    organisation = administer.create_organisation(site.services, "Demo")
    _, key = administer.create_key(
        site.services, organisation.id, name="page", scopes=("panels:write",)
    )
    base = f"http://127.0.0.1:{site.ports['8000']}"
    until(lambda: _answers(reader, f"curl -sf {base}/healthz"))
    told = json.loads(reader.run(send, KEY=key))
    assert (told["stored"], told["refused"]) == (1, 0)
    _, admin = administer.create_key(site.services, organisation.id, name="a", scopes=("admin",))
    told = json.loads(reader.run(agree, KEY=key, ADMIN=admin))
    assert [(one["status"], one["problems"]) for one in told["outcomes"]] == [("stored", 0)]


def test_panels_are_sent_and_fetched_in_bulk_as_the_page_says(site, tmp_path):
    reader = _reader(site, "bulk.md", tmp_path)
    send, ask, fetch, export = reader.commands
    organisation = administer.create_organisation(site.services, "Demo")
    _, key = administer.create_key(
        site.services, organisation.id, name="page", scopes=("panels:read", "panels:write")
    )
    base = f"http://127.0.0.1:{site.ports['8000']}"
    until(lambda: _answers(reader, f"curl -sf {base}/healthz"))
    reader.run(send, KEY=key)
    assert re.search(r"x-progress: 0 of 4 done", reader.run(ask, KEY=key), re.IGNORECASE)
    while journey.background_due(site.services, "test", 1):
        pass
    assert '"output":[{"type":"stored"' in reader.run(ask, KEY=key)
    told = [json.loads(line) for line in reader.run(fetch, KEY=key).splitlines()]
    assert [(one["where"].split(",")[0], one["status"]) for one in told] == [
        ("line 1", "stored"),
        ("line 2", "stored"),
        ("line 3", "refused"),
    ]
    assert "HTTP/1.1 202" in reader.run(export, KEY=key)
    while journey.background_due(site.services, "test", 1):
        pass
    status = (reader.folder / "export.txt").read_text().strip()
    again = reader.run(f"curl -sf -H 'Authorization: Bearer {key}' '{status}'")
    assert {one["type"] for one in json.loads(again)["output"]} == {
        "DiagnosticReport",
        "Observation",
        "Provenance",
    }
