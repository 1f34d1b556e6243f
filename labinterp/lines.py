"""Lines to the database, the broker and the counter: which of them may cross a network without TLS.

A line is safe when it stays on this machine, or when TLS is wanted and the certificate of the
other side is looked at: `sslmode=verify-full` (or `verify-ca`) for PostgreSQL, `rediss://` for
Redis unless its address says not to look.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qs, urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_HERE: Final = frozenset({"", "localhost", "127.0.0.1", "::1"})
_VERIFIED: Final = frozenset({"verify-ca", "verify-full"})
_UNVERIFIED: Final = frozenset({"none", "optional", "cert_none", "cert_optional"})


def unprotected(addresses: Mapping[str, str], allowed: Iterable[str] = ()) -> tuple[str, ...]:
    """The names of those addresses that are not reached by TLS with a certificate looked at.

    Args:
        addresses: by the name of their setting; an empty one leads nowhere.
        allowed: hosts that may be spoken to all the same.
    """
    free = _HERE | frozenset(allowed)
    return tuple(
        name
        for name, address in addresses.items()
        if address and not _is_protected(address) and not set(hosts(address)) <= free
    )


def hosts(address: str) -> tuple[str, ...]:
    """Whom an address leads to; the empty one is a socket of this machine, or a file."""
    parts = urlsplit(address)
    asked = parse_qs(parts.query)
    named = [parts.netloc.rpartition("@")[2], *asked.get("host", ()), *asked.get("hostaddr", ())]
    return tuple(_host(one) for several in named for one in several.split(","))


def _host(text: str) -> str:
    """A host without its port; a path is a socket."""
    if text.startswith("/"):
        return ""
    if text.startswith("["):
        return text[1:].partition("]")[0].casefold()
    return (text if text.count(":") > 1 else text.partition(":")[0]).casefold()


def _is_protected(address: str) -> bool:
    parts = urlsplit(address)
    asked = parse_qs(parts.query)
    if parts.scheme.startswith("postgres"):
        return asked.get("sslmode", [""])[-1] in _VERIFIED
    if parts.scheme.endswith("rediss"):
        return asked.get("ssl_cert_reqs", ["required"])[-1].casefold() not in _UNVERIFIED
    return parts.scheme.partition("+")[0] in {"sqlite", "unix"} or parts.scheme.endswith("socket")
