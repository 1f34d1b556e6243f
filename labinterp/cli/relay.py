"""`labinterp relay`: the sweeper, which is a program of its own (`workers.relay`)."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any

from labinterp.cli import COMMANDS

if TYPE_CHECKING:
    import argparse


def register(subparsers: Any) -> None:
    """Add the command's parser."""
    parser = subparsers.add_parser(
        "relay",
        help=COMMANDS["relay"],
        description="Look for due work every few seconds and wake the workers, until told to stop.",
    )
    parser.set_defaults(run=run)


def run(_args: argparse.Namespace) -> int:
    """Become the relay: the same process, so that signals and supervisors reach it."""
    sys.stdout.flush()
    os.execv(sys.executable, [sys.executable, "-m", "workers.relay"])  # noqa: S606 - our own program, by its path
