"""Ports on this machine: one that is free, or the one that was asked for."""

from __future__ import annotations

import secrets
import socket
from typing import Final

LOOPBACK: Final = "127.0.0.1"
_FIRST: Final = 10_240
_BEYOND: Final = 32_768
"""From here on the system gives ports to connections that go out: one that is free now may be
taken before whoever was given it listens there."""


def free_port(preferred: int = 0) -> int:
    """A port on loopback that nothing listens on: the preferred one if it is free, else any."""
    port = preferred
    while not (port and is_free(port)):
        port = _FIRST + secrets.randbelow(_BEYOND - _FIRST)
    return port


def is_free(port: int, host: str = LOOPBACK) -> bool:
    """Whether a server could listen there now."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        # As servers do: a port whose last connections are still closing is free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
        return True
