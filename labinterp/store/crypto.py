"""Sealing what tells who a patient is, and fingerprints that find a patient without naming one.

AES-256-GCM from `cryptography`; the context (which row, which column) is authenticated with it, so
that a sealed value copied to another row does not open. Fingerprints are keyed hashes: without the
key the identifiers cannot be guessed by trying them all.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from labinterp.errors import SettingsError

_FORM: Final = b"\x01"
_NONCE: Final = 12


def derived_key(secret: bytes, purpose: str) -> bytes:
    """A 256-bit key for one purpose; keys of two purposes tell nothing of one another."""
    expansion = HKDF(algorithm=hashes.SHA256(), length=32, salt=None, info=purpose.encode())
    return expansion.derive(secret)


class Vault:
    """Seals, opens and fingerprints with keys derived from one secret."""

    def __init__(self, secret: bytes) -> None:
        self._cipher = AESGCM(derived_key(secret, "labinterp sealed rows"))
        self._fingerprints = derived_key(secret, "labinterp patient fingerprints")

    def seal(self, plain: bytes, context: str) -> bytes:
        """Encrypted and bound to its place."""
        nonce = secrets.token_bytes(_NONCE)
        return _FORM + nonce + self._cipher.encrypt(nonce, plain, context.encode())

    def open(self, sealed: bytes, context: str) -> bytes:
        """What was sealed at this place.

        Raises:
            SettingsError: another key sealed it, or the bytes were changed.
        """
        nonce, box = sealed[1 : 1 + _NONCE], sealed[1 + _NONCE :]
        try:
            return self._cipher.decrypt(nonce, box, context.encode())
        except (InvalidTag, ValueError) as error:
            raise SettingsError(
                "A stored value does not open: another data key sealed it, or it was changed.",
                code="sealed-value-unreadable",
            ) from error

    def fingerprint(self, *parts: str) -> str:
        """A keyed hash of these parts, the same for the same parts; hexadecimal."""
        text = "\x1f".join(f"{len(part)}:{part}" for part in parts)
        return hmac.new(
            self._fingerprints, text.encode("utf-8", "surrogatepass"), hashlib.sha256
        ).hexdigest()[:40]
