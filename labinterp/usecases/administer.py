"""What administrators and people at the door do: organisations, users, keys, signing in.

A new key's text is in the answer of `create_key` only: it is shown once and stored as a keyed hash.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from sqlalchemy.exc import IntegrityError

from labinterp.access import SCOPES, SYSTEM, Actor, authenticate_key, new_key, passwords
from labinterp.access.links import new_token, token_digest
from labinterp.errors import AccessDenied, Conflict, NotFound, Place, SubmissionError
from labinterp.store import audit, people
from labinterp.store.audit import Deed, Who
from labinterp.store.rows import KeyRecord, OrganisationRecord, UserRecord
from labinterp.store.store import fresh_id
from labinterp.usecases.acting import ITSELF
from labinterp.usecases.recipients import address_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlalchemy import Connection

    from labinterp.usecases.services import Services

DEMO: Final = "Demo"
DEMO_ADMINISTRATOR: Final = "administrator@demo.example"
_SIGN_IN: Final = "sign-in link"
_LONGEST_NAME: Final = 200
_USE_NOTED: Final = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Demo:
    """What the demonstration begins with; `key` is its text the first time, None afterwards."""

    organisation: OrganisationRecord
    user: UserRecord
    key: str | None


# ---- organisations


def create_organisation(services: Services, name: str) -> OrganisationRecord:
    """A tenant of this name; the existing one when there is one.

    Raises:
        SubmissionError: the name is empty, too long or not one line.
    """
    named = _one_line("name", name)
    now = services.now()

    def work(connection: Connection) -> OrganisationRecord:
        known = people.organisation_named(connection, named)
        if known is not None:
            return known
        record = OrganisationRecord(fresh_id(now), named, now)
        people.add_organisation(connection, record)
        _audit(connection, services, record.id, "organisation-created", record.id)
        return record

    try:
        return services.store.write(work)
    except IntegrityError:  # two at once: the other one made it
        return services.store.write(work)


def organisations(services: Services) -> tuple[OrganisationRecord, ...]:
    """All tenants, by name."""
    with services.store.reading() as connection:
        return people.organisations(connection)


# ---- users


def create_user(
    services: Services,
    organisation_id: str,
    *,
    email: str,
    name: str,
    scopes: Iterable[str],
    password: str | None = None,
) -> UserRecord:
    """A person who may sign in; without a password, by one-time links only.

    Raises:
        SubmissionError: address, name, scopes or password cannot be used.
        Conflict: the address is somebody's already.
        NotFound: no such organisation.
    """
    record = UserRecord(
        id=fresh_id(services.now()),
        organisation_id=organisation_id,
        organisation="",
        email=_address(email),
        name=_one_line("name", name),
        scopes=_scopes(scopes),
        active=True,
        password_hash=passwords.hashed(password) if password is not None else None,
    )

    def work(connection: Connection) -> UserRecord:
        people.organisation_name(connection, organisation_id)
        people.add_user(connection, record, services.now())
        _audit(connection, services, organisation_id, "user-created", f"user:{record.id}")
        return people.user_by_id(connection, record.id) or record

    try:
        return services.store.write(work)
    except IntegrityError as error:
        raise Conflict("Somebody has this address already.", code="address-taken") from error


def users(services: Services, organisation_id: str | None = None) -> tuple[UserRecord, ...]:
    """People by address, of one organisation or of all."""
    with services.store.reading() as connection:
        return people.users(connection, organisation_id)


def set_password(services: Services, user_id: str, password: str) -> None:
    """Give a person a new password; a lock after refused ones ends.

    Raises:
        NotFound: no such person.
        SubmissionError: the password cannot be used.
    """
    values = {
        "password_hash": passwords.hashed(password),
        "failures": 0,
        "locked_until": None,
    }
    _change(services, user_id, "password-set", values)


def set_active(services: Services, user_id: str, active: bool) -> None:
    """Let a person in, or shut them out at their next request.

    Raises:
        NotFound: no such person.
    """
    subtype = "user-activated" if active else "user-deactivated"
    _change(services, user_id, subtype, {"active": active})


def _change(services: Services, user_id: str, subtype: str, values: dict[str, object]) -> None:
    def work(connection: Connection) -> None:
        user = people.user_by_id(connection, user_id)
        if user is None or not people.change_user(connection, user_id, **values):
            raise NotFound("There is no such user.")
        _audit(connection, services, user.organisation_id, subtype, f"user:{user_id}")

    services.store.write(work)


# ---- keys


def create_key(
    services: Services, organisation_id: str, *, name: str, scopes: Iterable[str]
) -> tuple[KeyRecord, str]:
    """A new API key and its text, which is not shown again.

    Raises:
        SubmissionError: name or scopes cannot be used.
        NotFound: no such organisation.
    """
    made = new_key(services.policy.secret)
    now = services.now()
    label, allowed = _one_line("name", name), _scopes(scopes)

    def work(connection: Connection) -> KeyRecord:
        record = KeyRecord(
            id=fresh_id(now),
            organisation_id=organisation_id,
            organisation=people.organisation_name(connection, organisation_id),
            prefix=made.prefix,
            name=label,
            scopes=allowed,
            created_at=now,
            secret_digest=made.secret_digest,
        )
        people.add_key(connection, record)
        _audit(connection, services, organisation_id, "key-created", f"key:{record.id}")
        return record

    return services.store.write(work), made.presented


def keys(services: Services, organisation_id: str | None = None) -> tuple[KeyRecord, ...]:
    """Keys by age, of one organisation or of all."""
    with services.store.reading() as connection:
        return people.keys(connection, organisation_id)


def revoke_key(services: Services, organisation_id: str | None, key_id: str) -> None:
    """Put a key out of force at once.

    Raises:
        NotFound: no such key in force.
    """

    def work(connection: Connection) -> None:
        if not people.revoke_key(connection, organisation_id, key_id, services.now()):
            raise NotFound("There is no such key in force.")
        _audit(connection, services, organisation_id, "key-revoked", f"key:{key_id}")

    services.store.write(work)


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


# ---- signing in


def sign_in(services: Services, email: str, password: str, *, address: str = "") -> Actor:
    """Who this is, by password.

    Raises:
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
        _refused(services, account, address, wrong=not right and not locked)
        raise AccessDenied("Address or password is not right.", code="sign-in-refused")
    _let_in(services, account.user, password, address)
    return actor_of(account.user, address)


