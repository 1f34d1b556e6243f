"""One patient's data: all of it handed over, or all of it erased.

A patient is named by an identifier and, where two issuers gave out the same one, its issuer: what
two issuers call MRN-1 may be two people. A panel without an identifier is named by its own id.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from labinterp.access import Actor, require
from labinterp.errors import Conflict, NotFound, Place, SubmissionError
from labinterp.reporting import fhir
from labinterp.store import audit, background, erasure, messages, panels, patient_pages
from labinterp.store.audit import Deed
from labinterp.store.erasure import Erasing, Traces
from labinterp.store.records import written
from labinterp.usecases import audit_trail
from labinterp.usecases.acting import audited, who
from labinterp.usecases.document import panel_document, text_of
from labinterp.usecases.fhir_orders import fhir_order
from labinterp.usecases.read import read_panel, read_report

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from sqlalchemy import Connection

    from labinterp.usecases.services import Services

_LONGEST_WHY: Final = 200


@dataclass(frozen=True, slots=True)
class Patient:
    """Whom it is about, and their panels.

    Attributes:
        issuer: None where the panels name none, or where a panel was named by its own id.
        panel_ids: oldest first.
    """

    identifier: str | None
    issuer: str | None
    panel_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Erased:
    """How much was erased.

    Attributes:
        messages: as they had come; one that held other patients too went with the rest.
        exports: bulk exports of the organisation, which anybody can ask for again.
    """

    panels: int
    messages: int
    exports: int


def patient_of(
    services: Services, actor: Actor, identifier: str, issuer: str | None = None
) -> Patient:
    """The patient with this identifier.

    Raises:
        NotFound: no panel in this organisation is of such a patient.
        Conflict: code `several-issuers`: say which.
    """
    require(actor, "admin")
    with services.store.reading() as connection:
        found = panels.of_identifier(
            connection, services.store.vault, actor.organisation_id, identifier
        )
    issuers = {one.issuer for _, one in found}
    if issuer is None and len(issuers) > 1:
        named = ", ".join(sorted(each or "(none)" for each in issuers))
        raise Conflict(
            f"Several issuers gave out this identifier; name one of them: {named}.",
            code="several-issuers",
        )
    ids = tuple(each for each, one in found if issuer is None or one.issuer == (issuer or None))
    if not ids:
        raise NotFound("There is no panel of such a patient.")
    return Patient(identifier, next(iter(issuers)) if issuer is None else issuer or None, ids)


def patient_of_panel(services: Services, actor: Actor, panel_id: str) -> Patient:
    """The one panel with this id, whoever it is of.

    Raises:
        NotFound: there is none in this organisation.
    """
    require(actor, "admin")
    with services.store.reading() as connection:
        panels.newest_version(connection, actor.organisation_id, panel_id)
    return Patient(None, None, (panel_id,))


# ---- handing over


def exported(services: Services, actor: Actor, patient: Patient) -> Iterator[tuple[str, bytes]]:
    """Everything stored of a patient, as files: their paths and bytes, `index.json` the last.

    Of each version of each panel: the record (what was received, the interpretation, what became of
    each mail), the FHIR Bundle and the PDF; the pages released to the patient; the HL7 v2 messages
    that hold nobody else; the audit.
    """
    require(actor, "admin")
    listed = []
    for panel_id in patient.panel_ids:
        for version in range(1, _newest(services, actor, panel_id) + 1):
            kept = list(_version(services, actor, panel_id, version))
            yield from kept
            listed += [name for name, _ in kept]
        for name, body in _released(services, actor, panel_id):
            yield name, body
            listed.append(name)
    for name, body in _messages(services, actor, patient):
        yield name, body
        listed.append(name)
    audited(services, actor, Deed("R", "patient-exported", entity=_counted(patient)))
    yield "audit.ndjson", b"".join(_audit(services, actor, patient))
    index = {
        "patient": {"identifier": patient.identifier, "system": patient.issuer},
        "organisation": actor.organisation,
        "exported_at": text_of(services.now()),
        "panels": list(patient.panel_ids),
        "files": [*listed, "audit.ndjson"],
    }
    yield "index.json", _json(index)


def _newest(services: Services, actor: Actor, panel_id: str) -> int:
    with services.store.reading() as connection:
        return panels.newest_version(connection, actor.organisation_id, panel_id)


def _version(
    services: Services, actor: Actor, panel_id: str, version: int
) -> Iterator[tuple[str, bytes]]:
    folder = f"panels/{panel_id}/{version}"
    record = read_panel(services, actor, panel_id, version)
    yield f"{folder}/record.json", written(panel_document(record)).encode()
    bundle = fhir.bundle(fhir_order(services, record), services.knowledge)
    yield f"{folder}/fhir.json", written(bundle).encode()
    if record.report.status == "ready":
        document = read_report(services, actor, panel_id, version)
        if document.pdf is not None:
            yield f"{folder}/{document.file_name or 'report.pdf'}", document.pdf


def _released(services: Services, actor: Actor, panel_id: str) -> Iterator[tuple[str, bytes]]:
    """The pages that were released to the patient, withdrawn ones too."""
    with services.store.reading() as connection:
        for page_id in patient_pages.pages_of(connection, actor.organisation_id, panel_id):
            page, pdf = patient_pages.read_page(
                connection, services.store.vault, actor.organisation_id, page_id
            )
            name = f"panels/{panel_id}/patient-pages/{page_id}"
            yield f"{name}.json", written(page).encode()
            yield f"{name}.pdf", pdf


def _messages(services: Services, actor: Actor, patient: Patient) -> Iterator[tuple[str, bytes]]:
    with services.store.reading() as connection:
        found = erasure.traces(connection, actor.organisation_id, patient.panel_ids)
        for message_id in found.messages:
            held, body = messages.read(
                connection, services.store.vault, actor.organisation_id, message_id
            )
            if set(held) <= set(patient.panel_ids):
                yield f"messages/{message_id}.hl7", body


def _audit(services: Services, actor: Actor, patient: Patient) -> Iterator[bytes]:
    with services.store.reading() as connection:
        for event in audit.in_order(connection, actor.organisation_id, panel_ids=patient.panel_ids):
            yield _json(audit_trail.as_fhir(event))


def _json(document: object) -> bytes:
    return json.dumps(document, separators=(",", ":")).encode() + b"\n"


def _counted(patient: Patient) -> str:
    return f"panels:{len(patient.panel_ids)}"


# ---- erasing


def erase(services: Services, actor: Actor, patient: Patient, why: str) -> Erased:
    """Remove a patient's panels with everything made of them, in one transaction.

    A tombstone stays for each panel, and the audit: who did what when, without the patient's name.
    Bulk exports of the organisation are removed whole: what they hold of whom is not known.

    Args:
        services: the wired parts.
        actor: who erases.
        patient: whose.
        why: the reason, one line without the patient's name; it stands in the audit.

    Raises:
        SubmissionError: no reason.
        Conflict: code `jobs-open`: a large body is just being taken in that may hold the patient.
    """
    require(actor, "admin")
    reason = _reason(why)
    organisation_id = actor.organisation_id
    with services.store.reading() as connection:
        _nothing_comes_in(connection, organisation_id)
        found = _traces(services, connection, organisation_id, patient)
        exports = erasure.jobs(connection, organisation_id, "export")
    erasing = Erasing(organisation_id, actor.id, reason, services.now())

    def work(connection: Connection) -> int:
        _nothing_comes_in(connection, organisation_id)
        for job_id in exports:
            background.remove_job(connection, organisation_id, "export", job_id)
        return removed(connection, actor, patient.panel_ids, found, erasing)

    gone = services.store.write(work)
    erasure.finish(services.store)
    return Erased(gone, len(found.messages), len(exports))


def _traces(
    services: Services, connection: Connection, organisation_id: str, patient: Patient
) -> Traces:
    """Where the panels are mentioned; and messages of the patient that were refused."""
    found = erasure.traces(connection, organisation_id, patient.panel_ids)
    if patient.identifier is None:
        return found
    refused = messages.refused_with(
        connection, services.store.vault, organisation_id, patient.identifier
    )
    return replace(found, messages=(*found.messages, *refused))


def removed(
    connection: Connection,
    actor: Actor,
    panel_ids: Collection[str],
    found: Traces,
    erasing: Erasing,
) -> int:
    """Remove panels in the caller's transaction, each with its mark in the audit; how many."""
    erasure.forget(connection, erasing.organisation_id, found)
    gone = [each for each in sorted(panel_ids) if erasure.erase_panel(connection, each, erasing)]
    for each in gone:
        deed = Deed("D", "panel-erased", why=erasing.why, panel_id=each)
        audit.record(connection, who(actor), deed, erasing.now)
    return len(gone)


def _nothing_comes_in(connection: Connection, organisation_id: str) -> None:
    waiting = erasure.open_jobs(connection, organisation_id, "bulk")
    if waiting:
        raise Conflict(
            "A large body is just being taken in, and may hold this patient. Wait until it is done,"
            f" or cancel it: {', '.join(waiting)}.",
            code="jobs-open",
        )


def _reason(why: str) -> str:
    kept = why.strip()
    if not kept or len(kept) > _LONGEST_WHY or not kept.isprintable():
        message = f"A reason is one line of 1 to {_LONGEST_WHY} characters."
        raise SubmissionError(
            message, code="reason-invalid", errors=(Place("reason", "reason-invalid", message),)
        )
    return kept
