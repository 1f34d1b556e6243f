"""What an organisation's own administrator does: its people and its keys, and nobody else's.

Each needs the scope `admin`. Somebody of another organisation reads like nobody. Whoever acts stays
an administrator: nobody closes their own account or takes their own rights, so that one is left.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from labinterp.access import require
from labinterp.errors import Conflict, NotFound, Place, SubmissionError
from labinterp.store import people
from labinterp.usecases import administer, second_factor
from labinterp.usecases.acting import who
from labinterp.usecases.sign_in import own_account

if TYPE_CHECKING:
    from collections.abc import Iterable

    from labinterp.access import Actor
    from labinterp.store.rows import KeyRecord, UserRecord
    from labinterp.usecases.services import Services

_OWN: Final = "Another administrator has to change this; nobody shuts themselves out."


def members(services: Services, actor: Actor) -> tuple[UserRecord, ...]:
    """The organisation's people, by address.

    Raises:
        AccessDenied: the actor is no administrator.
    """
    require(actor, "admin")
    return administer.users(services, actor.organisation_id)


def add_member(
    services: Services,
    actor: Actor,
    *,
    email: str,
    name: str,
    scopes: Iterable[str],
    request_id: str = "",
) -> UserRecord:
    """A new person, who signs in by a link first and may then choose a password.

    Raises:
        AccessDenied: the actor is no administrator.
        SubmissionError: address, name or scopes cannot be used.
        Conflict: the address is somebody's already.
    """
    require(actor, "admin")
    return administer.create_user(
        services,
        actor.organisation_id,
        email=email,
        name=name,
        scopes=scopes,
        by=who(actor, request_id),
    )


def member_link(services: Services, actor: Actor, user_id: str, *, request_id: str = "") -> str:
    """The token of a link that signs this person in once.

    Raises:
        AccessDenied: the actor is no administrator.
        NotFound: no such person in the organisation.
        Conflict: code `account-closed`.
    """
    member = _member(services, actor, user_id)
    if not member.active:
        raise Conflict("This account is closed; open it first.", code="account-closed")
    return administer.sign_in_link(services, user_id, by=who(actor, request_id))


def set_member_scopes(
    services: Services, actor: Actor, user_id: str, scopes: Iterable[str], *, request_id: str = ""
) -> UserRecord:
    """Let a person do this and no more; the person as they are then.

    Raises:
        AccessDenied: the actor is no administrator.
        NotFound: no such person in the organisation.
        Conflict: code `own-account`.
        SubmissionError: code `scope-unknown`.
    """
    _other_member(services, actor, user_id)
    administer.set_scopes(services, user_id, scopes, by=who(actor, request_id))
    return _member(services, actor, user_id)


def set_member_active(
    services: Services, actor: Actor, user_id: str, *, active: bool, request_id: str = ""
) -> UserRecord:
    """Open or close an account; a closed one is out at its next request.

    Raises:
        AccessDenied: the actor is no administrator.
        NotFound: no such person in the organisation.
        Conflict: code `own-account`.
    """
    _other_member(services, actor, user_id)
    administer.set_active(services, user_id, active, by=who(actor, request_id))
    return _member(services, actor, user_id)


def reset_second_factor(
    services: Services, actor: Actor, user_id: str, *, request_id: str = ""
) -> UserRecord:
    """Forget somebody's authenticator, because they lost it; the person as they are then.

    Raises:
        AccessDenied: the actor is no administrator.
        NotFound: no such person in the organisation.
        Conflict: code `own-account`.
    """
    _other_member(services, actor, user_id)
    second_factor.reset(services, user_id, by=who(actor, request_id))
    return _member(services, actor, user_id)


def require_second_factor(
    services: Services, actor: Actor, *, required: bool, request_id: str = ""
) -> None:
    """Want a second factor of everybody in the organisation, or leave it to each.

    Raises:
        AccessDenied: the actor is no administrator.
    """
    require(actor, "admin")
    by = who(actor, request_id)
    second_factor.require_of_all(services, actor.organisation_id, required=required, by=by)


def second_factor_required(services: Services, actor: Actor) -> bool:
    """Does the organisation want one of everybody?"""
    return own_account(services, actor).second_factor_required


def is_confirmed(services: Services, actor: Actor, *, password: str, code: str) -> bool:
    """Is it still they? Everything they sign in with is asked; who has nothing cannot say."""
    own = own_account(services, actor)
    if own.password_hash is None and not own.second_factor:
        return False
    if own.password_hash is not None and not administer.is_password(services, own.id, password):
        return False
    return not own.second_factor or second_factor.is_right(services, actor, code)


def organisation_keys(services: Services, actor: Actor) -> tuple[KeyRecord, ...]:
    """The organisation's keys, oldest first.

    Raises:
        AccessDenied: the actor is no administrator.
    """
    require(actor, "admin")
    return administer.keys(services, actor.organisation_id)


def add_key(
    services: Services, actor: Actor, *, name: str, scopes: Iterable[str], request_id: str = ""
) -> tuple[KeyRecord, str]:
    """A new key and its text, which is not shown again.

    Raises:
        AccessDenied: the actor is no administrator.
        SubmissionError: name or scopes cannot be used.
    """
    require(actor, "admin")
    by = who(actor, request_id)
    return administer.create_key(services, actor.organisation_id, name=name, scopes=scopes, by=by)


def end_key(services: Services, actor: Actor, key_id: str, *, request_id: str = "") -> None:
    """Put a key out of force at once.

    Raises:
        AccessDenied: the actor is no administrator.
        NotFound: no such key in force in the organisation.
    """
    require(actor, "admin")
    administer.revoke_key(services, actor.organisation_id, key_id, by=who(actor, request_id))


def has_password(services: Services, actor: Actor) -> bool:
    """Does this person sign in by password?"""
    return own_account(services, actor).password_hash is not None


def set_own_password(
    services: Services, actor: Actor, *, current: str, new: str, request_id: str = ""
) -> None:
    """Give oneself a password; whoever has one has to know it.

    Raises:
        NotFound: the actor is no person.
        SubmissionError: code `password-wrong`, or the new one cannot be used.
    """
    own = own_account(services, actor)
    if own.password_hash is not None and not administer.is_password(services, own.id, current):
        message = "The current password is not right."
        raise SubmissionError(
            message, code="password-wrong", errors=(Place("current", "password-wrong", message),)
        )
    administer.set_password(services, actor.id, new, by=who(actor, request_id))


def _member(services: Services, actor: Actor, user_id: str) -> UserRecord:
    require(actor, "admin")
    with services.store.reading() as connection:
        found = people.user_by_id(connection, user_id)
    if found is None or found.organisation_id != actor.organisation_id:
        raise NotFound("There is no such user, or they are not yours.")
    return found


def _other_member(services: Services, actor: Actor, user_id: str) -> None:
    _member(services, actor, user_id)
    if user_id == actor.id:
        raise Conflict(_OWN, code="own-account")
