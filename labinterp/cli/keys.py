"""`labinterp keys`: API keys of the organisations, each shown once; and the key that seals data."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from labinterp.cli import COMMANDS, DONE

if TYPE_CHECKING:
    import argparse

    from labinterp.store.rows import KeyRecord
    from labinterp.usecases.services import Services


def register(subparsers: Any) -> None:
    """Add the command's parser."""
    parser = subparsers.add_parser("keys", help=COMMANDS["keys"])
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    listing = actions.add_parser("list", help="all keys, by their public beginning")
    listing.add_argument("--organisation", help="its id or name")
    create = actions.add_parser("create", help="a new key, printed once")
    create.add_argument("--organisation", required=True, help="its id or name")
    create.add_argument("--name", required=True, help="what it is for")
    create.add_argument(
        "--scopes", default="panels:write,panels:read,knowledge:read", help="comma between them"
    )
    revoke = actions.add_parser("revoke", help="a key that works no more, from now on")
    revoke.add_argument("key", metavar="KEY", help="its id or public beginning")
    rotate = actions.add_parser(
        "rotate",
        help="seal stored data anew with the DATA_KEY in force",
        description="Seals with DATA_KEY all that a key of FORMER_DATA_KEYS sealed, a few rows at a"
        " time, while the service runs. Begun again, it goes on. API keys are not changed.",
    )
    rotate.add_argument("--check", action="store_true", help="only say how much is left to do")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """List, create or revoke API keys; or change the data key."""
    from labinterp import bootstrap  # noqa: PLC0415 - imported when the command runs

    actions = {"list": _list, "create": _create, "revoke": _revoke, "rotate": _rotate}
    actions[args.action](bootstrap.services(), args)
    return DONE


def _list(services: Services, args: argparse.Namespace) -> None:
    from labinterp.cli import given, tables  # noqa: PLC0415 - imported when the command runs
    from labinterp.usecases import administer  # noqa: PLC0415 - imported when the command runs

    chosen = given.organisation_id(services, args.organisation)
    tables.show(
        ("ID", "BEGINS WITH", "NAME", "ORGANISATION", "SCOPES", "REVOKED"),
        (
            (key.id, key.prefix, key.name, key.organisation, ",".join(key.scopes), _revoked(key))
            for key in administer.keys(services, chosen)
        ),
    )


def _revoked(key: KeyRecord) -> str:
    return f"{key.revoked_at:%Y-%m-%d %H:%M}" if key.revoked_at else "no"


def _create(services: Services, args: argparse.Namespace) -> None:
    from labinterp.cli.organisations import named  # noqa: PLC0415 - imported when the command runs
    from labinterp.usecases import administer  # noqa: PLC0415 - imported when the command runs

    organisation = named(services, args.organisation)
    scopes = scopes_of(args.scopes)
    _, key = administer.create_key(services, organisation.id, name=args.name, scopes=scopes)
    print(key)
    print("Keep it now: it is not shown again.", file=sys.stderr)


def _revoke(services: Services, args: argparse.Namespace) -> None:
    from labinterp.errors import NotFound  # noqa: PLC0415 - imported when the command runs
    from labinterp.usecases import administer  # noqa: PLC0415 - imported when the command runs

    for key in administer.keys(services):
        if args.key in (key.id, key.prefix):
            administer.revoke_key(services, key.organisation_id, key.id)
            print(f"{key.prefix} is revoked")
            return
    raise NotFound(f"There is no key {args.key!r}; `python -m labinterp keys list` has all.")


def _rotate(services: Services, args: argparse.Namespace) -> None:
    from labinterp.usecases import data_key  # noqa: PLC0415 - imported when the command runs

    total = data_key.left(services)
    if args.check:
        print(f"{total} values are sealed with a former key")
        return
    done = 0
    for some in data_key.rotate(services):
        done += some
        if sys.stderr.isatty():
            print(f"\r{done} of {total}", end="", file=sys.stderr)
    print(f"{done} values sealed anew; FORMER_DATA_KEYS can be emptied when all processes run")


def scopes_of(words: str) -> tuple[str, ...]:
    """The scopes named, each known.

    Raises:
        SubmissionError: one is not a scope.
    """
    from labinterp.access import SCOPES  # noqa: PLC0415 - imported when the command runs
    from labinterp.errors import SubmissionError  # noqa: PLC0415 - imported when the command runs

    chosen = tuple(word.strip() for word in words.split(",") if word.strip())
    unknown = [word for word in chosen if word not in SCOPES]
    if unknown or not chosen:
        raise SubmissionError(
            f"{', '.join(unknown) or 'nothing'} is no scope; there are {', '.join(SCOPES)}.",
            code="scope-unknown",
        )
    return chosen
