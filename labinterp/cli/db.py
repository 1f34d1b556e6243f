"""`labinterp db`: the database's shape."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from labinterp.cli import COMMANDS, DONE

if TYPE_CHECKING:
    import argparse


def register(subparsers: Any) -> None:
    """Add the command's parser."""
    parser = subparsers.add_parser("db", help=COMMANDS["db"])
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    upgrade = actions.add_parser("upgrade", help="run the migrations that are missing")
    upgrade.add_argument(
        "--while-serving",
        action="store_true",
        help="while processes of the release before run; again without it, once they are gone",
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Bring the database to the newest schema; again is harmless."""
    from labinterp import bootstrap  # noqa: PLC0415 - imported when the command runs
    from labinterp.store import condition, rights, upgrade  # noqa: PLC0415 - likewise

    services = bootstrap.services()
    account = bootstrap.settings().database_account
    upgrade.upgrade(services.store, services.now(), while_serving=args.while_serving)
    current, _ = condition.migrations(services.store)
    print(f"The database is at {current}.")
    if account and rights.give(services.store, account):
        print(f"{account} may read and write its rows, and add to the audit.")
    if args.while_serving:
        print("Restart every process, then run this again without --while-serving.")
    return DONE
