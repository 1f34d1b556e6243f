"""`/fhir/Subscription`: be told of reports as FHIR R4 has it (rest-hook)."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from flask import Response, request

from labinterp.api import answers
from labinterp.api.openapi import content
from labinterp.api.resource import (
    FHIR_PREFIX,
    Resource,
    actor,
    operation,
    request_id,
    services,
)
from labinterp.delivery import subscription
from labinterp.errors import TooLarge, UnsupportedFormat
from labinterp.formats import json_text
from labinterp.formats.fields import NumberLiteral
from labinterp.formats.limits import Limits
from labinterp.usecases import subscriptions

if TYPE_CHECKING:
    from collections.abc import Mapping

resource = Resource("subscriptions", "FHIR Subscriptions (rest-hook).", prefix=FHIR_PREFIX)

MEDIA_TYPE: Final = "application/fhir+json"
_READ: Final = (MEDIA_TYPE, "application/json", "application/json+fhir")
_LONGEST: Final = 100_000
_RESOURCE: Final = content({"type": "object"}, MEDIA_TYPE)
_ONE: Final = f"({'|'.join(subscription.STATUSES)})"
_PART: Final = f"(category=LAB|status={_ONE}(,{_ONE})*)"
_ASKED: Final = content(
    {
        "type": "object",
        "required": ["resourceType", "status", "criteria", "channel"],
        "properties": {
            "resourceType": {"type": "string", "enum": [subscription.TYPE]},
            "status": {"type": "string", "enum": ["requested", "active"]},
            "criteria": {
                "type": "string",
                "pattern": f"^DiagnosticReport(\\?{_PART}(&{_PART})*)?$",
                "description": "by category and status; commas between several of these",
            },
            "channel": {
                "type": "object",
                "required": ["type", "endpoint"],
                "properties": {
                    "type": {"type": "string", "enum": [subscription.REST_HOOK]},
                    "endpoint": {"type": "string", "pattern": "^https?://[^\\s@#]+$"},
                    "payload": {"type": "string", "enum": [MEDIA_TYPE]},
                    "header": {
                        "type": "array",
                        "items": {"type": "string", "pattern": "^[A-Za-z][A-Za-z0-9-]{0,63}:"},
                        "description": "such as X-Hook-Id: ward7; none that HTTP needs itself",
                        "maxItems": 10,
                    },
                },
            },
        },
    },
    MEDIA_TYPE,
)


@resource.post("/Subscription")
@operation(
    "Subscribe to reports",
    scope="deliveries:write",
    body={"required": True, **_ASKED},
    answers={
        201: {
            "description": "Requested; active once its endpoint has answered",
            **_RESOURCE,
            "headers": {"Location": {"$ref": "#/components/headers/Location"}},
        }
    },
    refusals=(400, 409, 413, 415, 422),
)
def create() -> Response:
    """Criteria `DiagnosticReport`, by category and status; the payload holds ids alone."""
    made = subscriptions.create_subscription(
        services(), actor(), _document(), request_id=request_id()
    )
    document = subscriptions.subscription_document(services(), made)
    return _answer(document, 201, {"Location": _address(made.id), "ETag": 'W/"1"'})


@resource.get("/Subscription")
@operation(
    "List the Subscriptions",
    scope="deliveries:write",
    answers={200: {"description": "A searchset Bundle of all of them", **_RESOURCE}},
)
def search() -> Response:
    """Oldest first."""
    found = subscriptions.all_subscriptions(services(), actor())
    entries = [
        {
            "fullUrl": _address(each.id),
            "resource": subscriptions.subscription_document(services(), each),
            "search": {"mode": "match"},
        }
        for each in found
    ]
    bundle: dict[str, Any] = {
        "resourceType": "Bundle",
        "type": "searchset",
        "total": len(entries),
        "link": [{"relation": "self", "url": _address().rstrip("/")}],
    }
    return _answer({**bundle, "entry": entries} if entries else bundle)


@resource.get("/Subscription/<subscription_id>")
@operation(
    "Read one Subscription",
    scope="deliveries:write",
    answers={200: {"description": "The Subscription and how it stands", **_RESOURCE}},
    refusals=(404,),
)
def read(subscription_id: str) -> Response:
    """`error` says what its endpoint answered last; credentials among its headers are not shown."""
    found = subscriptions.read_subscription(services(), actor(), subscription_id)
    return _answer(subscriptions.subscription_document(services(), found))


@resource.delete("/Subscription/<subscription_id>")
@operation(
    "End a Subscription",
    scope="deliveries:write",
    answers={204: {"description": "It is told nothing any more"}},
    refusals=(404,),
)
def remove(subscription_id: str) -> Response:
    """Notifications that were not sent yet are withdrawn."""
    subscriptions.delete_subscription(services(), actor(), subscription_id, request_id=request_id())
    return Response(status=204)


def _document() -> Any:
    if request.mimetype not in _READ or request.headers.get("Content-Encoding"):
        raise UnsupportedFormat(f"Send a Subscription as {MEDIA_TYPE}, as it is.")
    body = request.get_data(cache=False)
    if len(body) > _LONGEST:
        raise TooLarge(f"A Subscription has at most {_LONGEST} bytes.")
    return _plain(json_text.parsed(body, Limits()))


def _plain(value: Any) -> Any:
    """The document with its numbers as numbers; the reader has bounded its depth."""
    if isinstance(value, NumberLiteral):
        return Decimal(value.text)
    if isinstance(value, dict):
        return {name: _plain(member) for name, member in value.items()}
    return [_plain(member) for member in value] if isinstance(value, list) else value


def _address(subscription_id: str = "") -> str:
    base = services().policy.base_url.rstrip("/")
    return f"{base}{FHIR_PREFIX}/Subscription/{subscription_id}"


def _answer(
    document: Mapping[str, Any], status: int = 200, headers: dict[str, str] | None = None
) -> Response:
    return answers.json(document, status, headers=headers, media_type=MEDIA_TYPE)
