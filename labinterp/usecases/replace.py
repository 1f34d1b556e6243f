"""What comes in by any door: a new panel, or the next version of the panel it is about.

A result that its sender knows by an identifier is looked up among this organisation's results of
the same patient, and so is the order that it is a part of: what comes later of an order joins what
came before, however late. Where a panel holds it, that panel's next version is made of the stored
one and what came (`merging`), so that a correction by FHIR, HL7 v2, a file or JSON does what one by
hand does. Nothing is decided on what another message changes meanwhile: which panels held the
results, and which version was read, are checked again in the transaction that stores.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy.exc import IntegrityError

from labinterp import telemetry
from labinterp.access import Actor, require
from labinterp.errors import LabinterpError, TemporaryFailure
from labinterp.store import panels, result_identities
from labinterp.store.records import written
from labinterp.store.result_identities import HeldElsewhere
from labinterp.store.store import CommitUnknown
from labinterp.usecases import idempotent, merging
from labinterp.usecases.accept import (
    Origin,
    accept_once,
    again,
    as_text,
    is_stored,
    order_for,
    store_order,
)
from labinterp.usecases.correct import OVERTAKEN, Overtaken, correction_for, store_correction
from labinterp.usecases.outcomes import Accepted
from labinterp.usecases.storing import nudge, order_keys, result_keys

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sqlalchemy import Connection

    from labinterp.model.submission import Received
    from labinterp.store.panels import StoredVersion
    from labinterp.usecases.idempotent import Key
    from labinterp.usecases.services import Services
    from labinterp.usecases.storing import Order

_TRIES: Final = 10


def take(
    services: Services,
    actor: Actor,
    received: Received,
    *,
    idempotency_key: str | None = None,
    body_digest: str = "",
    origin: str = "api",
    request_id: str = "",
) -> Accepted:
    """Keep what came: as a new panel, or as the next version of the panel that holds its results.

    Args:
        services: the wired parts.
        actor: who sends it.
        received: what a reader made of it.
        idempotency_key: the same key and body again give the same panel.
        body_digest: of the bytes; the panel's own content where none is given.
        origin: the door it came by.
        request_id: for the audit.

    Returns:
        The panel and its version; `replayed` where nothing in it was newer than what is stored.

    Raises:
        AccessDenied: the actor may not.
        SubmissionError: nothing readable, or an address that is none; nothing was stored.
        Conflict: the key was used for another body, or its first request is still running.
        TemporaryFailure: the database cannot be had; what was stored is found by sending it again.
    """
    require(actor, "panels:write")
    digest = body_digest or idempotent.digest_of(written(received.panel))
    key = idempotent.client_key(services, actor.organisation_id, idempotency_key, "accept", digest)
    return take_once(services, actor, received, key, Origin(origin, request_id))


def take_row(
    services: Services, actor: Actor, received: Received, *, request_id: str, origin: str = "import"
) -> Accepted:
    """The same for one row of a file: the row's content is its key."""
    key = idempotent.row_key(actor.organisation_id, received.panel)
    return take_once(services, actor, received, key, Origin(origin, request_id))


def take_once(
    services: Services, actor: Actor, received: Received, key: Key | None, origin: Origin
) -> Accepted:
    """The same under a key of the door's own making."""
    before = idempotent.replayed(services, key) if key else None
    if before is not None:
        return again(before)
    if not result_keys(services, actor.organisation_id, received):
        return accept_once(services, actor, received, key, origin)
    for _ in range(_TRIES):
        try:
            plan = planned(services, actor, received, origin)
            return _stored(services, actor, plan, key)
        except (HeldElsewhere, Overtaken, IntegrityError) as error:
            if not is_outdated(error):
                raise
        except LabinterpError as error:
            telemetry.count(telemetry.PANELS_REFUSED, error.code)
            raise
    raise TemporaryFailure("Other messages about the same results came at once; send it again.")


