"""`/metrics`: counts and times in Prometheus' text form; no patient, no value."""

from __future__ import annotations

from flask import Response

from labinterp import telemetry
from labinterp.api.openapi import content
from labinterp.api.resource import Resource, operation

resource = Resource("metrics", "Counts and times.", prefix="")


@resource.get("/metrics")
@operation(
    "Metrics in Prometheus' text form",
    scope=None,
    answers={200: {"description": "All metrics", **content({"type": "string"}, "text/plain")}},
)
def read() -> Response:
    """Keep it away from the outside at the proxy; it holds no patient data."""
    text, content_type = telemetry.exposition()
    return Response(text, content_type=content_type)
