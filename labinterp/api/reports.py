"""`GET /api/v1/panels/{id}/report.pdf`: the document, or how far it is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from flask import Response

from labinterp.api import answers, errors, wire
from labinterp.api.openapi import answered, content
from labinterp.api.parameters import VersionParameters
from labinterp.api.resource import Resource, actor, operation, request_id, services
from labinterp.store.records import to_document
from labinterp.usecases import journey

if TYPE_CHECKING:
    from labinterp.usecases.outcomes import ReportState

resource = Resource("report", "The PDF of a panel.")

PDF: Final = "application/pdf"
_WORKING: Final = ("queued", "drawing")


@resource.get("/panels/<panel_id>/report.pdf")
@operation(
    "Read the PDF",
    scope="panels:read",
    answers={
        200: {
            "description": "The PDF",
            **content({"type": "string", "contentMediaType": PDF}, PDF),
        },
        202: answered("It is being drawn", wire.ReportDocument, headers=("Retry-After",)),
    },
    refusals=(404, 409, 422),
)
@resource.query(VersionParameters())
def pdf(wanted: dict[str, Any], panel_id: str) -> Response:
    """409 says why there is none: it could not be drawn, or none is made for this panel."""
    state = journey.read_report(
        services(), actor(), panel_id, wanted["version"], request_id=request_id()
    )
    if state.pdf is not None:
        return _document(state, state.pdf)
    if state.status in _WORKING:
        return _being_drawn(state)
    return errors.problem(errors.KINDS["report-not-available"], _why_not(state))


def _document(state: ReportState, pdf: bytes) -> Response:
    answer = Response(pdf, mimetype=PDF)
    answer.headers.set("Content-Disposition", "inline", filename=state.file_name or "report.pdf")
    if state.digest:
        answer.set_etag(state.digest)
    return answer


def _being_drawn(state: ReportState) -> Response:
    wait = services().policy.retry_after if state.retry_after is None else state.retry_after
    document = wire.ReportDocument(
        status=state.status, number=state.number, url=None, why=state.why
    )
    return answers.json(to_document(document), 202, headers={"Retry-After": str(wait)})


def _why_not(state: ReportState) -> str:
    what = "The report could not be drawn" if state.status == "failed" else "No report is made"
    return f"{what}: {state.why}" if state.why else f"{what}."
