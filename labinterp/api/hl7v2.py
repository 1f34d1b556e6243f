"""`POST /api/v1/hl7v2`: an HL7 v2 message in, its acknowledgement out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from flask import Response, request

from labinterp.api import bodies
from labinterp.api.openapi import content
from labinterp.api.resource import Resource, actor, operation, request_id, services
from labinterp.usecases import messages

if TYPE_CHECKING:
    from labinterp.usecases.messages import Answer

resource = Resource("hl7v2", "Take in HL7 v2 messages.")

_TEXT: Final = {"type": "string"}
_BEGIN, _END = b"\x0b", b"\x1c\r"
MEDIA_TYPES: Final = (
    "application/hl7-v2",
    "x-application/hl7-v2+er7",
    "application/hl7-v2+er7",
    "text/plain",
)


@resource.post("/hl7v2")
@operation(
    "Take in a message; the answer is its acknowledgement (AA, AE or AR)",
    scope="panels:write",
    body={
        "required": True,
        "content": {kind: content(_TEXT, kind)["content"][kind] for kind in MEDIA_TYPES},
    },
    answers={
        200: {
            "description": "An ACK for each message, whatever it says; framed if the body was",
            **content(_TEXT, "application/hl7-v2"),
        }
    },
    refusals=(400, 413, 415, 422),
)
def take_in() -> Response:
    """One ORU^R01, framed as for MLLP or not, or a batch; a batch gets an ACK for each message.

    The same message again gets the same answer and makes nothing twice. The answer is in the
    sender's delimiters and character set; 4xx only where no message begins in the body.
    """
    media_type = bodies.one_of(MEDIA_TYPES)
    body = request.get_data(cache=False)
    who = actor()
    answers = messages.take(services(), body, lambda _: who, door="http", request_id=request_id())
    return Response(_joined(answers, framed=_BEGIN in body), 200, content_type=media_type)


def _joined(answers: tuple[Answer, ...], *, framed: bool) -> bytes:
    frames = [frame for answer in answers for frame in answer.frames]
    return b"".join(_BEGIN + frame + _END if framed else frame for frame in frames)
