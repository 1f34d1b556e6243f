"""`labinterp deliveries`: what became of every mail, trying one again, reading what came back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from labinterp.cli import COMMANDS, DONE

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from labinterp.access import Actor
    from labinterp.store.rows import DeliveryRecord, OrganisationRecord
    from labinterp.usecases.services import Services

STATES: Final = ("queued", "sent", "deferred", "refused", "bounced", "failed", "withdrawn")


def register(subparsers: Any) -> None:
    """Add the command's parser."""
    parser = subparsers.add_parser("deliveries", help=COMMANDS["deliveries"])
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    listing = actions.add_parser("list", help="mails, of one state or all")
    listing.add_argument("--state", choices=STATES, help="only these")
    listing.add_argument("--organisation", help="its id or name")
    retry = actions.add_parser("retry", help="send one that was refused or has failed")
    retry.add_argument("delivery", metavar="DELIVERY", help="its id")
    retry.add_argument("--to", metavar="ADDRESS", help="another address, instead")
    actions.add_parser("bounces", help="read the mailbox of undelivered mail once")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """List them, try one again, or read what came back."""
    from labinterp import bootstrap  # noqa: PLC0415 - imported when the command runs

    does = {"list": _list, "retry": _retry, "bounces": _bounces}[args.action]
    does(bootstrap.services(), args)
    return DONE


def _list(services: Services, args: argparse.Namespace) -> None:
    from labinterp.cli import tables  # noqa: PLC0415 - imported when the command runs
    from labinterp.cli.organisations import named  # noqa: PLC0415 - imported when the command runs
    from labinterp.usecases import administer, journey  # noqa: PLC0415 - imported when the command runs

    chosen = (
        (named(services, args.organisation),)
        if args.organisation
        else administer.organisations(services)
    )
    tables.show(
        ("ID", "REPORT", "STATE", "TRIES", "TO", "NEXT TRY", "LAST ANSWER"),
        (
            _row(delivery)
            for organisation in chosen
            for delivery in journey.all_deliveries(services, _operator(organisation), args.state)
        ),
    )


def _row(delivery: DeliveryRecord) -> tuple[object, ...]:
    return (
        delivery.id,
        delivery.report_number,
        delivery.status,
        delivery.attempts,
        delivery.to,
        f"{delivery.next_try:%Y-%m-%d %H:%M:%S}" if delivery.next_try else None,
        delivery.last_answer,
    )


def _retry(services: Services, args: argparse.Namespace) -> None:
    from labinterp.errors import NotFound  # noqa: PLC0415 - imported when the command runs
    from labinterp.usecases import journey  # noqa: PLC0415 - imported when the command runs

    for operator in _operators(services):
        try:
            delivery = journey.retry_delivery(services, operator, args.delivery, to=args.to)
        except NotFound:
            continue
        print(f"{delivery.id}  {delivery.status}  {delivery.to}")
        return
    raise NotFound(
        f"There is no delivery {args.delivery!r}; `python -m labinterp deliveries list` has all."
    )


def _bounces(services: Services, _args: argparse.Namespace) -> None:
    from labinterp.usecases import journey  # noqa: PLC0415 - imported when the command runs

    if services.bounces is None:
        print("No mailbox is set: BOUNCE_MAILDIR, BOUNCE_IMAP_HOST or BOUNCE_POP_HOST names one.")
        return
    print(f"{journey.read_bounces(services)} came back")


def _operators(services: Services) -> Iterator[Actor]:
    from labinterp.usecases import administer  # noqa: PLC0415 - imported when the command runs

    return map(_operator, administer.organisations(services))


def _operator(organisation: OrganisationRecord) -> Actor:
    """Whoever has this machine, acting for one organisation; the audit says so."""
    from labinterp.access import SYSTEM, Actor  # noqa: PLC0415 - imported when the command runs

    return Actor(
        organisation.id,
        organisation.name,
        "system",
        SYSTEM,
        "command line",
        frozenset({"admin"}),
    )
