"""What does not follow HTTP is refused by the web server before the application is asked.

Told as every other refusal: a problem document with the id of its request and the usual headers.
What a proxy before us might read otherwise than we do is refused as well: two lengths of one body,
two hosts. Whoever smuggles a request in the body of another one counts on that.
"""

from __future__ import annotations

import copy
import functools
import secrets
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

from waitress.channel import HTTPChannel
from waitress.parser import HTTPRequestParser, ParsingError
from waitress.task import ErrorTask

from labinterp import telemetry
from labinterp.api import answers, errors, wire
from labinterp.store.records import to_document

if TYPE_CHECKING:
    from collections.abc import Container, Mapping

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


def channel(
    headers: Mapping[str, str],
    *,
    longest: int | None = None,
    except_at: Container[str] = (),
) -> type[Any]:
    """The kind of connection that refuses so.

    Args:
        headers: what every answer of the service carries.
        longest: body that is taken in [bytes]; None: as long as the server takes any.
        except_at: paths where the server's own limit holds.
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
        parser_class = _Parser if longest is None else _bounded(longest, except_at)

    return Channel


class _Parser(HTTPRequestParser):  # type: ignore[misc]  # waitress ships no types
    """A request as it comes in, which can be read in one way only."""

    adj: Any

    def parse_header(self, header_plus: bytes) -> None:
        """Read its head.

        Raises:
            ParsingError: it says twice how long its body is, or for whom it is.
        """
        super().parse_header(header_plus)
        held = self.headers
        two_lengths = self.chunked and "CONTENT_LENGTH" in held
        if two_lengths or "TRANSFER_ENCODING" in held or "," in held.get("HOST", ""):
            raise ParsingError("The request can be read in two ways.")


def _bounded(longest: int, except_at: Container[str]) -> type[Any]:
    """Reads requests, and refuses one that is too long for its address before its body is here."""

    @functools.cache
    def narrowed(adjustments: Any) -> Any:
        made = copy.copy(adjustments)
        made.max_request_body_size = min(longest, adjustments.max_request_body_size)
        return made

    class Parser(_Parser):
        """One whose body has an end that depends on its address."""

        def parse_header(self, header_plus: bytes) -> None:
            """Read its head; what its body may be depends on the address in it."""
            super().parse_header(header_plus)
            if self.path not in except_at:
                self.adj = narrowed(self.adj)

    return Parser


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
