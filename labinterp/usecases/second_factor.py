"""The second factor of people: setting an authenticator up, signing in with it, losing it.

The secret of an authenticator travels sealed in the form that sets it up and is stored only once a
code proves that the authenticator holds it. Whoever has one signs in with password or link and then
a code; each code opens once, as do the codes for when it is lost. Too many wrong ones, and none is
looked at for a while; a right password does not forgive them, and wrong passwords, which any
stranger can type, do not count among them. Of each change a mail tells the person.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from labinterp.access import one_time
from labinterp.errors import AccessDenied, Conflict, NotFound, Place, SettingsError, SubmissionError
from labinterp.store import audit, people, sign_ins
from labinterp.store.audit import Deed, Who
from labinterp.usecases import account_mails
from labinterp.usecases.acting import ITSELF, who
from labinterp.usecases.sign_in import actor_of, note_refused, own_account

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Connection

    from labinterp.access import Actor
    from labinterp.store.rows import UserRecord
    from labinterp.usecases.services import Services

_ISSUER: Final = "Labinterp"
_REFUSED: Final = "This code is not right, was used, or is over. Wait for the next one."


@dataclass(frozen=True, slots=True)
class Offer:
    """What sets an authenticator up.

    Attributes:
        typed: the secret, to be typed.
        address: the same as an `otpauth:` address, to be opened or drawn.
        sealed: the same, to come back with the first code.
    """

    typed: str
    address: str
    sealed: str


@dataclass(frozen=True, slots=True)
class State:
    """How a person's second factor stands.

    Attributes:
        on: they have an authenticator.
        required: their organisation wants one.
        codes_left: codes for when it is lost, not used yet.
    """

    on: bool
    required: bool
    codes_left: int


def state(services: Services, actor: Actor) -> State:
    """How one's own stands.

    Raises:
        NotFound: the actor is no person.
    """
    own = own_account(services, actor)
    with services.store.reading() as connection:
        return State(
            own.second_factor,
            own.second_factor_required,
            sign_ins.codes_left(connection, actor.id) if own.second_factor else 0,
        )


def offer(services: Services, actor: Actor, sealed: str = "") -> Offer:
    """A new secret to set an authenticator up with, or the one that was offered before."""
    own = own_account(services, actor)
    secret = (_opened(services, actor, sealed) if sealed else None) or one_time.new_secret()
    box = services.store.vault.seal(secret, _context(actor))
    return Offer(
        one_time.typed(secret),
        one_time.address(secret, own.email, _ISSUER),
        base64.b64encode(box).decode(),
    )


def set_up(
    services: Services, actor: Actor, *, sealed: str, code: str, request_id: str = ""
) -> tuple[str, ...]:
    """Keep an authenticator that proves to hold the secret; the codes for when it is lost.

    Raises:
        NotFound: the actor is no person.
        SubmissionError: code `code-wrong`.
    """
    own_account(services, actor)
    secret, now = _opened(services, actor, sealed), services.now()
    step = one_time.step_of(secret, code, now, one_time.beginning(now)) if secret else None
    if secret is None or step is None:
        raise _wrong("This is not the code that the authenticator shows now.")
    codes = one_time.new_recovery_codes()

    def work(connection: Connection) -> None:
        sign_ins.put_factor(
            connection,
            services.store.vault,
            actor.organisation_id,
            actor.id,
            secret,
            step=step,
            now=now,
        )
        _put_codes(connection, services, actor, codes)
        sign_ins.end_sessions(connection, actor.id, now)
        people.change_user(connection, actor.id, sessions_from=now)
        _noted(connection, services, actor, "second-factor-set", request_id)

    services.store.write(work)
    return codes


def new_codes(services: Services, actor: Actor, *, request_id: str = "") -> tuple[str, ...]:
    """New codes for when the authenticator is lost; the former ones open nothing any more.

    Raises:
        NotFound: the actor is no person.
        Conflict: code `second-factor-missing`.
    """
    if not own_account(services, actor).second_factor:
        raise Conflict("Set an authenticator up first.", code="second-factor-missing")
    codes = one_time.new_recovery_codes()

    def work(connection: Connection) -> None:
        _put_codes(connection, services, actor, codes)
        _noted(connection, services, actor, "recovery-codes-made", request_id)

    services.store.write(work)
    return codes


def remove(services: Services, actor: Actor, *, request_id: str = "") -> None:
    """Sign in without a second factor from now on.

    Raises:
        NotFound: the actor is no person.
        Conflict: code `second-factor-required`: the organisation wants one.
    """
    if own_account(services, actor).second_factor_required:
        raise Conflict(
            "Your organisation wants everybody to have a second factor.",
            code="second-factor-required",
        )
    reset(services, actor.id, by=who(actor, request_id), subtype="second-factor-removed")


def reset(
    services: Services, user_id: str, *, by: Who = ITSELF, subtype: str = "second-factor-reset"
) -> bool:
    """Forget a person's authenticator, for whoever lost it; false when they had none.

    Their sessions end, and a lock does.

    Raises:
        NotFound: no such person.
    """
    now = services.now()

    def work(connection: Connection) -> bool:
        user = people.user_by_id(connection, user_id)
        if user is None:
            raise NotFound("There is no such user.")
        if not sign_ins.remove_factor(connection, user_id):
            return False
        sign_ins.end_sessions(connection, user_id, now)
        people.change_user(connection, user_id, sessions_from=now, failures=0, locked_until=None)
        actor = replace(by, organisation_id=user.organisation_id)
        audit.record(connection, actor, Deed("D", subtype, entity=f"user:{user_id}"), now)
        account_mails.tell(connection, user.organisation_id, user_id, subtype, now)
        return True

    return services.store.write(work)


def require_of_all(
    services: Services, organisation_id: str, *, required: bool, by: Who = ITSELF
) -> None:
    """Want a second factor of everybody in an organisation, or leave it to each of them.

    Whoever has none sets one up at their next page, before they see anything else.

    Raises:
        NotFound: no such organisation.
    """
    now = services.now()
    subtype = "second-factor-required" if required else "second-factor-optional"

    def work(connection: Connection) -> None:
        since = now if required else None
        if not people.set_second_factor_since(connection, organisation_id, since):
            raise NotFound("There is no such organisation.")
        actor = replace(by, organisation_id=organisation_id)
        audit.record(connection, actor, Deed("U", subtype, entity=organisation_id), now)

    services.store.write(work)


def sign_in_by_code(
    services: Services, user_id: str, code: str, *, since: datetime, address: str = ""
) -> Actor:
    """Who this is, whose password or link was right at `since`, by a code of their authenticator.

    Raises:
        AccessDenied: code `sign-in-refused`.
    """
    with services.store.reading() as connection:
        account = people.account_by_id(connection, user_id)
    if account is None or not account.user.active or _is_over(account.user, since):
        raise AccessDenied("Sign in again.", code="sign-in-refused")
    how = _used(services, account.user, code)
    if how is None:
        note_refused(services, account, address, wrong=False)
        raise AccessDenied(_REFUSED, code="sign-in-refused")
    _let_in(services, account.user, how, address)
    return actor_of(account.user, address)


def is_right(services: Services, actor: Actor, code: str) -> bool:
    """Is this a code of one's own that may still be used? It is used up by it."""
    with services.store.reading() as connection:
        account = people.account_by_id(connection, actor.id)
    if account is None:
        return False
    if _used(services, account.user, code) is None:
        note_refused(services, account, actor.address, wrong=False)
        return False
    return True


