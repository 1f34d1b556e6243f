"""The one table of HTTP statuses, and the problem document (RFC 9457) every refusal is told in.

A message of ours may be shown, since it was written to be; a library's never is: it quotes input.
"""

from __future__ import annotations

import errno
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

from flask import Response, g, request
from flask_limiter import RateLimitExceeded
from werkzeug.exceptions import HTTPException, default_exceptions
from werkzeug.routing import RequestRedirect

from labinterp import telemetry
from labinterp.api import answers, limits, wire
from labinterp.errors import (
    AccessDenied,
    Conflict,
    KnowledgeError,
    LabinterpError,
    NotFound,
    Place,
    SubmissionError,
    TemporaryFailure,
    TooLarge,
    UnsupportedFormat,
)
from labinterp.reporting import fhir_outcome
from labinterp.store.records import to_document

if TYPE_CHECKING:
    from flask import Flask
    from flask.sansio.scaffold import Scaffold

_log = telemetry.logger(__name__)

_NO_ROOM: Final = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
MEDIA_TYPE: Final = "application/problem+json"
_OF_OUTCOMES: Final = ("/fhir", "/cds-services")
FHIR_MEDIA_TYPE: Final = "application/fhir+json"


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of refusal: its stable code, its HTTP status and its title."""

    code: str
    status: int
    title: str


KINDS: Final[dict[str, Kind]] = {
    kind.code: kind
    for kind in (
        Kind("bad-request", 400, "The request cannot be understood"),
        Kind("json-invalid", 400, "The body is not readable JSON"),
        Kind("unreadable", 400, "The body cannot be read"),
        Kind("charset-invalid", 400, "The body is not in the encoding it should be"),
        Kind("idempotency-key-invalid", 400, "The Idempotency-Key cannot be used"),
        Kind("unauthenticated", 401, "Who asks is not known"),
        Kind("forbidden", 403, "This key may not do this"),
        Kind("not-found", 404, "There is no such thing"),
        Kind("method-not-allowed", 405, "This address does not take this method"),
        Kind("not-acceptable", 406, "Nothing that you accept is written here"),
        Kind("conflict", 409, "The request contradicts what is stored"),
        Kind("report-not-available", 409, "There is no report"),
        Kind("patient-page-off", 409, "Pages for patients are switched off"),
        Kind("request-in-progress", 409, "The first request with this key is still running"),
        Kind("job-failed", 409, "The job could not be done"),
        Kind("prefetch-missing", 412, "What the answer needs was not prefetched"),
        Kind("too-large", 413, "What was sent is too large"),
        Kind("unsupported-format", 415, "This content type is not read here"),
        Kind("submission-invalid", 422, "The panel cannot be accepted as it is"),
        Kind("nothing-readable", 422, "No result of this panel can be read"),
        Kind("parameters-invalid", 422, "A parameter cannot be used"),
        Kind("url-refused", 422, "This address may not be called"),
        Kind("webhook-not-verified", 422, "The endpoint did not answer the challenge"),
        Kind("idempotency-key-reused", 422, "Another body was sent under this Idempotency-Key"),
        Kind("too-many-requests", 429, "Too many requests"),
        Kind("internal-error", 500, "The fault is ours"),
        Kind("knowledge-invalid", 500, "The medical knowledge cannot be used"),
        Kind("temporarily-unavailable", 503, "Try again in a moment"),
    )
}
"""Every code with a title of its own; any other takes status and title of its exception's class."""

KIND_OF_CLASS: Final[dict[type[LabinterpError], Kind]] = {
    TooLarge: KINDS["too-large"],
    UnsupportedFormat: KINDS["unsupported-format"],
    Conflict: KINDS["conflict"],
    SubmissionError: KINDS["submission-invalid"],
    NotFound: KINDS["not-found"],
    AccessDenied: KINDS["forbidden"],
    KnowledgeError: KINDS["knowledge-invalid"],
    TemporaryFailure: KINDS["temporarily-unavailable"],
    LabinterpError: KINDS["internal-error"],
}

CODE_OF_STATUS: Final[dict[int, str]] = {
    401: "unauthenticated",
    403: "forbidden",
    404: "not-found",
    405: "method-not-allowed",
    406: "not-acceptable",
    409: "conflict",
    413: "too-large",
    415: "unsupported-format",
    422: "parameters-invalid",
    429: "too-many-requests",
    503: "temporarily-unavailable",
}
"""What the framework's own refusals are called; any other 4xx is a `bad-request`."""

DETAIL_OF_STATUS: Final[dict[int, str]] = {
    400: "The request is malformed: its line, its headers or its body does not follow HTTP.",
    404: "There is nothing at this address, or it belongs to someone else.",
    405: "This address exists, but not for this method; the Allow header lists those it takes.",
    406: "FHIR is answered as JSON; accept application/fhir+json or application/json.",
    415: "This content type is not read here.",
    422: "A parameter is not as documented; each is named in `errors`.",
    429: "More requests came from here than the limit allows; wait as Retry-After says.",
}

OURS: Final = (
    "Nothing about your request is known to be wrong. Quote the request id when you report this."
)


def register_on(scaffold: Flask | Scaffold) -> None:
    """Answer every exception of this app or blueprint with a problem document."""
    for status in default_exceptions:
        scaffold.register_error_handler(status, answer_to)
    scaffold.register_error_handler(Exception, answer_to)


