"""What does not follow HTTP is refused by the web server before the application is asked.

Told as every other refusal: a problem document with the id of its request and the usual headers.
"""

from __future__ import annotations

import secrets
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

from waitress.channel import HTTPChannel
from waitress.task import ErrorTask

from labinterp import telemetry
from labinterp.api import answers, errors, wire
from labinterp.store.records import to_document

if TYPE_CHECKING:
    from collections.abc import Mapping

_DETAIL: Final[Mapping[int, str]] = {
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "The body is longer than is read.",
    HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE: "The headers are longer than are read.",
    HTTPStatus.NOT_IMPLEMENTED: "This Transfer-Encoding is not read; send the body as it is.",
    HTTPStatus.INTERNAL_SERVER_ERROR: errors.OURS,
}
_CODE: Final[Mapping[int, str]] = {
    **errors.CODE_OF_STATUS,
    HTTPStatus.INTERNAL_SERVER_ERROR: "internal-error",
}

_log = telemetry.logger(__name__)


def channel(headers: Mapping[str, str]) -> type[Any]:
    """The kind of connection that refuses so.

    Args:
        headers: what every answer of the service carries.
    """

    class Refusal(ErrorTask):  # type: ignore[misc]  # waitress ships no types
        """The answer to one request; the server's own words may quote it, so they are not told."""

        def execute(self) -> None:
            """Write status, headers and document; the connection is closed after it."""
            error, request_id = self.request.error, secrets.token_hex(16)
            body = answers.written(to_document(_document(error.code, request_id))).encode()
            self.status = f"{error.code} {error.reason}"
            self.response_headers.extend(headers.items())
            self.response_headers.append(("Content-Type", errors.MEDIA_TYPE))
            self.response_headers.append(("X-Request-ID", request_id))
            self.set_close_on_finish()
            self.content_length = len(body)
            self.write(body)
            _log.info("request", request_id=request_id, route="none", status=error.code)

    class Channel(HTTPChannel):  # type: ignore[misc]  # as above
        """A connection."""

        error_task_class = Refusal

    return Channel


def _document(status: int, request_id: str) -> wire.ProblemDocument:
    kind = errors.KINDS[_CODE.get(status, "bad-request")]
    return wire.ProblemDocument(
        type=f"/api/problems#{kind.code}",
        title=kind.title,
        status=status,
        code=kind.code,
        detail=_DETAIL.get(status, errors.DETAIL_OF_STATUS[HTTPStatus.BAD_REQUEST]),
        errors=(),
        request_id=request_id,
    )
