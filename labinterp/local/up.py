"""`labinterp up`: everything on this machine, with nothing configured, until Ctrl-C.

In order: the database, an embedded broker and a mailbox (unless real ones are configured), the
worker, the relay, the web server; then the sample panel goes through the API like any other, and
what came of it is printed with the addresses to look at. A second start finds the same data.
"""

from __future__ import annotations

import signal
import threading
import time
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from labinterp import __version__, bootstrap
from labinterp.errors import SettingsError, TemporaryFailure
from labinterp.local import addresses, running, sample
from labinterp.local.broker import Broker
from labinterp.local.client import Client
from labinterp.local.mail_pages import MailPages
from labinterp.local.mailbox import MailFolder, MailServer
from labinterp.local.ports import LOOPBACK, free_port, is_free
from labinterp.local.processes import Program, Supervised, Supervisor, procfile
from labinterp.usecases import administer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from labinterp.local.sample import Sample
    from labinterp.local.screen import Screen
    from labinterp.usecases.administer import Demo
    from labinterp.usecases.services import Services

_HERE: Final = Path(__file__).parents[2]
_MAILBOX_PORT: Final = 8025
_TURN: Final = 0.1
_START: Final = 90.0
_PATIENCE: Final = 30.0
_SAMPLE: Final = 60.0
_READY: Final = ("ready", "degraded")


class Stopped(Exception):
    """Someone asked to stop while everything was still starting."""


@dataclass(frozen=True, slots=True)
class Local:
    """What this start uses.

    Attributes:
        environment: for every process: the caller's, with what is embedded filled in.
        broker: ours, when none is configured.
        mail: where the mailbox keeps mails and listens, when no mail server is configured.
    """

    environment: Mapping[str, str]
    data: Path
    port: int
    broker: Broker | None
    mail: tuple[MailFolder, MailServer] | None
    mailbox_port: int


class Conductor:
    """Starts the parts, waits for them, shows what came of the sample, and stops them."""

    def __init__(self, local: Local, screen: Screen, stop: threading.Event) -> None:
        self._local = local
        self._screen = screen
        self._stop = stop
        self._has_told_key = False
        self._supervisor = Supervisor(local.data / "logs", screen.trouble)

    def run(self) -> None:
        """Start, show, serve until told to stop.

        Raises:
            TemporaryFailure: a part did not start; its log says why.
            Stopped: told to stop before everything was there.
        """
        with ExitStack() as parts:
            parts.callback(self._stop_all)
            services, demo = self._prepared()
            parts.callback(self._tell_key, demo)
            pages = self._mailbox(parts)
            self._start_all()
            seen = self._sample(services, demo)
            self._show(services, demo, seen, pages)
            while not self._stop.wait(_TURN):
                self._supervisor.tend()
            self._screen.progress("Stopping ...")
        self._screen.settled()
        self._screen.line("Stopped. The data stays in " + str(self._local.data))

    def _prepared(self) -> tuple[Services, Demo]:
        self._screen.progress("Preparing the database ...")
        services = bootstrap.services(self._local.environment)
        bootstrap.upgrade(services)
        return services, administer.ensure_demo(services)

    def _stop_all(self) -> None:
        """In order; at once when told a second time."""
        try:
            self._supervisor.stop()
        except KeyboardInterrupt:
            self._supervisor.stop(at_once=True)

    def _tell_key(self, demo: Demo) -> None:
        """The first key is never made unseen, also when something did not start."""
        if demo.key and not self._has_told_key:
            self._screen.line(f"API key       {demo.key}   (shown this once; keep it)")
            self._has_told_key = True

    def _mailbox(self, parts: ExitStack) -> MailPages | None:
        if self._local.mail is None:
            return None
        folder, server = self._local.mail
        server.start()
        parts.callback(server.stop)
        pages = MailPages(folder, self._base_url, self._local.mailbox_port)
        pages.start()
        parts.callback(pages.stop)
        return pages

    def _start_all(self) -> None:
        broker = self._local.broker
        if broker is not None:
            self._screen.progress("Starting the broker ...")
            self._supervisor.start(
                Program(
                    "broker",
                    broker.command(),
                    self._local.environment,
                    standard_input=broker.configuration(),
                    is_foundation=True,
                )
            )
            self._wait(broker.answers, _START, "the broker")
        commands = procfile(_HERE / "Procfile")
        self._screen.progress(f"Starting {', '.join(commands)} ...")
        for name, command in commands.items():
            self._supervisor.start(
                Program(name, command, self._local.environment, _HERE, patience=_PATIENCE)
            )
        self._wait(self._is_ready, _START, "the web server")

    def _is_ready(self) -> bool:
        return Client(self._local.port).get("/readyz").body.get("status") in _READY

    def _wait(self, claim: Callable[[], bool], seconds: float, what: str) -> None:
        """Until it is so; a part that ends meanwhile is not waited for."""
        end = time.monotonic() + seconds
        while not claim():
            if self._stop.wait(_TURN):
                raise Stopped
            for part in self._supervisor.programs.values():
                if part.exit_code() is not None:
                    raise TemporaryFailure(_did_not_start(part))
            if time.monotonic() > end:
                raise TemporaryFailure(f"{what} did not answer within {seconds:.0f} seconds")

    def _sample(self, services: Services, demo: Demo) -> Sample:
        """The sample panel's way, shown while it goes; its key is for this start only."""
        scopes = ("panels:write", "panels:read", "deliveries:write")
        key, secret = administer.create_key(
            services, demo.organisation.id, name="sample panel of `up`", scopes=scopes
        )
        try:
            client = Client(self._local.port, secret)
            self._screen.progress("Sending the sample panel ...")
            began = time.monotonic()
            sent = sample.submitted(client, with_mail=self._local.mail is not None)
            return sample.settled(client, sent, lambda seen: self._go_on(seen, began))
        finally:
            administer.revoke_key(services, demo.organisation.id, key.id)
            self._screen.settled()

    def _go_on(self, seen: Sample, began: float) -> bool:
        mails = ", ".join(seen.mails) or "none"
        self._screen.progress(f"Sample panel: report {seen.report}, mail {mails} ...")
        self._supervisor.tend()
        if self._stop.wait(_TURN):
            raise Stopped
        return time.monotonic() - began < _SAMPLE

    @property
    def _base_url(self) -> str:
        return self._local.environment["BASE_URL"].rstrip("/")

    def _show(self, services: Services, demo: Demo, seen: Sample, pages: MailPages | None) -> None:
        for line in self._lines(services, demo, seen, pages):
            self._screen.line(line)
        self._tell_key(demo)
        self._screen.line(f"Data and logs {self._local.data}")

    def _lines(
        self, services: Services, demo: Demo, seen: Sample, pages: MailPages | None
    ) -> Iterator[str]:
        link = administer.sign_in_link(services, demo.user.id)
        yield f"labinterp {__version__} runs on this machine only. Ctrl-C stops it."
        yield ""
        yield "The sample panel (an invented patient):"
        yield from sample.in_a_few_lines(seen)
        yield f"  PDF: {seen.report}. Mail: {', '.join(seen.mails) or 'none'}."
        yield ""
        yield f"Result page   {addresses.result(self._base_url, seen.id)}"
        yield f"PDF           {addresses.pdf(self._base_url, seen.id)}"
        yield f"Mailbox       {pages.address if pages else 'none: a mail server is configured'}"
        yield f"Sign in       {addresses.sign_in(self._base_url, link)}   (works once)"
        yield f"API           {self._base_url}/api/docs"
        yield f"HL7 v2        {LOOPBACK} port {self._local.environment['MLLP_PORT']} (MLLP)"


