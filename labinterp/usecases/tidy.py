"""Forgetting what has had its time: keys of requests, tokens, finished jobs, events told."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

from labinterp.store import account_mails, background, idempotency, notices, sign_ins, tokens
from labinterp.usecases import retention, sessions

if TYPE_CHECKING:
    from labinterp.usecases.services import Services

_AT_ONCE: Final = 10


def tidy(services: Services) -> int:
    """Remove what has ended; how many. It looks first: an idle service writes nothing.

    Raises:
        TemporaryFailure: the database cannot be had.
    """
    now = services.now()
    told_before = now - services.policy.notice_kept
    over_since = sessions.over_since(services)
    with services.store.reading() as connection:
        keys = idempotency.any_expired(connection, now)
        signed = tokens.any_ended(connection, now)
        told = notices.any_ended(connection, told_before)
        mailed = account_mails.any_ended(connection, told_before)
        over = sign_ins.any_over(connection, over_since)
        jobs = background.expired_jobs(connection, now, _AT_ONCE)
    forgotten = 0
    if keys:
        forgotten += services.store.write(lambda held: idempotency.forget_expired(held, now))
    if signed:
        forgotten += services.store.write(lambda held: tokens.forget_ended(held, now))
    if told:
        forgotten += services.store.write(lambda held: notices.forget_ended(held, told_before))
    if mailed:
        forgotten += services.store.write(
            lambda held: account_mails.forget_ended(held, told_before)
        )
    if over:
        forgotten += services.store.write(lambda held: sign_ins.forget_over(held, over_since))
    for organisation_id, kind, job_id in jobs:
        forgotten += services.store.write(
            partial(
                background.remove_job, organisation_id=organisation_id, kind=kind, job_id=job_id
            )
        )
    return forgotten + retention.step(services).all
