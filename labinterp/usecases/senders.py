"""Sending systems: registering them, what was agreed with each, and what a change would do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy.exc import IntegrityError

from labinterp import formats
from labinterp.access import Actor, require
from labinterp.errors import (
    AccessDenied,
    Conflict,
    LabinterpError,
    NotFound,
    Place,
    SubmissionError,
)
from labinterp.formats import hl7v2
from labinterp.formats.hl7v2_text import envelope_of
from labinterp.formats.limits import Context
from labinterp.formats.sender_settings import PLAIN, SenderSettings, settings_of
from labinterp.store import audit, messages, people, senders
from labinterp.store.audit import Action, Deed, Who
from labinterp.store.rows import SenderRecord
from labinterp.store.store import fresh_id
from labinterp.usecases.acting import who
from labinterp.usecases.administer import one_line, system_actor
from labinterp.usecases.explained import interpreted

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from sqlalchemy import Connection

    from labinterp.model.submission import Received
    from labinterp.usecases.services import Services

_TRIED: Final = 20


@dataclass(frozen=True, slots=True)
class Effect:
    """What other settings would change in one stored message.

    Attributes:
        before, after: of each result: its place, the test it was read as, its value and flag.
    """

    control_id: str
    before: tuple[str, ...]
    after: tuple[str, ...]


def create_sender(
    services: Services,
    actor: Actor,
    *,
    name: str,
    application: str,
    facility: str,
    settings: Mapping[str, Any],
    request_id: str = "",
) -> SenderRecord:
    """Register a system by the names in its messages.

    Raises:
        SubmissionError: a name or the settings cannot be used.
        Conflict: another sender has these names.
    """
    require(actor, "admin")
    _checked(services, settings)
    now = services.now()
    record = SenderRecord(
        id=fresh_id(now),
        organisation_id=actor.organisation_id,
        name=one_line("name", name),
        application=one_line("application", application) if application else "",
        facility=one_line("facility", facility) if facility else "",
        settings=dict(settings),
        created_at=now,
        changed_at=now,
    )
    if not (record.application or record.facility):
        message = "Name the application (MSH-3) or the facility (MSH-4)."
        raise SubmissionError(message, errors=(Place("application", "missing-member", message),))

    def work(connection: Connection) -> None:
        senders.add_sender(connection, record)
        _note(services, connection, who(actor, request_id), record, ("C", "sender-created"))

    try:
        services.store.write(work)
    except IntegrityError as error:
        raise Conflict("Another sender has this application and facility.") from error
    return record


def all_senders(services: Services, organisation_id: str | None) -> tuple[SenderRecord, ...]:
    """Those of one organisation, or everyone's (the command line)."""
    with services.store.reading() as connection:
        return senders.senders(connection, organisation_id)


def list_senders(services: Services, actor: Actor) -> tuple[SenderRecord, ...]:
    """Those of the actor's organisation."""
    require(actor, "admin")
    return all_senders(services, actor.organisation_id)


def read_sender(services: Services, actor: Actor, sender_id: str) -> SenderRecord:
    """One of them.

    Raises:
        NotFound: no such sender in this organisation.
    """
    require(actor, "admin")
    with services.store.reading() as connection:
        return senders.read_sender(connection, actor.organisation_id, sender_id)


def change_sender(
    services: Services,
    actor: Actor,
    sender_id: str,
    *,
    name: str | None,
    settings: Mapping[str, Any],
    request_id: str = "",
) -> SenderRecord:
    """Other settings, from the next message on; stored panels stay as they are.

    Raises:
        NotFound: no such sender in this organisation.
        SubmissionError: the settings cannot be used.
    """
    before = read_sender(services, actor, sender_id)
    _checked(services, settings)
    called = one_line("name", name) if name else before.name

    def work(connection: Connection) -> SenderRecord:
        changed = senders.change_sender(
            connection,
            actor.organisation_id,
            sender_id,
            name=called,
            settings=settings,
            now=services.now(),
        )
        if not changed:
            raise NotFound("There is no such sender.")
        _note(services, connection, who(actor, request_id), before, ("U", "sender-changed"))
        return senders.read_sender(connection, actor.organisation_id, sender_id)

    return services.store.write(work)


def delete_sender(
    services: Services, actor: Actor, sender_id: str, *, request_id: str = ""
) -> None:
    """Forget it; its messages and panels stay.

    Raises:
        NotFound: no such sender in this organisation.
    """
    before = read_sender(services, actor, sender_id)

    def work(connection: Connection) -> None:
        if not senders.remove_sender(connection, actor.organisation_id, sender_id):
            raise NotFound("There is no such sender.")
        _note(services, connection, who(actor, request_id), before, ("D", "sender-deleted"))

    services.store.write(work)