def _refused(
    services: Services, account: people.Account | None, address: str, *, wrong: bool
) -> None:
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


def _let_in(services: Services, user: UserRecord, password: str, address: str) -> None:
    values: dict[str, object] = {"failures": 0, "locked_until": None}
    if user.password_hash and passwords.is_outdated(user.password_hash):
        values["password_hash"] = passwords.hashed(password)

    def work(connection: Connection) -> None:
        people.change_user(connection, user.id, **values)
        _signed_in(connection, services, user, address, "sign-in")

    services.store.write(work)


def sign_in_link(services: Services, user_id: str) -> str:
    """The token of a one-time link for a person; shown once, stored as a keyed hash.

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
        _audit(connection, services, user.organisation_id, "sign-in-link-made", f"user:{user_id}")

    services.store.write(work)
    return made.token


def sign_in_by_link(services: Services, token: str, *, address: str = "") -> Actor:
    """Who this is, by a one-time link, which is used up by it.

    Raises:
        AccessDenied: code `sign-in-refused`: unknown, used, over, or the person may not come in.
    """
    digest = token_digest(services.policy.secret, _SIGN_IN, token)

    def work(connection: Connection) -> UserRecord | None:
        user_id = people.use_sign_in_link(connection, digest, services.now())
        user = people.user_by_id(connection, user_id) if user_id else None
        if user is None or not user.active:
            return None
        _signed_in(connection, services, user, address, "sign-in-by-link")
        return user

    found = services.store.write(work)
    if found is None:
        raise AccessDenied(
            "This link was used already, is over, or is none of ours.", code="sign-in-refused"
        )
    return actor_of(found, address)


def actor_of_user(services: Services, user_id: str, *, address: str = "") -> Actor | None:
    """The person of a session, as they are now; None when they may not come in any more."""
    with services.store.reading() as connection:
        user = people.user_by_id(connection, user_id)
    return actor_of(user, address) if user and user.active else None


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
    )


def system_actor(organisation: OrganisationRecord) -> Actor:
    """The command line acting for an organisation."""
    return Actor(
        organisation_id=organisation.id,
        organisation=organisation.name,
        kind="system",
        id=SYSTEM,
        name="command line",
        scopes=frozenset(SCOPES),
    )


# ---- the demonstration


def ensure_demo(services: Services) -> Demo:
    """Organisation, administrator and key of the demonstration; what is there already is kept."""
    organisation = create_organisation(services, DEMO)
    user = next(
        (known for known in users(services, organisation.id) if known.email == DEMO_ADMINISTRATOR),
        None,
    ) or create_user(
        services,
        organisation.id,
        email=DEMO_ADMINISTRATOR,
        name="Demo administrator",
        scopes=SCOPES,
    )
    if keys(services, organisation.id):
        return Demo(organisation, user, None)
    _, presented = create_key(services, organisation.id, name="Demo key", scopes=SCOPES)
    return Demo(organisation, user, presented)


# ---- shared


def _signed_in(
    connection: Connection, services: Services, user: UserRecord, address: str, subtype: str
) -> None:
    person = Who(user.organisation_id, "user", user.id, user.name, address)
    audit.record(connection, person, Deed("E", subtype), services.now())


def _audit(
    connection: Connection,
    services: Services,
    organisation_id: str | None,
    subtype: str,
    entity: str,
) -> None:
    actor = Who(organisation_id, ITSELF.kind, ITSELF.id, ITSELF.name)
    audit.record(connection, actor, Deed("C", subtype, entity=entity), services.now())


def _one_line(where: str, text: str) -> str:
    kept = text.strip()
    if not kept or len(kept) > _LONGEST_NAME or not kept.isprintable():
        message = f"A name is one line of 1 to {_LONGEST_NAME} characters."
        raise SubmissionError(
            message, code="name-invalid", errors=(Place(where, "name-invalid", message),)
        )
    return kept


def _address(text: str) -> str:
    try:
        return address_of(text).casefold()
    except ValueError as error:
        raise SubmissionError(
            str(error),
            code="address-invalid",
            errors=(Place("email", "address-invalid", str(error)),),
        ) from error


def _scopes(wanted: Iterable[str]) -> tuple[str, ...]:
    asked = set(wanted)
    unknown = asked - set(SCOPES)
    if unknown or not asked:
        message = f"Scopes are some of {', '.join(SCOPES)}."
        raise SubmissionError(
            message, code="scope-unknown", errors=(Place("scopes", "scope-unknown", message),)
        )
    return tuple(scope for scope in SCOPES if scope in asked)