def take_all(
    services: Services,
    actor: Actor,
    several: Sequence[Received],
    *,
    idempotency_key: str | None = None,
    body_digest: str = "",
    origin: str = "api",
    request_id: str = "",
) -> tuple[Accepted, ...]:
    """The same for several patients' panels of one message: all of them, or nothing.

    Raises:
        as `take`; what is wrong with one panel keeps the others out too.
    """
    require(actor, "panels:write")
    digest = body_digest or idempotent.digest_of(*(written(one.panel) for one in several))
    key = idempotent.client_key(
        services, actor.organisation_id, idempotency_key, "transaction", digest
    )
    came = Origin(origin, request_id)
    for _ in range(_TRIES):
        plans = tuple(planned(services, actor, received, came) for received in several)

        def work(connection: Connection, plans: tuple[Plan, ...] = plans) -> tuple[Accepted, ...]:
            return tuple(store_plan(services, connection, actor, plan) for plan in plans)

        try:
            accepted = idempotent.once(
                services,
                key,
                do=work,
                to_text=lambda made: [as_text(one) for one in made],
                from_text=lambda kept: tuple(again(one) for one in kept),
            )
        except (HeldElsewhere, Overtaken, IntegrityError) as error:
            if not is_outdated(error):
                raise
            continue
        nudge(services)
        return accepted
    raise TemporaryFailure("Other messages about the same results came at once; send it again.")


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be stored of a message, decided on what the store held when it was looked at.

    Attributes:
        steps: new versions, each with whether it corrects a panel; the message's own one last.
        answer: the panel that holds it all already, where there is nothing to be stored.
        origin: the door it came by.
    """

    steps: tuple[tuple[Order, bool], ...]
    answer: Accepted | None
    origin: Origin


@dataclass(frozen=True, slots=True)
class _Seen:
    """What the store held.

    Attributes:
        keys: identifier to key, of the message's results.
        orders: order to key, of the orders they are parts of.
        holders: key to the panel that held it; None: none did.
        stored: those panels, in their newest versions.
    """

    keys: Mapping[str, str]
    orders: Mapping[str, str]
    holders: Mapping[str, str | None]
    stored: Mapping[str, StoredVersion]


def planned(services: Services, actor: Actor, received: Received, origin: Origin) -> Plan:
    """Look which panels hold a message's results, and make what is to be stored of it.

    Raises:
        SubmissionError: nothing readable, or an address that is none.
        Overtaken: a correction came between two looks; look again.
    """
    seen = _look(services, actor.organisation_id, received)
    about = _about(received, seen)
    if not about:
        order = order_for(services, actor, received, origin, seen=seen.holders)
        return Plan(((order, False),), None, origin)
    home = max(about, key=lambda panel_id: (len(about[panel_id]), panel_id))
    others = sorted(set(about) - {home})
    elsewhere = frozenset(name for panel_id in others for name in about[panel_id])
    orders = [_next(services, actor, _part(received, about[one]), seen, one) for one in others]
    orders.append(_next(services, actor, received, seen, home, leave=elsewhere))
    answer = Accepted(home, seen.stored[home].version, replayed=not any(orders))
    return Plan(
        tuple((order, True) for order in orders if order is not None),
        answer if orders[-1] is None else None,
        origin,
    )


def store_plan(services: Services, connection: Connection, actor: Actor, plan: Plan) -> Accepted:
    """All of a plan, in the caller's transaction.

    Raises:
        HeldElsewhere, Overtaken, IntegrityError: another message changed what the plan was made
            on (`is_outdated`); nothing may be committed, and a new plan is needed.
    """
    accepted = plan.answer
    for order, corrects in plan.steps:
        stored = (
            store_correction(services, connection, actor, order, plan.origin.request_id)
            if corrects
            else store_order(services, connection, actor, order, plan.origin)
        )
        accepted = plan.answer or stored
    if accepted is None:  # a plan has a step or an answer
        raise TemporaryFailure("Nothing was decided; send it again.")
    return accepted


def is_outdated(error: Exception) -> bool:
    """Did a plan fail only because another message about the same results was faster?"""
    if isinstance(error, IntegrityError):
        return "result_identity" in str(error.orig)
    return isinstance(error, HeldElsewhere | Overtaken)


def _stored(services: Services, actor: Actor, plan: Plan, key: Key | None) -> Accepted:
    def work(connection: Connection) -> Accepted:
        return store_plan(services, connection, actor, plan)

    if not plan.steps and key is None and plan.answer is not None:
        return plan.answer
    try:
        accepted = idempotent.once(services, key, do=work, to_text=as_text, from_text=again)
    except CommitUnknown:
        order, corrects = plan.steps[-1] if plan.steps else (None, True)
        if order is None or corrects or not is_stored(services, actor, order):
            raise
        return Accepted(order.panel_id, order.version)
    if not accepted.replayed:
        for order, _ in plan.steps:
            telemetry.count(telemetry.PANELS_ACCEPTED, order.received.submission.format)
        nudge(services)
    return accepted


def _look(services: Services, organisation_id: str, received: Received) -> _Seen:
    keys = result_keys(services, organisation_id, received)
    orders = order_keys(services, organisation_id, received)
    vault, wanted = services.store.vault, {*keys.values(), *orders.values()}
    with services.store.reading() as connection:
        held = result_identities.held(connection, organisation_id, wanted)
        stored = {
            panel_id: panels.read_version(connection, vault, organisation_id, panel_id)
            for panel_id in sorted(set(held.values()))
        }
    return _Seen(keys, orders, {key: held.get(key) for key in wanted}, stored)


def _about(received: Received, seen: _Seen) -> dict[str, set[str]]:
    """Panel to the identifiers of the message's results that are its own, or belong to it."""
    found: dict[str, set[str]] = {}
    for identifier, key in seen.keys.items():
        panel_id = seen.holders[key]
        if panel_id is None:
            panel_id = _of_its_order(received, seen, identifier)
        elif merging.is_new_measurement(seen.stored[panel_id].panel, received.panel, identifier):
            panel_id = None
        if panel_id is not None:
            found.setdefault(panel_id, set()).add(identifier)
    return found


def _of_its_order(received: Received, seen: _Seen, identifier: str) -> str | None:
    """The panel of the order that a new result is a part of."""
    panel: Mapping[str, Any] = received.panel
    for one in panel["results"]:
        order = one.get("order", "")
        if one.get("identifier") == identifier and order in seen.orders:
            holder = seen.holders[seen.orders[order]]
            if holder and merging.is_part_of(seen.stored[holder].panel, panel, order):
                return holder
    return None


def _part(received: Received, identifiers: set[str]) -> Received:
    """Of a message about several panels, what is said of one of the others."""
    panel: Mapping[str, Any] = received.panel
    results = [one for one in panel["results"] if one.get("identifier") in identifiers]
    return dataclasses.replace(received, panel={**panel, "results": results})


def _next(
    services: Services,
    actor: Actor,
    received: Received,
    seen: _Seen,
    panel_id: str,
    *,
    leave: frozenset[str] = frozenset(),
) -> Order | None:
    """The stored panel's next version; None where the message says nothing newer."""
    stored = seen.stored[panel_id]
    panel = merging.merged(stored.panel, received.panel, leave)
    if panel is None:
        return None
    made = merging.as_received(panel, received)
    order = correction_for(services, actor, panel_id, made)
    if order.version != stored.version + 1:
        raise Overtaken(OVERTAKEN)
    return dataclasses.replace(order, seen=seen.holders)
