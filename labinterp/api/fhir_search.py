"""Search of stored answers: which parameters are known, and the pages they give."""

from __future__ import annotations

import json
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from calendar import monthrange
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode

from flask import request

from labinterp.api import fhir_exchange, fhir_records
from labinterp.api.resource import actor, request_id, services
from labinterp.errors import NotFound, Place, SettingsError, SubmissionError
from labinterp.model.codes import LOINC
from labinterp.reporting import fhir
from labinterp.usecases import journey

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from labinterp.store.rows import Page, PanelSummary

_OF_PATIENT: Final = {
    "patient": "reference",
    "subject": "reference",
    "patient.identifier": "token",
    "subject.identifier": "token",
}
_OF_ALL: Final = {"_id": "token", "_lastUpdated": "date"}
PARAMETERS: Final = {
    "DiagnosticReport": {**_OF_PATIENT, "identifier": "token", "date": "date", **_OF_ALL},
    "Observation": {**_OF_PATIENT, "code": "token", "date": "date", **_OF_ALL},
    "Provenance": {"target": "reference", "recorded": "date", **_OF_ALL},
}
"""What answers may be searched by; a chained parameter is told by its first part."""
KNOWN: Final = {
    **PARAMETERS,
    "AuditEvent": {
        **dict.fromkeys(("agent", "subtype", "action", "outcome"), "token"),
        "entity": "reference",
        "date": "date",
        "_id": "token",
    },
}
"""The same of all that can be searched; the CapabilityStatement tells it."""
_PAGE: Final = "_page"
"""Where a search goes on: what was asked and how far it was answered, sealed."""
_OF_ANSWERS: Final = ("_format", "_pretty", "_count", "_cursor")
_DATE: Final = re.compile(r"(eq|ge|gt|sa|le|lt|eb)?(\d{4})(?:-(\d\d))?(?:-(\d\d))?(T.+)?", re.ASCII)
_MOST: Final = 100
_NOBODYS: Final = "nobody"
"""No panel has this id."""
_DEFAULT: Final = 20


@dataclass(frozen=True, slots=True)
class Span:
    """From a moment on, and before another; None where it has no end on that side."""

    since: datetime | None = None
    until: datetime | None = None

    def within(self, other: Span) -> Span:
        """What both hold."""
        since = [one.since for one in (self, other) if one.since]
        until = [one.until for one in (self, other) if one.until]
        return Span(max(since, default=None), min(until, default=None))


def searchset(kind: str) -> dict[str, Any]:
    """The page that this request asks for, as a Bundle.

    Raises:
        SubmissionError: a parameter that cannot be used.
    """
    asked = parameters(kind)
    page = _page(kind, asked)
    found = [one for summary in page.items for one in _resources(kind, summary, asked)]
    return bundle(kind, asked, found, page.next_cursor)


def bundle(
    kind: str,
    asked: list[tuple[str, str]],
    found: Iterable[dict[str, Any]],
    next_cursor: str | None,
) -> dict[str, Any]:
    """A page of what was found, with the address of the next."""
    entries = [
        {
            "fullUrl": f"{fhir_records.base()}/{kind}/{one['id']}",
            "resource": one,
            "search": {"mode": "match"},
        }
        for one in found
    ]
    shown = [one for one in asked if request.method == "GET" or one[0] not in _OF_PATIENT]
    links = [{"relation": "self", "url": _address(kind, shown)}]
    if next_cursor:
        following = [*(one for one in asked if one[0] != "_cursor"), ("_cursor", next_cursor)]
        links.append(
            {"relation": "next", "url": _address(kind, [(_PAGE, _sealed(kind, following))])}
        )
    made: dict[str, Any] = {"resourceType": "Bundle", "type": "searchset", "link": links}
    return {**made, "entry": entries} if entries else made


def parameters(kind: str) -> list[tuple[str, str]]:
    """Name and value of each known parameter; an unknown one is refused where that is asked."""
    sent = [pair for source in (request.args, request.form) for pair in source.items(multi=True)]
    page = dict(sent).get(_PAGE)
    if page is not None:
        return _opened(kind, page)
    known = {*KNOWN[kind], *_OF_ANSWERS}
    unknown = sorted({name for name, _ in sent if name not in known})
    if unknown and fhir_exchange.preference("handling") == "strict":
        places = tuple(
            Place(f"{kind}?{name}"[:100], "parameter-invalid", "is not known here")
            for name in unknown
        )
        raise SubmissionError("A parameter is not known.", code="bad-request", errors=places)
    return [(name, value) for name, value in sent if name in known]


def _sealed(kind: str, asked: list[tuple[str, str]]) -> str:
    """A search as it goes on, in one word: an address holds nothing that tells a patient."""
    box = services().store.vault.seal(json.dumps(asked).encode(), _place(kind))
    return urlsafe_b64encode(box).decode().rstrip("=")


def _opened(kind: str, page: str) -> list[tuple[str, str]]:
    """The search that goes on.

    Raises:
        SubmissionError: code `cursor-invalid`: this organisation was given no such page.
    """
    try:
        box = urlsafe_b64decode(page + "=" * (-len(page) % 4))
        found = json.loads(services().store.vault.open(box, _place(kind)))
    except (ValueError, SettingsError):
        message = "This is no page of ours; begin again without it."
        places = (Place(_PAGE, "cursor-invalid", message),)
        raise SubmissionError(message, code="cursor-invalid", errors=places) from None
    return [(str(name), str(value)) for name, value in found]


def _place(kind: str) -> str:
    return f"fhir-search/{actor().organisation_id}/{kind}"


