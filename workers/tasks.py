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

# After this share of the soft limit a task begins nothing more.
_SHARE: Final = 0.25
# Another worker that was faster makes a look empty; two in a row mean that nothing is due.
_EMPTY_LOOKS: Final = 2

_settings = bootstrap.settings()
# One conversation with a mail server may take longer than a drawing.
_MAIL_SOFT_LIMIT: Final = (
    _settings.task_soft_limit + _settings.smtp_total_timeout + 2 * _settings.smtp_step_timeout
)
_MAIL_HARD_LIMIT: Final = _MAIL_SOFT_LIMIT + _settings.task_hard_limit - _settings.task_soft_limit
# A large table is read whole before its first row is stored; below a job's lease of five minutes.
_SLOW_SOFT_LIMIT: Final = 180.0
_SLOW_HARD_LIMIT: Final = 210.0

_log = telemetry.logger(__name__)


@app.task(name=jobs.DRAW_REPORTS)  # type: ignore[untyped-decorator]  # Celery has no types
def draw_reports() -> None:
    """Draw every report that is due; each wakes the mails that waited for it."""
    _work("report", journey.draw_due)


@app.task(  # type: ignore[untyped-decorator]  # Celery has no types
    name=jobs.SEND_MAIL, soft_time_limit=_MAIL_SOFT_LIMIT, time_limit=_MAIL_HARD_LIMIT
)
def send_mail() -> None:
    """Send every mail that is due."""
    _work("delivery", journey.deliver_due)


@app.task(name=jobs.SEND_NOTICES)  # type: ignore[untyped-decorator]  # Celery has no types
def send_notices() -> None:
    """Tell every endpoint of the events that are due."""
    _work("notice", journey.notify_due)


@app.task(  # type: ignore[untyped-decorator]  # Celery has no types
    name=jobs.DO_BACKGROUND, soft_time_limit=_SLOW_SOFT_LIMIT, time_limit=_SLOW_HARD_LIMIT
)
def do_background() -> None:
    """Give the background jobs their turns, one after the other."""
    _work("background", journey.background_due)


def _work(kind: jobs.Kind, do: Callable[[Services, str, int], int]) -> None:
    """Do one row after the other until none is due; when the time is up, another task goes on."""
    services = bootstrap.services()
    end = time.monotonic() + _SHARE * _settings.task_soft_limit
    empty = 0
    while empty < _EMPTY_LOOKS:
        empty = 0 if _done(do, services) else empty + 1
        if time.monotonic() > end:
            services.queue.wake(kind)
            return


def _done(do: Callable[[Services, str, int], int], services: Services) -> int:
    """One row; a task that is ended in the middle of it (a time limit) gives it back at once."""
    try:
        return do(services, identity.name(), 1)
    except Exception:
        leases.release_own(services, identity.name())
        raise


@signals.worker_process_init.connect  # type: ignore[untyped-decorator]  # Celery has no types
def _ready(**_: object) -> None:
    """Read the knowledge before the first task, and take back what a killed process held."""
    telemetry.configure(_settings.log_level)
    try:
        leases.release_of_the_dead(bootstrap.services(), identity.is_dead)
    except TemporaryFailure as error:  # the leases end by themselves
        _log.warning("leases-not-released", **telemetry.error_facts(error))
