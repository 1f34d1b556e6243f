"""An installation of which one part after another is killed, and those who send to it meanwhile."""

import contextlib
import json
import os
import random
import resource
import shutil
import socket
import sys
import threading
import time
from email import message_from_bytes

import requests

from labinterp.local.ports import free_port
from labinterp.local.processes import Program, Supervised
from labinterp.local.sample import PANEL
from labinterp.usecases import administer
from tests.workers.harness import ROOT, RunningBroker, Site, until
from tests.workers.mail_process import UNANSWERED

# How long one sender tries to be heard [s]: on a machine that is busy with other things, a process that was killed needs
# many seconds to be there again, and the longest thing to send, a table, is often cut off before its answer.
PATIENCE = 900.0
A_DISK = 1  # how long a file may be that a process still writes to once its disk is full [bytes]


class MailProcess:
    """The mail server, and the mails it took."""

    def __init__(self, folder, mood):
        self.port = free_port()
        self.folder = folder / "mails"
        command = (
            sys.executable,
            "-m",
            "tests.workers.mail_process",
            str(self.port),
            str(self.folder),
            mood,
        )
        program = Program("smtp", command, {"PATH": os.defpath}, ROOT)
        self.process = Supervised(program, folder / "smtp.log", time.monotonic)
        self.process.start()

    def unanswered(self):
        """How many mails were kept whose sender was told nothing, because the line was closed."""
        return len(list(self.folder.glob(f"*{UNANSWERED}.eml")))

    def message_ids(self):
        return [
            str(message_from_bytes(mail.read_bytes())["Message-ID"])
            for mail in self.folder.glob("*.eml")
        ]


class Chaos:
    """The processes of the Procfile, with a broker and a mail server of their own."""

    def __init__(self, folder, mood="well", **settings):
        self.mood = mood
        self.mail = MailProcess(folder, mood)
        self.broker = RunningBroker(folder)
        self.port, self.mllp_port = free_port(), free_port()
        self.site = Site(
            folder,
            self.broker.url,
            self.mail.port,
            PORT=str(self.port),
            MLLP_PORT=str(self.mllp_port),
            MLLP_ORGANISATION="Demo",
            REQUEST_RATE="100000 per minute",
            STOP_GRACE="5",
            # A worker that was killed by this test is seen to be dead; none waits for its lease.
            DELIVERY_UNFINISHED="10",
            DELIVERY_ATTEMPTS="50",
            REPORT_ATTEMPTS="50",
            RETRY_CEILING="2",
            **settings,
        )
        organisation = administer.ensure_demo(self.site.services).organisation
        _, self.key = administer.create_key(
            self.site.services, organisation.id, name="Chaos", scopes=["admin"]
        )
        self.processes = {
            name: self.site.start(name) for name in ("web", "worker", "mllp", "relay")
        }
        self.killed = []
        until(self.answers, 60)

    @property
    def address(self):
        return f"http://127.0.0.1:{self.port}"

    def answers(self):
        try:
            return requests.get(f"{self.address}/healthz", timeout=2).ok
        except requests.RequestException:
            return False

    def kill(self, name):
        """Kill one part with SIGKILL and start it again."""
        self.killed.append(name)
        if name.startswith("redis"):
            self.broker.stop(at_once=True)
            if name == "redis without its data":
                shutil.rmtree(self.broker.folder)
                self.broker.folder.mkdir()
            self.broker.start()
            return
        process = self.mail.process if name == "smtp" else self.processes[name]
        process.stop(at_once=True)
        process.start()

    def fill_the_disk(self, seconds):
        """Let no process make any file longer: neither the database nor its own log."""
        self.killed.append("disk")
        ids = [one.pid for one in self.processes.values()]
        for pid in ids:
            _limit(pid, A_DISK)
        time.sleep(seconds)
        for pid in ids:
            _limit(pid, resource.RLIM_INFINITY)

    def stop(self):
        self.site.stop()
        self.site.services.store.close()
        self.mail.process.stop()
        self.broker.stop()


def _limit(pid, size):
    with contextlib.suppress(ProcessLookupError):
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))


