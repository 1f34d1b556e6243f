"""The tasks, one for each kind of work: look for due rows and do them until none is due.

A task takes no argument and answers nothing. It stops early, and wakes another, when it has worked
for long enough, so that it ends well inside its time limit.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from celery import signals

from labinterp import bootstrap, jobs, telemetry
from labinterp.errors import TemporaryFailure
from labinterp.usecases import journey, leases
from workers import identity
from workers.celery_app import app

if TYPE_CHECKING:
    from collections.abc import Callable

    from labinterp.usecases.services import Services

_REPORTS_AT_ONCE: Final = 4
# Of the soft time limit: after this share a task begins nothing more.
_SHARE: Final = 0.25

_log = telemetry.logger(__name__)


@app.task(name=jobs.DRAW_REPORTS)
def draw_reports() -> None:
    """Draw every report that is due; each wakes the mails that waited for it."""
    _work("report", journey.draw_due, rows_at_once=_REPORTS_AT_ONCE)


@app.task(name=jobs.SEND_MAIL)
def send_mail() -> None:
    """Send every mail that is due."""
    _work("delivery", journey.deliver_due, rows_at_once=1)


def _work(kind: jobs.Kind, do: Callable[[Services, str, int], int], *, rows_at_once: int) -> None:
    """Do rows until none is due; when the time is up first, another task goes on."""
    services = bootstrap.services()
    end = time.monotonic() + _SHARE * bootstrap.settings().task_soft_limit
    while do(services, identity.name(), rows_at_once):
        if time.monotonic() > end:
            services.queue.wake(kind)
            return


@signals.worker_process_init.connect
def _ready(**_: object) -> None:
    """Read the knowledge before the first task, and take back what a killed process held."""
    telemetry.configure(bootstrap.settings().log_level)
    try:
        leases.release_of_the_dead(bootstrap.services(), identity.is_dead)
    except TemporaryFailure as error:  # the leases end by themselves
        _log.warning("leases-not-released", **telemetry.error_facts(error))
