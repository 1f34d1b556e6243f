"""FHIR R4 Subscriptions: what one may ask for here, read from its document.

Only `DiagnosticReport` is told, over `rest-hook`; what is asked otherwise is refused by its place,
because a subscriber that waits for what never comes is worse off than one that was told no.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qsl

from labinterp.delivery.webhook import FHIR
from labinterp.errors import Place

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

TYPE: Final = "Subscription"
REST_HOOK: Final = "rest-hook"
_CRITERIA: Final = "DiagnosticReport"
_FIRST: Final = frozenset({"final", "preliminary"})
_LATER: Final = frozenset({"corrected", "amended"})
_BACK: Final = frozenset({"entered-in-error", "cancelled"})
STATUSES: Final = (*sorted(_FIRST), *sorted(_LATER), *sorted(_BACK))
_HEADER: Final = re.compile(r"(?P<name>[A-Za-z][A-Za-z0-9-]{0,63}):[ \t]*(?P<value>[ -~]{0,1000})")
_OURS: Final = re.compile(
    r"(?i)host|connection|content-.*|transfer-.*|expect|te|trailer|upgrade|accept.*|webhook-.*"
)
_SECRET: Final = re.compile(r"(?i)auth|key|token|secret|cookie|password")
_MOST_HEADERS: Final = 10
_HIDDEN: Final = "(not shown)"


@dataclass(frozen=True, slots=True)
class Asked:
    """What a Subscription asks for, checked.

    Attributes:
        statuses: of reports it wants to be told; all when empty.
        ends_at: nothing is told from then on.
    """

    endpoint: str
    statuses: frozenset[str]
    ends_at: datetime | None


def read(document: Any, now: datetime) -> tuple[Asked | None, tuple[Place, ...]]:
    """What a document asks for; or everything that cannot be done, each by its FHIRPath."""
    if not isinstance(document, dict) or document.get("resourceType") != TYPE:
        place = Place(TYPE, "wrong-type", f'Send a resource with "resourceType": "{TYPE}".')
        return None, (place,)
    channel = document.get("channel")
    channel = channel if isinstance(channel, dict) else {}
    statuses, said = _criteria(document.get("criteria"))
    ends_at, wrong_end = _end(document.get("end"), now)
    faults = (*said, *_status(document), *_channel(channel), *wrong_end)
    if faults:
        return None, faults
    return Asked(channel["endpoint"], statuses, ends_at), ()


def wants(criteria: str, event: str, status: str) -> bool:
    """Does a Subscription with this criteria want to be told?

    Args:
        criteria: as it was accepted.
        event: the last word of ours: completed, corrected, withdrawn.
        status: of the panel's version, as sent.
    """
    asked, _ = _criteria(criteria)
    first = "preliminary" if status == "preliminary" else "final"
    has = {"completed": {first}, "corrected": _LATER, "withdrawn": _BACK}.get(event, frozenset())
    return bool(has) and (not asked or bool(asked & has))


def shown(document: Mapping[str, Any]) -> dict[str, Any]:
    """The document as it is read again: what looks like a credential stays with its owner."""
    channel = dict(document["channel"])
    if channel.get("header"):
        channel["header"] = [_masked(line) for line in channel["header"]]
    return {**document, "channel": channel}


def _masked(line: str) -> str:
    name = line.partition(":")[0]
    return f"{name}: {_HIDDEN}" if _SECRET.search(name) else line


def _status(document: Mapping[str, Any]) -> Iterator[Place]:
    if document.get("status") not in ("requested", "active"):
        yield Place(
            "Subscription.status", "not-allowed", "A new Subscription has the status requested."
        )


def _criteria(text: Any) -> tuple[frozenset[str], tuple[Place, ...]]:
    where = "Subscription.criteria"
    resource, _, query = text.partition("?") if isinstance(text, str) else ("", "", "")
    if resource.lstrip("/") != _CRITERIA:
        right = f"{_CRITERIA}?category=LAB"
        return frozenset(), (
            Place(where, "criteria-unsupported", f"Only {_CRITERIA} is told, such as {right}."),
        )
    statuses: set[str] = set()
    faults: list[str] = []
    for name, value in parse_qsl(query, keep_blank_values=True):
        if name == "status":
            statuses.update(value.split(","))
        elif name != "category" or value.rpartition("|")[2] != "LAB":
            faults.append(f"{_CRITERIA} is told by category=LAB and status only.")
    unknown = sorted(statuses - set(STATUSES))
    if unknown:
        faults.append(f"The status of a report here is one of {', '.join(STATUSES)}.")
    places = tuple(Place(where, "criteria-unsupported", fault) for fault in dict.fromkeys(faults))
    return frozenset(statuses), places


def _channel(channel: Mapping[str, Any]) -> Iterator[Place]:
    where = "Subscription.channel"
    if channel.get("type") != REST_HOOK:
        yield Place(f"{where}.type", "not-allowed", f"Only {REST_HOOK} is offered.")
    if not isinstance(channel.get("endpoint"), str):
        yield Place(f"{where}.endpoint", "missing-member", "Name the https address to be called.")
    payload = channel.get("payload")
    if payload is not None and str(payload).partition(";")[0].strip() != FHIR:
        right = f"The payload is {FHIR}, or absent for an empty body."
        yield Place(f"{where}.payload", "not-allowed", right)
    headers = channel.get("header", [])
    if not isinstance(headers, list) or len(headers) > _MOST_HEADERS:
        yield Place(f"{where}.header", "wrong-type", f"A list of at most {_MOST_HEADERS} headers.")
        return
    for position, line in enumerate(headers):
        found = _HEADER.fullmatch(line) if isinstance(line, str) else None
        if found is None or _OURS.fullmatch(found["name"]):
            right = "A header is a line such as X-Hook-Id: ward7, and none that HTTP needs itself."
            yield Place(f"{where}.header[{position}]", "not-allowed", right)


def _end(text: Any, now: datetime) -> tuple[datetime | None, tuple[Place, ...]]:
    if text is None:
        return None, ()
    try:
        ends_at = datetime.fromisoformat(str(text)).astimezone(UTC)
        aware = datetime.fromisoformat(str(text)).tzinfo is not None
    except (ValueError, OverflowError):
        ends_at, aware = now, False
    if not aware or ends_at <= now:
        right = "The end is a later moment with its offset, such as 2026-12-31T00:00:00Z."
        return None, (Place("Subscription.end", "not-allowed", right),)
    return ends_at, ()
