"""`/metrics`: counts and times in Prometheus' text form; no patient, no value."""

from __future__ import annotations

from flask import Response

from labinterp import telemetry
from labinterp.api.openapi import content
from labinterp.api.resource import Resource, operation, services
from labinterp.errors import TemporaryFailure
from labinterp.usecases import journey

resource = Resource("metrics", "Counts and times.", prefix="")


@resource.get("/metrics")
@operation(
    "Metrics in Prometheus' text form",
    scope=None,
    answers={200: {"description": "All metrics", **content({"type": "string"}, "text/plain")}},
)
def read() -> Response:
    """Keep it away from the outside at the proxy; it holds no patient data."""
    text, content_type = telemetry.exposition(_standing())
    return Response(text, content_type=content_type)


def _standing() -> telemetry.Standing | None:
    """What waits and what was given up; None where the database does not say."""
    try:
        due = journey.due_counts(services())
    except TemporaryFailure:
        return None
    kinds = {
        "report": due.reports,
        "delivery": due.deliveries,
        "notice": due.notices,
        "background": due.jobs,
    }
    rows = {(kind, state): number for kind, of in kinds.items() for state, number in of.items()}
    oldest = due.oldest_due.total_seconds() if due.oldest_due else 0.0
    return telemetry.Standing(rows, oldest, due.mail_trouble)
