"""`labinterp receivers`: systems that are sent results as HL7 v2, and what became of each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from labinterp.cli import COMMANDS, DONE

if TYPE_CHECKING:
    import argparse

    from labinterp.access import Actor
    from labinterp.usecases.services import Services


def register(subparsers: Any) -> None:
    """Add the command's parser."""
    parser = subparsers.add_parser("receivers", help=COMMANDS["receivers"])
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    listing = actions.add_parser("list", help="all receivers")
    create = actions.add_parser("create", help="register one: each result is sent to it")
    create.add_argument("name", metavar="NAME", help="what it is called")
    create.add_argument("--url", required=True, help="mllps://host:port")
    create.add_argument("--application", default="", help="its name, for MSH-5")
    create.add_argument("--facility", default="", help="its place, for MSH-6")
    create.add_argument("--no-document", action="store_true", help="without the PDF")
    sent = actions.add_parser("sent", help="what became of each result")
    again = actions.add_parser("again", help="send a result again")
    delete = actions.add_parser("delete", help="send it nothing any more")
    for action in (listing, create, sent, again, delete):
        action.add_argument("--organisation", required=True, help="its id or name")
    for action in (sent, again, delete):
        action.add_argument("receiver", metavar="RECEIVER", help="its id")
    again.add_argument("event", metavar="EVENT", help="the id that `sent` lists")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """List, create, look, send again or delete."""
    from labinterp import bootstrap  # noqa: PLC0415 - imported when the command runs
    from labinterp.cli.organisations import named  # noqa: PLC0415 - imported when the command runs
    from labinterp.usecases import administer  # noqa: PLC0415 - imported when the command runs

    services = bootstrap.services()
    actor = administer.system_actor(named(services, args.organisation))
    actions = {"list": _list, "create": _create, "sent": _sent, "again": _again, "delete": _delete}
    actions[args.action](services, actor, args)
    return DONE


def _list(services: Services, actor: Actor, _: argparse.Namespace) -> None:
    from labinterp.cli import tables  # noqa: PLC0415 - imported when the command runs
    from labinterp.usecases import receivers  # noqa: PLC0415 - imported when the command runs

    tables.show(
        ("ID", "NAME", "URL", "STATUS", "WHY"),
        (
            (one.id, (one.document or {}).get("name"), one.url, one.status, one.why)
            for one in receivers.all_receivers(services, actor)
        ),
    )


def _create(services: Services, actor: Actor, args: argparse.Namespace) -> None:
    from labinterp.usecases import receivers  # noqa: PLC0415 - imported when the command runs

    wanted = receivers.Wanted(
        args.name, args.url, args.application, args.facility, document=not args.no_document
    )
    print(f"receiver  {receivers.create_receiver(services, actor, wanted).id}")


def _sent(services: Services, actor: Actor, args: argparse.Namespace) -> None:
    from labinterp.cli import tables  # noqa: PLC0415 - imported when the command runs
    from labinterp.usecases import receivers, webhooks  # noqa: PLC0415 - as above

    found = receivers.read_receiver(services, actor, args.receiver)
    tables.show(
        ("ID", "EVENT", "PANEL", "VERSION", "STATE", "TRIES", "LAST ANSWER"),
        (
            (
                *(one.id, one.event, one.panel_id, one.version),
                *(one.status, one.attempts, one.last_answer),
            )
            for one in webhooks.deliveries(services, actor, found.id)
        ),
    )


def _again(services: Services, actor: Actor, args: argparse.Namespace) -> None:
    from labinterp.usecases import receivers, webhooks  # noqa: PLC0415 - as above

    found = receivers.read_receiver(services, actor, args.receiver)
    print(f"{webhooks.redeliver(services, actor, found.id, args.event).id} is queued")


def _delete(services: Services, actor: Actor, args: argparse.Namespace) -> None:
    from labinterp.usecases import receivers  # noqa: PLC0415 - imported when the command runs

    receivers.delete_receiver(services, actor, args.receiver)
    print(f"{args.receiver} is deleted")
