"""`labinterp settings`: every setting, as `docs/reference/settings.md` prints it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from labinterp.cli import COMMANDS, DONE

if TYPE_CHECKING:
    import argparse


def register(subparsers: Any) -> None:
    """Add the command's parser."""
    parser = subparsers.add_parser(
        "settings",
        help=COMMANDS["settings"],
        description="Print every setting, its default and its meaning as Markdown.",
    )
    parser.set_defaults(run=run)


def run(_args: argparse.Namespace) -> int:
    """Print the page; no setting of this process is read or shown."""
    from labinterp import bootstrap  # noqa: PLC0415 - imported when the command runs

    print(bootstrap.settings_page(), end="")
    return DONE
