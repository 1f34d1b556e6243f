"""One-time codes of an authenticator (TOTP, RFC 6238), and the codes for when it is lost.

Six digits, new every thirty seconds, as every authenticator makes them; the computing is that of
`cryptography`. The codes for a lost one are random and long, so that a keyed hash keeps them.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import re
import secrets
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.totp import TOTP

from labinterp.access.keys import digest

if TYPE_CHECKING:
    from collections.abc import Iterator

SECONDS: Final = 30
DIGITS: Final = 6
RECOVERY_CODES: Final = 10
_EITHER_SIDE: Final = 1
"""A clock may be so many steps before or behind ours."""
_SECRET_BYTES: Final = 20
_RECOVERY_BYTES: Final = 15
_GROUP: Final = 4
_BLANKS: Final = re.compile(r"[\s-]+")
_CODE: Final = re.compile(rf"[0-9]{{{DIGITS}}}")
_RECOVERY: Final = re.compile(r"[A-Z2-7]{24}")
_PURPOSE: Final = "recovery code"


def new_secret() -> bytes:
    """160 random bits, which an authenticator and we share."""
    return secrets.token_bytes(_SECRET_BYTES)


def typed(secret: bytes) -> str:
    """The secret as it is typed into an authenticator: letters and digits in groups of four."""
    return _grouped(base64.b32encode(secret).decode())


def address(secret: bytes, account: str, issuer: str) -> str:
    """The `otpauth:` address that an authenticator opens or reads as a QR code."""
    return _made(secret).get_provisioning_uri(account, issuer)


def step_of(secret: bytes, code: str, now: datetime, used: int) -> int | None:
    """Which step of time this code is of; None when it is of none that may still be used.

    Args:
        secret: what is shared.
        code: as it was typed; blanks do not matter.
        now: the time.
        used: the newest step that was used; it and those before it are over.
    """
    plain = _BLANKS.sub("", code)
    if not _CODE.fullmatch(plain):
        return None
    made = _made(secret)
    current = int(now.timestamp()) // SECONDS
    steps = range(current - _EITHER_SIDE, current + _EITHER_SIDE + 1)
    right = [step for step in steps if _same(made.generate(step * SECONDS), plain)]
    return next((step for step in right if step > used), None)


def code_at(secret: bytes, at: datetime) -> str:
    """The code that an authenticator shows at this time."""
    return _made(secret).generate(int(at.timestamp())).decode()


def new_recovery_codes() -> tuple[str, ...]:
    """Ten codes of 120 random bits; each lets in once."""
    return tuple(_recovery_codes())


def recovery_digest(secret: bytes, user_id: str, code: str) -> str | None:
    """What is stored and looked up of such a code; None when it cannot be one."""
    plain = _BLANKS.sub("", code).upper()
    return digest(secret, f"{_PURPOSE}:{user_id}:{plain}") if _RECOVERY.fullmatch(plain) else None


def decoded(text: str) -> bytes:
    """The secret that was typed out.

    Raises:
        ValueError: it is none.
    """
    try:
        return base64.b32decode(_BLANKS.sub("", text))
    except binascii.Error as error:
        raise ValueError("This is no secret of an authenticator.") from error


def beginning(now: datetime) -> int:
    """The step before which nothing can have been used when an authenticator is set up now."""
    return int(now.astimezone(UTC).timestamp()) // SECONDS - _EITHER_SIDE - 1


def _recovery_codes() -> Iterator[str]:
    for _ in range(RECOVERY_CODES):
        yield _grouped(base64.b32encode(secrets.token_bytes(_RECOVERY_BYTES)).decode())


def _grouped(text: str) -> str:
    return "-".join(text[at : at + _GROUP] for at in range(0, len(text), _GROUP))


def _made(secret: bytes) -> TOTP:
    # SHA-1 inside an HMAC is what every authenticator knows; its weakness is another one.
    return TOTP(secret, DIGITS, SHA1(), SECONDS)  # noqa: S303  # nosec B303


def _same(made: bytes, plain: str) -> bool:
    return hmac.compare_digest(made, plain.encode())
