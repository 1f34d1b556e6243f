"""A real broker, a real mail server that can refuse, real worker and relay processes."""

import asyncio
import json
import os
import signal
import time
from pathlib import Path

from aiosmtpd.controller import Controller

from labinterp import bootstrap, formats
from labinterp.access import Actor
from labinterp.local.broker import Broker
from labinterp.local.ports import free_port
from labinterp.local.processes import Program, Supervised, procfile
from labinterp.local.sample import PANEL
from labinterp.usecases import administer, journey

ROOT = Path(__file__).parents[2]
COMMANDS = procfile(ROOT / "Procfile")


def until(claim, seconds=30.0, what=""):
    """Wait until the claim holds, and answer what it returned."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        answer = claim()
        if answer:
            return answer
        time.sleep(0.02)
    raise AssertionError(f"still not so after {seconds} s: {what or claim}")


class RunningBroker:
    def __init__(self, folder):
        self.folder = folder / "redis"
        self.folder.mkdir(parents=True, exist_ok=True)
        self.broker = Broker(self.folder)
        self.log = folder / "broker.log"
        self._process = None
        self.start()

    @property
    def url(self):
        return self.broker.url

    def start(self):
        program = Program(
            "broker",
            self.broker.command(),
            {"PATH": os.defpath},
            standard_input=self.broker.configuration(),
        )
        self._process = Supervised(program, self.log, time.monotonic)
        self._process.start()
        until(self.broker.answers)

    def stop(self, *, at_once=False):
        self._process.stop(at_once=at_once)


class MailServer:
    """Keeps what it takes; `replies` says what it answers next, one entry a mail.

    `("RCPT", "550 no")` and `("DATA", "451 later")` answer so; `("DATA", "drop")` keeps the mail and
    closes the line before it answers; `("DATA", 3.0)` answers so many seconds later.
    """

    def __init__(self):
        self.mails = []
        self.replies = []
        self.port = free_port()
        self._controller = None
        self.start()

    def start(self):
        self._controller = Controller(self, hostname="127.0.0.1", port=self.port)
        self._controller.start()

    def stop(self):
        self._controller.stop()

    def _reply(self, step):
        if self.replies and self.replies[0][0] == step:
            return self.replies.pop(0)[1]
        return None

    async def handle_RCPT(self, _server, _session, envelope, address, _options):  # noqa: N802
        refusal = self._reply("RCPT")
        if refusal is None:
            envelope.rcpt_tos.append(address)
        return refusal or "250 ok"

    async def handle_DATA(self, server, _session, envelope):  # noqa: N802
        reply = self._reply("DATA")
        if isinstance(reply, str) and reply != "drop":
            return reply
        self.mails.append(envelope.content)
        if reply == "drop":
            server.transport.abort()
        elif reply:
            await asyncio.sleep(reply)
        return "250 kept"


class Site:
    """One installation in a folder: its database, and the processes that were started for it."""

    def __init__(self, folder, broker_url, smtp_port, **settings):
        self.folder = folder
        self.environment = {
            "PATH": os.defpath,
            "DATA_DIR": str(folder / "data"),
            "REDIS_URL": broker_url,
            "SMTP_HOST": "127.0.0.1",
            "SMTP_PORT": str(smtp_port),
            "SMTP_TLS": "none",
            "RELAY_INTERVAL": "0.3",
            "RETRY_FIRST": "0.2",
            "OPERATOR_DELAY": "0.5",
            "BROKER_TIMEOUT": "1",
            **settings,
        }
        self.services = bootstrap.services(self.environment)
        bootstrap.upgrade(self.services)
        demo = administer.ensure_demo(self.services)
        self.actor = Actor(
            demo.organisation.id, "Demo", "system", "system", "test", frozenset({"admin"})
        )
        self._processes = []

    def start(self, name):
        program = Program(name, COMMANDS[name], self.environment, ROOT)
        process = Supervised(program, self.folder / f"{name}.log", time.monotonic)
        process.start()
        self._processes.append(process)
        return process

    def accept(self, to="clinician@example.org", **members):
        panel = {**json.loads(PANEL.read_text()), **members}
        panel["deliver"] = {"email": [to] if isinstance(to, str) else to, "as": "link"}
        reading = formats.read("json", json.dumps(panel).encode(), self.services.now())
        return journey.take(self.services, self.actor, reading.received[0]).panel_id

    def work(self):
        """What the tasks do, in this process: everything that is due now."""
        while journey.draw_due(self.services, "test", 1):
            pass
        while journey.deliver_due(self.services, "test", 1):
            pass

    def work_until(self, claim):
        """Work, as the relay has it done again and again, until the claim holds."""

        def worked():
            self.work()
            return claim()

        until(worked)

    def record(self, panel_id):
        return journey.read_panel(self.services, self.actor, panel_id)

    def mails(self, panel_id):
        return [delivery.status for delivery in self.record(panel_id).deliveries]

    def is_sent(self, panel_id):
        record = self.record(panel_id)
        return record.report.status == "ready" and all(
            delivery.status == "sent" for delivery in record.deliveries
        )

    def stop(self):
        for process in self._processes:
            process.stop()


def kill(process):
    """As the kernel or a power cut does it: the whole group, at once."""
    os.killpg(process.pid, signal.SIGKILL)
    process.stop(at_once=True)
