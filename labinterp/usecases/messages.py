"""HL7 v2 messages: its panels are kept, then it with its answer, and only then is it answered.

Each panel is kept under a key made of the message, which does not expire, so that a message whose
taking in was cut off anywhere makes nothing twice when it is sent again, however late. The same
message again gets the same answer.
"""

from __future__ import annotations

from dataclasses import dataclass
from dataclasses import replace as replace_record
from hashlib import sha256
from typing import TYPE_CHECKING, Final, Literal

from sqlalchemy.exc import IntegrityError

from labinterp import telemetry
from labinterp.access import Actor, require
from labinterp.errors import AccessDenied, Conflict, Place, SubmissionError, TemporaryFailure
from labinterp.formats import hl7v2, hl7v2_ack
from labinterp.formats.hl7v2_ack import Remark
from labinterp.formats.hl7v2_text import Envelope, Message, envelope_of
from labinterp.formats.limits import Context, Limits
from labinterp.formats.sender_settings import PLAIN
from labinterp.reporting.hl7v2 import APPLICATION
from labinterp.store import messages, panels
from labinterp.store.messages import Known, MessageRecord
from labinterp.store.store import CommitUnknown, fresh_id
from labinterp.usecases import idempotent, senders
from labinterp.usecases.accept import Origin
from labinterp.usecases.replace import take_once

if TYPE_CHECKING:
    from collections.abc import Callable

    from labinterp.formats.sender_settings import SenderSettings
    from labinterp.model.interpretation import Interpretation
    from labinterp.model.submission import Received
    from labinterp.usecases.idempotent import Key
    from labinterp.usecases.outcomes import Accepted
    from labinterp.usecases.services import Services

_LONGEST_ID: Final = 20
_MOST: Final = 50
_TRIES: Final = 3
_OURS: Final = Place(
    "MSH[1]-4", "own-message", "this organisation sent it itself; it is not taken in again"
)
Outcome = Literal["AA", "AE", "AR"]


@dataclass(frozen=True, slots=True)
class Answer:
    """What is sent back for one message.

    Attributes:
        frames: each a message of its own; none where the sender asked for none.
        panels: ids of the panels it became, now or when it came first.
    """

    outcome: Outcome
    frames: tuple[bytes, ...]
    panels: tuple[str, ...] = ()
    replayed: bool = False


@dataclass(frozen=True, slots=True)
class _Asked:
    """One message, by whom, and by which door.

    Attributes:
        reused: another message came under its control id.
    """

    actor: Actor
    message: Message
    settings: SenderSettings
    known: Known
    door: str
    request_id: str
    reused: bool = False


@dataclass(frozen=True, slots=True)
class _Done:
    """What became of one message."""

    outcome: Outcome
    panels: tuple[str, ...]
    remarks: tuple[Remark, ...]


def take(
    services: Services,
    body: bytes,
    whose: Callable[[Message], Actor],
    *,
    door: str,
    request_id: str = "",
) -> tuple[Answer, ...]:
    """Every message of a body, each its own transaction and its own answer.

    Args:
        services: the wired parts.
        body: as it came, framed or not, one message or a batch.
        whose: who sends a message; AccessDenied refuses that message.
        door: `http` or `mllp`.
        request_id: for the audit, and for the answer where it is short enough.

    Raises:
        SubmissionError: no message begins in it.
    """
    envelope = envelope_of(body)
    answers = [
        _answered(services, message, whose, door, request_id) for message in envelope.messages
    ]
    answers += [_broken(services, place) for _, place in envelope.broken]
    return tuple(answers)


def agreed_for(services: Services, actor: Actor, body: bytes) -> SenderSettings:
    """What was agreed with the sender of a body's first message, to read it without keeping it.

    Raises:
        SubmissionError: no message begins in it.
    """
    for message in envelope_of(body).messages:
        return senders.settings_for(services, actor.organisation_id, *message.sender)
    return PLAIN


