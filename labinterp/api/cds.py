"""CDS Hooks 2.0: discovery, cards for a chart or a draft order, and what became of the cards."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypeVar, cast

from flask import current_app, g, request

from labinterp import access
from labinterp.api import answers, bodies, limits, wire
from labinterp.api.errors import FHIR_MEDIA_TYPE
from labinterp.api.openapi import answered, content
from labinterp.api.resource import Resource, operation, services
from labinterp.api.resource import actor as who_asks
from labinterp.api.resource import authenticated as key_or_token
from labinterp.errors import AccessDenied, SubmissionError
from labinterp.store.records import to_document
from labinterp.usecases import cds

if TYPE_CHECKING:
    from collections.abc import Callable

    from flask import Response

    from labinterp.access import Actor, Scope

Made = TypeVar("Made")
_OBJECT: Final = {"type": "object"}
_ID: Final = {"type": "string", "minLength": 1}
_CALL: Final = {
    "type": "object",
    "required": ["hook", "hookInstance", "context"],
    "properties": {
        "hook": {"type": "string", "enum": sorted(one.hook for one in cds.SERVICES)},
        "hookInstance": _ID,
        "context": {
            "type": "object",
            "required": ["patientId"],
            "properties": {"patientId": _ID},
        },
    },
}
_FEEDBACK: Final = {
    "type": "object",
    "required": ["feedback"],
    "properties": {"feedback": {"type": "array", "minItems": 1}},
}
_OUTCOME: Final = {"description": "An OperationOutcome", **content(_OBJECT, FHIR_MEDIA_TYPE)}
_REFUSALS: Final = dict.fromkeys((400, 401, 403, 404, 412, 413, 415, 429, 503), _OUTCOME)
_MAX_AGE: Final = "600"


def let_in() -> None:
    """A client by its signed token, anyone else by key or access token; discovery is open."""
    scope = cast("Scope | None", getattr(_view(), "scope", "admin"))
    if request.method == "OPTIONS":
        return
    if scope is None:
        limits.spend("open")
        return
    g.actor = _authenticated()
    limits.spend("request")
    access.require(g.actor, scope)


resource = Resource(
    "cds", "CDS Hooks: cards in the clinician's own record.", prefix="/cds-services", gate=let_in
)


counts = Resource("cds-feedback", "How the cards of each rule fared.")


def _view() -> Any:
    return current_app.view_functions[cast("str", request.endpoint)]


def _authenticated() -> Actor:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or token.count(".") != 2:  # noqa: PLR2004 - a JWT has three parts
        return key_or_token()
    url = f"{services().policy.base_url.rstrip('/')}{request.path}"
    try:
        return cds.actor_of_assertion(
            services(), token.strip(), url, address=request.remote_addr or ""
        )
    except AccessDenied:
        limits.spend("stranger")
        raise


@resource.get("")
@operation(
    "The services that clients may call",
    scope=None,
    answers={200: {"description": "CDS services", **content(_OBJECT, answers.JSON)}},
)
def discover() -> Response:
    """Open to all, with or without a token."""
    queries = cds.templates(services())
    listed = [
        {
            "hook": one.hook,
            "id": one.id,
            "title": one.title,
            "description": one.description,
            "prefetch": {key: queries[key] for key in one.keys},
            "usageRequirements": "Needs the patient and the laboratory results, prefetched or to be"
            " fetched from a FHIR server that the operator has listed.",
        }
        for one in cds.SERVICES
    ]
    return answers.json({"services": listed})


@resource.post("/<string:service_id>")
@operation(
    "Cards for a chart that is opened or an order that is drafted",
    scope="panels:write",
    body={"required": True, **content(_CALL, answers.JSON)},
    answers={200: {"description": "Cards", **content(_OBJECT, answers.JSON)}, **_REFUSALS},
)
def call(service_id: str) -> Response:
    """Nothing of the patient is kept. No finding: no card."""
    cds.service(service_id)
    body = bodies.json_bytes()
    cards = _read(lambda: cds.answer(services(), who_asks(), service_id, body))
    return answers.json({"cards": [one.document for one in cards]})


@resource.post("/<string:service_id>/feedback")
@operation(
    "What became of cards",
    scope="panels:write",
    body={"required": True, **content(_FEEDBACK, answers.JSON)},
    answers={200: {"description": "Kept", **content(_OBJECT, answers.JSON)}, **_REFUSALS},
)
def feedback(service_id: str) -> Response:
    """Also of cards that are not known; a comment is kept like anything clinical, sealed."""
    body = bodies.json_bytes()
    _read(lambda: cds.keep_feedback(services(), who_asks(), service_id, body))
    return answers.json({})


@counts.get("/cds/feedback")
@operation(
    "How often each rule's cards were shown, accepted and overridden",
    scope="admin",
    answers={200: answered("Counts by rule", wire.CardCounts)},
)
def fared() -> Response:
    """The last word on a card counts; feedback on unknown cards stands under no rule."""
    rules = tuple(
        wire.RuleCount(one.rule, one.shown, one.accepted, one.overridden)
        for one in cds.feedback(services(), who_asks())
    )
    return answers.json(to_document(wire.CardCounts(rules)))


def _read(work: Callable[[], Made]) -> Made:
    """A call that cannot be read is a 400 here; the form of a panel elsewhere is a 422."""
    try:
        return work()
    except SubmissionError as error:
        if error.code != SubmissionError.code:
            raise
        raise SubmissionError(error.message, code="bad-request", errors=error.errors) from None


def _across_origins(response: Response) -> Response:
    """Browsers of the listed origins may call, and may read refusals too."""
    origin = request.headers.get("Origin", "")
    response.headers.add("Vary", "Origin")
    if origin and origin in services().policy.cds_origins:
        response.headers["Access-Control-Allow-Origin"] = origin
        response.headers["Access-Control-Allow-Methods"] = "GET, POST, OPTIONS"
        response.headers["Access-Control-Allow-Headers"] = "authorization, content-type, accept"
        response.headers["Access-Control-Max-Age"] = _MAX_AGE
    if request.method == "OPTIONS":
        response.status_code = 204
    return response


resource.after_request(_across_origins)
