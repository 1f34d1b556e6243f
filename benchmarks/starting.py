"""How long the command line takes to start, beside Python itself."""

from __future__ import annotations

import resource
import subprocess
import sys

from benchmarks.measure import Figure, beside


def figures() -> list[Figure]:
    """Processor time of whole processes: a machine that others load makes no difference."""
    return [
        beside(
            "labinterp --version",
            "python -c pass",
            lambda: _run("-m", "labinterp", "--version"),
            lambda: _run("-c", "pass"),
            clock=_children,
            part="P8",
            goal=10,
        ),
        beside(
            "labinterp interpret (six results)",
            "python -c pass",
            lambda: _run("-m", "labinterp", "interpret", "labinterp/local/sample_panel.json"),
            lambda: _run("-c", "pass"),
            clock=_children,
            part="P8",
            goal=10,
        ),
        beside(
            "the web application ready",
            "python -c pass",
            lambda: _run("-c", _READY),
            lambda: _run("-c", "pass"),
            clock=_children,
            part="P8",
            goal=45,
        ),
    ]


_READY = """
import os, tempfile
with tempfile.TemporaryDirectory() as folder:
    os.environ["DATA_DIR"] = folder
    from app import create_app
    create_app()
"""


def _children() -> float:
    """Processor seconds of the processes that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _run(*arguments: str) -> None:
    subprocess.run([sys.executable, *arguments], check=True, stdout=subprocess.DEVNULL)  # noqa: S603 -- our own command
