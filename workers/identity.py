"""What a worker process calls itself in a lease, so that another can tell whether it still lives.

A process number alone comes again; with the moment it was started, and with the kernel and the
process space it belongs to, it does not. In doubt a process counts as alive, and its leases end by
themselves.
"""

from __future__ import annotations

import os
import socket
from functools import cache
from pathlib import Path
from typing import Final

_PROC: Final = Path("/proc")
# Of /proc/<pid>/stat after the name in brackets: the start time is field 22 of all.
_START: Final = 19


def name() -> str:
    """This process: where it runs, its number, when it was started."""
    pid = os.getpid()
    return f"{_where()}/{pid}/{_started(pid) or 0}"


def is_dead(worker: str) -> bool:
    """Whether the process of this name ran here and runs no more; false when in doubt."""
    where, _, rest = worker.rpartition("/")
    where, _, number = where.rpartition("/")
    if where != _where() or not number.isdecimal() or not rest.isdecimal() or rest == "0":
        return False
    return _started(int(number)) != int(rest)


@cache
def _where() -> str:
    try:
        boot = (_PROC / "sys/kernel/random/boot_id").read_text().strip()
        space = (_PROC / "self/ns/pid").stat().st_ino
    except OSError:
        return socket.gethostname()
    return f"{boot}/{space}"


def _started(pid: int) -> int | None:
    """Ticks after the boot at which the process began; None when there is none."""
    try:
        state = (_PROC / str(pid) / "stat").read_text()
    except OSError:
        return None
    fields = state.rpartition(")")[2].split()
    # A zombie has ended; only its parent has not noticed.
    return None if fields[0] == "Z" else int(fields[_START])
