"""What an operator may have left open: files that others can read, lines that are not encrypted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qs, urlsplit

if TYPE_CHECKING:
    from pathlib import Path

_OTHERS: Final = 0o007
_SECURE_MODES: Final = ("require", "verify-ca", "verify-full")
_HERE: Final = ("", "localhost", "127.0.0.1", "::1")


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


def in_the_clear(database_url: str, broker_url: str) -> tuple[str, ...]:
    """Which settings lead over a network without TLS."""
    found = []
    database = urlsplit(database_url)
    modes = parse_qs(database.query).get("sslmode", [""])
    if database.scheme.startswith("postgres") and not _is_here(database_url):
        found += [] if modes[-1] in _SECURE_MODES else ["DATABASE_URL"]
    if urlsplit(broker_url).scheme == "redis" and not _is_here(broker_url):
        found.append("REDIS_URL")
    return tuple(found)


def _is_here(address: str) -> bool:
    return (urlsplit(address).hostname or "") in _HERE
