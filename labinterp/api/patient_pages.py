"""`/api/v1/panels/{id}/patient-page`: release a page in plain words, read it, take it back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from flask import Response

from labinterp.api import answers, bodies, wire
from labinterp.api.openapi import answered, content
from labinterp.api.reports import PDF
from labinterp.api.resource import Resource, actor, operation, request_id, services
from labinterp.formats.fields import Base, Text, Whole
from labinterp.store.records import to_document
from labinterp.usecases import patient_pages

if TYPE_CHECKING:
    from labinterp.usecases.patient_pages import ReleasedPage

resource = Resource("patient_page", "A page in plain words for the patient, once it is released.")


class PatientReleaseSchema(Base):
    """How a page is released."""

    language = Text(
        10, required=True, metadata={"description": "en, es, fr or de", "example": "es"}
    )
    contact = Text(
        metadata={
            "description": "Whom the patient asks, and how; the operator's setting if missing",
            "example": "Dr Example's practice, 020 7946 0000",
        }
    )
    released_by = Text(
        metadata={
            "description": "The clinician who releases it, by name",
            "example": "Dr A. Example",
        }
    )
    version = Whole(
        1,
        1_000_000,
        metadata={"description": "Release it only if this is still the newest version"},
    )


_RELEASE: Final = PatientReleaseSchema()


@resource.post("/panels/<panel_id>/patient-page")
@operation(
    "Release a page to the patient",
    scope="deliveries:write",
    body={"required": True, **content(PatientReleaseSchema)},
    answers={201: answered("Released", wire.PatientPageDocument, headers=("Location",))},
    refusals=(400, 404, 409, 413, 415, 422),
)
def release(panel_id: str) -> Response:
    """Of the newest version, in a clinician's name; a page released before is withdrawn.

    409 `patient-page-off` until the operator sets PATIENT_PAGE.
    """
    wanted = bodies.loaded(_RELEASE)
    made = patient_pages.release(
        services(),
        actor(),
        panel_id,
        language=wanted["language"],
        contact=wanted.get("contact") or "",
        released_by=wanted.get("released_by") or "",
        version=wanted.get("version"),
        request_id=request_id(),
    )
    document = _document(made)
    return answers.json(to_document(document), 201, headers={"Location": document.links["self"]})


@resource.get("/panels/<panel_id>/patient-page")
@operation(
    "Read the page that was released",
    scope="panels:read",
    answers={200: answered("As it was released", wire.PatientPageDocument)},
    refusals=(404,),
)
def read(panel_id: str) -> Response:
    """404 `patient-page-not-released` also once it was withdrawn, or the panel was corrected."""
    found = patient_pages.read(services(), actor(), panel_id, request_id=request_id())
    return answers.json(to_document(_document(found)))


@resource.get("/panels/<panel_id>/patient-page.pdf")
@operation(
    "Read the page that was released as PDF",
    scope="panels:read",
    answers={
        200: {
            "description": "The PDF",
            **content({"type": "string", "contentMediaType": PDF}, PDF),
        }
    },
    refusals=(404,),
)
def pdf(panel_id: str) -> Response:
    """The same bytes at every reading."""
    found = patient_pages.read(services(), actor(), panel_id, request_id=request_id())
    answer = Response(found.pdf, mimetype=PDF)
    answer.headers.set("Content-Disposition", "inline", filename=found.record.file_name)
    answer.set_etag(found.record.digest)
    return answer


@resource.delete("/panels/<panel_id>/patient-page")
@operation(
    "Withdraw the page",
    scope="deliveries:write",
    answers={204: {"description": "It is shown to nobody any more"}},
    refusals=(404,),
)
def withdraw(panel_id: str) -> Response:
    """What was printed or saved cannot be called back."""
    patient_pages.withdraw(services(), actor(), panel_id, request_id=request_id())
    return Response(status=204)


def _document(found: ReleasedPage) -> wire.PatientPageDocument:
    record, page = found.record, found.page
    here = f"/api/v1/panels/{record.panel_id}/patient-page"
    return wire.PatientPageDocument(
        panel_id=record.panel_id,
        version=record.version,
        language=record.language,
        asked=record.asked,
        reviewed=page.reviewed,
        released_at=record.released_at,
        released_by=record.released_by,
        contact=record.contact,
        title=page.title,
        about_patient=page.about_patient,
        sections=tuple(_section(one) for one in page.sections),
        links={"self": here, "pdf": f"{here}.pdf", "page": f"/panels/{record.panel_id}/patient"},
    )


def _section(section: Any) -> wire.PatientSectionDocument:
    return wire.PatientSectionDocument(
        id=section.id,
        title=section.title,
        before=section.before,
        bullets=section.bullets,
        results=tuple(
            wire.PatientResultDocument(row.test, row.value, row.word, row.range)
            for row in section.rows
        ),
        after=section.after,
    )
