"""What an operator may have left open: files that others can read, lines that are not encrypted.

And what callers are shown: a certificate that they do not believe, or soon will not.
"""

from __future__ import annotations

import socket
import ssl
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from labinterp.lines import unprotected

if TYPE_CHECKING:
    from collections.abc import Mapping

_OTHERS: Final = 0o007
_HTTPS: Final = 443
_LONGEST_WAIT: Final = 5.0
_SOON: Final = 14
"""A certificate that ends within so many days should have been renewed."""


@dataclass(frozen=True, slots=True)
class Shown:
    """What stands at our own address.

    Attributes:
        well: None where it cannot be told from here.
    """

    well: bool | None
    words: str


def readable_by_others(folder: Path) -> tuple[str, ...]:
    """What of the data folder everybody on this machine can read; nothing where they cannot enter.

    A group may be let in on purpose, to back up.
    """
    if not folder.is_dir() or not folder.stat().st_mode & _OTHERS:
        return ()
    return tuple(
        sorted(
            path.name
            for path in folder.iterdir()
            if not path.is_symlink() and path.stat().st_mode & _OTHERS
        )
    )


def secrets_others_can_read(environment: Mapping[str, str]) -> tuple[str, ...]:
    """Which settings of a secret name a file that everybody on this machine can read."""
    files = {name: Path(path) for name, path in environment.items() if name.endswith("_FILE")}
    return tuple(
        sorted(
            name
            for name, path in files.items()
            if path.is_file() and path.stat().st_mode & _OTHERS and _can_be_entered(path.parent)
        )
    )


def _can_be_entered(folder: Path) -> bool:
    return bool(folder.stat().st_mode & _OTHERS)


def in_the_clear(database_url: str, broker_url: str) -> tuple[str, ...]:
    """Which settings lead over a network without TLS whose certificate is looked at."""
    return unprotected({"DATABASE_URL": database_url, "REDIS_URL": broker_url})


def certificate_at(base_url: str, now: datetime, authorities: str = "") -> Shown | None:
    """Do callers believe the certificate that is shown at this address? None: it has none.

    Args:
        base_url: our own address, as callers write it.
        now: the time.
        authorities: a file of certificates to believe besides those of the system.
    """
    parts = urlsplit(base_url)
    if parts.scheme != "https" or not parts.hostname:
        return None
    context = ssl.create_default_context()
    if authorities:
        context.load_verify_locations(authorities)
    there = (parts.hostname, parts.port or _HTTPS)
    try:
        with (
            socket.create_connection(there, _LONGEST_WAIT) as line,
            context.wrap_socket(line, server_hostname=parts.hostname) as shown,
        ):
            found = shown.getpeercert() or {}
    except ssl.SSLCertVerificationError as error:
        words = f"Callers do not believe its certificate: {error.verify_message}."
        return Shown(well=False, words=words)
    except OSError:
        return Shown(well=None, words="It cannot be reached from here.")
    ends = datetime.fromtimestamp(ssl.cert_time_to_seconds(str(found["notAfter"])), UTC)
    words = f"Its certificate is believed, and ends on {ends:%Y-%m-%d}."
    return Shown(well=(ends - now).days >= _SOON, words=words)
