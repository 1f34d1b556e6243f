"""The gate for bodies: what they say they are, before any parser sees them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final

from flask import request
from marshmallow import ValidationError

from labinterp import formats
from labinterp.api.resource import services
from labinterp.errors import SubmissionError, UnsupportedFormat
from labinterp.formats import faults, json_text
from labinterp.formats.characters import quoted
from labinterp.formats.limits import Limits

if TYPE_CHECKING:
    from marshmallow import Schema
    from werkzeug.datastructures import FileStorage

    from labinterp.model.submission import Received

JSON: Final = "application/json"
MULTIPART: Final = "multipart/form-data"
STREAMED: Final = ("/api/v1/bulk", "/api/v1/panels/import")
"""Addresses whose bodies are read piece by piece, so that a longer one is taken than elsewhere."""
_NONE_SENT: Final = "No Content-Type was sent"
_IDEMPOTENCY_KEY: Final = re.compile(r"[\x21-\x7e]{1,200}")


@dataclass(frozen=True, slots=True)
class Sent:
    """A panel as it was sent.

    Attributes:
        digest: SHA-256 of the body's bytes, hexadecimal; tells a repeated body from another one.
    """

    received: Received
    digest: str


def panel() -> Sent:
    """The one panel that the JSON body holds.

    Raises:
        UnsupportedFormat: the body is no JSON by its content type, or is compressed.
        SubmissionError: it holds no panel.
    """
    body = json_bytes()
    reading = formats.read("json", body, services().now())
    if not reading.received:
        raise SubmissionError("The body holds no panel.", errors=reading.refused)
    return Sent(reading.received[0], sha256(body).hexdigest())


def loaded(schema: Schema) -> dict[str, Any]:
    """A small JSON body, read as strictly as a panel.

    Raises:
        SubmissionError: it is no JSON, or not what the schema says; each place is named.
    """
    document = json_text.parsed(json_bytes(), Limits())
    try:
        made: dict[str, Any] = schema.load(document)
    except ValidationError as error:
        raise faults.refusal(faults.places(error.messages, "body"), most=Limits().errors) from None
    return made


def json_bytes() -> bytes:
    """The body, still to be parsed, which says that it is JSON.

    Raises:
        UnsupportedFormat: another content type, charset or any content coding.
    """
    _refuse_coding()
    _expect(JSON)
    charset = request.mimetype_params.get("charset", "utf-8")
    if charset.lower().replace("_", "-") not in ("utf-8", "utf8"):
        raise UnsupportedFormat("JSON is read as UTF-8 only; send it without a charset.")
    return request.get_data(cache=False)


def uploaded() -> FileStorage:
    """The one file of a multipart body, in its field `file`.

    Raises:
        UnsupportedFormat: the body is not multipart, or is compressed.
        SubmissionError: there is no such file, or several.
    """
    _refuse_coding()
    _expect(MULTIPART)
    files = request.files.getlist("file")
    if len(files) != 1:
        raise SubmissionError(
            f"Send one file in the multipart field `file`; {len(files)} were found.",
            code="bad-request",
        )
    return files[0]


def idempotency_key() -> str | None:
    """The `Idempotency-Key` as sent; None when there is none.

    Raises:
        SubmissionError: it is empty, too long, or no visible ASCII.
    """
    sent = request.headers.get("Idempotency-Key")
    if sent is None:
        return None
    if not _IDEMPOTENCY_KEY.fullmatch(sent):
        raise SubmissionError(
            "An Idempotency-Key is 1 to 200 visible ASCII characters without spaces.",
            code="idempotency-key-invalid",
        )
    return sent


def one_of(media_types: tuple[str, ...]) -> str:
    """The content type that was sent, if it is one of these.

    Raises:
        UnsupportedFormat: it is another one, or the body is compressed.
    """
    _refuse_coding()
    if request.mimetype not in media_types:
        _expect(media_types[0])
    return request.mimetype


def _refuse_coding() -> None:
    """A compressed body could grow without bound; none is read."""
    coding = request.headers.get("Content-Encoding", "identity").strip().lower()
    if coding not in ("", "identity"):
        raise UnsupportedFormat("Bodies are read as they are; send it without a Content-Encoding.")


def _expect(media_type: str) -> None:
    if request.mimetype != media_type:
        sent = f"“{quoted(request.mimetype)}” is not read here" if request.mimetype else _NONE_SENT
        raise UnsupportedFormat(f"{sent}; send it with the Content-Type {media_type}.")
