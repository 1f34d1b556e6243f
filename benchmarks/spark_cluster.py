"""The record batches on a cluster: a standalone master and two workers of PySpark on this machine.

    python -m benchmarks.spark_cluster [--rows 600]

Needs `requirements-spark.lock` and Java 17. Ends with 0 when the cluster's answers are those of one
process, row by row; a patient's rows are scattered over the whole input first.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa

from benchmarks.lines import RESULTS
from labinterp import knowledge
from labinterp.bulk import batches, spark

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[1]
NOW = datetime(2026, 1, 9, tzinfo=UTC)
WORKERS = 2
_PATIENCE = 400.0
_MASTER, _PAGE = 17077, 18080


def main() -> None:
    """Answer the same rows by one process and by the cluster; compare."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=600)
    rows = _rows(parser.parse_args().rows)
    if shutil.which("java") is None:
        raise SystemExit("Java is needed: apt-get install openjdk-17-jre-headless")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that the cluster ends with this
    with tempfile.TemporaryDirectory() as folder, _cluster(Path(folder)) as alive:
        found = _by_cluster(rows)
    alone = batches.interpreted(
        iter(pa.Table.from_pylist(sorted(rows, key=_place)).to_batches(1_000)),
        knowledge.load(),
        NOW,
    )
    expected = [row for batch in alone for row in batch.to_pylist()]
    ours, theirs = (sorted(map(_without_place, some), key=_place) for some in (expected, found))
    if ours != theirs:
        raise SystemExit("the cluster answers otherwise than one process")
    print(f"{len(rows)} rows, {len(found)} panels, {alive} workers: the same answers")


def _rows(count: int) -> list[dict[str, str]]:
    pick = random.Random(3)  # noqa: S311 - invented results
    rows = []
    for number in range(count):
        code, _, unit, middle, spread, digits = RESULTS[number % len(RESULTS)]
        value = max(0.1, pick.gauss(middle, spread))
        rows.append(
            {
                "patient": f"TEST-{number // len(RESULTS)}",
                "collected_at": "2026-01-02T08:00:00Z",
                "code": code,
                "value": f"{value:.{digits}f}",
                "unit": unit,
            }
        )
    pick.shuffle(rows)
    return rows


def _place(row: dict[str, str]) -> tuple[str, str]:
    return str(row["patient"]), str(row["collected_at"])


def _without_place(row: dict[str, object]) -> dict[str, object]:
    """Rows are counted within a partition, and results of a panel stand in any order."""
    results = sorted(row["results"] or (), key=lambda one: one["measurand"])
    return {
        **row,
        "where": "",
        "results": [{**one, "where": ""} for one in results],
        "problems": [],
    }


def _by_cluster(rows: list[dict[str, str]]) -> list[dict[str, object]]:
    from pyspark.sql import SparkSession  # noqa: PLC0415 - only here

    session = (
        SparkSession.builder.master(f"spark://127.0.0.1:{_MASTER}")
        .config("spark.driver.host", "127.0.0.1")
        .config("spark.driver.memory", "512m")
        .config("spark.executor.memory", "512m")
        .config("spark.sql.shuffle.partitions", "4")
        .config("spark.sql.execution.arrow.maxRecordsPerBatch", "50")
        .config("spark.ui.enabled", "false")
        .config("spark.executorEnv.PYTHONPATH", os.pathsep.join([str(ROOT), *sys.path]))
        .getOrCreate()
    )
    session.sparkContext.setLogLevel("ERROR")
    try:
        frame = session.createDataFrame(rows, ", ".join(f"{name} string" for name in rows[0]))
        return [row.asDict(recursive=True) for row in spark.interpreted(frame, now=NOW).collect()]
    finally:
        session.stop()


@contextmanager
def _cluster(folder: Path) -> Iterator[int]:
    """A master and its workers, each a process; how many workers the master knows."""
    import pyspark  # noqa: PLC0415 - only here

    home = Path(pyspark.__file__).parent
    environment = {
        **os.environ,  # noqa: TID251 - a script: what it starts needs where Java is
        "SPARK_HOME": str(home),
        "SPARK_LOCAL_IP": "127.0.0.1",
        "PYSPARK_PYTHON": sys.executable,
        "SPARK_WORKER_DIR": str(folder / "work"),
        "SPARK_DAEMON_MEMORY": "256m",
    }
    os.environ.update(environment)  # noqa: TID251 - the driver reads it, too
    deploy, port = "org.apache.spark.deploy", str(_MASTER)
    master = [f"{deploy}.master.Master", "--host", "127.0.0.1", "--port", port]
    worker = [f"{deploy}.worker.Worker", "--cores", "1", "--memory", "700m", "--host", "127.0.0.1"]
    commands = [
        [*master, "--webui-port", str(_PAGE)],
        *([*worker, "--webui-port", "0", f"spark://127.0.0.1:{port}"] for _ in range(WORKERS)),
    ]
    started: list[subprocess.Popen[bytes]] = []
    try:
        for command in commands:
            with (folder / f"log-{len(started)}").open("wb") as log:
                started.append(
                    subprocess.Popen(  # noqa: S603 - our own command
                        [str(home / "bin" / "spark-class"), *command],
                        env=environment,
                        stdout=log,
                        stderr=log,
                    )
                )
            _wait_for(len(started) - 1)
        yield WORKERS
    finally:
        for process in reversed(started):
            process.terminate()
            process.wait(30)


def _wait_for(workers: int) -> None:
    until = time.monotonic() + _PATIENCE
    while time.monotonic() < until:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{_PAGE}/json/") as page:
                text = page.read().decode()
        except OSError:
            text = ""
        if text.count('"state" : "ALIVE"') + text.count('"state":"ALIVE"') >= workers and text:
            return
        time.sleep(0.5)
    raise SystemExit("the cluster did not start")


if __name__ == "__main__":
    main()
