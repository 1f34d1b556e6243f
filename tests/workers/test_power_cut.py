"""The power fails at random moments of a load: of what was answered nothing is missing afterwards.

How many cuts is set by `make prove` (POWER_CUTS), which also has the other processes run and the other doors used.
"""

import contextlib
import os
import random
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading

import pytest
import requests
from sqlalchemy import text

from labinterp import bootstrap
from labinterp.access import Actor
from labinterp.local.ports import free_port
from labinterp.local.sample import PANEL
from labinterp.usecases import administer, audit_trail, journey
from tests.workers.harness import ROOT, until
from tests.workers.power import Disk, strace

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]
A_FEW = 6
CUTS = int(os.environ.get("POWER_CUTS", A_FEW))  # noqa: TID251 - how thorough, set by `make prove`
WHOLE = CUTS > A_FEW
SENDERS, PANELS = (4, 40) if WHOLE else (2, 3)
_PANEL = re.compile(rb"/panels/([0-9a-v]{26})")
_TAKEN = re.compile(rb"MSA\|AA\|(P-\d+)")


class Recorded:
    """A load from an empty folder on, as `strace` saw it."""

    def __init__(self, folder):
        self.folder = folder
        self.root = folder / "site"
        self.root.mkdir()
        self.log = folder / "calls"
        self.port, self.mllp_port = free_port(), free_port()
        self.environment = {
            "PATH": os.defpath,
            "DATA_DIR": str(self.root / "data"),
            "PORT": str(self.port),
            "MLLP_PORT": str(self.mllp_port),
            "MLLP_ORGANISATION": "Demo",
            "REDIS_URL": f"redis://127.0.0.1:{free_port()}/0",  # nobody: what is due stays due
            "SMTP_PORT": str(free_port()),
            "SMTP_TLS": "none",
            "BROKER_TIMEOUT": "0.2",
            "REQUEST_RATE": "100000 per minute",
            "STOP_GRACE": "2",
        }
        self._record()
        self.lines = self.log.read_text(encoding="ascii").splitlines()

    def _record(self):
        key = self.folder / "key"
        beside = ("mllp", "relay") if WHOLE else ()
        command = (sys.executable, "-m", "tests.workers.power_site", str(key), *beside)
        with (self.folder / "site.log").open("wb") as log:
            process = subprocess.Popen(
                (*strace(self.log), *command),
                env=self.environment,
                cwd=ROOT,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
            try:
                until(self._serves, 120, self.folder)
                said, _, number = key.read_text().partition(" ")
                threads = [
                    threading.Thread(target=self._send, args=(said, sender))
                    for sender in range(SENDERS)
                ]
                threads += [threading.Thread(target=self._say)] if WHOLE else []
                for thread in threads:
                    thread.start()
                for thread in threads:
                    thread.join()
                os.kill(int(number), signal.SIGTERM)
                process.wait(60)
            finally:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                process.wait()

    def _serves(self):
        try:
            if WHOLE:
                socket.create_connection(("127.0.0.1", self.mllp_port), 2).close()
            return requests.get(f"http://127.0.0.1:{self.port}/healthz", timeout=2).ok
        except OSError:  # those of requests too
            return False

    def _send(self, key, number):
        for turn in range(PANELS):
            answer = requests.post(
                f"http://127.0.0.1:{self.port}/api/v1/panels",
                data=PANEL.read_bytes().replace(b"TEST-0001", b"P%d-%d" % (number, turn)),
                headers={
                    "Authorization": f"Bearer {key}",
                    "Content-Type": "application/json",
                    "Idempotency-Key": f"power-{number}-{turn}",
                },
                timeout=60,
            )
            assert answer.status_code == 201, answer.text

    def _say(self):
        for number in range(PANELS):
            message = (
                f"MSH|^~\\&|LIS|LAB|US|HERE|20260304113200+0100||ORU^R01|P-{number}|P|2.5.1\r"
                f"PID|1||HL7-{number}^^^LAB^MR||Doe^Jane||19790614|F\r"
                f"OBR|1||P-{number}|CHEM|||20260304081000+0100||||||||||||||||||F\r"
                "OBX|1|NM|2823-3^Potassium^LN||2.9|mmol/L|3.5-5.1||||F\r"
            )
            with socket.create_connection(("127.0.0.1", self.mllp_port), 5) as line:
                line.settimeout(60)
                line.sendall(b"\x0b" + message.encode() + b"\x1c\r")
                while b"\x1c" not in line.recv(65536):
                    pass

    def answers(self):
        """Just after each line in which the id of a panel left."""
        found = [
            number
            for number, line in enumerate(self.lines, 1)
            if "sendto(" in line and r"\x2f\x70\x61\x6e\x65\x6c\x73\x2f" in line
        ]
        assert len(found) >= SENDERS * PANELS
        return found

    def moments(self, rng, count):
        """Where to cut: half of them where an answer has just left, half anywhere after the start."""
        answers = self.answers()
        anywhere = rng.sample(range(1, len(self.lines)), count - count // 2)
        return sorted([*rng.sample(answers, min(count // 2, len(answers))), *anywhere])

    def cut(self, moments, **kind):
        """The disk at each of these moments, and what had been answered by then."""
        disk = Disk(self.root, **kind)
        done = 0
        for moment in moments:
            for line in self.lines[done:moment]:
                disk.take(line)
            done = moment
            said = b"\n".join(data for _, data in disk.sent)
            yield (
                disk,
                {one.decode() for one in _PANEL.findall(said)},
                {one.decode() for one in _TAKEN.findall(said)},
            )

    def opened(self, folder):
        """The service on what is left, brought up as after any other end."""
        services = bootstrap.services({**self.environment, "DATA_DIR": str(folder / "data")})
        bootstrap.upgrade(services)
        return services


@pytest.fixture(scope="module")
def recorded(tmp_path_factory):
    tried = shutil.which("strace") and subprocess.run(
        ["strace", "-o", os.devnull, "true"], check=False
    )
    if not tried or tried.returncode:
        pytest.skip("strace is not installed, or may not look at processes here")
    return Recorded(tmp_path_factory.mktemp("power"))


def left(services):
    """The panels and messages that are there, if the database is whole."""
    with services.store.reading() as connection:
        assert connection.scalar(text("PRAGMA integrity_check")) == "ok"
        panels = set(connection.execute(text("SELECT id FROM panel")).scalars())
        messages = set(connection.execute(text("SELECT control_id FROM message")).scalars())
        work = connection.scalar(text("SELECT count(*) FROM report WHERE status = 'queued'"))
    assert work == len(panels)
    return panels, messages


@pytest.mark.hazard("panel-lost")
def test_after_a_power_cut_everything_that_was_answered_is_there(
    recorded, tmp_path, record_property
):
    rng = random.Random(os.environ.get("POWER_SEED"))  # noqa: S311, TID251 - to see a cut again
    answered = {}
    for number, (disk, panels, messages) in enumerate(recorded.cut(recorded.moments(rng, CUTS))):
        chance = rng.choice((0, 0, 0.1, 0.5, 0.9, 1))
        folder = tmp_path / str(number)
        disk.lay_out(folder, chance, rng)
        services = recorded.opened(folder)
        there, said = left(services)
        assert panels <= there, (number, chance, panels - there)
        assert messages <= said, (number, chance, messages - said)
        assert not audit_trail.verify(services).breaks
        demo = administer.ensure_demo(services).organisation
        actor = Actor(demo.id, "Demo", "system", "system", "test", frozenset({"admin"}))
        for panel in panels:
            assert journey.read_panel(services, actor, panel).report.status == "queued"
        answered[number] = len(panels)
        services.store.close()
        shutil.rmtree(folder)
    record_property("cuts", len(answered))
    record_property("answered before the last cut", max(answered.values()))


@pytest.mark.hazard("panel-lost")
def test_a_log_that_is_not_synced_at_every_commit_would_lose_panels_in_this_test(
    recorded, tmp_path
):
    """As `synchronous=NORMAL` does it; else the test above would prove nothing."""
    lost = set()
    # Each checkpoint syncs what was before it, so one moment alone may happen to lose nothing.
    moments = recorded.answers()[:: max(1, SENDERS * PANELS // 4)]
    for number, (disk, panels, _) in enumerate(recorded.cut(moments, deaf="-wal")):
        disk.lay_out(tmp_path / str(number), 0, random.Random(1))  # noqa: S311
        services = recorded.opened(tmp_path / str(number))
        lost |= panels - left(services)[0]
        services.store.close()
    assert lost
