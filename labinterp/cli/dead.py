"""`labinterp dead`: everything that was given up, and another try for it."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, Final

from labinterp.cli import COMMANDS, DONE, INPUT_AT_FAULT, USAGE

if TYPE_CHECKING:
    import argparse

    from labinterp.store.given_up import GivenUp
    from labinterp.usecases.services import Services

_KINDS: Final = ("report", "delivery", "notice", "background", "account")


def register(subparsers: Any) -> None:
    """Add the command's parser."""
    parser = subparsers.add_parser("dead", help=COMMANDS["dead"])
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    listing = actions.add_parser("list", help="reports, mails, events and jobs that were given up")
    again = actions.add_parser("replay", help="try one again, or all of a kind")
    for action in (listing, again):
        action.add_argument("--kind", choices=_KINDS, help="only these")
    again.add_argument("id", metavar="ID", nargs="?", help="as `dead list` prints it")
    again.add_argument("--all", action="store_true", help="all of the kind that --kind names")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """List them, or try again."""
    from labinterp import bootstrap  # noqa: PLC0415 - imported when the command runs
    from labinterp.usecases import given_up  # noqa: PLC0415 - imported when the command runs

    services = bootstrap.services()
    found = given_up.listed(services, (args.kind,) if args.kind else _KINDS)
    if args.action == "list":
        _show(found)
        return DONE
    if args.all == bool(args.id) or (args.all and not args.kind):
        print("labinterp: name one ID, or --all with a --kind", file=sys.stderr)
        return USAGE
    chosen = [one for one in found if args.all or one.id == args.id]
    if args.id and not chosen:
        print(f"labinterp: nothing that was given up has the id {args.id}", file=sys.stderr)
        return INPUT_AT_FAULT
    return _replay(services, chosen)


def _show(found: tuple[GivenUp, ...]) -> None:
    from labinterp.cli import tables  # noqa: PLC0415 - imported when the command runs

    tables.show(
        ("KIND", "ID", "STATE", "TRIES", "SINCE", "ABOUT", "WHY"),
        (
            (
                one.kind,
                one.id,
                one.status,
                str(one.attempts),
                f"{one.since:%Y-%m-%d %H:%M:%S}",
                one.about,
                one.why,
            )
            for one in found
        ),
    )


def _replay(services: Services, chosen: list[GivenUp]) -> int:
    """Each by itself: one that cannot be tried again hides no other."""
    from labinterp.errors import LabinterpError  # noqa: PLC0415 - imported when the command runs
    from labinterp.usecases import administer, given_up  # noqa: PLC0415 - as above

    owners = {one.id: one for one in administer.organisations(services)}
    refused = 0
    for one in chosen:
        try:
            actor = administer.system_actor(owners[one.organisation_id])
            given_up.replay(services, actor, one)
        except LabinterpError as error:
            refused += 1
            print(f"labinterp: {one.kind} {one.id}: {error.message}", file=sys.stderr)
    print(f"{len(chosen) - refused} tried again, {refused} not")
    return INPUT_AT_FAULT if refused else DONE
