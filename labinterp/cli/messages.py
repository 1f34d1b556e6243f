"""`labinterp messages`: stored HL7 v2 messages, looked for, looked at, and read again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from labinterp.cli import COMMANDS, DONE

if TYPE_CHECKING:
    import argparse
    from datetime import datetime

    from labinterp.access import Actor
    from labinterp.formats.hl7v2_tree import MessageSegment
    from labinterp.usecases.services import Services


def register(subparsers: Any) -> None:
    """Add the command's parser."""
    parser = subparsers.add_parser("messages", help=COMMANDS["messages"])
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    listing = actions.add_parser("list", help="the newest that fit")
    listing.add_argument("--sender", help="MSH-3 or MSH-4, or both: LIS|NORTHLAB")
    listing.add_argument("--control-id", help="MSH-10")
    listing.add_argument("--status", choices=("AA", "AE", "AR"), help="as it was answered")
    listing.add_argument("--from", dest="from_", metavar="TIME", help="received at or after")
    listing.add_argument("--to", metavar="TIME", help="received before")
    listing.add_argument("--limit", type=int, default=50, help="at most so many (200)")
    show = actions.add_parser("show", help="one, by its segments, fields and components")
    replay = actions.add_parser("replay", help="what reading it again would change")
    replay.add_argument("--for-good", action="store_true", help="change it")
    for action in (listing, show, replay):
        action.add_argument("--organisation", required=True, help="its id or name")
    for action in (show, replay):
        action.add_argument("message", metavar="MESSAGE", help="its id")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """List, show or replay."""
    from labinterp import bootstrap  # noqa: PLC0415 - imported when the command runs
    from labinterp.cli.organisations import named  # noqa: PLC0415 - imported when the command runs
    from labinterp.usecases import administer  # noqa: PLC0415 - imported when the command runs

    services = bootstrap.services()
    actor = administer.system_actor(named(services, args.organisation))
    {"list": _list, "show": _show, "replay": _replay}[args.action](services, actor, args)
    return DONE


def _list(services: Services, actor: Actor, args: argparse.Namespace) -> None:
    from labinterp.cli import tables  # noqa: PLC0415 - imported when the command runs
    from labinterp.usecases import message_store  # noqa: PLC0415 - imported when the command runs

    found = message_store.list_messages(
        services,
        actor,
        sender=args.sender,
        control_id=args.control_id,
        status=args.status,
        from_=_moment(args.from_),
        to=_moment(args.to),
        limit=args.limit,
    )
    tables.show(
        ("ID", "RECEIVED", "DOOR", "SENDER", "CONTROL ID", "STATUS", "PANELS"),
        (
            (
                one.id,
                one.received_at.isoformat(timespec="seconds"),
                one.door,
                f"{one.application}|{one.facility}",
                one.control_id,
                one.outcome,
                " ".join(one.panels),
            )
            for one in found.items
        ),
    )


def _moment(text: str | None) -> datetime | None:
    """A time as it is typed; without an offset, in UTC.

    Raises:
        SubmissionError: it is none.
    """
    from datetime import UTC, datetime  # noqa: PLC0415 - imported when the command runs

    from labinterp.errors import SubmissionError  # noqa: PLC0415 - as above

    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise SubmissionError(f"{text} is no time, such as 2026-01-31T08:00:00Z.") from error
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _show(services: Services, actor: Actor, args: argparse.Namespace) -> None:
    from labinterp.usecases import message_store  # noqa: PLC0415 - imported when the command runs

    found = message_store.view_message(services, actor, args.message)
    for segment in found.segments:
        _print(segment)
    for place in found.problems:
        print(_printable(f"! {place.where}: {place.message} [{place.code}]"))
    for panel_id in found.summary.panels:
        print(f"panel {panel_id}")


def _print(segment: MessageSegment) -> None:
    print(segment.where)
    for field in segment.fields:
        print(_printable(f"  {field.number} {field.name}: {field.raw}"))
        for components in field.repetitions:
            if len(components) > 1:
                for one in components:
                    print(_printable(f"    .{one.number} {one.name}: {one.text}"))


def _replay(services: Services, actor: Actor, args: argparse.Namespace) -> None:
    from labinterp.usecases import message_store  # noqa: PLC0415 - imported when the command runs

    found = message_store.replay(services, actor, args.message, dry_run=not args.for_good)
    for effect in found.effects:
        version = f" version {effect.version}" if effect.version else ""
        print(f"{effect.panel_id or 'a panel'}{version}: {effect.change}{_why(effect.why)}")
        for row in effect.rows:
            if row.before != row.after:
                print(_printable(f"  {row.where}"))
                for sign, lines in (("-", row.before), ("+", row.after)):
                    for line in lines:
                        print(_printable(f"    {sign} {line}"))
    for place in found.faults:
        print(_printable(f"! {place.where}: {place.message} [{place.code}]"))


def _why(why: str | None) -> str:
    return f" ({why})" if why else ""


def _printable(text: str) -> str:
    return "".join(sign if sign.isprintable() else "?" for sign in text)
