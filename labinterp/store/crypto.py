"""Sealing what tells who a patient is, and fingerprints that find a patient without naming one.

AES-256-GCM from `cryptography`; the context (which row, which column) is authenticated with it, so
that a sealed value copied to another row does not open. Fingerprints are keyed hashes: without the
key the identifiers cannot be guessed by trying them all.

A sealed value names the key that sealed it, so that the data key can be changed: new values are
sealed with the current one, what former ones sealed still opens, and `resealing` seals it anew.
What must outlive a change of the data key (the keys of fingerprints, and of the hashes of
credentials) is kept sealed in the database's keyring.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from labinterp.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_FORM: Final = b"\x02"
_FIRST_FORM: Final = b"\x01"
"""Named no key; whichever opens it did seal it."""
_NAME: Final = 4
_NONCE: Final = 12
HEAD: Final = len(_FORM) + _NAME
"""So many bytes at its beginning tell a value's form and key."""
KEPT: Final = {
    "fingerprints": "labinterp patient fingerprints",
    "credentials": "labinterp credentials",
}
"""Keys that stay when the data key changes, and what they were derived for."""


def derived_key(secret: bytes, purpose: str) -> bytes:
    """A 256-bit key for one purpose; keys of two purposes tell nothing of one another."""
    expansion = HKDF(algorithm=hashes.SHA256(), length=32, salt=None, info=purpose.encode())
    return expansion.derive(secret)


class _Key:
    """One data key."""

    def __init__(self, secret: bytes) -> None:
        self.secret = secret
        self.head = _FORM + derived_key(secret, "labinterp key name")[:_NAME]
        self.cipher = AESGCM(derived_key(secret, "labinterp sealed rows"))


class Vault:
    """Seals, opens and fingerprints.

    Args:
        secret: the data key in force, by which all is sealed.
        former: data keys that were in force before, or are about to be; they only open.
    """

    def __init__(self, secret: bytes, former: Iterable[bytes] = ()) -> None:
        self._key = _Key(secret)
        self._all = (self._key, *(_Key(each) for each in former))
        self._kept = _derived(secret)

    @property
    def head(self) -> bytes:
        """How every value begins that the key in force sealed."""
        return self._key.head

    def seal(self, plain: bytes, context: str) -> bytes:
        """Encrypted and bound to its place."""
        nonce = secrets.token_bytes(_NONCE)
        return self._key.head + nonce + self._key.cipher.encrypt(nonce, plain, context.encode())

    def open(self, sealed: bytes, context: str) -> bytes:
        """What was sealed at this place.

        Raises:
            SettingsError: no key given here sealed it, or the bytes were changed.
        """
        return self._opened(sealed, context)[1]

    def sealed_with(self, sealed: bytes, context: str) -> dict[str, bytes]:
        """The keys that were derived from the data key which sealed this, by purpose.

        Raises:
            SettingsError: as `open`.
        """
        return _derived(self._opened(sealed, context)[0].secret)

    def _opened(self, sealed: bytes, context: str) -> tuple[_Key, bytes]:
        named = sealed[:1] == _FORM
        box = sealed[HEAD if named else len(_FIRST_FORM) :]
        for key in self._all:
            if named and sealed[:HEAD] != key.head:
                continue
            with suppress(InvalidTag, ValueError):
                return key, key.cipher.decrypt(box[:_NONCE], box[_NONCE:], context.encode())
        raise SettingsError(
            "A stored value does not open: another data key sealed it, or it was changed.",
            code="sealed-value-unreadable",
        )

    def keep(self, kept: Mapping[str, bytes]) -> None:
        """Use the keys that this database keeps, whatever the data key is now."""
        self._kept = {**self._kept, **kept}

    def kept(self, purpose: str) -> bytes:
        """The key of a purpose that outlives the data key: one of `KEPT`."""
        return self._kept[purpose]

    def fingerprint(self, *parts: str) -> str:
        """A keyed hash of these parts, the same for the same parts; hexadecimal."""
        text = "\x1f".join(f"{len(part)}:{part}" for part in parts)
        return hmac.new(
            self._kept["fingerprints"], text.encode("utf-8", "surrogatepass"), hashlib.sha256
        ).hexdigest()[:40]


def _derived(secret: bytes) -> dict[str, bytes]:
    return {name: derived_key(secret, purpose) for name, purpose in KEPT.items()}
