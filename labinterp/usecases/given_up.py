"""The list that a person works off: all that was given up, and another try for each of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from labinterp.access import require
from labinterp.errors import Conflict, NotFound
from labinterp.store import given_up
from labinterp.usecases import account_mails
from labinterp.usecases.send import retry_delivery, retry_report
from labinterp.usecases.webhooks import redeliver

if TYPE_CHECKING:
    from collections.abc import Collection

    from labinterp.access import Actor
    from labinterp.store.given_up import GivenUp, Kind
    from labinterp.usecases.services import Services

_MOST: Final = 1000


def listed(services: Services, kinds: Collection[Kind] = given_up.KINDS) -> tuple[GivenUp, ...]:
    """What was given up in all organisations, kind by kind, the oldest first."""
    with services.store.reading() as connection:
        return tuple(
            one
            for kind in given_up.KINDS
            if kind in kinds
            for one in given_up.of_kind(connection, kind, _MOST)
        )


def replay(services: Services, actor: Actor, one: GivenUp) -> None:
    """Try it again, as whoever asks by the page or the API would; the audit has it.

    Raises:
        NotFound: it is not this organisation's.
        Conflict: it cannot be tried again; the message says why.
    """
    require(actor, "admin")
    if one.organisation_id != actor.organisation_id:
        raise NotFound("There is no such thing in this organisation.")
    if one.kind == "report":
        retry_report(services, actor, one.about)
    elif one.kind == "delivery":
        retry_delivery(services, actor, one.id)
    elif one.kind == "notice":
        redeliver(services, actor, one.about, one.id)
    elif one.kind == "account":
        account_mails.try_again(services, actor, one.id)
    else:
        raise Conflict("What was sent for this job is not kept; whoever sent it sends it again.")
