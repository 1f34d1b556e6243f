"""Several patients' panels of one message: kept in one transaction, so that all are there or none.

A panel that cannot be read is refused by itself and named; a fault of ours on the way leaves
nothing of the message behind, so that it can be sent again as it is.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy.exc import IntegrityError

from labinterp import telemetry
from labinterp.access import Actor, require
from labinterp.errors import Place, SubmissionError, TemporaryFailure
from labinterp.store.records import written
from labinterp.store.result_identities import HeldElsewhere
from labinterp.usecases import idempotent
from labinterp.usecases.accept import Origin, again, as_text
from labinterp.usecases.correct import Overtaken
from labinterp.usecases.replace import is_outdated, planned, store_plan
from labinterp.usecases.storing import nudge

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection

    from labinterp.model.submission import Received
    from labinterp.usecases.idempotent import Key
    from labinterp.usecases.outcomes import Accepted
    from labinterp.usecases.replace import Plan
    from labinterp.usecases.services import Services

_TRIES: Final = 10


@dataclass(frozen=True, slots=True)
class Together:
    """What became of a message: the panels that are kept, and what was refused."""

    accepted: tuple[Accepted, ...]
    refused: tuple[Place, ...] = ()


def take_together(
    services: Services,
    actor: Actor,
    several: Sequence[Received],
    *,
    idempotency_key: str | None = None,
    origin: str = "api",
    request_id: str = "",
) -> Together:
    """Keep the panels of one message that can be read, in one transaction.

    Raises:
        AccessDenied: the actor may not.
        SubmissionError: none of them can be read; nothing was stored.
        Conflict: the key was used for another body, or its first request is still running.
        TemporaryFailure: the database cannot be had; nothing was stored, or all of it was and is
            found by sending it again.
    """
    require(actor, "panels:write")
    digest = idempotent.digest_of(*(written(one.panel) for one in several))
    key = idempotent.client_key(
        services, actor.organisation_id, idempotency_key, "together", digest
    )
    before = idempotent.replayed(services, key) if key else None
    if before is not None:
        return _again(before)
    came = Origin(origin, request_id)
    for _ in range(_TRIES):
        try:
            plans, refused = _planned(services, actor, several, came)
            return _stored(services, actor, plans, refused, key)
        except (HeldElsewhere, Overtaken, IntegrityError) as error:
            if not is_outdated(error):
                raise
    raise TemporaryFailure("Other messages about the same results came at once; send it again.")


def _planned(
    services: Services, actor: Actor, several: Sequence[Received], came: Origin
) -> tuple[tuple[Plan, ...], tuple[Place, ...]]:
    plans: list[Plan] = []
    refused: list[Place] = []
    for received in several:
        try:
            plans.append(planned(services, actor, received, came))
        except SubmissionError as error:
            refused += error.errors or (Place(received.where, error.code, error.message),)
    if not plans:
        raise SubmissionError("Nothing of this can be interpreted.", errors=tuple(refused))
    return tuple(plans), tuple(refused)


def _stored(
    services: Services,
    actor: Actor,
    plans: tuple[Plan, ...],
    refused: tuple[Place, ...],
    key: Key | None,
) -> Together:
    def work(connection: Connection) -> Together:
        kept = tuple(store_plan(services, connection, actor, plan) for plan in plans)
        return Together(kept, refused)

    made = idempotent.once(services, key, do=work, to_text=_as_text, from_text=_again)
    for plan in plans:
        for order, _ in plan.steps:
            telemetry.count(telemetry.PANELS_ACCEPTED, order.received.submission.format)
    nudge(services)
    return made


def _as_text(made: Together) -> dict[str, Any]:
    return {
        "accepted": [as_text(one) for one in made.accepted],
        "refused": [[one.where, one.code, one.message] for one in made.refused],
    }


def _again(kept: Any) -> Together:
    return Together(
        tuple(again(one) for one in kept["accepted"]),
        tuple(Place(*one) for one in kept["refused"]),
    )
