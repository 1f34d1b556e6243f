"""The command line: one module a command, imported only when that command is chosen.

Each module has `register(subparsers)`, which adds its parser, and `run(args) -> int`, which returns
an exit code: 0 done, 1 the input is at fault, 2 usage, 3 ours.
"""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from importlib.util import find_spec
from typing import TYPE_CHECKING, Final

from labinterp import __version__

if TYPE_CHECKING:
    from collections.abc import Sequence

DONE: Final = 0
INPUT_AT_FAULT: Final = 1
USAGE: Final = 2
OURS: Final = 3

COMMANDS: Final = {
    "interpret": "read a panel from a file and print what it means",
    "bulk": "interpret files of any length, an answer a line; nothing is stored",
    "knowledge": "show, check and compare the medical knowledge",
    "up": "start everything on this machine, with a sample panel",
    "serve": "start the web server",
    "mllp": "start the listener for HL7 v2 results (MLLP)",
    "relay": "start the sweeper that hands due work to the workers",
    "db": "bring the database to the newest schema",
    "organisations": "list and create organisations",
    "users": "list and create users, and make sign-in links",
    "keys": "create, list and revoke API keys",
    "clients": "register, list and revoke systems that sign what they send (SMART, CDS Hooks)",
    "senders": "register systems that send HL7 v2, and agree with them on codes and units",
    "receivers": "register systems that are sent results as HL7 v2 (MLLP)",
    "messages": "search the stored HL7 v2 messages, look at one, and read it again",
    "deliveries": "list the e-mails that were or were not sent, and try again",
    "dead": "list all that was given up (reports, mails, events, jobs), and try it again",
    "patients": "hand over, or erase, everything stored of one patient",
    "export": "the same as `patients export`",
    "erase": "the same as `patients erase`",
    "retention": "end what has been kept for its time",
    "audit": "list and export who did what, and prove that nobody changed that record",
    "settings": "print every setting with its default, as the page of the documentation",
    "doctor": "look at settings, database, broker and mail, and say what is wrong",
}
"""Command to what it does; the module of the same name is looked for when it is chosen."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code.

    Args:
        arguments: the words after `labinterp`; the process's own when None.
    """
    words = list(sys.argv[1:] if arguments is None else arguments)
    try:
        args = _parser(words).parse_args(words)
        return int(args.run(args))
    except BrokenPipeError:
        return _pipe_closed()
    except KeyboardInterrupt:
        print("stopped", file=sys.stderr)
        return OURS
    except Exception as error:  # noqa: BLE001 - the last gate: an exit code, not a trace
        return failed(error)


def failed(error: Exception) -> int:
    """Say what went wrong on one line (with every place it names) and return the exit code."""
    from labinterp.errors import (  # noqa: PLC0415 - only failures need it
        LabinterpError,
        NotFound,
        SubmissionError,
    )

    if not isinstance(error, LabinterpError):
        print(f"labinterp: a fault of ours: {type(error).__name__}: {error}", file=sys.stderr)
        return OURS
    print(f"labinterp: {error.message}", file=sys.stderr)
    for place in error.errors:
        print(f"  {place.where}: {place.message} [{place.code}]", file=sys.stderr)
    return INPUT_AT_FAULT if isinstance(error, SubmissionError | NotFound) else OURS


def _parser(words: Sequence[str]) -> argparse.ArgumentParser:
    """The parser; only the chosen command's module is imported to complete it."""
    parser = argparse.ArgumentParser(
        prog="labinterp",
        description="Interpretation support for laboratory panels of patients who twitch.",
        epilog="Exit codes: 0 done, 1 the input is at fault, 2 usage, 3 ours.",
    )
    parser.add_argument("--version", action="version", version=f"labinterp {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    chosen = next((word for word in words if not word.startswith("-")), None)
    for name, purpose in COMMANDS.items():
        if name == chosen and find_spec(f"labinterp.cli.{name}"):
            importlib.import_module(f"labinterp.cli.{name}").register(commands)
        else:
            commands.add_parser(name, help=purpose)
    return parser


def _pipe_closed() -> int:
    """Who reads us went away: stop quietly, and let nothing complain at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return DONE