def up(environment: Mapping[str, str], screen: Screen) -> None:
    """Run everything until SIGINT, SIGTERM, or the terminal is closed.

    Raises:
        SettingsError: a port is taken, a setting is wrong, or it runs already.
        TemporaryFailure: a part did not start.
    """
    local = planned(environment)
    stop = _stop_signals()
    with running.alone(local.data, local.environment):
        try:
            Conductor(local, screen, stop).run()
        except Stopped:
            screen.settled()
            screen.line("Stopped.")


def planned(environment: Mapping[str, str]) -> Local:
    """What will run where, by the caller's settings and what is free.

    Raises:
        SettingsError: the port of the web server is taken.
    """
    settings = bootstrap.settings(environment)
    if not is_free(settings.port):
        raise SettingsError(
            f"Port {settings.port} is in use. Stop what listens there, or choose another port: "
            f"PORT={free_port()} make run",
            code="port-in-use",
        )
    data = Path(settings.data_dir).resolve()
    data.mkdir(mode=0o700, parents=True, exist_ok=True)
    filled = {
        "BASE_URL": f"http://{LOOPBACK}:{settings.port}",
        **environment,
        "DATA_DIR": str(data),
        "HOST": LOOPBACK,
        "MLLP_HOST": LOOPBACK,
        "MLLP_PORT": str(free_port(settings.mllp_port)),
        "PROMETHEUS_MULTIPROC_DIR": str(_emptied(data / "metrics")),
    }
    broker = _broker(environment, data)
    if broker is not None:
        filled["REDIS_URL"] = broker.url
    mail = _mail(environment, data)
    if mail is not None:
        filled |= {"SMTP_HOST": LOOPBACK, "SMTP_PORT": str(mail[1].port), "SMTP_TLS": "none"}
    return Local(filled, data, settings.port, broker, mail, free_port(_MAILBOX_PORT))


def _emptied(folder: Path) -> Path:
    """A folder for the counters that the processes share; what earlier ones left is gone."""
    folder.mkdir(exist_ok=True)
    for counter in folder.glob("*.db"):
        counter.unlink()
    return folder


def _broker(environment: Mapping[str, str], data: Path) -> Broker | None:
    if environment.get("REDIS_URL") or environment.get("CELERY_BROKER_URL"):
        return None
    folder = data / "redis"
    folder.mkdir(mode=0o700, exist_ok=True)
    return Broker(folder)


def _mail(environment: Mapping[str, str], data: Path) -> tuple[MailFolder, MailServer] | None:
    if environment.get("SMTP_HOST"):
        return None
    folder = MailFolder(data / "mailbox")
    return folder, MailServer(folder, bootstrap.now)


def _did_not_start(part: Supervised) -> str:
    return (
        f"{part.program.name} ended with exit code {part.exit_code()}. "
        f"Its log is {part.log} and ends so:\n{part.last_words()}"
    )


def _stop_signals() -> threading.Event:
    """Set by the first signal; a second one does not wait for anything."""
    stop = threading.Event()

    def told(_number: int, _frame: object) -> None:
        if stop.is_set():
            raise KeyboardInterrupt
        stop.set()

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, told)
    return stop
