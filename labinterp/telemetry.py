"""What a running service says about itself: ids, codes and counts, never a patient.

The list of keys is an allow-list: a key that is not on it does not reach the log, whoever wrote it.
An exception is logged by its type and place, because its message may quote what was sent. Messages
of libraries are logged as their template, without what they filled in.
"""

from __future__ import annotations

import logging
import os
import sys
import traceback
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TextIO

import structlog
from prometheus_client import (
    CONTENT_TYPE_LATEST,
    REGISTRY,
    CollectorRegistry,
    Counter,
    Histogram,
    generate_latest,
    multiprocess,
)
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, MutableMapping
    from types import TracebackType

    from prometheus_client import Metric

ALLOWED_KEYS: Final = frozenset(
    {
        *("event", "level", "logger", "timestamp", "place", "exception", "code", "kind", "process"),
        *(
            "request_id",
            "organisation_id",
            "panel_id",
            "delivery_id",
            "webhook_id",
            "notice_id",
            "job_id",
            "key_id",
            "user_id",
            "worker",
        ),
        *(
            "version",
            "number",
            "status",
            "state",
            "method",
            "route",
            "format",
            "outcome",
            "attempts",
        ),
        *("count", "reports", "deliveries", "milliseconds", "seconds", "age", "size", "exit_code"),
        *("knowledge_version", "engine_version", "address", "port", "queue"),
    }
)
_LONGEST_VALUE: Final = 200
_OURS: Final = ("labinterp", "workers")


def logger(name: str) -> Any:
    """The log of one module: events are fixed words, facts are keys of the allow-list."""
    # Not `.bind`: it would fix the settings of the moment of import, before `configure`.
    return structlog.get_logger(name, source=name)


def configure(level: str = "info", stream: TextIO | None = None) -> None:
    """Send everything this process logs, by us or a library, to one stream of JSON lines.

    Args:
        level: the least level that is written.
        stream: where to write; if not given, whatever standard error is when a line is written,
            so that a line never meets a stream that was closed in the meantime.
    """
    number = logging.getLevelNamesMapping()[level.upper()]
    _write_ours(number, stream)
    handler = logging.StreamHandler(stream)
    handler.setFormatter(_LibraryFormatter())
    logging.basicConfig(level=max(number, logging.WARNING), handlers=[handler], force=True)
    _keep_room()


def _write_ours(level: int, stream: TextIO | None) -> None:
    structlog.configure(
        processors=[*_common(), structlog.processors.JSONRenderer()],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=lambda *_: _Unfailing(stream or sys.stderr),
        cache_logger_on_first_use=False,
    )


class _Unfailing(structlog.PrintLogger):
    """A log that rather loses a line than the work it tells of: its disk may be full."""

    def msg(self, message: str) -> None:
        """Write this line; where it cannot be written, count it."""
        try:
            super().msg(message)
        except OSError:
            count(LINES_LOST)

    log = debug = info = warn = warning = msg
    fatal = failure = err = error = critical = exception = msg


@contextmanager
def bound(**facts: object) -> Iterator[None]:
    """Give every line logged inside these facts, the request's id above all."""
    with structlog.contextvars.bound_contextvars(**facts):
        yield


def error_facts(error: BaseException) -> dict[str, str]:
    """An exception by type, code and place; never by its message, which may quote input."""
    facts = {"exception": type(error).__name__, "place": _place(error.__traceback__)}
    code = getattr(error, "code", None)
    return {**facts, "code": code} if isinstance(code, str) else facts


def _common() -> list[Any]:
    return [
        structlog.contextvars.merge_contextvars,
        _logger_named,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _exceptions_without_messages,
        allowed_only,
    ]


