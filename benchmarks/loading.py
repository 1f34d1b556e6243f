"""How long one in a hundred senders waits at a steady load, beside the bare framework.

Both are served by waitress with as many threads, each in a process of its own; the yardstick is a
Flask application that reads the same JSON and answers 201, and neither checks nor stores anything.
Requests leave at fixed moments, whatever became of those before, and each is counted from the
moment at which it should have left: a server that falls behind is not spared. Rounds take turns.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

import requests
import waitress
from flask import Flask, Response, request

from benchmarks import wiring
from benchmarks.measure import Figure
from labinterp import bootstrap
from labinterp.local.ports import free_port
from labinterp.usecases import administer

if TYPE_CHECKING:
    from collections.abc import Iterator

RATE = 10
"""Requests a second."""
SECONDS = 10
"""Of one round."""
ROUNDS = 6
SENDERS = 32
"""So many may wait at once."""
_NINETY_NINE: Final = 0.99
_PATIENCE: Final = 60.0
_HERE: Final = threading.local()


def figures() -> list[Figure]:
    """The 99th percentile of both, of each round, and of all rounds."""
    rounds: list[tuple[list[float], list[float]]] = []
    with (
        tempfile.TemporaryDirectory() as folder,
        _ours(Path(folder)) as (ours, key),
        _bare() as bare,
    ):
        for number in range(ROUNDS + 1):  # the first makes both warm, and is not counted
            pair = (_waits(ours, key, f"r{number}"), _waits(bare, key, f"r{number}"))
            rounds += [pair] if number else []
    ratios = tuple(_percentile(mine) / _percentile(theirs) for mine, theirs in rounds)
    mine = [one for ours, _ in rounds for one in ours]
    theirs = [one for _, bare in rounds for one in bare]
    load = "/".join(f"{one:.1f}" for one in os.getloadavg())
    note = (
        f"{RATE} requests a second for {ROUNDS} times {SECONDS} s, one web process on SQLite; the "
        f"times are those of all rounds; the median was {statistics.median(mine) * 1000:.0f} ms "
        f"beside {statistics.median(theirs) * 1000:.1f} ms; load {load} at the end"
    )
    what = "POST /panels, of a hundred the slowest but one (p99)"
    beside = "Flask and waitress alone"
    return [Figure(what, beside, ratios, _percentile(mine), _percentile(theirs), note=note)]


def _percentile(waits: list[float]) -> float:
    return sorted(waits)[int(len(waits) * _NINETY_NINE) - 1]


def _waits(address: str, key: str, name: str) -> list[float]:
    """Each request's wait, from the moment at which it was due [s]."""
    begins = time.monotonic() + 0.1

    def sent(number: int) -> float:
        due = begins + number / RATE
        time.sleep(max(0.0, due - time.monotonic()))
        body = json.dumps(wiring.panel_of(f"{name}-{number}")).encode()
        answer = _session().post(
            address,
            data=body,
            headers={"Authorization": f"Bearer {key}", "Content-Type": "application/json"},
            timeout=_PATIENCE,
        )
        if answer.status_code != requests.codes.created:
            raise SystemExit(f"{address} answers {answer.status_code}: {answer.text[:200]}")
        return time.monotonic() - due

    with ThreadPoolExecutor(SENDERS) as pool:
        return list(pool.map(sent, range(RATE * SECONDS)))


def _session() -> requests.Session:
    """One line for each sender, kept open."""
    if not hasattr(_HERE, "session"):
        _HERE.session = requests.Session()
    session: requests.Session = _HERE.session
    return session


@contextmanager
def _ours(folder: Path) -> Iterator[tuple[str, str]]:
    """The service as it is started, with one key."""
    port = free_port()
    settings = {
        "PATH": os.defpath,
        "DATA_DIR": str(folder),
        "PORT": str(port),
        "REQUEST_RATE": "1000000 per minute",
    }
    services = bootstrap.services(settings)
    bootstrap.upgrade(services)
    organisation = administer.create_organisation(services, "Bench")
    _, key = administer.create_key(
        services, organisation.id, name="bench", scopes=("panels:write",)
    )
    services.store.close()
    with _process(("-m", "labinterp", "serve"), settings, port):
        yield f"http://127.0.0.1:{port}/api/v1/panels", key


@contextmanager
def _bare() -> Iterator[str]:
    port = free_port()
    with _process(("-m", "benchmarks.loading", str(port)), {"PATH": os.defpath}, port):
        yield f"http://127.0.0.1:{port}/panels"


@contextmanager
def _process(command: tuple[str, ...], settings: dict[str, str], port: int) -> Iterator[None]:
    process = subprocess.Popen(  # noqa: S603 - our own command
        (sys.executable, *command),
        env=settings,
        cwd=Path(__file__).parents[1],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        _wait_for(f"http://127.0.0.1:{port}/healthz")
        yield
    finally:
        process.terminate()
        process.wait(_PATIENCE)


def _wait_for(address: str) -> None:
    end = time.monotonic() + _PATIENCE
    while time.monotonic() < end:
        try:
            requests.get(address, timeout=2)
        except requests.RequestException:
            time.sleep(0.2)
        else:
            return
    raise SystemExit(f"nothing answers at {address}")


def _serve_bare(port: int) -> None:
    """The yardstick: a document in, a document out."""
    bare = Flask("bare")

    def taken() -> Response:
        found = request.get_json()
        answer = Response(json.dumps({"results": len(found["results"])}), 201)
        answer.content_type = "application/json"
        return answer

    bare.add_url_rule("/panels", methods=["POST"], view_func=taken)
    threads = bootstrap.settings({}).web_threads
    waitress.serve(bare, host="127.0.0.1", port=port, threads=threads, ident=None)


if __name__ == "__main__":
    _serve_bare(int(sys.argv[1]))
