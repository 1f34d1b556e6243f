"""`/healthz` and `/readyz`: does the process live, can it accept panels, does the rest keep up?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal

from labinterp import telemetry
from labinterp.api import answers, wire
from labinterp.api.openapi import answered
from labinterp.api.resource import Resource, operation, services
from labinterp.errors import LabinterpError
from labinterp.store import condition
from labinterp.store.records import to_document
from labinterp.usecases import journey

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from flask import Response

    from labinterp.usecases.services import Services

resource = Resource("health", "Is it alive, is it ready?", prefix="", gate=lambda: None)
"""Without a limit: who watches the service must never be told that it is too busy to say so."""

Seen = tuple[bool, str]
"""Whether a check is as it should be, and what was seen."""

_log = telemetry.logger(__name__)


@resource.get("/healthz")
@operation(
    "Does this process live?",
    scope=None,
    answers={200: answered("It does; nothing else was touched", wire.Alive)},
)
def alive() -> Response:
    """Restart the process when this does not answer."""
    return answers.json(to_document(wire.Alive("alive")))


@resource.get("/readyz")
@operation(
    "Can panels be accepted, and does what follows keep up?",
    scope=None,
    answers={
        200: answered("Ready, or degraded: panels are accepted, something waits", wire.Readiness),
        503: answered("Down: no panel can be accepted", wire.Readiness, headers=("Retry-After",)),
    },
)
def ready() -> Response:
    """Names what is down. A broker or a mail server that is down degrades: accepting goes on."""
    document = readiness(services())
    if document.status == "down":
        return answers.json(to_document(document), 503, headers={"Retry-After": "10"})
    return answers.json(to_document(document))


def readiness(parts: Services) -> wire.Readiness:
    """Every check, each by itself: one that fails hides no other."""
    checks = tuple(_looked_at(parts))
    down = tuple(check.name for check in checks if not check.ok)
    return wire.Readiness(_status(checks), down, checks)


def _status(checks: tuple[wire.Check, ...]) -> Literal["ready", "degraded", "down"]:
    failed = [check for check in checks if not check.ok]
    if any(check.needed for check in failed):
        return "down"
    return "degraded" if failed else "ready"


def _looked_at(parts: Services) -> Iterator[wire.Check]:
    for name, needed, look in _CHECKS:
        ok, message = _looked(look, parts)
        yield wire.Check(name, ok, needed, message)


def _looked(look: Callable[[Services], Seen], parts: Services) -> Seen:
    try:
        return look(parts)
    except Exception as error:  # noqa: BLE001 - whatever a check meets, it is an answer here
        _log.warning("not-ready", **telemetry.error_facts(error))
        return False, error.message if isinstance(error, LabinterpError) else "It did not answer."


def _database(parts: Services) -> Seen:
    condition.write_and_take_back(parts.store)
    return True, "It can be written."


def _migration(parts: Services) -> Seen:
    current, newest = condition.migrations(parts.store)
    if current == newest:
        return True, f"It is at {current}."
    if condition.is_ahead(current):
        return True, f"It is at {current}, of a later release; this one ({newest}) works on."
    return (
        False,
        f"It is at {current or 'none'}, not {newest}: run `python -m labinterp db upgrade`.",
    )


def _disk(parts: Services) -> Seen:
    free = condition.free_bytes(parts.store)
    if free is None:
        return True, "The database is on another machine."
    enough = free >= parts.policy.free_disk
    return (
        enough,
        f"{free // 1_000_000} MB are free; {parts.policy.free_disk // 1_000_000} are wanted.",
    )


def _broker(parts: Services) -> Seen:
    waiting = [parts.queue.waiting(kind) for kind in ("report", "delivery", "notice", "background")]
    if None in waiting:
        return False, "The broker does not answer; the relay wakes the workers instead."
    return True, "It answers."


def _work(parts: Services) -> Seen:
    oldest = journey.due_counts(parts).oldest_due
    if oldest is None:
        return True, "Nothing waits."
    late = oldest > parts.policy.broker_delay_alarm
    return not late, f"The oldest waiting job is {int(oldest.total_seconds())} s old."


def _mail(parts: Services) -> Seen:
    count = journey.due_counts(parts).mail_trouble
    if count:
        return False, f"{count} messages wait because the mail server refuses this service."
    return True, "No message waits for the mail server's sake."


def _webhooks(parts: Services) -> Seen:
    count = journey.due_counts(parts).notices.get("failed", 0)
    if count:  # their receivers' fault, not ours: it makes nobody else's service degraded
        return True, f"{count} events were given up; each webhook's deliveries say why."
    return True, "No event was given up."


_CHECKS: Final[tuple[tuple[str, bool, Callable[[Services], Seen]], ...]] = (
    ("database", True, _database),
    ("migration", True, _migration),
    ("disk", True, _disk),
    ("broker", False, _broker),
    ("work", False, _work),
    ("mail", False, _mail),
    ("webhooks", False, _webhooks),
)
