"""What was entered and not yet confirmed: it travels with the form, signed, and is stored nowhere.

The text as received is kept whole; what the clinician chose is kept beside it. Each check page is
made anew from both, so that reloading, going back and answering in any order give the same page.
"""

from __future__ import annotations

import base64
import secrets
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Final, Literal

from itsdangerous import BadSignature, URLSafeTimedSerializer

from labinterp.errors import SubmissionError

if TYPE_CHECKING:
    from collections.abc import Mapping

Source = Literal["paste", "typed", "file"]
SALT: Final = "labinterp-draft"


@dataclass(frozen=True, slots=True)
class Draft:
    """One entry on its way to the check page.

    Attributes:
        body: the bytes as received, unchanged.
        format: the reader's name, or empty for "find out".
        fields: what the common fields and typed rows held, as typed.
        nonce: makes confirming twice one panel.
    """

    source: Source
    body: bytes
    format: str = ""
    media_type: str = ""
    file_name: str = ""
    fields: Mapping[str, list[str]] = field(default_factory=dict)
    nonce: str = field(default_factory=lambda: secrets.token_urlsafe(16))


def seal(draft: Draft, secret: str | bytes) -> str:
    """The draft as one signed, compressed text for a hidden field."""
    plain = asdict(draft) | {"body": base64.b85encode(draft.body).decode("ascii")}
    return _signer(secret).dumps(plain)


def unseal(text: str, secret: str | bytes, max_age_seconds: int) -> Draft:
    """The draft that `seal` made this of.

    Raises:
        SubmissionError: it was altered, or is older than `max_age_seconds`.
    """
    try:
        plain: dict[str, Any] = _signer(secret).loads(text, max_age=max_age_seconds)
    except BadSignature as error:
        raise SubmissionError(
            "This check page is too old or was altered. Nothing was stored; enter it again.",
            code="draft-expired",
        ) from error
    return Draft(**plain | {"body": base64.b85decode(plain["body"])})


def _signer(secret: str | bytes) -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(secret, salt=SALT)
