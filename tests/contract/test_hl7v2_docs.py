"""The page about HL7 v2 does what it says: its commands are run."""

import json
import socket
import subprocess
import sys

from labinterp.usecases import administer, journey
from tests.contract.test_calling_docs import Reader, _answers, site  # noqa: F401 - a fixture
from tests.workers.harness import until


def test_a_message_is_sent_and_a_sender_agreed_with_as_the_page_says(site, tmp_path):  # noqa: F811
    folder = tmp_path / "reader"
    folder.mkdir()
    reader = Reader("send-hl7v2.md", folder, site, site.ports)
    send, interpret, agree = reader.commands
    organisation = administer.create_organisation(site.services, "Demo")
    scopes = ("panels:write",)
    _, key = administer.create_key(site.services, organisation.id, name="page", scopes=scopes)
    base = f"http://127.0.0.1:{site.ports['8000']}"
    until(lambda: _answers(reader, f"curl -sf {base}/healthz"))
    assert "MSA|AA|NL-1\n" in reader.run(send, KEY=key)
    assert "agnesium" in reader.run(interpret)
    assert "NORTHLAB" in reader.run(agree)
    sender = reader.run("python -m labinterp senders list").split("\n")[1].split()[0]
    tried = reader.run(f"python -m labinterp senders try {sender} --settings north.json")
    assert tried == "NL-1: stays\n"
    reader.run(f"python -m labinterp senders change {sender} --settings north.json")
    reader.run(f"python -m labinterp senders delete {sender}")
    _messages_are_read_again_as_the_next_page_says(site, tmp_path, organisation)
    _results_go_out_as_their_page_says(site, tmp_path, organisation)


def _messages_are_read_again_as_the_next_page_says(site, tmp_path, organisation):  # noqa: F811
    folder = tmp_path / "administrator"
    folder.mkdir()
    reader = Reader("read-messages.md", folder, site, site.ports)
    send, look, agree, replay = reader.commands
    _, key = administer.create_key(site.services, organisation.id, name="a", scopes=("admin",))
    assert "MSA|AA|SL-1\n" in reader.run(send, KEY=key)
    assert "OBX[1]" in reader.run(look, KEY=key)
    messages = json.loads((folder / "messages.json").read_text())["messages"]
    where = {"KEY": key, "MESSAGE": messages[0]["links"]["self"]}
    tried = reader.run(agree, **where)
    assert "corrected" in tried
    assert "-> ['magnesium: 0.52 mmol/L, low, flag L']" in tried
    reader.run(replay, **where)
    done = json.loads((folder / "replayed.json").read_text())
    assert [one["version"] for one in done["panels"]] == [2]


def _results_go_out_as_their_page_says(site, tmp_path, organisation):  # noqa: F811
    folder = tmp_path / "sender"
    folder.mkdir()
    reader = Reader("send-results-out.md", folder, site, site.ports)
    register, deliveries = reader.commands
    _, key = administer.create_key(site.services, organisation.id, name="o", scopes=("admin",))
    rest = register.split("\n", 1)[1]
    receiver = subprocess.Popen(
        [sys.executable, "ehr.py", str(site.ports["9000"])],
        cwd=folder,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        rest = rest.replace("mllp://127.0.0.1:9000", f"mllp://127.0.0.1:{site.ports['9000']}")
        reader.run(rest, KEY=key)
        panel = json.dumps({"results": [{"test": "Potassium", "value": "3.40", "unit": "mmol/L"}]})
        base = f"http://127.0.0.1:{site.ports['8000']}"
        reader.run(
            f"curl -sf {base}/api/v1/panels -H 'Authorization: Bearer {key}'"
            f" -H 'Content-Type: application/json' -d '{panel}'"
        )
        until(lambda: _listens(site.ports["9000"]))
        journey.notify_due(site.services, "test", 10)
        said = [receiver.stdout.readline() for _ in range(4)]
        assert said[3].startswith("OBX|1|NM|2823-3^")
        (event,) = json.loads(reader.run(deliveries, KEY=key))["deliveries"]
        assert (event["status"], event["last_answer"]) == ("sent", "AA")
    finally:
        receiver.kill()
        receiver.communicate()


def _listens(port):
    """Whether somebody has the port, without speaking to them."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
