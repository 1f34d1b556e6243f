"""`labinterp users`: the people who may sign in."""

from __future__ import annotations

import getpass
import sys
from typing import TYPE_CHECKING, Any

from labinterp.cli import COMMANDS, DONE

if TYPE_CHECKING:
    import argparse

    from labinterp.store.rows import UserRecord
    from labinterp.usecases.services import Services


def register(subparsers: Any) -> None:
    """Add the command's parser."""
    parser = subparsers.add_parser("users", help=COMMANDS["users"])
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    _organisation(actions.add_parser("list", help="all users"), required=False)
    create = actions.add_parser("create", help="a new user; --password asks for one")
    create.add_argument("email", metavar="EMAIL")
    _organisation(create, required=True)
    create.add_argument("--name", required=True, help="as shown in the audit")
    create.add_argument("--scopes", default="panels:read", help="comma between them")
    create.add_argument("--password", action="store_true", help="ask for a password")
    link = actions.add_parser("link", help="a link that signs someone in once")
    link.add_argument("user", metavar="USER", help="id or e-mail address")
    reset = actions.add_parser("reset-second-factor", help="forget an authenticator that was lost")
    reset.add_argument("user", metavar="USER", help="id or e-mail address")
    for name, purpose in (("disable", "may sign in no more"), ("enable", "may sign in again")):
        actions.add_parser(name, help=purpose).add_argument("user", metavar="USER")
    parser.set_defaults(run=run)


def _organisation(parser: argparse.ArgumentParser, *, required: bool) -> None:
    parser.add_argument("--organisation", required=required, help="its id or name")


def run(args: argparse.Namespace) -> int:
    """List, create, sign in by link, forget an authenticator, disable, enable."""
    from labinterp import bootstrap  # noqa: PLC0415 - imported when the command runs

    services = bootstrap.services()
    actions = {"list": _list, "create": _create, "link": _link, "reset-second-factor": _reset}
    actions.get(args.action, _switch)(services, args)
    return DONE


def _list(services: Services, args: argparse.Namespace) -> None:
    from labinterp.cli import given, tables  # noqa: PLC0415 - imported when the command runs
    from labinterp.usecases import administer  # noqa: PLC0415 - imported when the command runs

    chosen = given.organisation_id(services, args.organisation)
    tables.show(
        ("ID", "E-MAIL", "NAME", "ORGANISATION", "SCOPES", "SECOND FACTOR", "MAY SIGN IN"),
        (
            (
                user.id,
                user.email,
                user.name,
                user.organisation,
                ",".join(user.scopes),
                _yes(user.second_factor),
                _yes(user.active),
            )
            for user in administer.users(services, chosen)
        ),
    )


def _yes(it_is: bool) -> str:
    return "yes" if it_is else "no"


def _create(services: Services, args: argparse.Namespace) -> None:
    from labinterp.cli.keys import scopes_of  # noqa: PLC0415 - imported when the command runs
    from labinterp.cli.organisations import named  # noqa: PLC0415 - imported when the command runs
    from labinterp.usecases import administer  # noqa: PLC0415 - imported when the command runs

    organisation = named(services, args.organisation)
    scopes = scopes_of(args.scopes)
    password = _asked() if args.password else None
    user = administer.create_user(
        services,
        organisation.id,
        email=args.email,
        name=args.name,
        scopes=scopes,
        password=password,
    )
    print(f"{user.id}  {user.email}")


def _asked() -> str:
    """A password from the terminal, or one line of a pipe; never from the command line."""
    return getpass.getpass() if sys.stdin.isatty() else sys.stdin.readline().rstrip("\n")


def _link(services: Services, args: argparse.Namespace) -> None:
    from labinterp.local import addresses  # noqa: PLC0415
    from labinterp.usecases import administer  # noqa: PLC0415 - imported when the command runs

    token = administer.sign_in_link(services, _found(services, args.user).id)
    print(addresses.sign_in(services.policy.base_url, token))


def _reset(services: Services, args: argparse.Namespace) -> None:
    from labinterp.usecases import second_factor  # noqa: PLC0415

    user = _found(services, args.user)
    had = second_factor.reset(services, user.id)
    print(
        f"{user.email} signs in without an authenticator until a new one is set up"
        if had
        else f"{user.email} has no authenticator"
    )


def _switch(services: Services, args: argparse.Namespace) -> None:
    from labinterp.usecases import administer  # noqa: PLC0415 - imported when the command runs

    user = _found(services, args.user)
    administer.set_active(services, user.id, args.action == "enable")
    print(f"{user.email} {'may sign in again' if args.action == 'enable' else 'is disabled'}")


def _found(services: Services, word: str) -> UserRecord:
    """The user with this id or address.

    Raises:
        NotFound: there is none.
    """
    from labinterp.errors import NotFound  # noqa: PLC0415 - imported when the command runs
    from labinterp.usecases import administer  # noqa: PLC0415 - imported when the command runs

    for user in administer.users(services):
        if word in (user.id, user.email):
            return user
    raise NotFound(f"There is no user {word!r}; `python -m labinterp users list` has all.")
