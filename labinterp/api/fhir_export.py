"""`/fhir/$export`: FHIR bulk export, asked for once and asked after until its files are there."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Final
from urllib.parse import parse_qs

from flask import Response, request

from labinterp.api import bulk, wire
from labinterp.api.openapi import answered, content, header
from labinterp.api.resource import FHIR_PREFIX, Resource, actor, operation, request_id, services
from labinterp.errors import AccessDenied, Place, SubmissionError
from labinterp.formats.fields import MOMENT_FORM
from labinterp.usecases import background, export
from labinterp.usecases.export import Wish
from labinterp.usecases.fhir_orders import fhir_base

resource = Resource("fhir-export", "FHIR bulk export.", prefix=FHIR_PREFIX)

MEDIA_TYPE: Final = "application/fhir+ndjson"
_FORMATS: Final = (MEDIA_TYPE, "application/ndjson", "ndjson")
_KNOWN: Final = ("_type", "_typeFilter", "_since", "_outputFormat")
_OURS: Final = ("laboratory", "LAB")
"""The category of everything that is kept here, of an Observation and of a DiagnosticReport."""
_UNKNOWN: Final = "asks for what is not known here; Prefer: handling=lenient ignores it"
_ASYNC: Final = re.compile(r"\brespond-async\b", re.IGNORECASE)
_LENIENT: Final = re.compile(r"\bhandling\s*=\s*\"?lenient", re.IGNORECASE)
_PREFER: Final = {
    **header(
        "Prefer", "`respond-async`, always", {"type": "string", "pattern": r"\brespond-async\b"}
    ),
    "required": True,
}
_TYPE_NAMES: Final = "|".join(export.TYPES)


def _asked(name: str, about: str, form: str) -> dict[str, object]:
    schema = {"type": "string", "pattern": form}
    return {"in": "query", "name": name, "description": about, "schema": schema}


_PARAMETERS: Final = (
    _PREFER,
    _asked(
        "_type",
        "Types of resources, commas between; without it, all that may be read",
        f"^(({_TYPE_NAMES})(,({_TYPE_NAMES}))*)?$",
    ),
    _asked("_since", "Only what was answered at or after this instant", f"{MOMENT_FORM}|^$"),
    _asked(
        "_typeFilter",
        "Of searches only by category: Observation?category=laboratory",
        f"^({_TYPE_NAMES})(\\?category=[A-Za-z,-]*)?$",
    ),
    _asked(
        "_outputFormat",
        f"{MEDIA_TYPE}, application/ndjson or ndjson",
        f"^({'|'.join(map(re.escape, _FORMATS))})$",
    ),
)
_BEGUN: Final = {
    202: answered("It is begun; ask Content-Location", headers=("Content-Location", "Retry-After"))
}


@resource.get("/$export")
@operation(
    "Export stored answers",
    scope="panels:read",
    parameters=_PARAMETERS,
    answers=_BEGUN,
    refusals=(400,),
)
def of_all() -> Response:
    """NDJSON, a file for each type of resource."""
    return _begun()


@resource.get("/Patient/$export")
@operation(
    "Export stored answers: the same, asked of all patients",
    scope="panels:read",
    parameters=_PARAMETERS,
    answers=_BEGUN,
    refusals=(400,),
)
def of_patients() -> Response:
    """Every stored answer is about a patient."""
    return _begun()


@resource.get("/$export-status/<job_id>")
@operation(
    "Ask how far an export is",
    scope="panels:read",
    answers={
        200: answered("It is done; its files", wire.JobManifest, headers=("Expires",)),
        202: answered("It goes on", headers=("X-Progress", "Retry-After")),
    },
    refusals=(404, 409),
)
def status(job_id: str) -> Response:
    """Files are kept for a day after its end (the setting JOB_KEPT)."""
    state = background.read_job(services(), actor(), "export", job_id)
    if state.job.status != "done":
        return bulk.unfinished(state)
    files = f"{fhir_base(services())}/$export-files/{job_id}"
    output = tuple(
        wire.JobFileDocument(one.name.partition(".")[0], f"{files}/{one.name}", one.lines)
        for one in state.files
    )
    ends = state.job.expires_at or services().now()
    return bulk.manifest(state, output, headers={"Expires": format_datetime(ends, usegmt=True)})


@resource.delete("/$export-status/<job_id>")
@operation(
    "Stop an export and forget its files",
    scope="panels:read",
    answers={202: {"description": "It is gone"}},
    refusals=(404,),
)
def remove(job_id: str) -> Response:
    """Whatever it is doing."""
    background.remove_job(services(), actor(), "export", job_id, request_id=request_id())
    return Response(status=202)


@resource.get("/$export-files/<job_id>/<name>")
@operation(
    "Fetch a file of a finished export",
    scope="panels:read",
    answers={200: {"description": "A resource a line", **content({"type": "string"}, MEDIA_TYPE)}},
    refusals=(404,),
)
def file(job_id: str, name: str) -> Response:
    """Of types that the caller may read."""
    kind = name.partition(".")[0]
    if kind in export.TYPES and not export.may_read(actor(), kind):
        raise AccessDenied(f"This needs the scope system/{kind}.rs, which this token lacks.")
    pieces = background.read_file(
        services(), actor(), "export", job_id, name, request_id=request_id()
    )
    return bulk.streamed(pieces, MEDIA_TYPE)


def _begun() -> Response:
    said = ",".join(request.headers.getlist("Prefer"))
    if not _ASYNC.search(said):
        raise _refused("Prefer", "must be respond-async: an export is made in the background")
    is_lenient = bool(_LENIENT.search(said))
    unknown = sorted(set(request.args) - {*_KNOWN})
    if unknown and not is_lenient:
        raise _refused(unknown[0][:100], _UNKNOWN)
    form = request.args.get("_outputFormat", MEDIA_TYPE).replace(" ", "+")
    if form not in _FORMATS:
        raise _refused("_outputFormat", f"must be one of {', '.join(_FORMATS)}")
    named = ",".join(request.args.getlist("_type")).split(",")
    kinds = tuple(dict.fromkeys(one.strip() for one in named if one.strip()))
    if is_lenient:
        kinds = tuple(one for one in kinds if one in export.TYPES) or kinds
    job_id = export.begin(
        services(),
        actor(),
        Wish(kinds, _since(), _left_out(is_lenient=is_lenient)),
        url=bulk.asked_url(),
        request_id=request_id(),
    )
    return bulk.begun(f"{fhir_base(services())}/$export-status/{job_id}")


def _left_out(*, is_lenient: bool) -> frozenset[str]:
    """Types of which the type filters leave nothing; filters of one type add to one another."""
    fits: dict[str, bool] = {}
    for sent in request.args.getlist("_typeFilter"):
        kind, _, query = sent.partition("?")
        asked = parse_qs(query)
        is_known = kind in export.TYPES and set(asked) <= {"category"}
        if not (is_known or is_lenient):
            raise _refused("_typeFilter", _UNKNOWN)
        words = {word for value in asked.get("category", ()) for word in value.split(",")}
        is_ours = not words or any(word.rpartition("|")[2] in _OURS for word in words)
        fits[kind] = fits.get(kind, False) or is_ours
    return frozenset(kind for kind, is_ours in fits.items() if not is_ours)


def _since() -> datetime | None:
    sent = request.args.get("_since")
    if not sent:
        return None
    try:
        moment = datetime.fromisoformat(sent.replace(" ", "+").upper())
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise _refused("_since", "is no instant, such as 2026-01-31T08:00:00Z") from None


def _refused(name: str, message: str) -> SubmissionError:
    places = (Place(name, "parameter-invalid", message),)
    return SubmissionError(f"{name} {message}.", code="bad-request", errors=places)
