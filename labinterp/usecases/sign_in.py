"""At the door: who presents this key, this password, this one-time link."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from labinterp.access import Actor, authenticate_key, passwords
from labinterp.access.links import new_token, token_digest
from labinterp.errors import AccessDenied, NotFound
from labinterp.store import audit, people
from labinterp.store.audit import Deed, Who
from labinterp.store.store import fresh_id
from labinterp.usecases import account_mails
from labinterp.usecases.acting import ITSELF
from labinterp.usecases.recipients import address_of

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Connection

    from labinterp.store.rows import KeyRecord, UserRecord
    from labinterp.usecases.services import Services

_SIGN_IN: Final = "sign-in link"


class CodeNeeded(AccessDenied):
    """Password or link was right, and a code of the person's authenticator is wanted as well.

    Attributes:
        user_id: who it would be. Nobody is signed in by it.
    """

    code = "second-factor-needed"

    def __init__(self, user_id: str) -> None:
        super().__init__("A code of the authenticator is needed.")
        self.user_id = user_id


_USE_NOTED: Final = timedelta(minutes=5)


def actor_of_key(services: Services, presented: str, *, address: str = "") -> Actor:
    """Who presents this API key.

    Raises:
        AccessDenied: code `unauthenticated`.
        TemporaryFailure: the database cannot be had.
    """
    with services.store.reading() as connection:
        found: list[KeyRecord] = []

        def find(prefix: str) -> KeyRecord | None:
            key = people.key_by_prefix(connection, prefix)
            found.extend([key] if key else [])
            return key

        actor = authenticate_key(find, presented, services.policy.secret, address=address)
    _note_use(services, actor, found[0])
    return actor


def _note_use(services: Services, actor: Actor, key: KeyRecord) -> None:
    now = services.now()
    before = now - _USE_NOTED
    if key.last_used_at is not None and key.last_used_at >= before:
        return
    services.store.write(
        lambda connection: people.note_key_use(
            connection, actor.organisation_id, actor.id, now, before
        )
    )


def sign_in(services: Services, email: str, password: str, *, address: str = "") -> Actor:
    """Who this is, by password.

    Raises:
        CodeNeeded: all is right, and they have an authenticator.
        AccessDenied: code `sign-in-refused`; the same words and the same time for every reason.
    """
    try:
        known = address_of(email).casefold()
    except ValueError:
        known = ""
    with services.store.reading() as connection:
        account = people.account_by_email(connection, known)
    stored = account.user.password_hash if account else None
    right = passwords.matches(stored, password)
    now = services.now()
    locked = account is not None and bool(account.locked_until and account.locked_until > now)
    if account is None or not right or locked or not account.user.active:
        note_refused(services, account, address, wrong=not right and not locked)
        raise AccessDenied("Address or password is not right.", code="sign-in-refused")
    if account.user.second_factor:
        raise CodeNeeded(account.user.id)
    _let_in(services, account.user, password, address)
    return actor_of(account.user, address)


def note_refused(
    services: Services, account: people.Account | None, address: str, *, wrong: bool
) -> None:
    """Write down that somebody was not let in; what was wrong counts towards a lock."""
    policy, now = services.policy, services.now()

    def work(connection: Connection) -> None:
        if account is not None and wrong:
            people.count_failure(
                connection,
                account.user.id,
                limit=policy.sign_in_failures,
                locked_until=now + policy.sign_in_lock,
            )
        user = account.user if account else None
        person = Who(
            user.organisation_id if user else None,
            "user",
            user.id if user else "unknown",
            user.name if user else "unknown",
            address,
        )
        audit.record(connection, person, Deed("E", "sign-in", "4"), now)

    services.store.write(work)


def is_password(services: Services, user_id: str, password: str) -> bool:
    """Is this the password of somebody signed in? A wrong one counts towards a lock.

    A lock, which a stranger may have brought about, does not keep them from showing it.
    """
    with services.store.reading() as connection:
        account = people.account_by_id(connection, user_id)
    stored = account.user.password_hash if account else None
    if passwords.matches(stored, password):
        return True
    note_refused(services, account, "", wrong=True)
    return False


def _let_in(services: Services, user: UserRecord, password: str, address: str) -> None:
    values: dict[str, object] = {"failures": 0, "locked_until": None}
    if user.password_hash and passwords.is_outdated(user.password_hash):
        values["password_hash"] = passwords.hashed(password)

    def work(connection: Connection) -> None:
        people.change_user(connection, user.id, **values)
        _signed_in(connection, services, user, address, "sign-in")

    services.store.write(work)


def sign_in_link(services: Services, user_id: str, *, by: Who = ITSELF) -> str:
    """The token of a one-time link for a person; shown once, stored as a keyed hash.

    Whoever has another way in already is told of it by mail: somebody else holds this one.

    Raises:
        NotFound: no such person.
    """
    made = new_token(services.policy.secret, _SIGN_IN)
    now = services.now()

    def work(connection: Connection) -> None:
        user = people.user_by_id(connection, user_id)
        if user is None:
            raise NotFound("There is no such user.")
        people.add_sign_in_link(
            connection,
            fresh_id(now),
            user_id,
            made.digest,
            now=now,
            expires_at=now + services.policy.sign_in_lifetime,
        )
        actor = replace(by, organisation_id=user.organisation_id)
        deed = Deed("C", "sign-in-link-made", entity=f"user:{user_id}")
        audit.record(connection, actor, deed, now)
        if user.password_hash is not None or user.second_factor:
            account_mails.tell(connection, user.organisation_id, user_id, deed.subtype, now)

    services.store.write(work)
    return made.token


def sign_in_by_link(services: Services, token: str, *, address: str = "") -> Actor:
    """Who this is, by a one-time link, which is used up by it.

    Raises:
        CodeNeeded: it was right, and the person has an authenticator.
        AccessDenied: code `sign-in-refused`: unknown, used, over, or the person may not come in.
    """
    digest = token_digest(services.policy.secret, _SIGN_IN, token)

    def work(connection: Connection) -> UserRecord | None:
        user_id = people.use_sign_in_link(connection, digest, services.now())
        user = people.user_by_id(connection, user_id) if user_id else None
        if user is None or not user.active:
            return None
        how = "sign-in-link-used" if user.second_factor else "sign-in-by-link"
        _signed_in(connection, services, user, address, how)
        return user

    found = services.store.write(work)
    if found is None:
        raise AccessDenied(
            "This link was used already, is over, or is none of ours.", code="sign-in-refused"
        )
    if found.second_factor:
        raise CodeNeeded(found.id)
    return actor_of(found, address)


def actor_of_user(
    services: Services, user_id: str, *, address: str = "", began: datetime | None = None
) -> Actor | None:
    """The person of a session, as they are now; None when they may not come in any more.

    Args:
        services: the wired parts.
        user_id: whose session it is.
        address: where the request came from.
        began: when the session did; one from before their sessions were ended is over.
    """
    with services.store.reading() as connection:
        user = people.user_by_id(connection, user_id)
    if user is None or not user.active:
        return None
    is_over = began and user.sessions_from and began < user.sessions_from
    return None if is_over else actor_of(user, address)


def own_account(services: Services, actor: Actor) -> UserRecord:
    """The account of whoever acts.

    Raises:
        NotFound: the actor is no person.
    """
    with services.store.reading() as connection:
        found = people.user_by_id(connection, actor.id) if actor.kind == "user" else None
    if found is None:
        raise NotFound("There is no such user, or they are not yours.")
    return found


def end_sessions(services: Services, actor: Actor) -> None:
    """End every session of this person, on whatever machine: a copied cookie opens nothing."""
    now = services.now()

    def work(connection: Connection) -> None:
        people.change_user(connection, actor.id, sessions_from=now)
        person = Who(actor.organisation_id, "user", actor.id, actor.name, actor.address)
        audit.record(connection, person, Deed("E", "sign-out"), now)

    services.store.write(work)


def actor_of(user: UserRecord, address: str = "") -> Actor:
    """A person as whoever acts."""
    return Actor(
        organisation_id=user.organisation_id,
        organisation=user.organisation,
        kind="user",
        id=user.id,
        name=user.name,
        scopes=frozenset(user.scopes),
        address=address,
        choices=user.choices,
    )


def _signed_in(
    connection: Connection, services: Services, user: UserRecord, address: str, subtype: str
) -> None:
    person = Who(user.organisation_id, "user", user.id, user.name, address)
    audit.record(connection, person, Deed("E", subtype), services.now())
