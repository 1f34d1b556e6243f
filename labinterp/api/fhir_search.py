"""Search of stored answers: which parameters are known, and the pages they give."""

from __future__ import annotations

import re
from calendar import monthrange
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode

from flask import request

from labinterp.api import fhir_exchange, fhir_records
from labinterp.api.resource import actor, request_id, services
from labinterp.errors import NotFound, Place, SubmissionError
from labinterp.usecases import journey

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from labinterp.store.rows import Page, PanelSummary

PARAMETERS: Final = {
    "DiagnosticReport": {
        "patient": "reference",
        "subject": "reference",
        "patient.identifier": "token",
        "subject.identifier": "token",
        "identifier": "token",
        "_id": "token",
        "date": "date",
        "_lastUpdated": "date",
    },
    "Observation": {
        "patient": "reference",
        "subject": "reference",
        "patient.identifier": "token",
        "subject.identifier": "token",
        "code": "token",
        "date": "date",
        "_lastUpdated": "date",
    },
}
"""What may be searched by; the CapabilityStatement tells it, a chained one by its first part."""
_OF_ANSWERS: Final = ("_format", "_pretty", "_count", "_cursor")
_DATE: Final = re.compile(r"(eq|ge|gt|le|lt)?(\d{4})(?:-(\d\d))?(?:-(\d\d))?(T.+)?", re.ASCII)
_MOST: Final = 100
_DEFAULT: Final = 20


@dataclass(frozen=True, slots=True)
class _Period:
    """A date that was asked for, as the moments it spans, and how they are compared."""

    how: str
    start: datetime
    end: datetime

    def holds(self, moment: datetime | None) -> bool:
        if moment is None:
            return False
        return {
            "ge": moment >= self.start,
            "gt": moment >= self.end,
            "lt": moment < self.start,
            "le": moment < self.end,
        }.get(self.how, self.start <= moment < self.end)


def searchset(kind: str) -> dict[str, Any]:
    """The page that this request asks for, as a Bundle.

    Raises:
        SubmissionError: a parameter that cannot be used.
    """
    asked = _asked(kind)
    page, is_wanted = _page(asked)
    entries = [
        {
            "fullUrl": f"{fhir_records.base()}/{kind}/{one['id']}",
            "resource": one,
            "search": {"mode": "match"},
        }
        for summary in page.items
        if is_wanted(summary)
        for one in _resources(kind, summary, asked)
    ]
    links = [{"relation": "self", "url": _address(kind, asked)}]
    if page.next_cursor:
        following = [*(one for one in asked if one[0] != "_cursor"), ("_cursor", page.next_cursor)]
        links.append({"relation": "next", "url": _address(kind, following)})
    made: dict[str, Any] = {"resourceType": "Bundle", "type": "searchset", "link": links}
    return {**made, "entry": entries} if entries else made


def _asked(kind: str) -> list[tuple[str, str]]:
    """Name and value of each known parameter; an unknown one is refused where that is asked."""
    sent = [pair for source in (request.args, request.form) for pair in source.items(multi=True)]
    known = {*PARAMETERS[kind], *_OF_ANSWERS}
    unknown = sorted({name for name, _ in sent if name not in known})
    if unknown and fhir_exchange.preference("handling") == "strict":
        places = tuple(
            Place(f"{kind}?{name}"[:100], "parameter-invalid", "is not known here")
            for name in unknown
        )
        raise SubmissionError("A parameter is not known.", code="bad-request", errors=places)
    return [(name, value) for name, value in sent if name in known]


def _page(asked: list[tuple[str, str]]) -> tuple[Page, Callable[[PanelSummary], bool]]:
    values = dict(asked)
    collected = [_period(name, value) for name, value in asked if name == "date"]
    updated = [_period(name, value) for name, value in asked if name == "_lastUpdated"]
    ids = {
        value.rpartition("|")[2] for name, value in asked if name in {"identifier", "_id"} and value
    }
    page = journey.list_panels(
        services(),
        actor(),
        patient=_patient(values),
        from_=max((one.start for one in updated if one.how in {"eq", "ge", "gt"}), default=None),
        to=min((one.end for one in updated if one.how in {"eq", "le", "lt"}), default=None),
        cursor=values.get("_cursor"),
        limit=_count(values.get("_count", "")),
    )

    def is_wanted(summary: PanelSummary) -> bool:
        return (
            all(one.holds(summary.collected_at) for one in collected)
            and all(one.holds(summary.received_at) for one in updated)
            and (not ids or summary.id in ids)
        )

    return page, is_wanted


def _patient(values: dict[str, str]) -> str | None:
    """`issuer|identifier` of whoever is asked for; nobody's where a reference leads nowhere."""
    for name in ("patient.identifier", "subject.identifier"):
        if name in values:
            return values[name]
    reference = values.get("patient") or values.get("subject")
    if reference is None:
        return None
    try:
        record = journey.read_panel(
            services(), actor(), reference.rpartition("/")[2], request_id=request_id()
        )
    except NotFound:
        return f"|{reference}"
    who = record.identity
    return f"{who.issuer or ''}|{who.identifier or reference}"


def _resources(
    kind: str, summary: PanelSummary, asked: list[tuple[str, str]]
) -> Iterator[dict[str, Any]]:
    codes = {
        value.rpartition("|")[2]
        for name, given in asked
        if name == "code"
        for value in given.split(",")
    }
    record = journey.read_panel(services(), actor(), summary.id, request_id=request_id())
    for one in fhir_records.resources(record, kind):
        if not codes or codes & _codes_of(one):
            yield one


def _codes_of(one: dict[str, Any]) -> set[str]:
    return {coding["code"] for coding in one["code"].get("coding", ())}


def _period(name: str, value: str) -> _Period:
    found = _DATE.fullmatch(value.replace(" ", "+"))
    try:
        period = _spanned(*found.groups()) if found else None
    except (ValueError, OverflowError):
        period = None
    if period is None:
        message = "is no date; send one such as ge2026-01-31 or lt2026-01-31T08:00:00Z"
        places = (Place(name, "parameter-invalid", message),)
        raise SubmissionError(f"{name} {message}.", code="bad-request", errors=places)
    return period


def _spanned(
    how: str | None, year: str, month: str | None, day: str | None, time: str | None
) -> _Period:
    if time:
        moment = datetime.fromisoformat(f"{year}-{month}-{day}{time}")
        start = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        return _Period(how or "eq", start, start + timedelta(seconds=1))
    start = datetime(int(year), int(month or 1), int(day or 1), tzinfo=UTC)
    months = range(start.month, start.month + 1) if month else range(1, 13)
    days = 1 if day else sum(monthrange(start.year, each)[1] for each in months)
    return _Period(how or "eq", start, start + timedelta(days=days))


def _count(text: str) -> int:
    return max(1, min(int(text), _MOST)) if text.isascii() and text.isdigit() else _DEFAULT


def _address(kind: str, asked: list[tuple[str, str]]) -> str:
    question = f"?{urlencode(asked)}" if asked else ""
    return f"{fhir_records.base()}/{kind}{question}"
