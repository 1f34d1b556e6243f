"""The relay: every few seconds it looks for due rows that nobody holds, and wakes the workers.

So a wake that was lost (a broker that was down, killed or emptied) costs one sweep, and what is
tried again later is tried without a timer in the broker. It outlives a database or broker that is
away: it waits and looks again.
"""

from __future__ import annotations

import math
import signal
import sys
import threading
from typing import TYPE_CHECKING, Final

from labinterp import bootstrap, telemetry
from labinterp.errors import SettingsError
from labinterp.usecases import journey

if TYPE_CHECKING:
    from collections.abc import Callable

    from labinterp.jobs import Kind
    from labinterp.usecases.services import Services

# One wake sets one worker process going, which goes on until nothing is due.
_ROWS_PER_WAKE: Final = 20
_MOST_WAKES: Final = 4
_LONGEST_WAIT: Final = 30.0

_log = telemetry.logger("workers.relay")


def sweep(services: Services) -> int:
    """Look once, wake whoever is needed, forget what has had its time; how many wakes were sent.

    Raises:
        TemporaryFailure: the database does not answer.
    """
    journey.tidy(services)
    due = journey.due_counts(services)
    return (
        _wake(services, "report", due.reports_due)
        + _wake(services, "delivery", due.deliveries_due)
        + _wake(services, "notice", due.notices_due)
        + _wake(services, "background", min(due.jobs_due, 1))
    )


def _wake(services: Services, kind: Kind, due: int) -> int:
    """Wake as many as the work needs, less those that a message waits for already."""
    if not due:
        return 0
    wanted = min(_MOST_WAKES, math.ceil(due / _ROWS_PER_WAKE))
    waiting = services.queue.waiting(kind)
    if waiting is None:
        return 0
    return sum(bool(services.queue.wake(kind)) for _ in range(wanted - waiting))


def run(wired: Callable[[], Services], stop: threading.Event, interval: float) -> None:
    """Sweep until told to stop; what goes wrong is logged, waited for, and tried again.

    Args:
        wired: the parts, made at the first call that finds the database there.
        stop: set by a signal.
        interval: between two sweeps [s]; doubled after each that failed, up to half a minute.
    """
    wait = interval
    while not stop.wait(wait):
        try:
            woken = sweep(wired())
        except Exception as error:  # noqa: BLE001 - the relay outlives whatever is away
            _log.warning("sweep-failed", **telemetry.error_facts(error))
            wait = min(wait * 2, max(interval, _LONGEST_WAIT))
            continue
        wait = interval
        if woken:
            _log.info("woken", count=woken)


def run_bounces(wired: Callable[[], Services], stop: threading.Event, interval: float) -> None:
    """Read the mailbox of undelivered mail until told to stop; a slow one holds up nothing else."""
    while not stop.is_set():
        try:
            came_back = journey.read_bounces(wired())
        except Exception as error:  # noqa: BLE001 - as above
            _log.warning("bounces-not-read", **telemetry.error_facts(error))
        else:
            if came_back:
                _log.warning("bounced", count=came_back)
        stop.wait(interval)


def main() -> int:
    """Sweep until SIGTERM or SIGINT."""
    try:
        settings = bootstrap.settings()
    except SettingsError as error:
        print(f"labinterp: {error.message}", file=sys.stderr)  # noqa: T201 - there is no log yet
        return 3
    telemetry.configure(settings.log_level)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    _log.info("relay-started")
    if settings.bounce_maildir or settings.bounce_imap_host or settings.bounce_pop_host:
        threading.Thread(
            target=run_bounces,
            args=(bootstrap.services, stop, settings.bounce_interval),
            name="bounces",
            daemon=True,
        ).start()
    run(bootstrap.services, stop, settings.relay_interval)
    _log.info("relay-stopped")
    return 0


if __name__ == "__main__":
    sys.exit(main())
