"""What an operator may add to a finished report: a signature inside it, a copy a password opens.

Both are off unless their settings ask for them. The signature is PAdES (baseline B): it covers
every byte of the file and is made with the operator's own key; no time-stamping or revocation
service is asked, so its time is ours. The copy is encrypted with AES-256, is no PDF/A and carries
no signature, for encrypting changes the bytes that were signed.
"""

from __future__ import annotations

import io
from dataclasses import dataclass, field
from typing import Any, Final

import pikepdf
from cryptography import x509
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from labinterp.errors import SettingsError

_ALLOWED: Final = pikepdf.Permissions(modify_annotation=False, modify_assembly=False)
"""A copy may be read aloud, copied from and printed; it may not be changed."""


@dataclass(frozen=True, slots=True)
class Seal:
    """Who signs: a private key, its certificate and those that vouch for it, as PEM."""

    key: bytes = field(repr=False)
    certificates: tuple[bytes, ...]


def seal_of(pem: str) -> Seal:
    """The seal in one PEM text: a private key, its certificate, then any that vouch for it.

    Raises:
        SettingsError: a part is missing or unreadable, or the certificate is another key's.
    """
    try:
        key = load_pem_private_key(pem.encode(), None)
        certificates = x509.load_pem_x509_certificates(pem.encode())
    except (ValueError, TypeError) as error:
        raise SettingsError(
            "REPORT_SIGNING_KEY needs a private key without a password and its certificate, "
            f"both as PEM ({type(error).__name__}).",
            code="signing-key-unreadable",
        ) from None
    if _public(key.public_key()) != _public(certificates[0].public_key()):
        raise SettingsError(
            "The first certificate in REPORT_SIGNING_KEY is not that of its private key.",
            code="signing-key-unreadable",
        )
    written = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return Seal(written, tuple(one.public_bytes(Encoding.PEM) for one in certificates))


def _public(key: Any) -> bytes:
    return bytes(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo))


def protected(pdf: bytes, password: str) -> bytes:
    """A copy that only a password opens; of a signed document without its signature.

    Args:
        pdf: finished.
        password: for readers and for changes alike.
    """
    with pikepdf.open(io.BytesIO(pdf)) as opened:
        if "/AcroForm" in opened.Root:
            for one in opened.Root.AcroForm.Fields:
                if "/V" in one:
                    del one.V
            opened.Root.AcroForm.SigFlags = 0
        with opened.open_metadata(set_pikepdf_as_editor=False, update_docinfo=False) as said:
            for name in [name for name in said if "pdfa/ns/id" in name]:
                del said[name]
        out = io.BytesIO()
        opened.save(
            out,
            encryption=pikepdf.Encryption(owner=password, user=password, R=6, allow=_ALLOWED),
        )
    return out.getvalue()
