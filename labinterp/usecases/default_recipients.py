"""Whom an organisation tells of panels whose message names nobody: HL7 v2 and files cannot.

They are told by a link. A panel that names its own recipients is told to those alone; a test, and a
panel that came by a door where recipients can be named, is told to nobody by default.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from labinterp.access import require
from labinterp.errors import NotFound
from labinterp.model.submission import Recipients
from labinterp.store import audit, people
from labinterp.store.audit import Deed
from labinterp.usecases import recipients
from labinterp.usecases.acting import who

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlalchemy import Connection

    from labinterp.access import Actor
    from labinterp.usecases.services import Services

DOORS: Final = frozenset({"hl7v2", "import"})
"""Doors whose messages name nobody."""
_BETWEEN: Final = re.compile(r"[,;\s]+")


def told_by_default(services: Services, organisation_id: str, door: str) -> Recipients:
    """Whom to tell of what came by this door and named nobody."""
    if door not in DOORS:
        return Recipients()
    with services.store.reading() as connection:
        return Recipients(people.default_recipients(connection, organisation_id))


def default_recipients(services: Services, actor: Actor) -> tuple[str, ...]:
    """The addresses of the actor's organisation.

    Raises:
        AccessDenied: the actor is no administrator.
    """
    require(actor, "admin")
    with services.store.reading() as connection:
        return people.default_recipients(connection, actor.organisation_id)


def set_default_recipients(
    services: Services, actor: Actor, addresses: Iterable[str], *, request_id: str = ""
) -> tuple[str, ...]:
    """Tell these from the next panel on; none: nobody.

    Raises:
        AccessDenied: the actor is no administrator.
        SubmissionError: code `recipients-invalid`: an address that is none, or too many of them.
        NotFound: no such organisation.
    """
    require(actor, "admin")
    told = recipients.checked(services.policy, Recipients(tuple(addresses)), "recipients").email

    def work(connection: Connection) -> None:
        if not people.set_default_recipients(connection, actor.organisation_id, told):
            raise NotFound("There is no such organisation.")
        deed = Deed("U", "recipients-set", entity=f"recipients:{len(told)}")
        audit.record(connection, who(actor, request_id), deed, services.now())

    services.store.write(work)
    return told


def addresses_in(text: str) -> tuple[str, ...]:
    """The addresses that somebody typed, with commas, blanks or line ends between."""
    return tuple(part for part in _BETWEEN.split(text.strip()) if part)
