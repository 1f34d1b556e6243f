"""What waits, for readiness, metrics and the relay."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from labinterp.store import account_mails, counts, link_codes
from labinterp.usecases import undelivered
from labinterp.usecases.outcomes import DueCounts

if TYPE_CHECKING:
    from labinterp.usecases.services import Services


_CODES: Final = 100
"""Codes that are counted; they are few, and soon gone."""


def due_counts(services: Services) -> DueCounts:
    """Work that waits, over all organisations; states that are over are not counted.

    Raises:
        TemporaryFailure: the database cannot be had.
    """
    implausible = services.policy.implausible
    with services.store.reading() as connection:
        reports = counts.reports_waiting(connection, implausible)
        deliveries = counts.deliveries_waiting(connection, implausible)
        notices = counts.notices_waiting(connection, implausible)
        slow = counts.jobs_waiting(connection, implausible)
        trouble = counts.mail_trouble(connection)
        codes = len(link_codes.due_codes(connection, _CODES))
        told = account_mails.count_due(connection, implausible)
    return DueCounts(
        reports=reports.states,
        deliveries=deliveries.states,
        reports_due=reports.due,
        deliveries_due=deliveries.due + codes + told + undelivered.alarms_due(services),
        oldest_due=max(
            (one.oldest for one in (reports, deliveries, notices) if one.oldest is not None),
            default=None,
        ),
        mail_trouble=trouble,
        notices=notices.states,
        notices_due=notices.due,
        jobs=slow.states,
        jobs_due=slow.due,
    )
