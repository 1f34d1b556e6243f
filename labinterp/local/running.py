"""Whether `up` runs with a data directory, and what it embeds, for commands elsewhere."""

from __future__ import annotations

import fcntl
import json
from contextlib import contextmanager, suppress
from typing import IO, TYPE_CHECKING, Final

from labinterp.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

_LOCK: Final = "up.lock"
# What `up` fills in; the file names a password, so it is its owner's alone.
EMBEDDED: Final = ("REDIS_URL", "SMTP_HOST", "SMTP_PORT", "SMTP_TLS")


@contextmanager
def alone(data: Path, environment: Mapping[str, str]) -> Iterator[None]:
    """Hold the data directory for this `up`, and say what it has embedded as long as it runs.

    Raises:
        SettingsError: another one has it.
    """
    path = data / _LOCK
    path.touch(mode=0o600)
    with path.open("a+") as lock:
        if not _locked(lock):
            raise SettingsError(
                f"Another `python -m labinterp up` runs with the data in {data}.",
                code="already-running",
            )
        lock.truncate(0)
        json.dump({name: environment[name] for name in EMBEDDED if name in environment}, lock)
        lock.flush()
        yield
        lock.truncate(0)


def embedded(data: Path) -> dict[str, str]:
    """The settings of what the `up` that runs with this data has embedded; empty when none runs."""
    try:
        lock = (data / _LOCK).open("r+")
    except OSError:
        return {}
    with lock:
        if _locked(lock):
            return {}
        with suppress(ValueError):
            read = json.load(lock)
            return {str(name): str(value) for name, value in read.items() if name in EMBEDDED}
    return {}


def _locked(lock: IO[str]) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
