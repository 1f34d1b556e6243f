"""`labinterp up`: everything on this machine, with nothing configured."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from labinterp.cli import COMMANDS, DONE

if TYPE_CHECKING:
    import argparse


def register(subparsers: Any) -> None:
    """Add the command's parser."""
    parser = subparsers.add_parser(
        "up",
        help=COMMANDS["up"],
        description=(
            "Start the web server, a worker, the relay, an embedded broker and a local mailbox on "
            "this machine, send a sample panel, and keep serving until Ctrl-C. "
            "PORT (8000) and DATA_DIR (./data) may be set."
        ),
    )
    parser.set_defaults(run=run)


def run(_args: argparse.Namespace) -> int:
    """Run until told to stop."""
    import os  # noqa: PLC0415 - imported when the command runs

    from labinterp.local.screen import Screen  # noqa: PLC0415 - imported when the command runs
    from labinterp.local.up import up  # noqa: PLC0415 - imported when the command runs

    os.umask(0o077)  # broker, mailbox and logs hold what is nobody else's, whoever made DATA_DIR
    up(dict(os.environ), Screen.standard())  # noqa: TID251 - the process it starts gets this one's environment
    return DONE
