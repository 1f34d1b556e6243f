"""What comes in by any door: a new panel, or the next version of the panel it is about.

A result that its sender knows by an identifier is looked up among this organisation's results of
the same patient. Where a panel holds it, that panel's next version is made of the stored one and
what came (`merging`), so that a correction by FHIR, HL7 v2, a file or JSON does what one by hand
does. Nothing is decided on what another message changes meanwhile: which panels held the results,
and which version was read, are checked again in the transaction that stores.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy.exc import IntegrityError

from labinterp.access import Actor, require
from labinterp.errors import TemporaryFailure
from labinterp.store import panels, result_identities
from labinterp.store.records import written
from labinterp.store.result_identities import HeldElsewhere
from labinterp.usecases import idempotent, merging
from labinterp.usecases.accept import Origin, accept_once, again, as_text
from labinterp.usecases.correct import Overtaken, correct_once
from labinterp.usecases.outcomes import Accepted
from labinterp.usecases.storing import result_keys

if TYPE_CHECKING:
    from collections.abc import Mapping

    from labinterp.model.submission import Received
    from labinterp.store.panels import StoredVersion
    from labinterp.usecases.idempotent import Key
    from labinterp.usecases.services import Services

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
    return _take(services, actor, received, key, Origin(origin, request_id))


def take_row(
    services: Services, actor: Actor, received: Received, *, request_id: str, origin: str = "import"
) -> Accepted:
    """The same for one row of a file: the row's content is its key."""
    key = idempotent.row_key(actor.organisation_id, received.panel)
    return _take(services, actor, received, key, Origin(origin, request_id))


@dataclass(frozen=True, slots=True)
class _Message:
    """What came, and as what it is remembered.

    Attributes:
        keys: identifier to key, of its results.
    """

    received: Received
    keys: Mapping[str, str]
    key: Key | None
    origin: Origin


@dataclass(frozen=True, slots=True)
class _Seen:
    """What the store held when it was decided.

    Attributes:
        holders: key to the panel that held it; None: none did.
        stored: those panels, in their newest versions.
    """

    holders: Mapping[str, str | None]
    stored: Mapping[str, StoredVersion]


def _take(
    services: Services, actor: Actor, received: Received, key: Key | None, origin: Origin
) -> Accepted:
    before = idempotent.replayed(services, key) if key else None
    if before is not None:
        return again(before)
    keys = result_keys(services, actor.organisation_id, received)
    if not keys:
        return accept_once(services, actor, received, key, origin)
    message = _Message(received, keys, key, origin)
    for _ in range(_TRIES):
        try:
            return _decided(services, actor, message)
        except (HeldElsewhere, Overtaken):
            continue
        except IntegrityError as error:
            if "result_identity" not in str(error.orig):
                raise
    raise TemporaryFailure("Other messages about the same results came at once; send it again.")


def _decided(services: Services, actor: Actor, message: _Message) -> Accepted:
    """Look which panels hold the results, then do it; others changing that undo it."""
    seen = _look(services, actor.organisation_id, message)
    about = _about(message, seen)
    if not about:
        return accept_once(
            services, actor, message.received, message.key, message.origin, seen=seen.holders
        )
    home = max(about, key=lambda panel_id: (len(about[panel_id]), panel_id))
    for panel_id in sorted(set(about) - {home}):
        _next(services, actor, _part(message, about[panel_id]), seen, panel_id)
    elsewhere = {name for panel_id, group in about.items() if panel_id != home for name in group}
    return _next(services, actor, message, seen, home, leave=frozenset(elsewhere))


def _look(services: Services, organisation_id: str, message: _Message) -> _Seen:
    vault, keys = services.store.vault, set(message.keys.values())
    with services.store.reading() as connection:
        held = result_identities.held(connection, organisation_id, keys)
        stored = {
            panel_id: panels.read_version(connection, vault, organisation_id, panel_id)
            for panel_id in sorted(set(held.values()))
        }
    return _Seen({key: held.get(key) for key in keys}, stored)


def _about(message: _Message, seen: _Seen) -> dict[str, set[str]]:
    """Panel to the identifiers of its results that the message speaks of."""
    found: dict[str, set[str]] = {}
    for identifier, key in message.keys.items():
        panel_id = seen.holders[key]
        if panel_id is not None and not merging.is_new_measurement(
            seen.stored[panel_id].panel, message.received.panel, identifier
        ):
            found.setdefault(panel_id, set()).add(identifier)
    return found


def _part(message: _Message, identifiers: set[str]) -> _Message:
    """Of a message about several panels, what is said of one of the others."""
    panel: Mapping[str, Any] = message.received.panel
    results = [one for one in panel["results"] if one.get("identifier") in identifiers]
    received = dataclasses.replace(message.received, panel={**panel, "results": results})
    return dataclasses.replace(message, received=received, key=None)


def _next(
    services: Services,
    actor: Actor,
    message: _Message,
    seen: _Seen,
    panel_id: str,
    *,
    leave: frozenset[str] = frozenset(),
) -> Accepted:
    """The stored panel's next version, or the stored one where the message says nothing newer."""
    stored = seen.stored[panel_id]
    panel = merging.merged(stored.panel, message.received.panel, leave)
    if panel is None:
        return _unchanged(services, message.key, stored)
    return correct_once(
        services,
        actor,
        panel_id,
        merging.as_received(panel, message.received),
        message.key,
        onto=stored.version,
        seen=seen.holders,
        request_id=message.origin.request_id,
    )


def _unchanged(services: Services, key: Key | None, stored: StoredVersion) -> Accepted:
    answer = Accepted(stored.panel_id, stored.version, replayed=True)
    if key is None:
        return answer
    return idempotent.once(
        services,
        key,
        do=lambda _: answer,
        to_text=as_text,
        from_text=again,
    )
