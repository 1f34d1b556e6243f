"""A certificate authority of our own, and what a server needs to be believed under it."""

from __future__ import annotations

import datetime as dt
import ipaddress
import ssl

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

_BEGINS = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
_ENDS = dt.datetime(2046, 1, 1, tzinfo=dt.UTC)


def _named(name):
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _begun(subject, issuer, key):
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(_BEGINS)
        .not_valid_after(_ENDS)
    )


def _alternative(name):
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def authority(folder):
    """A root, its certificate in a file; and a function from host name to a server's context."""
    root_key = ec.generate_private_key(ec.SECP256R1())
    root = (
        _begun(_named("tests"), _named("tests"), root_key)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(root_key, hashes.SHA256())
    )
    path = folder / "authority.pem"
    path.write_bytes(root.public_bytes(serialization.Encoding.PEM))

    def context_of(name):
        key = ec.generate_private_key(ec.SECP256R1())
        made = (
            _begun(_named("server"), _named("tests"), key)
            .add_extension(x509.SubjectAlternativeName([_alternative(name)]), critical=False)
            .sign(root_key, hashes.SHA256())
        )
        pair = folder / f"{name}.pem"
        pair.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
            + made.public_bytes(serialization.Encoding.PEM)
        )
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(pair)
        return context

    return str(path), context_of
