"""Files of any length through `bulk`: in flat memory, and gone on with after kills at random.

    python -m benchmarks.broken_off [--lines 10000000] [--workers 2] [--format parquet]

Runs a file of an eighth of the lines, then the whole, and compares the largest process of each;
then the whole again, killed with SIGKILL at random moments, each time gone on with. It ends with 0
if both outputs are the same, byte for byte, and memory has not grown with the file.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from benchmarks.lines import observations

GROWTH = 1.05
"""The largest process may be so much larger with eight times the lines."""
JUDGED = 60_000
"""With fewer lines in the smaller file, not all that is held at once is full yet."""
KILLS = 5
_MEGABYTE = 1024


@dataclass(frozen=True)
class Outcome:
    """Of a run that came to its end: wall time [s] and the largest of its processes [kB]."""

    seconds: float
    largest: int


def main() -> None:
    """Do all of it; a sentence to each part."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--lines", type=int, default=10_000_000)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--format", default="parquet")
    parser.add_argument("--folder", type=Path, help="where the files go; they are removed")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=given.folder) as name:
        folder = Path(name)
        if not _shown(
            folder, given.lines, ["--workers", str(given.workers), "--format", given.format]
        ):
            raise SystemExit(1)


def _shown(folder: Path, lines: int, words: list[str]) -> bool:
    part, whole = folder / "part.ndjson", folder / "whole.ndjson"
    for path, count in ((part, lines // 8), (whole, lines)):
        with path.open("wb") as opened:
            opened.writelines(observations(count, scattered=True))
    small = _run([part, "--out", folder / "small", *words])
    print(f"{lines // 8:,} lines: {small.seconds:.0f} s, largest process {_megabytes(small)}")
    unbroken = _run([whole, "--out", folder / "unbroken", *words])
    print(
        f"{lines:,} lines: {unbroken.seconds:.0f} s, {lines / unbroken.seconds:,.0f} lines/s,",
        end=" ",
    )
    print(f"largest process {_megabytes(unbroken)}")
    growth = unbroken.largest / small.largest
    kills = _killed([whole, "--out", folder / "broken", *words], unbroken.seconds)
    same = _digest(folder / "unbroken") == _digest(folder / "broken")
    said = "the same output" if same else "ANOTHER OUTPUT"
    print(f"killed {kills} times at random and gone on with: {said}")
    judged = lines // 8 >= JUDGED
    limit = f"at most {GROWTH}" if judged else f"judged from {8 * JUDGED:,} lines on"
    print(f"memory at eight times the lines: {growth:.2f} of that before ({limit})")
    left = [path.name for path in folder.iterdir() if path.name.endswith((".work", ".stdin"))]
    flat = growth <= GROWTH or not judged
    return same and kills == KILLS and flat and not left


def _command(words: list[object]) -> list[str]:
    return [sys.executable, "-m", "labinterp", "bulk", *map(str, words)]


def _run(words: list[object]) -> Outcome:
    began = time.monotonic()
    process = subprocess.Popen(_command(words), stderr=subprocess.DEVNULL)  # noqa: S603 - our own
    largest = 0
    while process.poll() is None:
        largest = max(largest, *_sizes(process.pid), 0)
        time.sleep(0.25)
    if process.returncode:
        raise SystemExit(f"bulk ended with {process.returncode}")
    return Outcome(time.monotonic() - began, largest)


def _killed(words: list[object], seconds: float) -> int:
    """How often the run was killed before its end, which it is then let reach."""
    pick, kills = random.SystemRandom(), 0
    while kills < KILLS:
        process = subprocess.Popen(_command([*words, "--resume"]), stderr=subprocess.DEVNULL)  # noqa: S603
        try:
            process.wait(pick.uniform(0.02, 0.18) * seconds + 1)
        except subprocess.TimeoutExpired:
            os.kill(process.pid, signal.SIGKILL)
            process.wait()
            kills += 1
            continue
        return kills
    _run([*words, "--resume"])
    return kills


def _sizes(pid: int) -> list[int]:
    """The most that the process and those that it started have held so far [kB]."""
    pids = [pid]
    for one in pids:
        try:
            children = Path(f"/proc/{one}/task/{one}/children").read_text(encoding="ascii")
        except OSError:
            continue
        pids += map(int, children.split())
    return [_largest(one) for one in pids]


def _largest(pid: int) -> int:
    try:
        lines = Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith("VmHWM")), 0)


def _megabytes(outcome: Outcome) -> str:
    return f"{outcome.largest / _MEGABYTE:.0f} MB"


def _digest(path: Path) -> str:
    with path.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


if __name__ == "__main__":
    main()
