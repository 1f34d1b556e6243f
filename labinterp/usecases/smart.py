"""SMART Backend Services: a client's signed token for a short access token."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from labinterp.access import scopes
from labinterp.access.links import new_token, token_digest
from labinterp.errors import AccessDenied, SubmissionError
from labinterp.store import audit, clients, tokens
from labinterp.store.audit import Deed
from labinterp.store.store import fresh_id
from labinterp.usecases.acting import who
from labinterp.usecases.clients import actor_of_client, proved

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from labinterp.access import Actor
    from labinterp.store.rows import ClientRecord
    from labinterp.usecases.services import Services

LIFETIME: Final = timedelta(minutes=5)
MARK: Final = "lt_"
"""What an access token begins with, so that it is never taken for an API key."""
_PURPOSE: Final = "access token"
_LONGEST: Final = 100


@dataclass(frozen=True, slots=True)
class Granted:
    """What a client is answered; the token is kept nowhere."""

    token: str
    lifetime: timedelta
    scopes: tuple[str, ...]


def token_url(base_url: str) -> str:
    """Where tokens are asked for; also what a signed token must name as its audience."""
    return f"{base_url.rstrip('/')}/oauth/token"


def exchange(
    services: Services, assertion: str, scope: str, *, address: str = "", request_id: str = ""
) -> Granted:
    """An access token for what is asked and allowed.

    Raises:
        AccessDenied: code `unauthenticated`: the assertion does not hold.
        SubmissionError: code `invalid-scope`: nothing that was asked for is allowed.
        TemporaryFailure: the database cannot be had.
    """
    client = proved(services, assertion, (token_url(services.policy.base_url),), "smart")
    held = _granted(client, scope)
    made = new_token(services.policy.secret, _PURPOSE)
    now = services.now()
    row = tokens.NewAccessToken(
        id=fresh_id(now),
        client_id=client.id,
        organisation_id=client.organisation_id,
        digest=made.digest,
        scopes=held,
        created_at=now,
        expires_at=now + LIFETIME,
    )

    def work(connection: Connection) -> None:
        tokens.add_access_token(connection, row)
        actor = actor_of_client(client, held, address=address)
        deed = Deed("E", "token-granted", entity=f"client:{client.id}")
        audit.record(connection, who(actor, request_id), deed, now)

    services.store.write(work)
    return Granted(f"{MARK}{made.token}", LIFETIME, held)


def actor_of_token(services: Services, presented: str, *, address: str = "") -> Actor:
    """Who presents this access token.

    Raises:
        AccessDenied: code `unauthenticated`; the same words for unknown, ended and revoked.
        TemporaryFailure: the database cannot be had.
    """
    digest = token_digest(services.policy.secret, _PURPOSE, presented.removeprefix(MARK))
    with services.store.reading() as connection:
        held = None
        if len(presented) <= _LONGEST:
            held = tokens.held_token(connection, digest, services.now())
        client = clients.client_by_id(connection, held.client_id) if held else None
    if held is None or client is None:
        raise AccessDenied(
            "This token is not known, or no longer in force.", code="unauthenticated"
        )
    return actor_of_client(client, held.scopes, address=address)


def _granted(client: ClientRecord, scope: str) -> tuple[str, ...]:
    try:
        asked = scopes.parted(scope)
    except ValueError as error:
        raise SubmissionError("More scopes than are read.", code="invalid-scope") from error
    held = scopes.granted(asked, client.scopes)
    if not held:
        raise SubmissionError(
            "Nothing of what was asked for is allowed to this client.", code="invalid-scope"
        )
    return held
