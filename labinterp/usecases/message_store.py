"""Stored messages, for administrators: searched, looked at, and read again when more was agreed.

A message is read with what is agreed with its sender now. Where that makes other results of it than
are stored, its panels get a next version, as by a correction that the sender sends: the former
version stays readable, and whoever had it is told. A dry run says the same and keeps nothing.
Both stay in one file: what is tried must be what is done.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, Literal

from labinterp import telemetry
from labinterp.access import Actor, require
from labinterp.errors import (
    Conflict,
    NotFound,
    Place,
    SubmissionError,
)
from labinterp.formats import hl7v2
from labinterp.formats.hl7v2_text import envelope_of
from labinterp.formats.hl7v2_tree import tree_of
from labinterp.formats.limits import Context, Limits
from labinterp.store import audit, messages, panels, result_identities
from labinterp.store.audit import Action, Deed
from labinterp.store.messages import MessagesWanted
from labinterp.usecases import idempotent, merging, senders
from labinterp.usecases import messages as intake
from labinterp.usecases.accept import Origin, again, order_for
from labinterp.usecases.acting import audited, who
from labinterp.usecases.changes import changes_between
from labinterp.usecases.correct import OVERTAKEN, Overtaken, correction_for, store_correction
from labinterp.usecases.cursors import cursor_of, position_of
from labinterp.usecases.replace import take_once
from labinterp.usecases.storing import nudge, result_keys

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from sqlalchemy import Connection

    from labinterp.formats.hl7v2_text import Message
    from labinterp.formats.hl7v2_tree import MessageSegment
    from labinterp.formats.sender_settings import SenderSettings
    from labinterp.model.interpretation import Interpretation
    from labinterp.model.submission import Received
    from labinterp.store.messages import MessageSummary, StoredMessage
    from labinterp.store.panels import StoredVersion
    from labinterp.usecases.services import Services

_MOST: Final = 200
_TRIES: Final = 3
_SEGMENT: Final = re.compile(r"[A-Z][A-Z0-9]{2}\[[0-9]+\]")
Change = Literal["new", "corrected", "unchanged", "refused"]


@dataclass(frozen=True, slots=True)
class MessagePage:
    """One page of messages, newest first."""

    items: tuple[MessageSummary, ...]
    next_cursor: str | None


@dataclass(frozen=True, slots=True)
class MessageView:
    """One message, taken apart.

    Attributes:
        text: as it came, in the charset it was read in.
        problems: what is wrong with it, or had to be assumed, as it is read now.
        answers: what its sender was told.
    """

    summary: MessageSummary
    charset: str
    text: str
    segments: tuple[MessageSegment, ...]
    problems: tuple[Place, ...]
    answers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ReplayRow:
    """One line of a message, as it is stored and as it is read now.

    Attributes:
        where: the segment, as problems name it; `panel` for what concerns the whole.
        before, after: the result and the problems, a sentence each.
    """

    where: str
    before: tuple[str, ...]
    after: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ReplayEffect:
    """What replaying a message makes (or would make) of one panel.

    Attributes:
        panel_id: none where a new one would be made.
        version: the one that was made, or that stands.
        why: why it is refused.
    """

    change: Change
    panel_id: str | None
    version: int | None
    rows: tuple[ReplayRow, ...]
    why: str | None = None


@dataclass(frozen=True, slots=True)
class Replay:
    """What came, or would come, of reading a message again.

    Attributes:
        faults: what its sender must mend still.
    """

    dry_run: bool
    effects: tuple[ReplayEffect, ...]
    faults: tuple[Place, ...]


def list_messages(
    services: Services,
    actor: Actor,
    *,
    sender: str | None = None,
    control_id: str | None = None,
    status: str | None = None,
    from_: datetime | None = None,
    to: datetime | None = None,
    cursor: str | None = None,
    limit: int = 50,
) -> MessagePage:
    """One page of the organisation's stored messages; nothing of their content.

    Raises:
        SubmissionError: code `cursor-invalid`.
    """
    require(actor, "admin")
    size = max(1, min(limit, _MOST))
    wanted = MessagesWanted(
        sender=sender,
        control_id=control_id,
        outcome=status,
        since=from_,
        until=to,
        after=position_of(cursor),
        limit=size + 1,
    )
    with services.store.reading() as connection:
        found = messages.page(connection, actor.organisation_id, wanted)
    audited(services, actor, Deed("E", "messages-listed", entity=f"messages:{len(found[:size])}"))
    last = found[size - 1] if len(found) > size else None
    return MessagePage(found[:size], cursor_of(last.received_at, last.id) if last else None)


def view_message(
    services: Services, actor: Actor, message_id: str, *, request_id: str = ""
) -> MessageView:
    """One message as it came and as it is read; whoever looks leaves a mark in the audit.

    Raises:
        NotFound: no such message in this organisation.
    """
    require(actor, "admin")
    found = _opened(services, actor, message_id, ("R", "message-read"), request_id)
    message, settings = _message(services, actor, found)
    return MessageView(
        summary=found.summary,
        charset=message.charset,
        text=message.body.decode(message.charset, "replace").replace("\r", "\n"),
        segments=tree_of(message),
        problems=_problems(services, actor, found, message, settings),
        answers=tuple(
            one.decode(message.charset, "replace").replace("\r", "\n") for one in found.answers
        ),
    )


def replay(
    services: Services, actor: Actor, message_id: str, *, dry_run: bool, request_id: str = ""
) -> Replay:
    """Read a message again with what is agreed with its sender now.

    Args:
        services: the wired parts.
        actor: an administrator.
        message_id: of a stored message.
        dry_run: only say what would change.
        request_id: for the audit.

    Raises:
        NotFound: no such message in this organisation.
        Conflict: its results are being changed by others at this moment.
        TemporaryFailure: the database cannot be had; doing it again is safe.
    """
    require(actor, "admin")
    deed: tuple[Action, str] = ("R", "message-tried") if dry_run else ("U", "message-replayed")
    found = _opened(services, actor, message_id, deed, request_id)
    message, settings = _message(services, actor, found)
    wrong = hl7v2.refusal_of(message)
    if wrong is not None:
        return Replay(dry_run, (), (wrong[1],))
    reading = hl7v2.read_message(message, _context(services, found), settings)
    job = _Job(services, actor, found, message, dry_run=dry_run, request_id=request_id)
    effects = tuple(
        effect
        for number, received in enumerate(reading.received, start=1)
        for effect in _of_patient(job, received, number)
    )
    if any(effect.change in ("new", "corrected") for effect in effects) and not dry_run:
        _answered_otherwise(job, effects, reading.faults, settings)
    return Replay(dry_run, effects, reading.faults)


# ---- reading what is stored


def _opened(
    services: Services,
    actor: Actor,
    message_id: str,
    deed: tuple[Action, str],
    request_id: str,
) -> StoredMessage:
    """A message with its content, which is not read without a mark for each of its panels."""

    def work(connection: Connection) -> StoredMessage:
        found = messages.read_message(
            connection, services.store.vault, actor.organisation_id, message_id
        )
        for panel_id in found.summary.panels or (None,):
            done = Deed(*deed, panel_id=panel_id, entity=f"message:{message_id}")
            audit.record(connection, who(actor, request_id), done, services.now())
        return found

    return services.store.write(work)


def _message(
    services: Services, actor: Actor, found: StoredMessage
) -> tuple[Message, SenderSettings]:
    message = envelope_of(found.body).messages[0]
    settings = senders.settings_for(services, actor.organisation_id, *message.sender)
    return intake.in_their_charset(message, settings), settings


def _context(services: Services, found: StoredMessage) -> Context:
    """It came when it came: what it leaves out is not read off today's clock."""
    limits = Limits(body_bytes=services.policy.body_limit)
    return Context(found.summary.received_at, limits)


