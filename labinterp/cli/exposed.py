"""What an operator may have left open: files that others can read, lines that are not encrypted."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qs, urlsplit

if TYPE_CHECKING:
    from collections.abc import Mapping

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


def in_the_clear(database_url: str, broker_url: str, *, far_only: bool = False) -> tuple[str, ...]:
    """Which settings lead over a network without TLS.

    Args:
        database_url: as set.
        broker_url: as set.
        far_only: pass over names without a dot, as the containers of one machine have.
    """
    found = []
    database = urlsplit(database_url)
    modes = parse_qs(database.query).get("sslmode", [""])
    if database.scheme.startswith("postgres") and not _is_near(database_url, far_only=far_only):
        found += [] if modes[-1] in _SECURE_MODES else ["DATABASE_URL"]
    if urlsplit(broker_url).scheme == "redis" and not _is_near(broker_url, far_only=far_only):
        found.append("REDIS_URL")
    return tuple(found)


def _is_near(address: str, *, far_only: bool) -> bool:
    host = urlsplit(address).hostname or ""
    return host in _HERE or (far_only and "." not in host and ":" not in host)