def _logger_named(
    _logger: object, _method: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    """The module's name under its usual key; structlog keeps `logger` for itself."""
    name = event.pop("source", None)
    return {"logger": name, **event} if name else event


def allowed_only(
    _logger: object, _method: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    """Drop every key that is not on the list, and cut every value to a short one."""
    return {key: _plain(value) for key, value in event.items() if key in ALLOWED_KEYS}


def _plain(value: object) -> object:
    if value is None or isinstance(value, bool | int | float):
        return value
    text = value if isinstance(value, str) else type(value).__name__
    return text[:_LONGEST_VALUE]


def _exceptions_without_messages(
    _logger: object, _method: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    raised = event.pop("exc_info", None)
    error = raised if isinstance(raised, BaseException) else None
    if error is None and raised:
        error = raised[1] if isinstance(raised, tuple) else sys.exc_info()[1]
    return {**event, **error_facts(error)} if error else event


def _place(trace: TracebackType | None) -> str:
    """Where it was raised: the innermost line of ours, else the innermost line."""
    frames = traceback.extract_tb(trace)
    if not frames:
        return "unknown"
    ours = [frame for frame in frames if any(f"/{name}/" in frame.filename for name in _OURS)]
    frame = (ours or frames)[-1]
    return f"{'/'.join(frame.filename.rsplit('/', 2)[-2:])}:{frame.lineno}"


class _LibraryFormatter(logging.Formatter):
    """A library's record as one JSON line: its template without what was filled in."""

    def format(self, record: logging.LogRecord) -> str:
        facts: MutableMapping[str, Any] = {
            "event": record.msg
            if record.args and isinstance(record.msg, str)
            else "library-message",
            "logger": record.name,
            "place": f"{record.module}:{record.lineno}",
            "exc_info": record.exc_info,
        }
        for step in _common():
            facts = step(None, record.levelname.lower(), facts)
        return str(structlog.processors.JSONRenderer()(None, record.levelname.lower(), facts))


# --- metrics: names, and the only labels there are
# ------------------------------------------------------------------

PANELS_ACCEPTED = Counter("labinterp_panels_accepted_total", "Panels made durable", ["format"])
PANELS_REFUSED = Counter(
    "labinterp_panels_refused_total", "Panels refused, by the code of the reason", ["code"]
)
INTERPRETATIONS = Counter("labinterp_interpretations_total", "Panels interpreted", ["format"])
REPORTS = Counter("labinterp_reports_total", "Reports by what became of them", ["outcome"])
MAILS = Counter("labinterp_mails_total", "Mails by what became of them", ["outcome"])
NOTICES = Counter(
    "labinterp_notices_total", "Events told to endpoints, by what became of them", ["outcome"]
)
REQUESTS = Histogram(
    "labinterp_request_seconds", "Time to answer a request [s]", ["method", "route", "status"]
)
DRAWING = Histogram("labinterp_drawing_seconds", "Time to draw a report [s]")

LINES_LOST = Counter("labinterp_log_lines_lost_total", "Lines that could not be written to the log")

WORK_ROWS: Final = "labinterp_work_rows"
OLDEST_DUE: Final = "labinterp_oldest_due_seconds"
MAIL_TROUBLE: Final = "labinterp_mails_held_by_operator"
DATABASE_UP: Final = "labinterp_database_up"


@dataclass(frozen=True, slots=True)
class Standing:
    """How the work stands in the database, the same whichever process is asked.

    Attributes:
        rows: by kind and state, of those that are open or given up.
        oldest_due: age of the oldest that a worker could take [s]; 0 when there is none.
        mail_trouble: messages that wait because the mail server refuses this service.
    """

    rows: Mapping[tuple[str, str], int]
    oldest_due: float
    mail_trouble: int


_LABELS: Final[Mapping[str, frozenset[str]]] = {
    "outcome": frozenset(
        {
            *("ready", "failed", "parked", "sent", "deferred", "refused", "operator", "unknown"),
            "withdrawn",
            "bounced",
        }
    ),
}
_OTHER: Final = "other"


def label(name: str, value: str) -> str:
    """A label's value if it is known, else `other`: foreign text never becomes a time series."""
    known = _LABELS.get(name)
    return value if known is None or value in known else _OTHER


def count(counter: Counter, *labels: str) -> None:
    """One more of these; a file of measurements that cannot grow stops nobody's work."""
    with suppress(OSError):
        (counter.labels(*labels) if labels else counter).inc()


def measure(histogram: Histogram, seconds: float, *labels: str) -> None:
    """How long it took [s]; a file of measurements that cannot grow stops nobody's work."""
    with suppress(OSError):
        (histogram.labels(*labels) if labels else histogram).observe(seconds)


def exposition(standing: Standing | None = None) -> tuple[bytes, str]:
    """All metrics in Prometheus' text form, and its content type; of all sharing processes.

    Args:
        standing: what the database says; None where it does not answer.
    """
    _keep_room()  # of a file that has grown since
    told = CollectorRegistry()
    told.register(_Told(standing))
    return generate_latest(_registry()) + generate_latest(told), CONTENT_TYPE_LATEST


class _Told(Collector):
    """What was asked of the database for this one answer; no process keeps it."""

    def __init__(self, standing: Standing | None) -> None:
        self._standing = standing

    def collect(self) -> Iterator[Metric]:
        """The gauges; without the database only that it is away."""
        standing = self._standing
        up = float(standing is not None)
        yield GaugeMetricFamily(DATABASE_UP, "Whether the database answers", up)
        if standing is None:
            return
        rows = GaugeMetricFamily(
            WORK_ROWS, "Jobs that are open or given up, in the database", labels=["kind", "state"]
        )
        for (kind, state), number in sorted(standing.rows.items()):
            rows.add_metric([kind, state], number)
        yield rows
        oldest = standing.oldest_due
        yield GaugeMetricFamily(OLDEST_DUE, "Age of the oldest job that is due [s]", oldest)
        held = standing.mail_trouble
        yield GaugeMetricFamily(MAIL_TROUBLE, "Mails held while the mail server refuses us", held)


def _keep_room() -> None:
    """Take from the disk, now, what this process's shared measurements will need.

    They are written through memory: where a disk that is full has no place for what was written,
    the kernel ends the process. A file that has its place can be written whatever fills the disk.
    """
    LINES_LOST.inc(0)  # in a process that was forked, the first count makes its own files
    try:
        folder = Path(multiprocess.MultiProcessCollector(CollectorRegistry())._path)  # type: ignore[no-untyped-call]  # noqa: SLF001
    except ValueError:  # as below
        return
    for file in folder.glob(f"*_{os.getpid()}.db"):
        with suppress(OSError), file.open("r+b") as opened:
            os.posix_fallocate(opened.fileno(), 0, file.stat().st_size)


def _registry() -> CollectorRegistry:
    shared = CollectorRegistry()
    try:
        multiprocess.MultiProcessCollector(shared)  # type: ignore[no-untyped-call]
    except ValueError:  # PROMETHEUS_MULTIPROC_DIR is not set: this process stands alone
        return REGISTRY
    return shared


# A process that never calls `configure` still writes nothing but what the list allows.
_write_ours(logging.WARNING, None)
