"""One command starts everything on this machine, shows the sample's way, and stops cleanly."""

import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from labinterp.local.ports import free_port
from tests.workers.harness import until

# In one group: two of them at once would reach for the same port of the mailbox.
pytestmark = [pytest.mark.redis, pytest.mark.slow, pytest.mark.xdist_group("up")]
ROOT = Path(__file__).parents[2]
LAST_LINE = "Data and logs"
_PATIENCE = 120  # s, for a machine that has much else to do


class Up:
    """`labinterp up` in a folder and on a port, and what it printed."""

    def __init__(self, data, port, **settings):
        self.data, self.port = Path(data), port
        self.lines = []
        environment = {
            "PATH": os.defpath,
            "DATA_DIR": str(data),
            "PORT": str(port),
            "MLLP_PORT": str(free_port()),
            **settings,
        }
        self.process = subprocess.Popen(
            (sys.executable, "-m", "labinterp", "up"),
            cwd=ROOT,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def shown(self):
        for line in self.process.stdout:
            self.lines.append(line.rstrip("\n"))
            if line.startswith(LAST_LINE):
                break
        return "\n".join(self.lines)

    def address(self, name):
        said = "\n".join(self.lines)
        found = re.search(rf"^{name} +(\S+)", said, re.MULTILINE)
        assert found, f"no {name} in:\n{said}"
        return found[1]

    def processes(self):
        listed = subprocess.run(
            ("ps", "-eo", "pid=,ppid="), capture_output=True, text=True, check=True
        ).stdout.split("\n")
        parents = {int(line.split()[0]): int(line.split()[1]) for line in listed if line.strip()}
        found, search = set(), {self.process.pid}
        while search:
            found |= search
            search = {pid for pid, parent in parents.items() if parent in search} - found
        return found

    def __str__(self):
        """What it said, for the message of a test that waited in vain."""
        ended = self.process.poll() is not None
        return "\n".join([*self.lines, *(self.process.stdout if ended else ())])

    def end(self, number=signal.SIGINT):
        if self.process.poll() is None:
            self.process.send_signal(number)
        rest, _ = self.process.communicate(timeout=_PATIENCE)
        self.lines += (rest or "").splitlines()
        return self.process.returncode


@pytest.fixture
def up(tmp_path):
    started = []

    def start(data=tmp_path / "data", port=None, **settings):
        made = Up(data, port or free_port(), **settings)
        started.append(made)
        return made

    yield start
    for one in started:
        one.end()


def get(address, key=None):
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    with urllib.request.urlopen(urllib.request.Request(address, headers=headers)) as answer:  # noqa: S310 - our own
        return answer.read()


def test_one_command_leads_to_an_interpretation_a_pdf_and_a_mail(up):
    first = up()
    shown = first.shown()
    assert "Urgency: emergency" in shown
    assert "PDF: ready. Mail: sent." in shown
    assert "\x1b" not in shown  # no progress and no colour in a pipe
    key = first.address("API key")
    panel_id = first.address("Result page").rsplit("/", 1)[1]
    api = f"http://127.0.0.1:{first.port}/api/v1/panels"

    assert get(f"{api}/{panel_id}/report.pdf", key).startswith(b"%PDF-")
    mailbox = get(first.address("Mailbox")).decode()
    number = json.loads(get(f"{api}/{panel_id}", key))["report"]["number"]
    assert mailbox.count(f"A report is ready ({number})") == 1
    assert get(first.address("Sign in")).startswith(b"<!")
    processes = first.processes()
    assert len(processes) > 4
    made = [path for path in first.data.rglob("*") if not path.is_symlink()]
    assert [path.name for path in made if path.exists() and path.stat().st_mode & 0o077] == []

    assert first.end() == 0
    assert first.lines[-1].startswith("Stopped.")
    until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in processes))

    second = up()
    again = second.shown()
    assert "API key" not in again
    assert second.address("Result page").endswith(panel_id)
    assert second.address("Sign in") != first.address("Sign in")
    assert len(json.loads(get(f"http://127.0.0.1:{second.port}/api/v1/panels", key))["panels"]) == 1
    assert get(second.address("Mailbox")).decode().count("A report is ready") == 1
    assert second.end(signal.SIGTERM) == 0


