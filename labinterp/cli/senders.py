"""`labinterp senders`: systems that send HL7 v2, and what was agreed with each."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from labinterp.cli import COMMANDS, DONE

if TYPE_CHECKING:
    import argparse

    from labinterp.access import Actor
    from labinterp.store.rows import SenderRecord
    from labinterp.usecases.services import Services


def register(subparsers: Any) -> None:
    """Add the command's parser."""
    parser = subparsers.add_parser("senders", help=COMMANDS["senders"])
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    listing = actions.add_parser("list", help="all senders, with what was agreed")
    listing.add_argument("--organisation", help="its id or name")
    create = actions.add_parser("create", help="register one by the names in MSH-3 and MSH-4")
    create.add_argument("name", metavar="NAME", help="what it is called")
    create.add_argument("--organisation", required=True, help="its id or name")
    create.add_argument("--application", default="", help="its name in MSH-3")
    create.add_argument("--facility", default="", help="its name in MSH-4")
    create.add_argument("--settings", metavar="FILE", help="what is agreed with it, JSON")
    for name, about in (
        ("change", "other settings, from the next message on"),
        ("try", "what other settings would change in its stored messages"),
    ):
        action = actions.add_parser(name, help=about)
        action.add_argument("sender", metavar="SENDER", help="its id")
        action.add_argument("--settings", metavar="FILE", required=True, help="JSON")
        if name == "try":
            action.add_argument("--table", metavar="FILE", help="a table of its, to be tried too")
    delete = actions.add_parser("delete", help="forget it; its messages stay")
    delete.add_argument("sender", metavar="SENDER", help="its id")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """List, create, change, try or delete."""
    from labinterp import bootstrap  # noqa: PLC0415 - imported when the command runs

    actions = {
        "list": _list,
        "create": _create,
        "change": _change,
        "try": _try,
        "delete": _delete,
    }
    actions[args.action](bootstrap.services(), args)
    return DONE


def _list(services: Services, args: argparse.Namespace) -> None:
    from labinterp.cli import given, tables  # noqa: PLC0415 - imported when the command runs
    from labinterp.usecases import senders  # noqa: PLC0415 - imported when the command runs

    chosen = given.organisation_id(services, args.organisation)
    tables.show(
        ("ID", "NAME", "APPLICATION", "FACILITY", "SETTINGS"),
        (
            (one.id, one.name, one.application, one.facility, json.dumps(dict(one.settings)))
            for one in senders.all_senders(services, chosen)
        ),
    )


def _create(services: Services, args: argparse.Namespace) -> None:
    from labinterp.cli import given  # noqa: PLC0415 - imported when the command runs
    from labinterp.cli.organisations import named  # noqa: PLC0415 - imported when the command runs
    from labinterp.usecases import administer, senders  # noqa: PLC0415 - as above

    made = senders.create_sender(
        services,
        administer.system_actor(named(services, args.organisation)),
        name=args.name,
        application=args.application,
        facility=args.facility,
        settings=given.json_object(args.settings) if args.settings else {},
    )
    print(f"sender  {made.id}")


def _change(services: Services, args: argparse.Namespace) -> None:
    from labinterp.cli import given  # noqa: PLC0415 - imported when the command runs
    from labinterp.usecases import senders  # noqa: PLC0415 - imported when the command runs

    found, actor = _found(services, args.sender)
    settings = given.json_object(args.settings)
    senders.change_sender(services, actor, found.id, name=None, settings=settings)
    print(f"{found.id} is changed")


def _try(services: Services, args: argparse.Namespace) -> None:
    from labinterp.cli import given  # noqa: PLC0415 - imported when the command runs
    from labinterp.usecases import senders  # noqa: PLC0415 - imported when the command runs

    found, actor = _found(services, args.sender)
    table = given.text(args.table) if args.table else ""
    settings = given.json_object(args.settings)
    effects = senders.dry_run(services, actor, found.id, settings, table=table)
    for effect in effects:
        changed = effect.before != effect.after
        print(f"{effect.control_id}: {'changes' if changed else 'stays'}")
        for line in sorted(set(effect.before) - set(effect.after)):
            print(f"  - {line}")
        for line in sorted(set(effect.after) - set(effect.before)):
            print(f"  + {line}")


def _delete(services: Services, args: argparse.Namespace) -> None:
    from labinterp.usecases import senders  # noqa: PLC0415 - imported when the command runs

    found, actor = _found(services, args.sender)
    senders.delete_sender(services, actor, found.id)
    print(f"{found.id} is deleted")


def _found(services: Services, sender_id: str) -> tuple[SenderRecord, Actor]:
    """The sender, and the command line acting for its organisation.

    Raises:
        NotFound: there is none.
    """
    from labinterp.errors import NotFound  # noqa: PLC0415 - imported when the command runs
    from labinterp.usecases import administer, senders  # noqa: PLC0415 - as above

    every = {one.id: one for one in senders.all_senders(services, None)}
    if sender_id not in every:
        raise NotFound("There is no such sender.")
    found = every[sender_id]
    owner = next(
        one for one in administer.organisations(services) if one.id == found.organisation_id
    )
    return found, administer.system_actor(owner)
