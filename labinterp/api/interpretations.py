"""`POST /api/v1/interpretations`: a panel is read and explained, and nothing is kept.

Also of FHIR and HL7 v2, so that a sender can see what a message means before it is sent in earnest.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from flask import request

from labinterp import formats
from labinterp.api import answers, bodies, fhir_exchange, hl7v2
from labinterp.api.openapi import answered, content
from labinterp.api.resource import Resource, actor, operation, services
from labinterp.errors import SubmissionError
from labinterp.formats.fhir_document import ROOTS
from labinterp.formats.limits import Reading
from labinterp.formats.panel_schema import PanelSchema
from labinterp.model.interpretation import Interpretation, ProblemRecord
from labinterp.store.records import to_document
from labinterp.usecases import journey, messages

if TYPE_CHECKING:
    from flask import Response

_FHIR: Final = tuple(kind for kind in fhir_exchange.TYPES if kind != bodies.JSON)
_HL7: Final = tuple(kind for kind in hl7v2.MEDIA_TYPES if kind != "text/plain")
_CONTENT: Final = {
    **content(PanelSchema)["content"],
    **{kind: fhir_exchange.taken(ROOTS)["content"][fhir_exchange.MEDIA_TYPE] for kind in _FHIR},
    **{kind: {"schema": {"type": "string"}} for kind in _HL7},
}

resource = Resource("interpretations", "Explain a panel and keep nothing of it.")


@resource.post("/interpretations")
@operation(
    "Interpret a panel; nothing is stored",
    scope="panels:write",
    body={"required": True, "content": _CONTENT},
    answers={200: answered("The whole answer", Interpretation)},
    refusals=(400, 413, 415, 422),
)
def interpret() -> Response:
    """Problems of single results stand in the answer; a panel without a readable one is refused.

    A body of FHIR or HL7 v2 holds one patient here; what of it was refused stands in `problems`.
    HL7 v2 is read with what was agreed with its sender.
    """
    reading = _reading()
    (received,) = reading.received
    found = journey.interpret_only(services(), received, actor())
    refused = tuple(ProblemRecord(one.code, one.message, one.where) for one in reading.refused)
    return answers.json(to_document(replace(found, problems=(*found.problems, *refused))))


def _reading() -> Reading:
    """The body, in whichever of the forms its content type names, with its one panel.

    Raises:
        UnsupportedFormat: another content type.
        SubmissionError: it holds no panel, or those of several patients.
    """
    if request.mimetype in _FHIR:
        made = formats.read("fhir", fhir_exchange.body(), services().now())
    elif request.mimetype in _HL7:
        bodies.one_of(_HL7)
        body = request.get_data(cache=False)
        agreed = messages.agreed_for(services(), actor(), body)
        made = formats.read("hl7v2", body, services().now(), settings=agreed)
    else:
        return Reading((bodies.panel().received,))
    if not made.received:
        raise SubmissionError("Nothing of this can be interpreted.", errors=made.refused)
    if len(made.received) > 1:
        message = f"The body holds {len(made.received)} panels; send one to see what it means."
        raise SubmissionError(message, code="several-panels")
    return made
