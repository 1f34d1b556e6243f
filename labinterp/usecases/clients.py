"""Clients: systems that prove themselves by signing, for SMART Backend Services and CDS Hooks.

`proved` is the one door for a signed token: whose it is, whether it holds, and that it is used for
the first time. `usecases.smart` exchanges it for an access token; CDS Hooks takes it as it is.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final, Literal

from sqlalchemy.exc import IntegrityError

from labinterp.access import Actor, assertions, scopes
from labinterp.errors import AccessDenied, Conflict, NotFound, Place, SubmissionError
from labinterp.store import audit, clients, people, tokens
from labinterp.store.audit import Deed, Who
from labinterp.store.rows import ClientRecord
from labinterp.store.store import fresh_id
from labinterp.usecases.acting import ITSELF
from labinterp.usecases.administer import one_line

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from sqlalchemy import Connection

    from labinterp.usecases.services import Services

Profile = Literal["smart", "cds"]
_USE_NOTED: Final = timedelta(minutes=5)
_LONGEST_SCOPES: Final = 2_000
_LONGEST_ISSUER: Final = 500
_LONGEST_URL: Final = 500


def create_client(
    services: Services,
    organisation_id: str,
    *,
    name: str,
    scopes_allowed: Iterable[str],
    key_set: Mapping[str, Any] | None = None,
    key_set_url: str | None = None,
    issuer: str | None = None,
) -> ClientRecord:
    """Register a system by its public keys.

    Args:
        services: the wired parts.
        organisation_id: whose panels it works with.
        name: what it is called in lists and the audit.
        scopes_allowed: what it may be granted at most, ours or SMART's.
        key_set: its public keys, a JWKS.
        key_set_url: where they are, instead.
        issuer: the name a CDS client signs under.

    Raises:
        SubmissionError: name, scopes or keys cannot be used.
        Conflict: another client has this issuer.
        NotFound: no such organisation.
    """
    now = services.now()
    if (key_set is None) == (key_set_url is None):
        raise _unusable("keys", "key-set-invalid", "Give the keys, or their address: one of both.")
    if key_set is not None:
        _check_keys(key_set)
    if key_set_url is not None:
        services.outbound.check(key_set_url)
    record = ClientRecord(
        id=fresh_id(now),
        organisation_id=organisation_id,
        organisation="",
        name=one_line("name", name),
        scopes=_allowed(scopes_allowed),
        issuer=_issuer(issuer),
        key_set=key_set,
        key_set_url=key_set_url,
        created_at=now,
    )

    def work(connection: Connection) -> ClientRecord:
        people.organisation_name(connection, organisation_id)
        clients.add_client(connection, record)
        _audit(connection, services, record, "client-created")
        return clients.client_by_id(connection, record.id) or record

    try:
        return services.store.write(work)
    except IntegrityError as error:
        raise Conflict("Another client has this issuer.", code="issuer-taken") from error


def all_clients(services: Services, organisation_id: str | None = None) -> tuple[ClientRecord, ...]:
    """Clients, oldest first, of one organisation or of all."""
    with services.store.reading() as connection:
        return clients.clients(connection, organisation_id)


def revoke_client(services: Services, client_id: str) -> None:
    """Take nothing more from a client: neither what it signs nor a token it has.

    Raises:
        NotFound: no such client in force.
    """

    def work(connection: Connection) -> None:
        record = clients.client_by_id(connection, client_id)
        if record is None or not clients.revoke_client(connection, client_id, services.now()):
            raise NotFound("There is no such client in force.")
        _audit(connection, services, record, "client-revoked")

    services.store.write(work)


def proved(
    services: Services, token: str, audiences: Collection[str], profile: Profile
) -> ClientRecord:
    """Whose signed token this is, if it holds and was not used before.

    Args:
        services: the wired parts.
        token: the JWT as sent.
        audiences: our own address, from the settings and never from the request.
        profile: `smart` (the issuer is a client's id) or `cds` (the issuer is registered).

    Raises:
        AccessDenied: code `unauthenticated`; the message names what does not hold.
        TemporaryFailure: the database cannot be had.
    """
    claim = assertions.claimed(token)
    now = services.now()
    find = clients.client_by_id if profile == "smart" else clients.client_by_issuer
    with services.store.reading() as connection:
        client = find(connection, claim.issuer)
    if client is None or client.revoked_at is not None:
        raise AccessDenied("The issuer is no registered client.", code="unauthenticated")
    assertions.check_address(claim, client.key_set_url)
    key_set = services.key_sets.keys_for(services.outbound, client, claim, now)
    expected = assertions.Expected(
        audiences=audiences,
        now=now,
        longest=assertions.LONGEST if profile == "smart" else None,
        same_subject=profile == "smart",
    )
    holds = assertions.verified(token, key_set, expected)
    first = services.store.write(
        lambda connection: tokens.first_use(
            connection, holds.issuer, holds.token_id, holds.expires_at
        )
    )
    if not first:
        raise AccessDenied("The token was used before (jti).", code="unauthenticated")
    _note_use(services, client)
    return client


def actor_of_client(client: ClientRecord, held: Iterable[str], *, address: str = "") -> Actor:
    """A client acting with these scopes."""
    ours, resources = scopes.of_token(held)
    return Actor(
        organisation_id=client.organisation_id,
        organisation=client.organisation,
        kind="client",
        id=client.id,
        name=client.name,
        scopes=ours,
        address=address,
        choices=client.choices,
        resources=resources,
    )


def _note_use(services: Services, client: ClientRecord) -> None:
    now = services.now()
    before = now - _USE_NOTED
    if client.last_used_at is not None and client.last_used_at >= before:
        return
    services.store.write(
        lambda connection: clients.note_client_use(connection, client.id, now, before)
    )


def _check_keys(key_set: Mapping[str, Any]) -> None:
    try:
        usable = assertions.usable_keys(key_set)
    except AccessDenied as error:
        raise _unusable("keys", "key-set-invalid", error.message) from error
    if not usable:
        message = (
            "No key of this set can be used: RSA keys of at least 2048 bits (RS384) and EC keys on"
            " P-384 (ES384) are, each with its kid."
        )
        raise _unusable("keys", "key-set-invalid", message)


def _allowed(wanted: Iterable[str]) -> tuple[str, ...]:
    asked = tuple(dict.fromkeys(wanted))
    unknown = [scope for scope in asked if not scopes.is_known(scope)]
    if unknown or not asked or len(" ".join(asked)) > _LONGEST_SCOPES:
        message = f"Scopes are such as {', '.join(scopes.SUPPORTED)}."
        raise _unusable("scopes", "scope-unknown", message)
    return asked


def _issuer(issuer: str | None) -> str | None:
    if issuer is None:
        return None
    if not issuer or len(issuer) > _LONGEST_ISSUER or not issuer.isprintable():
        raise _unusable("issuer", "issuer-invalid", "An issuer is the text its tokens name as iss.")
    return issuer


def _unusable(where: str, code: str, message: str) -> SubmissionError:
    return SubmissionError(message, code=code, errors=(Place(where, code, message),))


def _audit(connection: Connection, services: Services, client: ClientRecord, subtype: str) -> None:
    actor = Who(client.organisation_id, ITSELF.kind, ITSELF.id, ITSELF.name)
    deed = Deed("C", subtype, entity=f"client:{client.id}")
    audit.record(connection, actor, deed, services.now())
