"""Ending what has been kept for its time: panels, raw messages, what was said of cards.

The relay takes a step at every sweep, and looks first, so that a service with nothing to end writes
nothing; `labinterp retention run` takes steps until nothing is left. How long is the operator's
choice; 0 keeps as long as the database.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, get_args

from labinterp.access import SCOPES, SYSTEM, Actor
from labinterp.store import audit, erasure, people
from labinterp.store.audit import Deed
from labinterp.store.erasure import Erasing, Kind, Traces
from labinterp.usecases.acting import ITSELF, who
from labinterp.usecases.patients import removed

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Connection

    from labinterp.usecases.services import Services

_PANELS: Final = 20
_ROWS: Final = 200
_WHY: Final = "kept for its time (PANELS_KEPT)"


@dataclass(frozen=True, slots=True)
class Ended:
    """How many of each were removed, or would be.

    Attributes:
        cards: of CDS Hooks, and words on them.
        links: to sign in once.
    """

    panels: int = 0
    messages: int = 0
    cards: int = 0
    links: int = 0

    @property
    def all(self) -> int:
        """Rows of all kinds."""
        return self.panels + self.messages + self.cards + self.links

    def __add__(self, other: Ended) -> Ended:
        return Ended(
            self.panels + other.panels,
            self.messages + other.messages,
            self.cards + other.cards,
            self.links + other.links,
        )


def due(services: Services) -> Ended:
    """What has had its time; nothing is removed, and nothing else is counted."""
    found = {}
    with services.store.reading() as connection:
        for kind in get_args(Kind):
            before = _before(services, kind)
            found[kind] = erasure.how_many_old(connection, kind, before) if before else 0
    return Ended(found["panel"], found["message"], found["card"] + found["feedback"])


def run(services: Services) -> Ended:
    """Remove all that has had its time, a few rows a transaction; begun again, it goes on."""
    total = Ended()
    while (done := step(services)) != Ended():
        total += done
    erasure.finish(services.store)
    return total


def step(services: Services) -> Ended:
    """Remove some of what has had its time.

    Raises:
        TemporaryFailure: the database cannot be had.
    """
    return Ended(
        _panels(services),
        _rows(services, "message"),
        _rows(services, "card") + _rows(services, "feedback"),
        _links(services),
    )


def _panels(services: Services) -> int:
    now = services.now()
    with services.store.reading() as connection:
        planned = [
            (each, ids, erasure.traces(connection, each, ids))
            for each, ids in _old(services, connection, "panel", _PANELS)
        ]
    return sum(_end_panels(services, *each, now) for each in planned)


def _old(
    services: Services, connection: Connection, kind: Kind, limit: int
) -> list[tuple[str, tuple[str, ...]]]:
    """Of each organisation some rows that have had their time."""
    before = _before(services, kind)
    if before is None:
        return []
    some = erasure.organisations_with_old(connection, kind, before)
    return [(each, erasure.old(connection, kind, each, before, limit)) for each in some]


def _before(services: Services, kind: Kind) -> datetime | None:
    """Rows of this kind that came before have had their time; None keeps them all."""
    policy = services.policy
    kept = {"panel": policy.panels_kept, "message": policy.messages_kept}.get(
        kind, policy.feedback_kept
    )
    return services.now() - kept if kept else None


def _end_panels(
    services: Services,
    organisation_id: str,
    panel_ids: tuple[str, ...],
    found: Traces,
    now: datetime,
) -> int:
    erasing = Erasing(organisation_id, SYSTEM, _WHY, now)
    return services.store.write(
        lambda held: removed(held, _service(organisation_id), panel_ids, found, erasing)
    )


def _rows(services: Services, kind: Kind) -> int:
    with services.store.reading() as connection:
        due = _old(services, connection, kind, _ROWS)
    return sum(_end_rows(services, kind, *each) for each in due)


def _end_rows(services: Services, kind: Kind, organisation_id: str, ids: tuple[str, ...]) -> int:
    def work(connection: Connection) -> int:
        count = erasure.remove(connection, kind, organisation_id, ids)
        deed = Deed("D", f"{kind}s-ended", entity=f"{kind}s:{count}")
        audit.record(connection, who(_service(organisation_id)), deed, services.now())
        return count

    return services.store.write(work)


def _links(services: Services) -> int:
    now = services.now()
    with services.store.reading() as connection:
        if not people.any_ended_link(connection, now):
            return 0
    return services.store.write(lambda held: people.remove_ended_links(held, now))


def _service(organisation_id: str) -> Actor:
    return Actor(
        organisation_id=organisation_id,
        organisation="",
        kind="system",
        id=SYSTEM,
        name=ITSELF.name,
        scopes=frozenset(SCOPES),
    )
