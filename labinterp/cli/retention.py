"""`labinterp retention`: end what has been kept for its time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from labinterp.cli import COMMANDS, DONE

if TYPE_CHECKING:
    import argparse


def register(subparsers: Any) -> None:
    """Add the command's parser."""
    parser = subparsers.add_parser("retention", help=COMMANDS["retention"])
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    actions.add_parser("run", help="remove all of it now; the relay does so bit by bit anyhow")
    actions.add_parser("due", help="say how much would be removed")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Remove, or count."""
    from labinterp import bootstrap  # noqa: PLC0415 - imported when the command runs
    from labinterp.usecases import retention, tidy  # noqa: PLC0415 - imported when it runs

    services = bootstrap.services()
    if args.action == "due":
        found = retention.due(services)
        print(f"{found.panels} panels and {found.messages} messages have had their time")
        return DONE
    done = retention.run(services)
    forgotten = tidy.tidy(services)
    print(
        f"removed: {done.panels} panels, {done.messages} messages, {done.cards} cards and words on"
        f" them, {done.links} sign-in links, {forgotten} keys, tokens and finished jobs"
    )
    return DONE
