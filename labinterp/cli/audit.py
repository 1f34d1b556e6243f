"""`labinterp audit`: who did what to which data, and whether anybody has tampered with that."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, Final

from labinterp.cli import COMMANDS, DONE, INPUT_AT_FAULT

if TYPE_CHECKING:
    import argparse
    from datetime import datetime

    from labinterp.store.chain import Head
    from labinterp.usecases.services import Services

_SERVICE: Final = "service"
_PARTS: Final = 3


def register(subparsers: Any) -> None:
    """Add the command's parser."""
    parser = subparsers.add_parser("audit", help=COMMANDS["audit"])
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    verify = actions.add_parser(
        "verify",
        help="reckon the chains anew; exit code 1 where one does not hold",
        description="Prints CHAIN:SEQUENCE:HASH of the newest event of each chain. Note these lines"
        " outside the database: with --noted they prove later that nothing before was rewritten.",
    )
    verify.add_argument(
        "--noted", metavar="CHAIN:SEQUENCE:HASH", action="append", default=[], help="noted earlier"
    )
    for name, purpose in (
        ("list", "the newest events, one a line"),
        ("export", "events as FHIR AuditEvent, a JSON document a line"),
    ):
        action = actions.add_parser(name, help=purpose)
        action.add_argument(
            "--organisation",
            required=True,
            help=f"its id or name; {_SERVICE!r} for what belongs to none",
        )
        if name == "list":
            action.add_argument("--limit", type=int, default=50)
        else:
            action.add_argument("--from", dest="since", metavar="TIME", help="at or after")
            action.add_argument("--to", dest="until", metavar="TIME", help="before")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Verify, list or export."""
    from labinterp import bootstrap  # noqa: PLC0415 - imported when the command runs

    services = bootstrap.services()
    return {"verify": _verify, "list": _list, "export": _export}[args.action](services, args)


def _verify(services: Services, args: argparse.Namespace) -> int:
    from labinterp.usecases import audit_trail  # noqa: PLC0415 - imported when the command runs

    noted = {head.chain: head for head in map(_noted, args.noted)}
    found = audit_trail.verify(services, noted)
    for head in found.heads:
        print(f"{head.chain}:{head.sequence}:{head.hash}")
    for each in found.breaks:
        place = f" at event {each.sequence}" if each.sequence is not None else ""
        print(f"labinterp: chain {each.chain} breaks{place}: {each.why}", file=sys.stderr)
    if not found.breaks:
        print(f"{len(found.heads)} chains hold", file=sys.stderr)
    return INPUT_AT_FAULT if found.breaks else DONE


def _noted(text: str) -> Head:
    from labinterp.errors import SubmissionError  # noqa: PLC0415 - imported when the command runs
    from labinterp.store.chain import Head  # noqa: PLC0415 - imported when the command runs

    parts = text.split(":")
    if len(parts) != _PARTS or not parts[1].isdecimal():
        raise SubmissionError(
            f"{text!r} is no CHAIN:SEQUENCE:HASH, as this command prints it.", code="noted-invalid"
        )
    return Head(parts[0], int(parts[1]), parts[2])


def _list(services: Services, args: argparse.Namespace) -> int:
    from labinterp.cli import tables  # noqa: PLC0415 - imported when the command runs
    from labinterp.usecases import audit_trail  # noqa: PLC0415 - imported when the command runs

    events = audit_trail.newest(services, _whose(services, args) or _SERVICE, max(1, args.limit))
    tables.show(
        ("NO", "AT", "WHAT", "OUTCOME", "BY", "ABOUT"),
        (
            (
                str(event.sequence or "-"),
                f"{event.recorded_at:%Y-%m-%d %H:%M:%S}",
                event.deed.subtype,
                event.deed.outcome,
                f"{event.who.kind}:{event.who.id}",
                event.deed.panel_id or event.deed.entity or "-",
            )
            for event in events
        ),
    )
    return DONE


def _export(services: Services, args: argparse.Namespace) -> int:
    import json  # noqa: PLC0415 - imported when the command runs

    from labinterp.store.audit import Who  # noqa: PLC0415 - imported when the command runs
    from labinterp.usecases import audit_trail  # noqa: PLC0415 - imported when the command runs
    from labinterp.usecases.acting import ITSELF  # noqa: PLC0415 - imported when the command runs

    who = Who(_whose(services, args), ITSELF.kind, ITSELF.id, "command line")
    events = audit_trail.exported(services, who, since=_time(args.since), until=_time(args.until))
    for event in events:
        print(json.dumps(event, separators=(",", ":")))
    return DONE


def _whose(services: Services, args: argparse.Namespace) -> str | None:
    from labinterp.cli.organisations import named  # noqa: PLC0415 - imported when the command runs

    return None if args.organisation == _SERVICE else named(services, args.organisation).id


def _time(text: str | None) -> datetime | None:
    """A time with its zone; a day alone begins at midnight UTC.

    Raises:
        SubmissionError: it is neither.
    """
    from datetime import UTC, datetime  # noqa: PLC0415 - imported when the command runs

    from labinterp.errors import SubmissionError  # noqa: PLC0415 - imported when the command runs

    if text is None:
        return None
    try:
        read = datetime.fromisoformat(text)
    except ValueError as error:
        raise SubmissionError(
            f"{text!r} is no time such as 2026-01-31 or 2026-01-31T08:00:00Z.", code="time-invalid"
        ) from error
    return read if read.tzinfo else read.replace(tzinfo=UTC)