def unreadable(services: Services, reason: str) -> bytes:
    """The answer to bytes in which no message begins."""
    now = services.now()
    return hl7v2_ack.unreadable(reason, now=now, id_=_own_id(services, ""))


def _broken(services: Services, place: Place) -> Answer:
    return Answer("AR", (unreadable(services, place.message),))


def _answered(
    services: Services,
    message: Message,
    whose: Callable[[Message], Actor],
    door: str,
    request_id: str,
) -> Answer:
    """One message; whatever fails, its sender is told so and may send it again."""
    try:
        actor = whose(message)
        require(actor, "panels:write")
        return _take_one(services, actor, message, door, request_id)
    except AccessDenied as error:
        place = Place("MSH[1]-3", error.code, error.message)
        return _refused(services, message, Remark(place), request_id)
    except (TemporaryFailure, Conflict) as error:
        telemetry.count(telemetry.PANELS_REFUSED, error.code)
        place = Place("MSH[1]", error.code, f"{error.message} Send it again later.")
        return _refused(services, message, Remark(place, condition="207"), request_id)


def _refused(services: Services, message: Message, remark: Remark, request_id: str) -> Answer:
    frames = hl7v2_ack.acknowledgements(
        message, "AR", (remark,), now=services.now(), id_=_own_id(services, request_id)
    )
    return Answer("AR", frames)


def _take_one(
    services: Services, actor: Actor, message: Message, door: str, request_id: str
) -> Answer:
    if _is_ours(message, actor):
        return _refused(services, message, Remark(_OURS, condition="207"), request_id)
    settings = senders.settings_for(services, actor.organisation_id, *message.sender)
    message = in_their_charset(message, settings)
    known = Known(
        actor.organisation_id,
        message.sender,
        message.control_id,
        sha256(message.body).hexdigest(),
    )
    asked = _Asked(actor, message, settings, known, door, request_id)
    for _ in range(_TRIES):
        with services.store.reading() as connection:
            before = messages.find(connection, services.store.vault, known)
            reused = bool(known.control_id) and messages.is_reused(connection, known)
        if before is not None and (before.outcome == "AA" or before.panels):
            return Answer(_word(before.outcome), before.frames, before.panels, replayed=True)
        done = _done(services, replace_record(asked, reused=reused))
        try:
            return _kept(services, asked, done)
        except (IntegrityError, CommitUnknown):
            continue  # on another connection, or unknown: what is stored is read, not guessed
    raise TemporaryFailure("The same message is being stored just now.")


def _is_ours(message: Message, actor: Actor) -> bool:
    """Did this organisation send it itself, as what it made of other results?

    Taken in, it would become a panel, be sent again, and so on for ever.
    """
    header = message.header
    return (header.component(3), header.component(4, 2)) == (APPLICATION, actor.organisation_id)


def _word(outcome: str) -> Outcome:
    return "AA" if outcome == "AA" else "AE" if outcome == "AE" else "AR"


def in_their_charset(message: Message, settings: SenderSettings) -> Message:
    """Read again in the charset agreed with the sender, where it does not say its own."""
    if not settings.charset or not message.problems:
        return message
    again: Envelope = envelope_of(message.body, settings.charset)
    return again.messages[0] if again.messages else message


def _done(services: Services, asked: _Asked) -> _Done:
    """Keep the panels of a message, each by itself, and gather what is to be told of them."""
    message = asked.message
    wrong = hl7v2.refusal_of(message)
    if wrong is not None:
        return _Done("AR", (), (Remark(wrong[1], condition=wrong[0]),))
    context = Context(services.now(), Limits(body_bytes=services.policy.body_limit))
    reading = hl7v2.read_message(message, context, asked.settings)
    faults = [Remark(place) for place in reading.faults]
    told: list[Remark] = []
    if asked.reused:
        text = "another message came under this control id; this one was taken as new"
        told.append(Remark(Place("MSH[1]-10", "control-id-reused", text), "W"))
    kept: list[Accepted] = []
    for number, received in enumerate(reading.received, start=1):
        try:
            kept.append(_panel(services, asked, received, number))
        except Conflict:
            raise
        except SubmissionError as error:
            if _says_nothing(received) and not reading.faults:
                told.append(Remark(_nothing(received), "W"))
            else:
                listed = error.errors or (Place(received.where, error.code, error.message),)
                faults += [Remark(place) for place in listed]
    told += _problems(services, asked.actor, kept)
    if not kept:
        told += [Remark(Place(*problem), "W") for problem in reading.problems]
    ids = tuple(dict.fromkeys(one.panel_id for one in kept))
    return _Done("AE" if faults else "AA", ids, (*_once(faults), *_once(told))[:_MOST])


