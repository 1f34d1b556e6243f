"""Cards that were shown, by their rule, and what became of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, insert, select

from labinterp.store.door_tables import cds_card, cds_feedback

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from sqlalchemy import Connection

    from labinterp.store.crypto import Vault


@dataclass(frozen=True, slots=True)
class NewFeedback:
    """What a clinician did with a card; the details may speak of a patient."""

    id: str
    service: str
    card_id: str
    outcome: str
    details: str


@dataclass(frozen=True, slots=True)
class RuleFeedback:
    """How the cards of one rule fared."""

    rule: str
    shown: int
    accepted: int
    overridden: int


def add_cards(
    connection: Connection,
    organisation_id: str,
    service: str,
    cards: Sequence[tuple[str, str, str]],
    now: datetime,
) -> None:
    """Note cards that are about to be shown: id, rule and indicator of each."""
    rows = [
        {
            "id": card,
            "organisation_id": organisation_id,
            "service": service,
            "rule": rule,
            "indicator": indicator,
            "shown_at": now,
        }
        for card, rule, indicator in cards
    ]
    if rows:
        connection.execute(insert(cds_card), rows)


def add_feedback(
    connection: Connection,
    vault: Vault,
    organisation_id: str,
    told: Sequence[NewFeedback],
    now: datetime,
) -> None:
    """Keep feedback; a card nobody knows is counted under no rule."""
    wanted = {one.card_id for one in told}
    known = select(cds_card.c.id, cds_card.c.rule).where(
        cds_card.c.organisation_id == organisation_id, cds_card.c.id.in_(wanted)
    )
    rules = {row.id: row.rule for row in connection.execute(known)}
    for one in told:
        connection.execute(
            insert(cds_feedback).values(
                id=one.id,
                organisation_id=organisation_id,
                service=one.service,
                card_id=one.card_id,
                rule=rules.get(one.card_id),
                outcome=one.outcome,
                details_sealed=vault.seal(one.details.encode(), f"cds_feedback/{one.id}"),
                received_at=now,
            )
        )


def by_rule(connection: Connection, organisation_id: str) -> tuple[RuleFeedback, ...]:
    """How often each rule's cards were shown, accepted and overridden; the last word on a card."""
    shown = dict(_counted(connection, cds_card.c.rule, cds_card, organisation_id))
    newest = (
        func.row_number()
        .over(
            partition_by=cds_feedback.c.card_id,
            order_by=(cds_feedback.c.received_at.desc(), cds_feedback.c.id.desc()),
        )
        .label("newest")
    )
    told = (
        select(cds_feedback.c.rule, cds_feedback.c.outcome, newest)
        .where(cds_feedback.c.organisation_id == organisation_id)
        .subquery()
    )
    last = select(told.c.rule, told.c.outcome, func.count()).where(told.c.newest == 1)
    outcomes: dict[tuple[str, str], int] = {}
    for rule, outcome, count in connection.execute(last.group_by(told.c.rule, told.c.outcome)):
        outcomes[rule or "", outcome] = count
    rules = sorted({*shown, *(rule for rule, _ in outcomes)})
    return tuple(
        RuleFeedback(
            rule,
            shown.get(rule, 0),
            outcomes.get((rule, "accepted"), 0),
            outcomes.get((rule, "overridden"), 0),
        )
        for rule in rules
    )


def _counted(connection: Connection, column: Any, table: Any, organisation_id: str) -> Any:
    rows = connection.execute(
        select(column, func.count())
        .where(table.c.organisation_id == organisation_id)
        .group_by(column)
    )
    return [(row[0], row[1]) for row in rows]
