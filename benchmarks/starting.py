"""How long the command line takes to start, beside Python itself."""

from __future__ import annotations

import subprocess
import sys
import time

from benchmarks.measure import Figure, beside


def figures() -> list[Figure]:
    """Wall time of whole processes."""
    return [
        beside(
            "labinterp --version",
            "python -c pass",
            lambda: _run("-m", "labinterp", "--version"),
            lambda: _run("-c", "pass"),
            clock=time.perf_counter,
        ),
        beside(
            "labinterp interpret (six results)",
            "python -c pass",
            lambda: _run("-m", "labinterp", "interpret", "labinterp/local/sample_panel.json"),
            lambda: _run("-c", "pass"),
            clock=time.perf_counter,
        ),
    ]


def _run(*arguments: str) -> None:
    subprocess.run([sys.executable, *arguments], check=True, stdout=subprocess.DEVNULL)  # noqa: S603 -- our own command