def _panel(services: Services, asked: _Asked, received: Received, number: int) -> Accepted:
    """A new panel, or the next version of the one it corrects."""
    key = key_of(asked.actor.organisation_id, asked.message, number)
    return take_once(services, asked.actor, received, key, Origin("hl7v2", asked.request_id))


def key_of(organisation_id: str, message: Message, number: int) -> Key:
    """Under which a message's panel of this number is made once."""
    digest = sha256(message.body).hexdigest()
    return idempotent.lasting_key(organisation_id, f"hl7v2:{digest}:{number}", digest)


def _problems(services: Services, actor: Actor, kept: list[Accepted]) -> list[Remark]:
    """What the answers of the panels question, as remarks."""
    return [
        Remark(Place(problem.where, problem.code, problem.message), "W")
        for one in kept
        for problem in _answer_of(services, actor, one).problems
    ]


def _answer_of(services: Services, actor: Actor, one: Accepted) -> Interpretation:
    if one.interpretation is not None:
        return one.interpretation
    vault, organisation_id = services.store.vault, actor.organisation_id
    with services.store.reading() as connection:
        return panels.read_version(
            connection, vault, organisation_id, one.panel_id, one.version
        ).interpretation


def _once(remarks: list[Remark]) -> tuple[Remark, ...]:
    return tuple(dict.fromkeys(remarks))


def _says_nothing(received: Received) -> bool:
    """Has no result of it a value, so that there was nothing to be read?"""
    return all(result.value is None for result in received.submission.results)


def _nothing(received: Received) -> Place:
    text = "no result has a value; the message was kept and no panel was made of it"
    return Place(received.where or "OBX[1]", "not-measured", text)


def _kept(services: Services, asked: _Asked, done: _Done) -> Answer:
    """The message with its answer; only when it is on disk is there one."""
    record = _record(services, asked.message, asked.settings, done, asked.request_id)
    services.store.write(
        lambda connection: messages.add(
            connection,
            services.store.vault,
            asked.known,
            record,
            door=asked.door,
            body=asked.message.body,
        )
    )
    return Answer(done.outcome, record.frames, record.panels)


def answer_to(
    services: Services,
    message: Message,
    settings: SenderSettings,
    *,
    faults: tuple[Place, ...],
    made: tuple[str, ...],
    request_id: str,
) -> MessageRecord:
    """How a message that was read again is answered from now on."""
    done = _Done("AE" if faults else "AA", made, tuple(map(Remark, faults)))
    return _record(services, message, settings, done, request_id)


def _record(
    services: Services,
    message: Message,
    settings: SenderSettings,
    done: _Done,
    request_id: str,
) -> MessageRecord:
    now = services.now()
    return MessageRecord(
        id=fresh_id(now),
        outcome=done.outcome,
        frames=hl7v2_ack.acknowledgements(
            message,
            done.outcome,
            done.remarks,
            now=now,
            id_=_own_id(services, request_id),
            both=settings.acknowledgements == "both",
        ),
        panels=done.panels,
        received_at=now,
    )


def _own_id(services: Services, request_id: str) -> str:
    """Our MSH-10: the request's id where a sender can keep it, else a new one."""
    usable = 0 < len(request_id) <= _LONGEST_ID and request_id.isalnum()
    return request_id if usable else fresh_id(services.now())[:_LONGEST_ID]
