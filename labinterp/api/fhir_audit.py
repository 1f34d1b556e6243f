"""`/fhir/AuditEvent`: who did what to which data, for whoever answers for an organisation.

The chain is in each event: its place and its hash are details of the organisation's entity, so that
a reader can note them, and `labinterp audit verify` can prove later that nothing before changed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from labinterp.api import fhir_exchange, fhir_search
from labinterp.api.openapi import content
from labinterp.api.resource import FHIR_PREFIX, Resource, actor, operation, request_id, services
from labinterp.usecases import audit_trail
from labinterp.usecases.audit_trail import Asked

if TYPE_CHECKING:
    from flask import Response

resource = Resource("fhir-audit", "Who did what.", prefix=FHIR_PREFIX)

_RESOURCE: Final = content({"type": "object"}, fhir_exchange.MEDIA_TYPE)


@resource.get("/AuditEvent")
@operation(
    "Search the audit, newest first",
    scope="admin",
    answers={200: {"description": "A searchset Bundle; follow its link `next`", **_RESOURCE}},
    refusals=(400, 406, 422),
)
def search() -> Response:
    """By date, entity (a DiagnosticReport), agent, subtype, action and outcome.

    The search itself leaves an event.
    """
    wanted = fhir_search.parameters("AuditEvent")
    page = audit_trail.searched(services(), actor(), _asked(wanted), request_id=request_id())
    return fhir_exchange.answer(
        fhir_search.bundle("AuditEvent", wanted, page.events, page.next_cursor)
    )


@resource.get("/AuditEvent/<event_id>")
@operation(
    "Read one event of the audit",
    scope="admin",
    answers={200: {"description": "The AuditEvent", **_RESOURCE}},
    refusals=(404, 406),
)
def read(event_id: str) -> Response:
    """Of this organisation; the read itself leaves an event."""
    found = audit_trail.read(services(), actor(), event_id, request_id=request_id())
    return fhir_exchange.answer(found)


def _asked(wanted: list[tuple[str, str]]) -> Asked:
    """What the parameters leave; of each that is repeated, all must hold."""
    when = fhir_search.span(wanted, "date")
    values = dict(wanted)
    return Asked(
        since=when.since,
        until=when.until,
        of={
            name: {_token(one) for one in value.split(",")}
            for name, value in wanted
            if name in _COLUMNS
        },
        cursor=values.get("_cursor"),
        limit=fhir_search.count(values.get("_count", "")),
    )


_COLUMNS: Final = ("_id", "agent", "subtype", "action", "outcome", "entity")


def _token(value: str) -> str:
    """A code without its system; a reference without its type and version."""
    last: Any = value.rpartition("|")[2]
    return str(last).partition("/_history")[0].rpartition("/")[2]