def _problems(
    services: Services,
    actor: Actor,
    found: StoredMessage,
    message: Message,
    settings: SenderSettings,
) -> tuple[Place, ...]:
    """What its sender must mend, what had to be assumed, and what the panels' answers question."""
    wrong = hl7v2.refusal_of(message)
    if wrong is not None:
        return (wrong[1],)
    reading = hl7v2.read_message(message, _context(services, found), settings)
    told = [*reading.faults, *(Place(*one) for one in reading.problems)]
    for received in reading.received:
        try:
            answer = order_for(services, actor, received, Origin("hl7v2", "")).interpretation
        except SubmissionError as error:
            told += error.errors or (Place(received.where, error.code, error.message),)
        else:
            told += [Place(one.where, one.code, one.message) for one in answer.problems]
    return tuple(dict.fromkeys(told))


# ---- replaying


@dataclass(frozen=True, slots=True)
class _Job:
    """One message that is replayed, and for whom."""

    services: Services
    actor: Actor
    found: StoredMessage
    message: Message
    dry_run: bool
    request_id: str


def _of_patient(job: _Job, received: Received, number: int) -> list[ReplayEffect]:
    """What becomes of the panels that hold this patient's results of the message."""
    effects = []
    for panel_id in _holders(job, received):
        effect = _of_panel(job, received, panel_id)
        if effect is not None:
            effects.append(effect)
    return effects or [_as_new(job, received, number)]


def _holders(job: _Job, received: Received) -> list[str]:
    organisation_id = job.actor.organisation_id
    keys = set(result_keys(job.services, organisation_id, received).values())
    with job.services.store.reading() as connection:
        held = result_identities.held(connection, organisation_id, keys)
    return sorted({*job.found.summary.panels, *held.values()})


