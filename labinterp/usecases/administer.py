"""What administrators do: organisations, users and keys; signing in is `usecases.sign_in`.

These act for whoever runs the service, on any organisation, and ask nobody's leave; `by` is whom
the audit names. What an organisation's own administrator may do of it is `usecases.members`.

Long because it is a list of short deeds, one function each.

A new key's text is in the answer of `create_key` only: it is shown once and stored as a keyed hash.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, get_args

from sqlalchemy.exc import IntegrityError

from labinterp.access import SCOPES, SYSTEM, Actor, new_key, passwords
from labinterp.delivery.message import ACCOUNT_EVENTS
from labinterp.errors import Conflict, NotFound, Place, SubmissionError
from labinterp.model.codes import RangePolicy
from labinterp.store import audit, people
from labinterp.store.audit import Deed, Who
from labinterp.store.rows import KeyRecord, OrganisationRecord, UserRecord
from labinterp.store.store import fresh_id
from labinterp.usecases import account_mails
from labinterp.usecases.acting import ITSELF
from labinterp.usecases.recipients import address_of
from labinterp.usecases.sign_in import (
    actor_of_key,
    actor_of_user,
    end_sessions,
    is_password,
    sign_in,
    sign_in_by_link,
    sign_in_link,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from sqlalchemy import Connection

    from labinterp.model.knowledge import Knowledge
    from labinterp.model.submission import Choices
    from labinterp.usecases.services import Services

__all__ = [
    "Demo",
    "actor_of_key",
    "actor_of_user",
    "create_key",
    "create_organisation",
    "create_user",
    "end_sessions",
    "ensure_demo",
    "is_password",
    "keys",
    "organisations",
    "revoke_key",
    "set_active",
    "set_choices",
    "set_password",
    "set_scopes",
    "sign_in",
    "sign_in_by_link",
    "sign_in_link",
    "system_actor",
    "users",
]

DEMO: Final = "Demo"
DEMO_ADMINISTRATOR: Final = "administrator@demo.example"
_LONGEST_NAME: Final = 200


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
    named = one_line("name", name)
    now = services.now()

    def work(connection: Connection) -> OrganisationRecord:
        known = people.organisation_named(connection, named)
        if known is not None:
            return known
        since = now if services.policy.second_factor else None
        record = OrganisationRecord(fresh_id(now), named, now, second_factor_since=since)
        people.add_organisation(connection, record)
        _audit(connection, services, _of(record.id), "organisation-created", record.id)
        return record

    try:
        return services.store.write(work)
    except IntegrityError:  # two at once: the other one made it
        return services.store.write(work)


def organisations(services: Services) -> tuple[OrganisationRecord, ...]:
    """All tenants, by name."""
    with services.store.reading() as connection:
        return people.organisations(connection)


def set_choices(services: Services, organisation_id: str, choices: Choices) -> None:
    """Choose an organisation's range set, policies and schemes for what its requests leave open.

    Raises:
        SubmissionError: code `choice-unknown`: something the knowledge does not hold, by its place.
        NotFound: no such organisation.
    """
    _known(services.knowledge, choices)

    def work(connection: Connection) -> None:
        if not people.set_choices(connection, organisation_id, choices):
            raise NotFound("There is no such organisation.")
        _audit(connection, services, _of(organisation_id), "choices-set", organisation_id)

    services.store.write(work)


def _known(knowledge: Knowledge, choices: Choices) -> None:
    sets = {name for name, one in knowledge.range_sets.items() if one.shipped}
    asked: list[tuple[str, str | None, Collection[str]]] = [
        ("range_set", choices.range_set, sets),
        ("range_policy", choices.range_policy, get_args(RangePolicy)),
        ("critical_policy", choices.critical_policy, knowledge.critical_policies),
        *(
            (f"schemes.{measurand}", scheme, knowledge.schemes.get(measurand, ()))
            for measurand, scheme in choices.schemes.items()
        ),
    ]
    faults = tuple(
        Place(where, "choice-unknown", f"{where} is one of {', '.join(sorted(words)) or 'none'}.")
        for where, chosen, words in asked
        if chosen is not None and chosen not in words
    )
    if faults:
        raise SubmissionError(
            "The knowledge does not hold this choice.", code="choice-unknown", errors=faults
        )


# ---- users


def create_user(
    services: Services,
    organisation_id: str,
    *,
    email: str,
    name: str,
    scopes: Iterable[str],
    password: str | None = None,
    by: Who = ITSELF,
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
        name=one_line("name", name),
        scopes=_scopes(scopes),
        active=True,
        password_hash=None if password is None else _chosen(services, password, (email, name)),
    )

    def work(connection: Connection) -> UserRecord:
        people.organisation_name(connection, organisation_id)
        people.add_user(connection, record, services.now())
        _audit(connection, services, _of(organisation_id, by), "user-created", f"user:{record.id}")
        return people.user_by_id(connection, record.id) or record

    try:
        return services.store.write(work)
    except IntegrityError as error:
        raise Conflict("Somebody has this address already.", code="address-taken") from error


def users(services: Services, organisation_id: str | None = None) -> tuple[UserRecord, ...]:
    """People by address, of one organisation or of all."""
    with services.store.reading() as connection:
        return people.users(connection, organisation_id)


def set_password(services: Services, user_id: str, password: str, *, by: Who = ITSELF) -> None:
    """Give a person a new password; a lock after refused ones ends, and so do their sessions.

    A mail tells them.

    Raises:
        NotFound: no such person.
        SubmissionError: the password cannot be used.
    """
    with services.store.reading() as connection:
        user = people.user_by_id(connection, user_id)
    about = (user.email, user.name, user.organisation) if user else ()
    values = {
        "password_hash": _chosen(services, password, about),
        "failures": 0,
        "locked_until": None,
        "sessions_from": services.now(),
    }
    _change(services, user_id, "password-set", values, by)


def _chosen(services: Services, password: str, about: Iterable[str]) -> str:
    return passwords.chosen(password, about, listed=services.policy.password_list)


def set_active(services: Services, user_id: str, active: bool, *, by: Who = ITSELF) -> None:
    """Let a person in, or shut them out at their next request; old sessions stay over.

    Raises:
        NotFound: no such person.
    """
    subtype = "user-activated" if active else "user-deactivated"
    _change(services, user_id, subtype, {"active": active, "sessions_from": services.now()}, by)


def set_scopes(
    services: Services, user_id: str, scopes: Iterable[str], *, by: Who = ITSELF
) -> None:
    """Let a person do this and no more, from their next request on.

    Raises:
        NotFound: no such person.
        SubmissionError: code `scope-unknown`.
    """
    values: dict[str, object] = {"scopes": " ".join(_scopes(scopes))}
    _change(services, user_id, "user-scopes-set", values, by)


def _change(
    services: Services, user_id: str, subtype: str, values: dict[str, object], by: Who = ITSELF
) -> None:
    def work(connection: Connection) -> None:
        user = people.user_by_id(connection, user_id)
        if user is None or not people.change_user(connection, user_id, **values):
            raise NotFound("There is no such user.")
        _audit(connection, services, _of(user.organisation_id, by), subtype, f"user:{user_id}")
        if subtype in ACCOUNT_EVENTS:
            now = services.now()
            account_mails.tell(connection, user.organisation_id, user_id, subtype, now)

    services.store.write(work)


# ---- keys


def create_key(
    services: Services,
    organisation_id: str,
    *,
    name: str,
    scopes: Iterable[str],
    by: Who = ITSELF,
) -> tuple[KeyRecord, str]:
    """A new API key and its text, which is not shown again.

    Where somebody of the organisation made it, and not whoever runs the service, a mail tells its
    administrators.

    Raises:
        SubmissionError: name or scopes cannot be used.
        NotFound: no such organisation.
    """
    made = new_key(services.policy.secret)
    now = services.now()
    label, allowed = one_line("name", name), _scopes(scopes)

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
        _audit(connection, services, _of(organisation_id, by), "key-created", f"key:{record.id}")
        if by.kind != ITSELF.kind:
            account_mails.tell_administrators(connection, organisation_id, "key-created", now)
        return record

    return services.store.write(work), made.presented


def keys(services: Services, organisation_id: str | None = None) -> tuple[KeyRecord, ...]:
    """Keys by age, of one organisation or of all."""
    with services.store.reading() as connection:
        return people.keys(connection, organisation_id)


def revoke_key(
    services: Services, organisation_id: str | None, key_id: str, *, by: Who = ITSELF
) -> None:
    """Put a key out of force at once.

    Raises:
        NotFound: no such key in force.
    """

    def work(connection: Connection) -> None:
        if not people.revoke_key(connection, organisation_id, key_id, services.now()):
            raise NotFound("There is no such key in force.")
        _audit(connection, services, _of(organisation_id, by), "key-revoked", f"key:{key_id}")

    services.store.write(work)


def system_actor(organisation: OrganisationRecord) -> Actor:
    """The command line acting for an organisation."""
    return Actor(
        organisation_id=organisation.id,
        organisation=organisation.name,
        kind="system",
        id=SYSTEM,
        name="command line",
        scopes=frozenset(SCOPES),
        choices=organisation.choices,
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


def _audit(connection: Connection, services: Services, by: Who, subtype: str, entity: str) -> None:
    audit.record(connection, by, Deed("C", subtype, entity=entity), services.now())


def _of(organisation_id: str | None, by: Who = ITSELF) -> Who:
    """Who did it, in the organisation that it was done to."""
    return replace(by, organisation_id=organisation_id)


def one_line(where: str, text: str) -> str:
    """A name that can stand in a list.

    Raises:
        SubmissionError: code `name-invalid`.
    """
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