class Senders:
    """Those who send: each says what it has until it is answered that it was taken."""

    def __init__(self, chaos, count):
        self.chaos = chaos
        third = count // 3
        self.strange = []  # answers that nobody may give
        self.to_nobody = set()
        self.taken = {"api": set(), "hl7v2": set(), "csv": set()}
        self._threads = [
            threading.Thread(target=self._all_of, args=(send, numbers), daemon=True)
            for send, numbers in (
                (self._panel, range(third)),
                (self._message, range(third)),
                (self._table, range(third // 10)),
            )
        ]

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_):
        for thread in self._threads:
            thread.join(PATIENCE)

    @property
    def at_work(self):
        return any(thread.is_alive() for thread in self._threads)

    def _all_of(self, send, numbers):
        for number in numbers:
            end = time.monotonic() + PATIENCE
            while not send(number):
                time.sleep(random.uniform(0.05, 0.3))  # noqa: S311
                if time.monotonic() > end:
                    self.strange.append(f"{send.__name__} {number} was never taken")
                    return

    def _post(self, path, **request):
        """The answer, or None where there was none that counts."""
        headers = {"Authorization": f"Bearer {self.chaos.key}", **request.pop("headers", {})}
        try:
            answer = requests.post(
                f"{self.chaos.address}{path}", headers=headers, timeout=20, **request
            )
        except requests.RequestException:
            return None
        if not answer.ok and answer.status_code not in (409, 503):
            self.strange.append(f"{path}: {answer.status_code} {answer.text[:200]}")
        return answer if answer.ok else None

    def _panel(self, number):
        panel = json.loads(PANEL.read_text())
        panel["patient"]["identifier"]["value"] = f"API-{number}"
        panel["deliver"] = {"email": [self._reader(number)], "as": "link"}
        answer = self._post(
            "/api/v1/panels", json=panel, headers={"Idempotency-Key": f"chaos-{number}"}
        )
        if answer is not None:
            self.taken["api"].add(answer.json()["id"])
        return answer is not None

    def _reader(self, number):
        """Every fifth address is one that the mail server will not know, where it is so minded."""
        if self.chaos.mood != "never" or number % 5:
            return f"reader{number}@example.org"
        self.to_nobody.add(number)
        return f"gone{number}@example.org"

    def _message(self, number):
        message = (
            f"MSH|^~\\&|LIS|LAB|US|HERE|20260304113200+0100||ORU^R01|C-{number}|P|2.5.1\r"
            f"PID|1||HL7-{number}^^^LAB^MR||Doe^Jane||19790614|F\r"
            f"OBR|1||C-{number}|CHEM|||20260304081000+0100||||||||||||||||||F\r"
            "OBX|1|NM|2823-3^Potassium^LN||2.9|mmol/L|3.5-5.1||||F\r"
        )
        try:
            with socket.create_connection(("127.0.0.1", self.chaos.mllp_port), 5) as line:
                line.settimeout(20)
                line.sendall(b"\x0b" + message.encode() + b"\x1c\r")
                answer = b""
                while b"\x1c" not in answer:
                    part = line.recv(65536)
                    if not part:
                        return False
                    answer += part
        except OSError:
            return False
        if b"MSA|AA|" in answer:
            self.taken["hl7v2"].add(number)
        return b"MSA|AA|" in answer

    def _table(self, number):
        rows = [
            f"CSV-{number}-{row},urn:example:mrn,1971-05-04,female,2026-01-02T08:00:00Z,Potassium,2.90,mmol/L"
            for row in range(10)
        ]
        head = "identifier,issuer,birth_date,sex,collected_at,test,value,unit"
        file = {"file": ("results.csv", "\n".join([head, *rows, ""]), "text/csv")}
        answer = self._post("/api/v1/panels/import", files=file)
        if answer is None:
            return False
        self.taken["csv"] |= {
            one["url"] for one in answer.json()["outcomes"] if one["status"] == "stored"
        }
        return answer.json()["stored"] == len(rows)

    def send_the_rest(self):
        """What came by a door that names no reader is sent to one, as its sender would do it."""
        cursor, left = "", []
        while cursor is not None:
            answer = None
            while answer is None:
                answer = self._get(f"/api/v1/panels?limit=100{cursor}")
            left += [one["id"] for one in answer["panels"] if one["id"] not in self.taken["api"]]
            cursor = f"&cursor={answer['next_cursor']}" if answer["next_cursor"] else None
        for panel in left:
            body = {"email": [f"reader-{panel}@example.org"]}
            key = {"Idempotency-Key": f"send-{panel}"}
            until(
                lambda: self._post(f"/api/v1/panels/{panel}/deliveries", json=body, headers=key),  # noqa: B023
                PATIENCE,
            )

    def _get(self, path):
        try:
            answer = requests.get(
                f"{self.chaos.address}{path}",
                headers={"Authorization": f"Bearer {self.chaos.key}"},
                timeout=20,
            )
        except requests.RequestException:
            time.sleep(0.2)
            return None
        return answer.json() if answer.ok else None
