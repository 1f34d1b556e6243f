"""One request, one effect: what was stored under a key is answered again, never done again.

The key is taken in the transaction of its effect, by a unique constraint; looking first is only a
short cut for the common case.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeVar

from sqlalchemy.exc import DBAPIError, IntegrityError

from labinterp.errors import Conflict, TemporaryFailure
from labinterp.store import idempotency
from labinterp.store.records import read_back, written

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import timedelta

    from sqlalchemy import Connection

    from labinterp.usecases.services import Services

Answer = TypeVar("Answer")
_TRIES: Final = 3
_LOCK_TIMEOUT: Final = "55P03"
_LONGEST: Final = 255


@dataclass(frozen=True, slots=True)
class Key:
    """What makes two requests the same.

    Attributes:
        name: unique within the organisation.
        digest: of what was asked for and the body it was asked with.
        kept: how long it is remembered; None for ever.
    """

    organisation_id: str
    name: str
    digest: str
    kept: timedelta | None


def client_key(
    services: Services, organisation_id: str, sent: str | None, purpose: str, body_digest: str
) -> Key | None:
    """The key a client sent, if it sent one.

    Raises:
        Conflict: the key is longer than any that is kept.
    """
    if not sent:
        return None
    if len(sent) > _LONGEST:
        raise Conflict(
            f"An Idempotency-Key has at most {_LONGEST} characters.",
            code="idempotency-key-invalid",
        )
    digest = digest_of(purpose, body_digest)
    return Key(organisation_id, f"key:{sent}", digest, services.policy.idempotency_kept)


def row_key(organisation_id: str, panel: Mapping[str, object]) -> Key:
    """The identity of an imported row: the same content is the same row, in whatever file."""
    digest = digest_of("import", written(_without_places(panel)))
    return Key(organisation_id, f"row:{digest}", digest, None)


def lasting_key(organisation_id: str, name: str, body_digest: str) -> Key:
    """What is never to be done twice, however late it comes again."""
    return Key(organisation_id, f"key:{name}", body_digest, None)


def digest_of(*parts: str) -> str:
    """SHA-256 over parts, each with its length; hexadecimal."""
    text = "".join(f"{len(part)}:{part}" for part in parts)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _without_places(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            name: _without_places(part) for name, part in sorted(value.items()) if name != "where"
        }
    if isinstance(value, list | tuple):
        return [_without_places(part) for part in value]
    return value


def once(
    services: Services,
    key: Key | None,
    *,
    do: Callable[[Connection], Answer],
    to_text: Callable[[Answer], object],
    from_text: Callable[[Any], Answer],
) -> Answer:
    """Do this in one transaction, or answer again what was done under the key.

    Args:
        services: the wired parts.
        key: None when the client named none.
        do: the effect; everything it writes is committed with the key.
        to_text: the answer as plain data that can be kept.
        from_text: the same back, told apart as a replay.

    Raises:
        Conflict: `idempotency-key-reused` (another body), `request-in-progress`.
        TemporaryFailure: the database cannot be had; nothing was stored.
    """
    if key is None:
        return services.store.write(do)
    for _ in range(_TRIES):
        before = replayed(services, key)
        if before is not None:
            return from_text(before)
        try:
            return _done_under(services, key, do, to_text)
        except IntegrityError as error:
            if replayed(services, key) is None and not _is_about_key(error):
                raise
        except TemporaryFailure as error:
            if _waited_for_lock(error):
                raise _in_progress() from error
            raise
    raise _in_progress()


def _done_under(
    services: Services,
    key: Key,
    do: Callable[[Connection], Answer],
    to_text: Callable[[Answer], object],
) -> Answer:
    now = services.now()

    def work(connection: Connection) -> Answer:
        idempotency.take(
            connection,
            key.organisation_id,
            key.name,
            key.digest,
            now=now,
            expires_at=now + key.kept if key.kept is not None else None,
        )
        answer = do(connection)
        idempotency.keep_answer(connection, key.organisation_id, key.name, written(to_text(answer)))
        return answer

    return services.store.write(work)


def replayed(services: Services, key: Key) -> Any:
    """What was answered under this key, as plain data; None when it is free.

    Raises:
        Conflict: another body was sent under it.
    """
    with services.store.reading() as connection:
        found = idempotency.remembered(connection, key.organisation_id, key.name, services.now())
    if found is None:
        return None
    if found.body_digest != key.digest:
        raise Conflict(
            "This Idempotency-Key was used for another request. Use a new key for a new request.",
            code="idempotency-key-reused",
        )
    return read_back(found.answer)


def _is_about_key(error: IntegrityError) -> bool:
    return "idempotency" in str(error.orig)


def _waited_for_lock(error: TemporaryFailure) -> bool:
    cause = error.__cause__
    return isinstance(cause, DBAPIError) and getattr(cause.orig, "sqlstate", "") == _LOCK_TIMEOUT


def _in_progress() -> Conflict:
    return Conflict(
        "The first request with this Idempotency-Key is still running; ask again in a moment.",
        code="request-in-progress",
    )
