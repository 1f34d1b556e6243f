"""`labinterp interpret FILE`: a panel in, its meaning out; no server, no database, no broker."""

from __future__ import annotations

import argparse
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from labinterp.cli import COMMANDS, DONE, INPUT_AT_FAULT
from labinterp.errors import SubmissionError

if TYPE_CHECKING:
    from labinterp.formats import Reading
    from labinterp.model.interpretation import Interpretation
    from labinterp.model.knowledge import Knowledge
    from labinterp.model.submission import Received

FORMATS: Final = ("json", "csv", "pasted")


def register(subparsers: Any) -> None:
    """Add the command's parser."""
    parser = subparsers.add_parser(
        "interpret",
        help=COMMANDS["interpret"],
        description="Read a panel (JSON, CSV or pasted text) and print what it means.",
    )
    parser.add_argument("file", metavar="FILE", help="the panel; - reads standard input")
    parser.add_argument(
        "--format", choices=("text", "json"), default="text", help="of the answer (default: text)"
    )
    parser.add_argument("--input-format", choices=FORMATS, help="of FILE (default: seen from it)")
    parser.add_argument("--pdf", metavar="OUT", type=Path, help="also draw the report into OUT")
    parser.add_argument(
        "--knowledge", metavar="FOLDER", type=Path, help="use this folder's knowledge instead"
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Read, interpret, print; 1 when a part of the input could not be read."""
    from labinterp import interpretation, knowledge  # noqa: PLC0415 - --help stays quick

    now = datetime.now(UTC)  # noqa: TID251 - the command line has no services; its clock is here
    known = knowledge.load(args.knowledge)
    reading = _read(args, known, now)
    answers = [
        (received, interpretation.interpret(received.submission, known))
        for received in reading.received
    ]
    _print(args.format, answers)
    if args.pdf:
        _draw(args.pdf, answers, now)
    return _verdict(reading, answers)