def _used(services: Services, user: UserRecord, code: str) -> str | None:
    """Use a code up; how it lets in, or None when it does not, or too many were wrong."""
    policy, now = services.policy, services.now()
    digest = one_time.recovery_digest(services.policy.secret, user.id, code)

    def work(connection: Connection) -> str | None:
        held = sign_ins.factor(connection, services.store.vault, user.id)
        if held is None or (held.locked_until and held.locked_until > now):
            return None
        how: str | None = None
        step = one_time.step_of(held.secret, code, now, held.last_step)
        if step is not None and sign_ins.use_step(connection, user.id, step):
            how = "sign-in-by-code"
        elif digest is not None and sign_ins.use_code(connection, user.id, digest, now):
            how = "sign-in-by-recovery-code"
            account_mails.tell(connection, user.organisation_id, user.id, "recovery-code-used", now)
        if how:
            sign_ins.forgive(connection, user.id)
        else:
            until = now + policy.sign_in_lock
            limit = policy.sign_in_failures
            sign_ins.count_wrong(connection, user.id, limit=limit, locked_until=until)
        return how

    return services.store.write(work)


def _let_in(services: Services, user: UserRecord, how: str, address: str) -> None:
    def work(connection: Connection) -> None:
        people.change_user(connection, user.id, failures=0, locked_until=None)
        person = Who(user.organisation_id, "user", user.id, user.name, address)
        audit.record(connection, person, Deed("E", how), services.now())

    services.store.write(work)


def _is_over(user: UserRecord, since: datetime) -> bool:
    return user.sessions_from is not None and since < user.sessions_from


def _opened(services: Services, actor: Actor, sealed: str) -> bytes | None:
    try:
        return services.store.vault.open(base64.b64decode(sealed, validate=True), _context(actor))
    except (ValueError, SettingsError):
        return None


def _context(actor: Actor) -> str:
    return f"second-factor-offer/{actor.organisation_id}/{actor.id}"


def _put_codes(
    connection: Connection, services: Services, actor: Actor, codes: tuple[str, ...]
) -> None:
    secret = services.policy.secret
    digests = [one_time.recovery_digest(secret, actor.id, code) or "" for code in codes]
    sign_ins.put_codes(connection, actor.organisation_id, actor.id, digests, services.now())


def _noted(
    connection: Connection, services: Services, actor: Actor, subtype: str, request_id: str
) -> None:
    """In the audit, and in a mail to the person."""
    now = services.now()
    deed = Deed("C", subtype, entity=f"user:{actor.id}")
    audit.record(connection, who(actor, request_id), deed, now)
    account_mails.tell(connection, actor.organisation_id, actor.id, subtype, now)


def _wrong(message: str) -> SubmissionError:
    return SubmissionError(
        message, code="code-wrong", errors=(Place("code", "code-wrong", message),)
    )
