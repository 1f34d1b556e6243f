"""Files of many Observations, beside the fastest reading of the same lines that does nothing."""

from __future__ import annotations

import io
import json
import tempfile
import time
from contextlib import redirect_stderr
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path

from benchmarks.lines import observations
from benchmarks.measure import Figure, beside
from labinterp import cli, formats, interpretation, knowledge

LINES = 300
AT_ONCE = 900
"""So many for two processes: starting them is part of it."""


def figures() -> list[Figure]:
    """Processor time of one process for each form of output, then wall time of two beside one."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        lines = list(observations(LINES))
        (folder / "in.ndjson").write_bytes(b"".join(lines))
        (folder / "more.ndjson").write_bytes(b"".join(observations(AT_ONCE)))
        _bulk(folder, "in.ndjson", "ndjson")
        _compare(folder)
        read, reader = _reader()
        return [
            *(
                beside(
                    f"bulk, the whole answer as {form}",
                    f"{reader} of the same lines",
                    lambda form=form: _bulk(folder, "in.ndjson", form),
                    lambda: [read(line) for _ in range(20) for line in lines],
                    rounds=4,
                    part="P3",
                    goal=2 / 20,
                    note="the yardstick reads the lines twenty times, to be long enough",
                )
                for form in ("ndjson", "parquet")
            ),
            beside(
                "bulk with two processes, wall time",
                "one process",
                lambda: _bulk(folder, "more.ndjson", "parquet", workers=2),
                lambda: _bulk(folder, "more.ndjson", "parquet"),
                rounds=2,
                clock=time.perf_counter,
                part="P3",
                goal=1 / 1.7,
            ),
        ]


def _reader():
    if find_spec("orjson") is None:
        return json.loads, "json.loads (orjson is not installed)"
    import orjson  # noqa: PLC0415 - `make bench` installs it

    return orjson.loads, "orjson.loads"


def _bulk(folder: Path, name: str, form: str, workers: int = 1) -> None:
    words = ["--format", form, "--workers", str(workers), "--out", str(folder / f"out.{form}")]
    with redirect_stderr(io.StringIO()):
        if cli.main(["bulk", str(folder / name), *words]):
            raise SystemExit("bulk failed")


def _compare(folder: Path) -> None:
    """Each panel of the output says what the panel alone does."""
    known, now = knowledge.load(), datetime(2026, 11, 24, tzinfo=UTC)
    body = (folder / "in.ndjson").read_bytes()
    reading = formats.read("ndjson", body, now)
    alone = {
        one.where: [
            (result.measurand, result.standing)
            for result in interpretation.interpret(one.submission, known).results
        ]
        for one in reading.received
    }
    text = (folder / "out.ndjson").read_text(encoding="utf-8")
    told = {
        one["where"]: [
            (result["measurand"], result["standing"]) for result in one["interpretation"]["results"]
        ]
        for one in map(json.loads, text.splitlines())
    }
    if told != alone:
        raise SystemExit("bulk answers otherwise than a panel alone: no ratio is printed")