def answer_to(error: Exception) -> Response:
    """The problem document for any exception, known or not."""
    if isinstance(error, RequestRedirect):
        return error.get_response()  # type: ignore[return-value]  # werkzeug's type, Flask's class
    if isinstance(error, LabinterpError):
        return _answer_to_ours(error)
    if isinstance(error, OSError) and error.errno in _NO_ROOM:
        return _answer_to_ours(
            TemporaryFailure("There is no room on the disk; nothing was stored.")
        )
    if (
        isinstance(error, HTTPException)
        and error.code
        and error.code < HTTPStatus.INTERNAL_SERVER_ERROR
    ):
        return _answer_to_frameworks(error, error.code)
    return _answer_to_unknown(error)


def kind_of(error: LabinterpError) -> Kind:
    """Status and title of one of our exceptions: by its code, else by its nearest class."""
    known = KINDS.get(error.code)
    if known:
        return known
    nearest = next(KIND_OF_CLASS[cls] for cls in type(error).__mro__ if cls in KIND_OF_CLASS)
    return Kind(error.code, nearest.status, nearest.title)


def problem(
    kind: Kind,
    detail: str,
    errors: tuple[Place, ...] = (),
    headers: Mapping[str, str] | None = None,
) -> Response:
    """A problem document as a response; under `/fhir` an OperationOutcome."""
    if _is_fhir(request.path):
        return _outcome(kind, detail, errors, headers)
    document = wire.ProblemDocument(
        type=f"/api/problems#{kind.code}",
        title=kind.title,
        status=kind.status,
        code=kind.code,
        detail=detail,
        errors=tuple(map(wire.place, errors)),
        request_id=g.get("request_id", ""),
    )
    answer = answers.json(to_document(document), kind.status, media_type=MEDIA_TYPE)
    answer.headers.extend(headers or {})
    return answer


def _is_fhir(path: str) -> bool:
    """Under FHIR, and at CDS Hooks, which speaks of its faults in the same form."""
    return path in _OF_OUTCOMES or path.startswith(tuple(f"{one}/" for one in _OF_OUTCOMES))


def _outcome(
    kind: Kind, detail: str, errors: tuple[Place, ...], headers: Mapping[str, str] | None
) -> Response:
    """Each thing that is wrong as an issue; of none in the body, the refusal itself."""
    quoted = f"request id {g.get('request_id', '')}"
    issues = [
        fhir_outcome.issue(one.code, one.message, one.where, diagnostics=quoted) for one in errors
    ] or [fhir_outcome.issue(kind.code, detail, diagnostics=quoted)]
    answer = answers.json(
        fhir_outcome.outcome(issues), kind.status, media_type=f"{FHIR_MEDIA_TYPE}; charset=utf-8"
    )
    answer.headers.extend(headers or {})
    return answer


def challenge() -> str:
    """How to say who asks; with `invalid_token` where somebody said it and was not believed."""
    said = request.headers.get("Authorization") or request.headers.get("X-API-Key")
    return 'Bearer realm="labinterp"' + (', error="invalid_token"' if said else "")


def _answer_to_ours(error: LabinterpError) -> Response:
    kind = kind_of(error)
    if kind.status >= HTTPStatus.INTERNAL_SERVER_ERROR and not isinstance(error, TemporaryFailure):
        return _answer_to_unknown(error)
    return problem(kind, error.message, error.errors, _headers_of(error, kind))


def _headers_of(error: LabinterpError, kind: Kind) -> dict[str, str]:
    if isinstance(error, TemporaryFailure):
        return {"Retry-After": str(error.retry_after)}
    if kind.status == HTTPStatus.UNAUTHORIZED:
        return {"WWW-Authenticate": challenge()}
    if kind.code == "forbidden":
        return {"WWW-Authenticate": 'Bearer realm="labinterp", error="insufficient_scope"'}
    return {}


def _answer_to_frameworks(error: HTTPException, status: int) -> Response:
    code = CODE_OF_STATUS.get(status, "bad-request")
    kind = Kind(code, status, KINDS[code].title)
    detail = DETAIL_OF_STATUS.get(status, DETAIL_OF_STATUS[HTTPStatus.BAD_REQUEST])
    if status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
        detail = f"The body is longer than is read: {request.max_content_length} bytes at most."
    return problem(kind, detail, tuple(_parameter_places(error)), _headers_kept(error))


def _headers_kept(error: HTTPException) -> dict[str, str]:
    if isinstance(error, RateLimitExceeded):
        return {"Retry-After": str(limits.seconds_to_wait())}
    kept = ("Allow", "Retry-After", "Content-Range")
    return {name: value for name, value in error.get_headers(request.environ) if name in kept}


def _parameter_places(error: HTTPException) -> Iterator[Place]:
    """What marshmallow said of the parameters, flattened; the values sent are not repeated."""
    messages: Any = getattr(error, "data", {}).get("messages", {})
    for location, fields in messages.items() if isinstance(messages, Mapping) else ():
        for name, said in fields.items() if isinstance(fields, Mapping) else ():
            texts = said if isinstance(said, list) else [str(said)]
            yield Place(f"{location}.{name}", "parameter-invalid", " ".join(map(str, texts)))


def _answer_to_unknown(error: Exception) -> Response:
    _log.error(
        "unexpected-error",
        request_id=g.get("request_id", ""),
        **telemetry.error_facts(error),
    )
    return problem(KINDS["internal-error"], OURS)