def _page(kind: str, asked: list[tuple[str, str]]) -> Page:
    """The panels whose resources fit: the database judges, so that pages are full."""
    values = dict(asked)
    collected, updated = span(asked, "date"), span(asked, "_lastUpdated", "recorded")
    patient, only = _patient(values)
    return journey.list_panels(
        services(),
        actor(),
        patient=patient,
        from_=updated.since,
        to=updated.until,
        collected_from=collected.since,
        collected_to=collected.until,
        ids=_ids(kind, asked, only),
        measurands=_measurands(asked),
        cursor=values.get("_cursor"),
        limit=count(values.get("_count", "")),
    )


def span(asked: list[tuple[str, str]], *names: str) -> Span:
    """What all of these parameters allow together."""
    span = Span()
    for name, value in asked:
        if name in names:
            span = span.within(_period(name, value))
    return span


def _measurands(asked: list[tuple[str, str]]) -> frozenset[str] | None:
    """What has one of the codes that are asked for; None: anything."""
    sets = [
        {
            name
            for name, measurand in services().knowledge.measurands.items()
            if {one.code for one in measurand.codes} & _tokens(value)
        }
        for name, value in asked
        if name == "code"
    ]
    return frozenset(set.intersection(*sets)) if sets else None


def _tokens(value: str) -> set[str]:
    """The LOINC codes among these; `system|` without a code, or another system, is none of ours."""
    parts = [one.rpartition("|") for one in value.split(",")]
    return {code for system, bar, code in parts if not bar or system == LOINC}


def _ids(kind: str, asked: list[tuple[str, str]], only: str | None) -> frozenset[str] | None:
    """The panels that are named by id, by identifier or by a resource of theirs; None: any."""
    wanted = [{only}] if only else []
    for name, value in asked:
        alternatives = value.split(",")
        if name == "_id":
            wanted.append({fhir.panel_of(one) for one in alternatives})
        elif name == "identifier":
            ours = f"{fhir_records.base()}/{kind}"
            tokens = [one.rpartition("|") for one in alternatives]
            wanted.append({value for system, bar, value in tokens if not bar or system == ours})
        elif name == "target":
            wanted.append({fhir.panel_of(one.rpartition("/")[2]) for one in alternatives})
    return frozenset(set.intersection(*wanted)) if wanted else None


def _patient(values: dict[str, str]) -> tuple[str | None, str | None]:
    """`issuer|identifier` of whoever is asked for, or the one panel of whoever has none.

    Nobody's where a reference leads nowhere.
    """
    for name in ("patient.identifier", "subject.identifier"):
        if name in values:
            return values[name], None
    reference = values.get("patient") or values.get("subject")
    if reference is None:
        return None, None
    try:
        record = journey.read_panel(
            services(), actor(), reference.rpartition("/")[2], request_id=request_id()
        )
    except NotFound:
        return None, _NOBODYS
    who = record.identity
    if not who.identifier:
        return None, record.id
    return f"{who.issuer or ''}|{who.identifier}", None


def _resources(
    kind: str, summary: PanelSummary, asked: list[tuple[str, str]]
) -> Iterator[dict[str, Any]]:
    record = journey.read_panel(services(), actor(), summary.id, request_id=request_id())
    for one in fhir_records.resources(record, kind):
        if all(_fits(one, name, value.split(",")) for name, value in asked):
            yield one


def _fits(one: dict[str, Any], name: str, alternatives: list[str]) -> bool:
    """What tells the resources of one panel apart."""
    if name == "_id":
        return one["id"] in alternatives
    if name == "code":
        return bool(_tokens(",".join(alternatives)) & _codes_of(one))
    if name == "target":
        told = {each["reference"] for each in one["target"]}
        base = f"{fhir_records.base()}/"
        return any(
            each.removeprefix(base).partition("/_history")[0] in told for each in alternatives
        )
    return True


def _codes_of(one: dict[str, Any]) -> set[str]:
    return {coding["code"] for coding in one["code"].get("coding", ())}


def _period(name: str, value: str) -> Span:
    found = _DATE.fullmatch(value.replace(" ", "+"))
    try:
        span = _spanned(*found.groups()) if found else None
    except (ValueError, OverflowError):
        span = None
    if span is None:
        message = "is no date; send one such as ge2026-01-31 or lt2026-01-31T08:00:00Z"
        places = (Place(name, "parameter-invalid", message),)
        raise SubmissionError(f"{name} {message}.", code="bad-request", errors=places)
    return span


def _spanned(
    how: str | None, year: str, month: str | None, day: str | None, time: str | None
) -> Span:
    start, end = _moments(year, month, day, time)
    return {
        "ge": Span(start),
        "gt": Span(end),
        "sa": Span(end),
        "lt": Span(None, start),
        "eb": Span(None, start),
        "le": Span(None, end),
    }.get(how or "eq", Span(start, end))


def _moments(
    year: str, month: str | None, day: str | None, time: str | None
) -> tuple[datetime, datetime]:
    """The moments that a date or a time, as exact as it was said, begins and ends at."""
    if time:
        moment = datetime.fromisoformat(f"{year}-{month}-{day}{time}")
        start = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
        exact = "." in time
        return start, start + (timedelta.resolution if exact else timedelta(seconds=1))
    start = datetime(int(year), int(month or 1), int(day or 1), tzinfo=UTC)
    months = range(start.month, start.month + 1) if month else range(1, 13)
    days = 1 if day else sum(monthrange(start.year, each)[1] for each in months)
    return start, start + timedelta(days=days)


def count(text: str) -> int:
    """How many a page, as `_count` asks for; at most a hundred."""
    return max(1, min(int(text), _MOST)) if text.isascii() and text.isdigit() else _DEFAULT


def _address(kind: str, asked: list[tuple[str, str]]) -> str:
    question = f"?{urlencode(asked)}" if asked else ""
    return f"{fhir_records.base()}/{kind}{question}"