def test_what_is_killed_comes_back_and_what_was_accepted_goes_on(up):
    running = up()
    running.shown()
    panel_id = running.address("Result page").rsplit("/", 1)[1]
    key = running.address("API key")
    api = f"http://127.0.0.1:{running.port}/api/v1/panels"
    for pid in running.processes() - {running.process.pid}:
        os.kill(pid, signal.SIGKILL)

    def is_back():
        try:
            return json.loads(get(f"{api}/{panel_id}", key))["report"]["status"] == "ready"
        except (urllib.error.URLError, ConnectionError):
            return False

    until(is_back, _PATIENCE)
    body = json.dumps({"email": ["second@example.org"], "as": "link"}).encode()
    send = urllib.request.Request(  # noqa: S310 - our own
        f"{api}/{panel_id}/deliveries",
        body,
        {"Authorization": f"Bearer {key}", "Content-Type": "application/json"},
    )
    with urllib.request.urlopen(send) as answer:  # noqa: S310 - our own
        assert answer.status == 202
    until(lambda: "second@example.org" in get(running.address("Mailbox")).decode(), 60)


def test_killed_itself_it_leaves_no_process_behind(up):
    running = up()
    running.shown()
    left = Left(running.processes())
    running.process.kill()
    running.process.wait()
    until(left.nothing, _PATIENCE, left)


class Left:
    """Processes that should end, by what they were called, for the message of a test that waited in vain."""

    def __init__(self, processes):
        self.commands = {pid: Path(f"/proc/{pid}/cmdline") for pid in processes}

    def nothing(self):
        return not any(map(_is_alive, self.commands))

    def __str__(self):
        alive = [pid for pid in self.commands if _is_alive(pid)]
        return "; ".join(self.commands[pid].read_text().replace("\0", " ") for pid in alive)


def _is_alive(pid):
    try:
        return ") Z " not in Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False


def test_a_second_one_with_the_same_data_is_told_so(up):
    running = up()
    running.shown()
    other = up()
    other.process.wait(_PATIENCE)
    assert other.end() == 3
    assert "Another `python -m labinterp up` runs with the data in" in "\n".join(other.lines)


def test_a_port_in_use_is_named_and_another_one_proposed(up):
    import socket

    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        running = up(port=port)
        running.process.wait(_PATIENCE)
    assert running.end() == 3
    assert f"Port {port} is in use" in running.lines[0]
    assert "PORT=" in running.lines[0]


def test_stopped_while_it_starts_it_leaves_nothing_running(up):
    running = up()
    time.sleep(3)
    processes = running.processes()
    assert running.end() == 0
    until(lambda: not any(_is_alive(pid) for pid in processes))


def test_a_first_key_is_shown_also_when_something_did_not_start(up):
    running = up()
    os.kill(until(lambda: _named(running, "serve"), _PATIENCE, running), signal.SIGKILL)
    running.process.wait(_PATIENCE)
    assert running.end() == 3
    assert any(line.startswith("API key ") for line in running.lines)
    assert any("web ended" in line for line in running.lines)


def _named(running, word):
    for pid in running.processes():
        try:
            if word in Path(f"/proc/{pid}/cmdline").read_text().split("\0"):
                return pid
        except OSError:
            continue
    return None


def test_told_twice_it_stops_at_once(up):
    running = up()
    running.shown()
    processes = running.processes()
    running.process.send_signal(signal.SIGINT)
    running.process.send_signal(signal.SIGTERM)
    running.process.wait(20)
    until(lambda: not any(_is_alive(pid) for pid in processes))
