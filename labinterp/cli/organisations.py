"""`labinterp organisations`: the tenants of this service."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from labinterp.cli import COMMANDS, DONE

if TYPE_CHECKING:
    import argparse

    from labinterp.store.rows import OrganisationRecord
    from labinterp.usecases.services import Services


def register(subparsers: Any) -> None:
    """Add the command's parser."""
    parser = subparsers.add_parser("organisations", help=COMMANDS["organisations"])
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    actions.add_parser("list", help="all organisations")
    create = actions.add_parser("create", help="a new one; an existing name is shown again")
    create.add_argument("name", metavar="NAME")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """List them, or create one."""
    from labinterp import bootstrap  # noqa: PLC0415 - imported when the command runs
    from labinterp.cli import tables  # noqa: PLC0415 - imported when the command runs
    from labinterp.usecases import administer  # noqa: PLC0415 - imported when the command runs

    services = bootstrap.services()
    if args.action == "create":
        made = administer.create_organisation(services, args.name)
        print(f"{made.id}  {made.name}")
        return DONE
    rows = administer.organisations(services)
    tables.show(("ID", "NAME"), ((row.id, row.name) for row in rows))
    return DONE


def named(services: Services, word: str) -> OrganisationRecord:
    """The organisation with this id or name.

    Raises:
        NotFound: there is none.
    """
    from labinterp.errors import NotFound  # noqa: PLC0415 - imported when the command runs
    from labinterp.usecases import administer  # noqa: PLC0415 - imported when the command runs

    for organisation in administer.organisations(services):
        if word in (organisation.id, organisation.name):
            return organisation
    raise NotFound(f"There is no organisation {word!r}; `labinterp organisations list` has all.")
