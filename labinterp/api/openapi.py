"""The OpenAPI 3.1 document: operations from the resources, schemas from the nouns."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

import flask_smorest

import labinterp
from labinterp.api import converters, errors, schemas, wire
from labinterp.api.parameters import Moment
from labinterp.formats.characters import IN_A_LINE
from labinterp.formats.fields import TextOr
from labinterp.model import knowledge, rule
from labinterp.model.interpretation import Interpretation
from labinterp.model.measurand import Measurand

if TYPE_CHECKING:
    from flask import Flask

    from labinterp.api.resource import Documentation

NOUNS: Final = (
    Interpretation,
    wire.PanelRecordDocument,
    wire.PanelPage,
    wire.Deliveries,
    wire.KnowledgeDocument,
    wire.ReportDocument,
    wire.PatientPageDocument,
    wire.ImportDocument,
    wire.JobManifest,
    wire.ProblemDocument,
    wire.ProblemKinds,
    wire.WebhookDocument,
    wire.Webhooks,
    wire.ErasedDocument,
    wire.SenderDocument,
    wire.Senders,
    wire.FhirServerDocument,
    wire.FhirServers,
    wire.SenderTrial,
    wire.MessagePage,
    wire.MessageDocument,
    wire.ReplayDocument,
    wire.ReceiverDocument,
    wire.Receivers,
    wire.NoticeDocument,
    wire.Notices,
    wire.SmartConfiguration,
    wire.TokenAnswer,
    wire.TokenRefusal,
    wire.CardCounts,
    wire.Alive,
    wire.Readiness,
)
PIECES: Final = (
    Measurand,
    rule.Artefact,
    rule.Pattern,
    rule.Mechanism,
    rule.RedFlag,
    rule.UrgencyRule,
    knowledge.Source,
    knowledge.Formula,
    knowledge.Step,
    knowledge.Cause,
    knowledge.Advice,
    knowledge.RangeSet,
    knowledge.Scheme,
    knowledge.CriticalPolicy,
    knowledge.Term,
    knowledge.PathStep,
)
"""What the knowledge is made of; each is told with its kind and with the sources it cites."""
_PROBLEM_STATUSES: Final = sorted({kind.status for kind in errors.KINDS.values()})
_DESCRIPTION: Final = (
    "Panels of laboratory results in, explained answers out. Every answer names the version of the "
    "medical knowledge that made it. Numbers in answers keep their digits. Members may be added to "
    "answers, never renamed; an unknown member of a request is refused by name."
)


class Api(flask_smorest.Api):  # type: ignore[misc]  # flask-smorest ships no types
    """flask-smorest's collector of operations, without its error documents: ours are RFC 9457."""

    DEFAULT_ERROR_RESPONSE_NAME = None

    def _register_error_handlers(self) -> None:
        pass


def collector(app: Flask) -> Api:
    """The document of this app; blueprints registered on it are described."""
    converters.attach(app)
    app.config |= {
        "API_TITLE": "labinterp",
        "API_VERSION": labinterp.__version__,
        "OPENAPI_VERSION": "3.1.0",
        "API_SPEC_OPTIONS": {
            "info": {
                "description": _DESCRIPTION,
                "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
            },
            "servers": [{"url": "/"}],
        },
    }
    made = Api(app)
    made.register_field(Moment, "string", None)
    for converter in converters.CONVERTERS.values():
        made.register_converter(converter, converters.described)
    made.ma_plugin.converter.add_attribute_function(_text_or_object)
    made.ma_plugin.converter.add_attribute_function(_null_among_words)
    _describe_parts(made.spec.components)
    return made


def content(schema: Any, media_type: str = "application/json") -> Documentation:
    """What a body holds."""
    return {"content": {media_type: {"schema": schema}}}


