"""What the doors cost beside the core: interpretations beside hello, panels beside an insert.

In process, by the app's own test client, so that no socket and no server is measured. The core's
time is taken off first; what is left is reading, checking, access, storing, sealing and writing.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

import sqlalchemy as sa
from flask import Flask

from app import create_app
from benchmarks import panels, wiring
from benchmarks.measure import Figure
from labinterp.formats import json_panel
from labinterp.interpretation import interpret
from labinterp.usecases import administer

if TYPE_CHECKING:
    from collections.abc import Callable

ROUNDS = 7
REQUESTS = 25
GOAL = 2.0


def figures() -> list[Figure]:
    """Both doors, in interleaved rounds with their yardsticks."""
    with tempfile.TemporaryDirectory() as folder:
        services, _, actor = wiring.services_in(Path(folder))
        _, key = administer.create_key(
            services, actor.organisation_id, name="bench", scopes=("panels:write",)
        )
        client = create_app(services).test_client()
        sent = {"Authorization": f"Bearer {key}"}
        names = (f"bench-{number}" for number in count())
        received = json_panel.received_of(panels.PANEL, services.now()).submission
        works = {
            "core": lambda: interpret(received, services.knowledge),
            "hello": _hello(),
            "interpretation": lambda: _posted(client, "interpretations", panels.PANEL, sent),
            "panel": lambda: _posted(client, "panels", wiring.panel_of(next(names)), sent),
            "insert": _insert(Path(folder) / "bare.db"),
        }
        rounds = _rounds(works)
    left = [one["interpretation"] - one["core"] for one in rounds]
    more = [one["panel"] - one["interpretation"] for one in rounds]
    return [
        _figure("POST /interpretations but for the core", "Flask's hello", left, rounds, "hello"),
        _figure("what POST /panels costs more", "a bare insert", more, rounds, "insert"),
    ]


def _figure(
    name: str, yardstick: str, ours: list[float], rounds: list[dict[str, float]], beside: str
) -> Figure:
    theirs = [one[beside] for one in rounds]
    ratios = tuple(mine / other for mine, other in zip(ours, theirs, strict=True))
    medians = statistics.median(ours), statistics.median(theirs)
    note = "processor time, in process, SQLite"
    return Figure(name, yardstick, ratios, *medians, part="P5", goal=GOAL, note=note)


def _rounds(works: dict[str, Callable[[], object]]) -> list[dict[str, float]]:
    """Processor seconds of one unit of each work, round by round."""
    for work in works.values():
        work(), work()
    return [{name: _seconds(work) for name, work in works.items()} for _ in range(ROUNDS)]


def _seconds(work: Callable[[], object]) -> float:
    start = time.process_time()
    for _ in range(REQUESTS):
        work()
    return (time.process_time() - start) / REQUESTS


def _posted(client, door: str, panel: dict[str, object], headers: dict[str, str]) -> None:
    answer = client.post(f"/api/v1/{door}", json=panel, headers=headers)
    if answer.status_code not in (200, 201):
        raise SystemExit(f"{door} answers {answer.status_code}: {answer.text[:200]}")


def _hello() -> Callable[[], object]:
    hello = Flask("hello")
    hello.add_url_rule("/", view_func=lambda: "hello")
    client = hello.test_client()
    return lambda: client.get("/")


def _insert(path: Path) -> Callable[[], object]:
    """One row of the size of a stored panel, in its own transaction, on disk."""
    engine = sa.create_engine(f"sqlite:///{path}")
    columns = (sa.Column("id", sa.Integer, primary_key=True), sa.Column("body", sa.LargeBinary))
    table = sa.Table("kept", sa.MetaData(), *columns)
    table.metadata.create_all(engine)
    body = b"x" * 12_000

    def insert() -> None:
        with engine.begin() as connection:
            connection.execute(table.insert().values(body=body))

    return insert
