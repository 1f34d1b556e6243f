"""`labinterp clients`: systems that prove themselves by signing, for SMART and CDS Hooks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from labinterp.cli import COMMANDS, DONE

if TYPE_CHECKING:
    import argparse

    from labinterp.store.rows import ClientRecord
    from labinterp.usecases.services import Services

_SCOPES: Final = "system/*.rs"


def register(subparsers: Any) -> None:
    """Add the command's parser."""
    parser = subparsers.add_parser("clients", help=COMMANDS["clients"])
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    listing = actions.add_parser("list", help="all clients, with where their keys are")
    listing.add_argument("--organisation", help="its id or name")
    create = actions.add_parser("create", help="register one; prints its client id")
    create.add_argument("name", metavar="NAME", help="what it is called")
    create.add_argument("--organisation", required=True, help="its id or name")
    create.add_argument("--scopes", default=_SCOPES, help="what it may be granted, blanks between")
    keys = create.add_mutually_exclusive_group(required=True)
    keys.add_argument("--jwks", metavar="FILE", help="its public keys, a JWKS")
    keys.add_argument("--jwks-url", metavar="URL", help="where its public keys are")
    create.add_argument("--issuer", metavar="ISS", help="the iss of a CDS client's tokens")
    revoke = actions.add_parser("revoke", help="nothing it signs is taken, from now on")
    revoke.add_argument("client", metavar="CLIENT", help="its id")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """List, create or revoke."""
    from labinterp import bootstrap  # noqa: PLC0415 - imported when the command runs

    {"list": _list, "create": _create, "revoke": _revoke}[args.action](bootstrap.services(), args)
    return DONE


def _list(services: Services, args: argparse.Namespace) -> None:
    from labinterp.cli import given, tables  # noqa: PLC0415 - imported when the command runs
    from labinterp.usecases import clients  # noqa: PLC0415 - imported when the command runs

    chosen = given.organisation_id(services, args.organisation)
    tables.show(
        ("CLIENT ID", "NAME", "ORGANISATION", "SCOPES", "KEYS", "ISSUER", "REVOKED"),
        (
            (
                client.id,
                client.name,
                client.organisation,
                " ".join(client.scopes),
                client.key_set_url or "by value",
                client.issuer,
                _revoked(client),
            )
            for client in clients.all_clients(services, chosen)
        ),
    )


def _revoked(client: ClientRecord) -> str:
    return f"{client.revoked_at:%Y-%m-%d %H:%M}" if client.revoked_at else "no"


def _create(services: Services, args: argparse.Namespace) -> None:
    from labinterp.cli import given  # noqa: PLC0415 - imported when the command runs
    from labinterp.cli.organisations import named  # noqa: PLC0415 - imported when the command runs
    from labinterp.usecases import clients, smart  # noqa: PLC0415 - imported when the command runs

    client = clients.create_client(
        services,
        named(services, args.organisation).id,
        name=args.name,
        scopes_allowed=args.scopes.replace(",", " ").split(),
        key_set=given.json_object(args.jwks, "key-set-invalid") if args.jwks else None,
        key_set_url=args.jwks_url,
        issuer=args.issuer,
    )
    print(f"client id  {client.id}")
    print(f"token url  {smart.token_url(services.policy.base_url)}")
    print(f"scopes     {' '.join(client.scopes)}")


def _revoke(services: Services, args: argparse.Namespace) -> None:
    from labinterp.usecases import clients  # noqa: PLC0415 - imported when the command runs

    clients.revoke_client(services, args.client)
    print(f"{args.client} is revoked")
