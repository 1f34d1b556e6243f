"""What an endpoint is sent: a signed line that something happened, and where it is read.

Nothing clinical is in it: ids, a version, a time, a link for whoever may read it. Headers and
signature are those of Standard Webhooks (`webhook-id`, `webhook-timestamp`, `webhook-signature`):
HMAC-SHA256 over `id.timestamp.body`, one signature for each secret in force.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import simplejson

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

PREFIX: Final = "whsec_"
_SECRET_BYTES: Final = 32
JSON: Final = "application/json"
FHIR: Final = "application/fhir+json"
_BACKPORT: Final = "http://hl7.org/fhir/uv/subscriptions-backport/StructureDefinition"


@dataclass(frozen=True, slots=True)
class Event:
    """What happened.

    Attributes:
        id: the same at every try, so that a receiver can tell a repeated event.
        panel_id, version: None in a challenge.
    """

    id: str
    type: str
    created: datetime
    panel_id: str | None = None
    version: int | None = None


@dataclass(frozen=True, slots=True)
class Message:
    """A body and its headers, ready to be sent."""

    headers: Mapping[str, str]
    body: bytes


def new_secret() -> bytes:
    """A fresh random signing key."""
    return secrets.token_bytes(_SECRET_BYTES)


def shown(secret: bytes) -> str:
    """A secret as its owner is shown it, once."""
    return PREFIX + base64.b64encode(secret).decode()


def message(event: Event, base_url: str, keys: Iterable[bytes], now: datetime) -> Message:
    """What a webhook is sent.

    Args:
        event: what happened.
        base_url: of this service, for the link.
        keys: secrets in force, the newest first.
        now: the time of this try.
    """
    document: dict[str, Any] = {
        "id": event.id,
        "type": event.type,
        "created": event.created.isoformat(),
        "panel_id": event.panel_id,
        "version": event.version,
        "link": f"{base_url.rstrip('/')}/api/v1/panels/{event.panel_id}?version={event.version}",
    }
    return signed(event.id, _written(document), keys, now)


def challenge(event_id: str, word: str, keys: Iterable[bytes], now: datetime) -> Message:
    """What a new endpoint must answer with the same word."""
    document = {"id": event_id, "type": "endpoint.verify", "challenge": word}
    return signed(event_id, _written(document), keys, now)


def answers_challenge(body: bytes, word: str) -> bool:
    """Did the endpoint give the word back?"""
    try:
        answer = simplejson.loads(body)
    except (ValueError, RecursionError):
        return False
    said = answer.get("challenge") if isinstance(answer, dict) else None
    return isinstance(said, str) and hmac.compare_digest(said.encode(), word.encode())


def signed(event_id: str, body: bytes, keys: Iterable[bytes], now: datetime) -> Message:
    """A body under Standard Webhooks' headers; without keys, without signature."""
    timestamp = str(int(now.timestamp()))
    headers = {"Content-Type": JSON, "webhook-id": event_id, "webhook-timestamp": timestamp}
    content = b".".join((event_id.encode(), timestamp.encode(), body))
    made = [
        "v1," + base64.b64encode(hmac.new(key, content, hashlib.sha256).digest()).decode()
        for key in keys
    ]
    return Message({**headers, **({"webhook-signature": " ".join(made)} if made else {})}, body)


def hook(event: Event, base_url: str, subscription: Mapping[str, Any], now: datetime) -> Message:
    """What a FHIR Subscription's endpoint is sent: nothing, or a notification with ids alone."""
    channel = subscription["channel"]
    extra = dict(line.split(":", 1) for line in channel.get("header", ()))
    kept = {name.strip(): value.strip() for name, value in extra.items()}
    made = signed(event.id, b"", (), now)
    if not channel.get("payload"):
        headers = {name: value for name, value in made.headers.items() if name != "Content-Type"}
        return Message({**kept, **headers}, b"")
    body = _written(_notification(event, base_url, str(subscription["id"])))
    return Message({**kept, **made.headers, "Content-Type": FHIR}, body)


def _notification(event: Event, base_url: str, subscription_id: str) -> dict[str, Any]:
    """A Bundle as R5's subscriptions have it on R4, its payload ids alone."""
    base = f"{base_url.rstrip('/')}/fhir"
    own = f"{base}/Subscription/{subscription_id}"
    handshake = event.panel_id is None
    parameters: list[dict[str, Any]] = [
        {"name": "subscription", "valueReference": {"reference": own}},
        {"name": "status", "valueCode": "requested" if handshake else "active"},
        {"name": "type", "valueCode": "handshake" if handshake else "event-notification"},
    ]
    entries: list[dict[str, Any]] = []
    if not handshake:
        focus = f"{base}/DiagnosticReport/{event.panel_id}"
        parts = [
            {"name": "event-number", "valueString": str(int(event.created.timestamp() * 1e6))},
            {"name": "timestamp", "valueInstant": event.created.isoformat()},
            {"name": "focus", "valueReference": {"reference": focus}},
        ]
        parameters.append({"name": "notification-event", "part": parts})
        entries.append(
            {
                "fullUrl": focus,
                "request": {"method": "PUT", "url": f"DiagnosticReport/{event.panel_id}"},
                "response": {"status": "200", "etag": f'W/"{event.version}"'},
            }
        )
    status = {
        "resourceType": "Parameters",
        "meta": {"profile": [f"{_BACKPORT}/backport-subscription-status-r4"]},
        "parameter": parameters,
    }
    first = {
        "fullUrl": f"{own}/$status",
        "resource": status,
        "request": {"method": "GET", "url": f"Subscription/{subscription_id}/$status"},
        "response": {"status": "200"},
    }
    return {
        "resourceType": "Bundle",
        "type": "history",
        "timestamp": event.created.isoformat(),
        "entry": [first, *entries],
    }


def _written(document: Mapping[str, Any]) -> bytes:
    text: str = simplejson.dumps(document, separators=(",", ":"))
    return text.encode()
