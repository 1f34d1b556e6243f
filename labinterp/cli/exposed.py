"""What an operator may have left open: files that others can read, lines that are not encrypted."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from labinterp.lines import unprotected

if TYPE_CHECKING:
    from collections.abc import Mapping

_OTHERS: Final = 0o007


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
