"""Waking the workers: what each job is called, and how a process asks a worker to look for work.

The row in the database is the job; a message only says "look" (`docs/decisions/`). So a message
carries no argument, a lost one costs a sweep of the relay, and one too many finds nothing due.
"""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any, Final, Literal, Protocol

from labinterp import telemetry

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

Kind = Literal["report", "delivery", "notice", "background"]

DRAW_REPORTS: Final = "labinterp.draw_reports"
SEND_MAIL: Final = "labinterp.send_mail"
SEND_NOTICES: Final = "labinterp.send_notices"
DO_BACKGROUND: Final = "labinterp.do_background"
REPORT_QUEUE: Final = "labinterp.reports"
MAIL_QUEUE: Final = "labinterp.mail"
NOTICE_QUEUE: Final = "labinterp.notices"
BACKGROUND_QUEUE: Final = "labinterp.background"
TASKS: Final[Mapping[Kind, str]] = {
    "report": DRAW_REPORTS,
    "delivery": SEND_MAIL,
    "notice": SEND_NOTICES,
    "background": DO_BACKGROUND,
}
QUEUES: Final[Mapping[Kind, str]] = {
    "report": REPORT_QUEUE,
    "delivery": MAIL_QUEUE,
    "notice": NOTICE_QUEUE,
    "background": BACKGROUND_QUEUE,
}

_log = telemetry.logger(__name__)


class Queue(Protocol):
    """Where a process says that there is work; nothing depends on anyone hearing it."""

    def wake(self, kind: Kind) -> bool:
        """Ask a worker to look for due rows; False when no message left. Never raises."""

    def waiting(self, kind: Kind) -> int | None:
        """Messages no worker has taken; None when the broker does not answer. Never raises."""


def transport_options(
    *, socket_timeout: float, visibility_timeout: float, retries: int | None
) -> dict[str, Any]:
    """How Celery talks to Redis, the same for whoever sends and whoever works.

    Args:
        socket_timeout: for connecting and for each command [s]; a hung broker is an error after it.
        visibility_timeout: after which an unacknowledged message is handed out again [s]; above
            every time limit.
        retries: how often a lost connection is made anew before giving up; None for ever (a worker
            waits).
    """
    options: dict[str, Any] = {
        "socket_timeout": socket_timeout,
        "socket_connect_timeout": socket_timeout,
        "socket_keepalive": True,
        "visibility_timeout": visibility_timeout,
    }
    return options if retries is None else {**options, "max_retries": retries}


class CeleryQueue:
    """Sends task names to the broker, once; a broker that failed is left alone for a while.

    The request that accepted a panel must not wait for a broker that hangs: the panel is durable
    already, and the
    relay wakes the workers for it when the broker is back.
    """

    def __init__(
        self,
        broker_url: str,
        *,
        socket_timeout: float = 2.0,
        visibility_timeout: float = 900.0,
        pause: float = 5.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._broker_url = broker_url
        self._options = transport_options(
            socket_timeout=socket_timeout, visibility_timeout=visibility_timeout, retries=0
        )
        self._socket_timeout = socket_timeout
        self._pause = pause
        self._clock = clock
        self._silent_until = float("-inf")
        self._app: Any = None
        self._lock = threading.Lock()

    def wake(self, kind: Kind) -> bool:
        """See `Queue.wake`."""
        return self._asked(lambda: self._send(kind)) is not None

    def waiting(self, kind: Kind) -> int | None:
        """See `Queue.waiting`."""
        return self._asked(lambda: self._count(kind))

    def _asked(self, ask: Callable[[], int]) -> int | None:
        """The broker's answer; None when it failed now or a moment ago."""
        if self._clock() < self._silent_until:
            return None
        try:
            return ask()
        except Exception as error:  # noqa: BLE001 - whatever the broker does, the row is the job
            self._silent_until = self._clock() + self._pause
            _log.warning("broker-unreachable", **telemetry.error_facts(error))
            return None

    def _send(self, kind: Kind) -> int:
        self._sender().send_task(TASKS[kind], queue=QUEUES[kind], ignore_result=True, retry=False)
        return 1

    def _count(self, kind: Kind) -> int:
        with self._sender().connection_for_write() as connection:
            # Not passive: a queue nobody has used yet is an empty one.
            declared = connection.default_channel.queue_declare(queue=QUEUES[kind])
            return int(declared.message_count)

    def _sender(self) -> Any:
        with self._lock:
            if self._app is None:
                self._app = self._made_sender()
            return self._app

    def _made_sender(self) -> Any:
        from celery import Celery  # noqa: PLC0415 - a process that wakes nobody need not load it

        app = Celery("labinterp-sender", broker=self._broker_url, set_as_current=False)
        app.conf.update(
            broker_transport_options=self._options,
            broker_connection_timeout=self._socket_timeout,
            broker_connection_retry=False,
            task_ignore_result=True,
            task_publish_retry=False,
            task_serializer="json",
            accept_content=["json"],
            task_send_sent_event=False,
        )
        return app


class InlineQueue:
    """Keeps the wakes instead of sending them: for tests, and where one process does it all."""

    def __init__(self) -> None:
        self.wakes: list[Kind] = []

    def wake(self, kind: Kind) -> bool:
        """See `Queue.wake`."""
        self.wakes.append(kind)
        return True

    def waiting(self, kind: Kind) -> int | None:
        """See `Queue.waiting`."""
        return self.wakes.count(kind)