def _of_panel(job: _Job, received: Received, panel_id: str) -> ReplayEffect | None:
    """What becomes of one panel; None where it holds nothing of this message (any more)."""
    for _ in range(_TRIES):
        stored = _newest(job, panel_id)
        panel = merging.read_again(stored.panel, received.panel) if stored else None
        if stored is None or panel is None:
            return None
        if merging.is_the_same(stored.panel, panel):
            rows = _rows(stored.interpretation, stored.interpretation)
            return ReplayEffect("unchanged", panel_id, stored.version, rows)
        try:
            return _corrected(job, stored, merging.as_received(panel, received))
        except Overtaken:
            continue
        except SubmissionError as error:
            return ReplayEffect("refused", panel_id, stored.version, (), error.message)
    raise Overtaken(OVERTAKEN)


def _newest(job: _Job, panel_id: str) -> StoredVersion | None:
    services, organisation_id = job.services, job.actor.organisation_id
    with services.store.reading() as connection:
        try:
            return panels.read_version(connection, services.store.vault, organisation_id, panel_id)
        except NotFound:  # it was erased since
            return None


def _corrected(job: _Job, stored: StoredVersion, made: Received) -> ReplayEffect:
    """The panel's next version, or what it would be.

    Raises:
        Overtaken: another version came meanwhile; what to make of it is decided anew.
        SubmissionError: nothing of it can be read.
    """
    order = correction_for(job.services, job.actor, stored.panel_id, made)
    if order.version != stored.version + 1:
        raise Overtaken(OVERTAKEN)
    context = tuple(
        ReplayRow("panel", (), (one.text,))
        for one in changes_between(
            stored.interpretation, order.interpretation, stored.panel, made.panel
        )
        if one.kind == "context"
    )
    rows = (*_rows(stored.interpretation, order.interpretation), *context)
    if job.dry_run:
        return ReplayEffect("corrected", stored.panel_id, stored.version, rows)
    done = job.services.store.write(
        lambda connection: store_correction(
            job.services, connection, job.actor, order, job.request_id
        )
    )
    telemetry.count(telemetry.PANELS_ACCEPTED, made.submission.format)
    nudge(job.services)
    return ReplayEffect("corrected", stored.panel_id, done.version, rows)


def _as_new(job: _Job, received: Received, number: int) -> ReplayEffect:
    """A patient's results of which no panel was made before, taken in under the message's key."""
    services, actor = job.services, job.actor
    key = intake.key_of(actor.organisation_id, job.message, number)
    before = idempotent.replayed(services, key)
    if before is not None:
        kept = again(before)
        return ReplayEffect("unchanged", kept.panel_id, kept.version, ())
    origin = Origin("hl7v2", job.request_id)
    try:
        order = order_for(services, actor, received, origin)
        rows = _rows(None, order.interpretation)
        if job.dry_run:
            return ReplayEffect("new", None, None, rows)
        made = take_once(services, actor, received, key, origin)
    except Conflict:
        raise
    except SubmissionError as error:
        return ReplayEffect("refused", None, None, (), error.message)
    return ReplayEffect("new", made.panel_id, made.version, rows)


def _answered_otherwise(
    job: _Job,
    effects: Iterable[ReplayEffect],
    faults: tuple[Place, ...],
    settings: SenderSettings,
) -> None:
    """The same message again is answered by what it became at last."""
    services, summary = job.services, job.found.summary
    made = tuple(
        dict.fromkeys(
            (*summary.panels, *(one.panel_id for one in effects if one.panel_id is not None))
        )
    )
    refused = [
        Place("MSH[1]", "nothing-readable", one.why or "") for one in effects if one.why is not None
    ]
    record = intake.answer_to(
        services,
        job.message,
        settings,
        faults=(*faults, *refused),
        made=made,
        request_id=job.request_id,
    )
    record = replace(record, id=summary.id, received_at=summary.received_at)
    services.store.write(
        lambda connection: messages.answer_otherwise(
            connection, services.store.vault, job.actor.organisation_id, record
        )
    )


# ---- row by row


def _rows(before: Interpretation | None, after: Interpretation) -> tuple[ReplayRow, ...]:
    was, now = _lines(before), _lines(after)
    return tuple(
        ReplayRow(where, tuple(was.get(where, ())), tuple(now.get(where, ())))
        for where in dict.fromkeys((*now, *was))
    )


def _lines(found: Interpretation | None) -> dict[str, list[str]]:
    """What is said of each line of a message: its result, then what is questioned of it."""
    lines: dict[str, list[str]] = {}
    if found is None:
        return lines
    for result in found.results:
        if result.reported is not None:
            said = (result.reported.comparator, result.reported.value, result.reported.unit)
            value = " ".join(part for part in said if part) or "no value"
            flag = f", flag {result.reported.flag}" if result.reported.flag else ""
            told = f"{result.measurand or result.name}: {value}, {result.standing}{flag}"
            lines.setdefault(_segment(result.where), []).append(told)
    for problem in found.problems:
        told = f"{problem.code}: {problem.message}"
        lines.setdefault(_segment(problem.where), []).append(told)
    return lines


def _segment(where: str) -> str:
    match = _SEGMENT.search(where)
    return match[0] if match else where or "panel"
