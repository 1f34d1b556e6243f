"""Where people are signed in: a row for each session, which they see and can end.

The cookie says which row it is; a row that was ended opens nothing, whoever copied the cookie.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from labinterp.errors import NotFound
from labinterp.store import audit, people, sign_ins
from labinterp.store.audit import Deed
from labinterp.store.rows import SessionRecord
from labinterp.store.store import fresh_id
from labinterp.usecases.acting import who
from labinterp.usecases.sign_in import actor_of

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from labinterp.access import Actor
    from labinterp.usecases.services import Services

_SEEN_NOTED: Final = timedelta(minutes=5)
_LONGEST: Final = 120
_LONGEST_ADDRESS: Final = 64


@dataclass(frozen=True, slots=True)
class SignedIn:
    """Whose session it is.

    Attributes:
        lacks_second_factor: their organisation wants one, and they have none yet.
    """

    actor: Actor
    lacks_second_factor: bool


def begin(services: Services, actor: Actor, *, browser: str = "") -> str:
    """Write down that somebody signed in; the id of the session."""
    now = services.now()
    said = "".join(letter for letter in browser if letter.isprintable())[:_LONGEST]
    new = SessionRecord(fresh_id(now), now, now, actor.address[:_LONGEST_ADDRESS], said)
    services.store.write(
        lambda held: sign_ins.add_session(held, actor.organisation_id, actor.id, new)
    )
    return new.id


def signed_in(
    services: Services, session_id: str, user_id: str, *, address: str = ""
) -> SignedIn | None:
    """The person of a session, as they are now; None when it or they may not come in any more."""
    with services.store.reading() as connection:
        held = sign_ins.session(connection, user_id, session_id)
        user = people.user_by_id(connection, user_id) if held else None
    if held is None or user is None or not user.active:
        return None
    if user.sessions_from and held.began_at < user.sessions_from:
        return None
    now = services.now()
    if now - held.seen_at >= _SEEN_NOTED:
        services.store.write(lambda one: sign_ins.note_seen(one, user_id, session_id, now))
    lacks = user.second_factor_required and not user.second_factor
    return SignedIn(actor_of(user, address), lacks)


def own(services: Services, actor: Actor) -> tuple[SessionRecord, ...]:
    """One's own sessions that are open, the last used first."""
    policy, now = services.policy, services.now()
    with services.store.reading() as connection:
        user = people.user_by_id(connection, actor.id)
        held = sign_ins.sessions(connection, actor.id)
    since = user.sessions_from if user else None
    return tuple(
        one
        for one in held
        if not (since and one.began_at < since)
        and now - one.began_at <= policy.session_absolute
        and now - one.seen_at <= policy.session_idle + _SEEN_NOTED
    )


def end_one(services: Services, actor: Actor, session_id: str, *, request_id: str = "") -> None:
    """End one of one's own sessions, wherever it is open.

    Raises:
        NotFound: it is none of theirs, or over.
    """
    now = services.now()

    def work(connection: Connection) -> None:
        if not sign_ins.end_session(connection, actor.id, session_id, now):
            raise NotFound("There is no such session, or it is not yours.")
        deed = Deed("E", "session-ended", entity=f"session:{session_id}")
        audit.record(connection, who(actor, request_id), deed, now)

    services.store.write(work)


def end_others(services: Services, actor: Actor, but: str, *, request_id: str = "") -> int:
    """End all of one's own sessions but this one; how many that were."""
    now = services.now()

    def work(connection: Connection) -> int:
        ended = sign_ins.end_sessions(connection, actor.id, now, but)
        deed = Deed("E", "sessions-ended", entity=f"user:{actor.id}")
        audit.record(connection, who(actor, request_id), deed, now)
        return ended

    return services.store.write(work)


def over_since(services: Services) -> datetime:
    """Sessions that began before this are over, whatever was done in them."""
    return services.now() - services.policy.session_absolute
