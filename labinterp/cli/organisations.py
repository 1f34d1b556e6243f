"""`labinterp organisations`: the tenants of this service."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from labinterp.cli import COMMANDS, DONE

if TYPE_CHECKING:
    import argparse

    from labinterp.model.submission import Choices
    from labinterp.store.rows import OrganisationRecord
    from labinterp.usecases.services import Services

_CHOICES: Final = ("range_set", "range_policy", "critical_policy")
_DEFAULT: Final = "default"


def register(subparsers: Any) -> None:
    """Add the command's parser."""
    parser = subparsers.add_parser("organisations", help=COMMANDS["organisations"])
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    actions.add_parser("list", help="all organisations")
    create = actions.add_parser("create", help="a new one; an existing name is shown again")
    create.add_argument("name", metavar="NAME")
    choose = actions.add_parser("choose", help="whose intervals, limits and schemes it uses")
    choose.add_argument("name", metavar="NAME", help="name or id")
    for option in _CHOICES:
        choose.add_argument(f"--{option.replace('_', '-')}", metavar="ID")
    choose.add_argument(
        "--scheme",
        metavar="MEASURAND=ID",
        action="append",
        default=[],
        help="of one measurand; may be given again",
    )
    choose.epilog = f"What is not named stays; {_DEFAULT!r} goes back to the service's own choice."
    tell = actions.add_parser(
        "recipients", help="whom it tells of panels that came by HL7 v2 or a file"
    )
    tell.add_argument("name", metavar="NAME", help="name or id")
    tell.add_argument("address", metavar="ADDRESS", nargs="*", help="none: they are only shown")
    tell.add_argument("--nobody", action="store_true", help="tell nobody")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """List them, create one, or choose what one uses where a request does not say."""
    from labinterp import bootstrap  # noqa: PLC0415 - imported when the command runs
    from labinterp.cli import tables  # noqa: PLC0415 - imported when the command runs
    from labinterp.usecases import administer  # noqa: PLC0415 - imported when the command runs

    services = bootstrap.services()
    if args.action == "create":
        made = administer.create_organisation(services, args.name)
        print(f"{made.id}  {made.name}")
        return DONE
    if args.action == "choose":
        _choose(services, args)
        return DONE
    if args.action == "recipients":
        _recipients(services, args)
        return DONE
    rows = administer.organisations(services)
    tables.show(("ID", "NAME"), ((row.id, row.name) for row in rows))
    return DONE


def _choose(services: Services, args: argparse.Namespace) -> None:
    from labinterp.usecases import administer  # noqa: PLC0415 - imported when the command runs

    organisation = named(services, args.name)
    chosen = changed(organisation.choices, args)
    administer.set_choices(services, organisation.id, chosen)
    for option in _CHOICES:
        print(f"{option:16} {getattr(chosen, option) or _DEFAULT}")
    for measurand, scheme in sorted(chosen.schemes.items()):
        print(f"scheme           {measurand}={scheme}")


def _recipients(services: Services, args: argparse.Namespace) -> None:
    from labinterp.usecases import (  # noqa: PLC0415 - imported when the command runs
        administer,
        default_recipients,
    )

    actor = administer.system_actor(named(services, args.name))
    if args.address or args.nobody:
        told = default_recipients.set_default_recipients(services, actor, args.address)
    else:
        told = default_recipients.default_recipients(services, actor)
    print("\n".join(told) or "nobody")


def changed(choices: Choices, args: argparse.Namespace) -> Choices:
    """These choices with what the command names instead.

    Raises:
        SubmissionError: a scheme is not written as MEASURAND=ID.
    """
    from labinterp.errors import SubmissionError  # noqa: PLC0415 - imported when the command runs

    asked = {option: getattr(args, option) for option in _CHOICES}
    words = {
        option: None if word == _DEFAULT else word
        for option, word in asked.items()
        if word is not None
    }
    schemes = dict(choices.schemes)
    for pair in args.scheme:
        measurand, sign, scheme = pair.partition("=")
        if not (measurand and sign and scheme):
            raise SubmissionError(
                f"{pair!r} is not written as MEASURAND=ID.", code="choice-unknown"
            )
        schemes[measurand] = scheme
        if scheme == _DEFAULT:
            del schemes[measurand]
    return replace(choices, schemes=schemes, **words)


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
    raise NotFound(
        f"There is no organisation {word!r}; `python -m labinterp organisations list` has all."
    )