def answered(
    description: str, noun: type | None = None, *, headers: tuple[str, ...] = ()
) -> Documentation:
    """One answer: what it means, what it holds, and which of our headers it carries."""
    told: Documentation = {"description": description}
    if noun:
        told |= content(schemas.reference(noun.__name__))
    if headers:
        told["headers"] = {name: {"$ref": f"#/components/headers/{name}"} for name in headers}
    return told


def header(name: str, description: str, schema: dict[str, Any]) -> Documentation:
    """A header that may be sent."""
    return {"in": "header", "name": name, "description": description, "schema": schema}


def _text_or_object(converter: Any, field: Any, **_: Any) -> dict[str, Any]:
    """A member that takes a text or an object: apispec sees only its class."""
    if not isinstance(field, TextOr):
        return {}
    forms = [
        {"type": "string", "maxLength": field.longest, "pattern": IN_A_LINE},
        converter.resolve_nested_schema(field.schema),
    ]
    return {"anyOf": [*forms, {"type": "null"}] if field.allow_none else forms}


def _null_among_words(_converter: Any, field: Any, ret: Any, **_: Any) -> dict[str, Any]:
    """A list of words that may be null says so; apispec says it of the type alone."""
    words = ret.get("enum")
    return {"enum": [*words, None]} if words and field.allow_none and None not in words else {}


def _describe_parts(components: Any) -> None:
    described = schemas.components_of(*NOUNS, *PIECES)
    for noun in PIECES:
        described[noun.__name__]["properties"] |= _SAID_OF_EVERY_PIECE
    for name, schema in described.items():
        components.schema(name, schema)
    for status in _PROBLEM_STATUSES:
        components.response(f"Problem{status}", _problem(status))
    for name, described in _HEADERS.items():
        components.header(name, described)
    components.security_scheme("bearer", {"type": "http", "scheme": "bearer"})
    components.security_scheme("apiKey", {"type": "apiKey", "in": "header", "name": "X-API-Key"})


def _problem(status: int) -> Documentation:
    codes = sorted(kind.code for kind in errors.KINDS.values() if kind.status == status)
    told: Documentation = {
        "description": f"{HTTPStatus(status).phrase}: {', '.join(codes)}",
        "content": {
            errors.MEDIA_TYPE: {"schema": schemas.reference("ProblemDocument")},
            errors.FHIR_MEDIA_TYPE: {"schema": {"type": "object"}},
        },
    }
    if status in _HEADERS_OF_STATUS:
        name = _HEADERS_OF_STATUS[status]
        told["headers"] = {name: {"$ref": f"#/components/headers/{name}"}}
    return told


_SAID_OF_EVERY_PIECE: Final = {
    "kind": {"type": "string", "description": "what kind of thing it is, in words"},
    "bibliography": {
        "type": "array",
        "items": schemas.reference("Source"),
        "description": "the sources it cites, in full",
    },
}
_HEADERS: Final[dict[str, Documentation]] = {
    "Location": {"description": "Where it is.", "schema": {"type": "string"}},
    "Content-Location": {
        "description": "Where the job is asked after.",
        "schema": {"type": "string"},
    },
    "X-Progress": {"description": "How far it is.", "schema": {"type": "string"}},
    "Expires": {"description": "Until when the files are kept.", "schema": {"type": "string"}},
    "Retry-After": {
        "description": "Seconds after which asking again makes sense.",
        "schema": {"type": "integer", "minimum": 0},
    },
    "Idempotent-Replayed": {
        "description": "`true` when an earlier request with this key made this answer.",
        "schema": {"type": "string", "enum": ["true"]},
    },
    "WWW-Authenticate": {
        "description": "How to say who asks.",
        "schema": {"type": "string"},
    },
    "Allow": {
        "description": "The methods this address takes.",
        "schema": {"type": "string"},
    },
}
_HEADERS_OF_STATUS: Final = {
    401: "WWW-Authenticate",
    403: "WWW-Authenticate",
    405: "Allow",
    429: "Retry-After",
    503: "Retry-After",
}
