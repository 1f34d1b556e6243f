"""How many HL7 v2 results the MLLP listener takes in, stores and answers, beside what is promised.

Two listeners share the port, as where one is started for each core, on a new SQLite database; each
message is another patient's panel of seven results, and counts when its ACK says AA.
"""

from __future__ import annotations

import os
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.measure import Figure

if TYPE_CHECKING:
    from collections.abc import Iterator

PROMISED = 50
"""Messages a second on two cores."""
CORES = 2
LINES = 8
"""Connections at once; a sender waits for each answer before its next message."""
ROUNDS = 4
SECONDS = 4.0
"""Of one round."""
_PATIENCE = 60.0
_RESULTS = (
    ("2823-3", "Potassium", "2.9", "mmol/L", "3.5-5.3"),
    ("2951-2", "Sodium", "139", "mmol/L", "133-146"),
    ("2601-3", "Magnesium", "0.52", "mmol/L", "0.7-1.0"),
    ("2000-8", "Calcium", "1.98", "mmol/L", "2.2-2.6"),
    ("1751-7", "Albumin", "38", "g/L", "35-50"),
    ("2160-0", "Creatinine", "80", "umol/L", "45-84"),
    ("2132-9", "Vitamin B12", "310", "ng/L", ""),
)


def figures() -> list[Figure]:
    """Seconds for one message, and seconds of a processor, beside what there is for it."""
    took, worked = [], []
    with tempfile.TemporaryDirectory() as folder, _listeners(Path(folder)) as (port, processes):
        _sent_for(port, 1.0, "warm")
        for number in range(ROUNDS):
            before = sum(map(_processor_time, processes))
            count = max(_sent_for(port, SECONDS, f"r{number}"), 1)
            took.append(SECONDS / count)
            worked.append((sum(map(_processor_time, processes)) - before) / count)
    return [
        _figure("one HL7 v2 message over MLLP", f"its share of {PROMISED} a second", took, 1),
        _figure("processor time of it", f"its share of {CORES} cores", worked, CORES),
    ]


def _figure(name: str, yardstick: str, seconds: list[float], cores: int) -> Figure:
    allowed = cores / PROMISED
    ratios = tuple(one / allowed for one in seconds)
    return Figure(name, yardstick, ratios, statistics.median(seconds), allowed)


def _processor_time(process: int) -> float:
    """Of a process so far, in the kernel and outside [s]."""
    words = Path(f"/proc/{process}/stat").read_text("ascii").rpartition(")")[2].split()
    return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")


@contextmanager
def _listeners(folder: Path) -> Iterator[tuple[int, list[int]]]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = int(free.getsockname()[1])
    settings = {**os.environ, "DATA_DIR": str(folder), "MLLP_PORT": str(port)}  # noqa: TID251 - for the process that is started
    for command in (("db", "upgrade"), ("organisations", "create", "Ward 7")):
        _run(settings, *command)
    processes = [
        subprocess.Popen(
            [sys.executable, "-m", "labinterp", "mllp"],
            env={**settings, "MLLP_SHARED": "true"},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        for _ in range(CORES)
    ]
    try:
        _wait_for(port)
        yield port, [one.pid for one in processes]
    finally:
        for one in processes:
            one.terminate()
        for one in processes:
            one.wait(_PATIENCE)


def _run(settings: dict[str, str], *command: str) -> None:
    subprocess.run(  # noqa: S603 - our own command
        [sys.executable, "-m", "labinterp", *command],
        env=settings,
        check=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def _wait_for(port: int) -> None:
    end = time.monotonic() + _PATIENCE
    while time.monotonic() < end:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            time.sleep(0.2)
        else:
            return
    message = "the listener did not start"
    raise RuntimeError(message)


def _sent_for(port: int, seconds: float, name: str) -> int:
    """How many messages were acknowledged by the end."""
    counts = [0] * LINES
    end = time.monotonic() + seconds
    threads = [
        threading.Thread(target=_send, args=(port, end, f"{name}-{line}", counts, line))
        for line in range(LINES)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(counts)


def _send(port: int, end: float, name: str, counts: list[int], line: int) -> None:
    with socket.create_connection(("127.0.0.1", port), _PATIENCE) as link:
        number = 0
        while time.monotonic() < end:
            link.sendall(b"\x0b" + _message(f"{name}-{number}") + b"\x1c\r")
            answer = b""
            while not answer.endswith(b"\x1c\r"):
                piece = link.recv(65536)
                if not piece:
                    return
                answer += piece
            counts[line] += b"MSA|AA|" in answer and time.monotonic() < end
            number += 1


def _message(name: str) -> bytes:
    results = "".join(
        f"OBX|{number}|NM|{code}^{test}^LN||{value}|{unit}|{interval}||||F\r"
        for number, (code, test, value, unit, interval) in enumerate(_RESULTS, start=1)
    )
    return (
        f"MSH|^~\\&|LIS|LAB|US|HERE|20260304113200+0100||ORU^R01|{name}|P|2.5.1\r"
        f"PID|1||{name}^^^LAB^MR||Doe^Jane||19790614|F\r"
        f"OBR|1||A-{name}|CHEM|||20260304081000+0100||||||||||||||||||F\r{results}"
    ).encode()