def dry_run(
    services: Services,
    actor: Actor,
    sender_id: str,
    settings: Mapping[str, Any],
    *,
    table: str = "",
    request_id: str = "",
) -> tuple[Effect, ...]:
    """What these settings would change in the sender's newest stored messages; nothing is changed.

    Args:
        services: the wired parts.
        actor: an administrator.
        sender_id: whose messages.
        settings: to be tried.
        table: one of its tables; tables are not kept as they came, so one is brought along.
        request_id: for the audit.

    Raises:
        NotFound: no such sender in this organisation.
        SubmissionError: the settings cannot be used.
    """
    record = read_sender(services, actor, sender_id)
    new, old = _checked(services, settings), settings_of(record.settings)

    def stored(connection: Connection) -> tuple[tuple[str, bytes], ...]:
        _note(services, connection, who(actor, request_id), record, ("R", "sender-tried"))
        return messages.bodies(
            connection,
            services.store.vault,
            actor.organisation_id,
            (record.application, record.facility),
            _TRIED,
        )

    effects = (
        Effect(
            control_id,
            _outline(services, actor, body, old),
            _outline(services, actor, body, new),
        )
        for control_id, body in services.store.write(stored)
    )
    if not table:
        return tuple(effects)
    body = table.encode()
    both = (_table_outline(services, actor, body, one) for one in (old, new))
    return (Effect("table", *both), *effects)


def settings_for(
    services: Services, organisation_id: str, application: str, facility: str
) -> SenderSettings:
    """What was agreed with the sender of these names; nothing where it is not registered."""
    with services.store.reading() as connection:
        found = senders.by_names(connection, application, facility)
    if found is None or found.organisation_id != organisation_id:
        return PLAIN
    return settings_of(found.settings)


def settings_by_id(services: Services, actor: Actor, sender_id: str) -> SenderSettings:
    """What was agreed with a sender that a request names; nothing where it names none.

    Raises:
        NotFound: no such sender in this organisation.
    """
    return settings_of(document_by_id(services, actor, sender_id))


def document_by_id(services: Services, actor: Actor, sender_id: str) -> Mapping[str, Any]:
    """The same as a document that can be kept with a job.

    Raises:
        NotFound: no such sender in this organisation.
    """
    if not sender_id:
        return {}
    with services.store.reading() as connection:
        return senders.read_sender(connection, actor.organisation_id, sender_id).settings


def actor_of_sender(
    services: Services,
    application: str,
    facility: str,
    *,
    organisation: str = "",
    address: str = "",
) -> Actor:
    """For whom a message over a bare connection is taken.

    The organisation that registered the sender; else the one that is named, or the only one.

    Raises:
        AccessDenied: `sender-unknown`.
    """
    with services.store.reading() as connection:
        found = senders.by_names(connection, application, facility)
        every = people.organisations(connection)
    wanted = found.organisation_id if found else organisation
    fitting = [one for one in every if wanted in (one.id, one.name)] if wanted else list(every)
    if len(fitting) != 1:
        message = "No organisation has registered this sending application and facility."
        raise AccessDenied(message, code="sender-unknown")
    acting = system_actor(fitting[0])
    return Actor(
        organisation_id=acting.organisation_id,
        organisation=acting.organisation,
        kind="system",
        id=found.id if found else acting.id,
        name=found.name if found else "HL7 v2 (MLLP)",
        scopes=frozenset(("panels:write",)),
        address=address,
        choices=acting.choices,
    )


def _checked(services: Services, settings: Mapping[str, Any]) -> SenderSettings:
    """Usable, and its codes mean measurands there are.

    Raises:
        SubmissionError: each fault is named.
    """
    made = settings_of(settings)
    known = services.knowledge.measurands
    wrong = tuple(
        Place(f"codes.{code}", "not-allowed", f"“{measurand[:60]}” is no measurand's id")
        for code, measurand in made.codes.items()
        if measurand not in known
    )
    if wrong:
        raise SubmissionError(f"{wrong[0].where}: {wrong[0].message}", errors=wrong)
    return made


def _outline(
    services: Services, actor: Actor, body: bytes, settings: SenderSettings
) -> tuple[str, ...]:
    """Each result of a message in a line, read with these settings; nothing of it is kept."""
    lines: list[str] = []
    for message in envelope_of(body, settings.charset).messages:
        read = hl7v2.read_message(message, Context(services.now()), settings)
        lines += [f"{one.where}: {one.code}" for one in read.faults]
        lines += _lines(services, actor, read.received)
    return tuple(sorted(lines))


def _table_outline(
    services: Services, actor: Actor, body: bytes, settings: SenderSettings
) -> tuple[str, ...]:
    """The same of a table."""
    try:
        read = formats.read("csv", body, services.now(), settings=settings)
    except SubmissionError as error:
        return tuple(sorted(f"{one.where}: {one.code}" for one in error.errors)) or (error.code,)
    lines = [f"{one.where}: {one.code}" for one in read.refused]
    return tuple(sorted([*lines, *_lines(services, actor, read.received)]))


def _lines(services: Services, actor: Actor, several: Iterable[Received]) -> list[str]:
    lines: list[str] = []
    for received in several:
        try:
            answer = interpreted(services, received.submission, actor.choices)
        except LabinterpError as error:
            lines.append(f"{received.where or 'message'}: {error.code}")
            continue
        lines += [
            f"{one.where}: {one.measurand} {one.standing}"
            for one in answer.results
            if one.reported is not None
        ]
        lines += [f"{one.where}: {one.code}" for one in answer.problems]
    return lines


def _note(
    services: Services,
    connection: Connection,
    acting: Who,
    record: SenderRecord,
    deed: tuple[Action, str],
) -> None:
    action, subtype = deed
    done = Deed(action, subtype, entity=f"sender:{record.id}")
    audit.record(connection, acting, done, services.now())
