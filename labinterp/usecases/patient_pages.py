"""The page for the patient: released by a clinician, for one version of one panel, or not at all.

Off unless the operator allows it. What was released is kept as it was shown; a correction, a
withdrawal or a newer release ends it. Who released it, and every reading, is in the audit.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from labinterp.access import Actor, require
from labinterp.errors import Conflict, NotFound, Place, ReportFailure, SubmissionError
from labinterp.store import audit, panels, patient_pages, reports
from labinterp.store.audit import Deed
from labinterp.store.records import from_document, to_document
from labinterp.store.rows import PatientPageRecord
from labinterp.store.store import fresh_id
from labinterp.usecases.acting import audited, who
from labinterp.usecases.orders import document_status

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from labinterp.reporting.patient_page import Made, PatientPage
    from labinterp.store.panels import StoredVersion
    from labinterp.store.rows import ReportRecord
    from labinterp.usecases.services import Services

OFF: Final = "patient-page-off"
NOT_RELEASED: Final = "patient-page-not-released"
_LONGEST: Final = 200
_NOT_YET: Final = "preliminary"
_TAKEN_BACK: Final = "cancelled"


@dataclass(frozen=True, slots=True)
class ReleasedPage:
    """A page that is released, with everything shown of it."""

    record: PatientPageRecord
    page: PatientPage
    pdf: bytes


def offered(services: Services) -> tuple[tuple[str, str, bool], ...]:
    """The languages a page can be released in: code, own name, checked; none where it is off."""
    if not services.policy.patient_page:
        return ()
    from labinterp.reporting.patient_page import languages  # noqa: PLC0415 - costs start-up

    return languages(services.knowledge.patient)


def release(
    services: Services,
    actor: Actor,
    panel_id: str,
    *,
    language: str,
    contact: str = "",
    released_by: str = "",
    version: int | None = None,
    request_id: str = "",
) -> ReleasedPage:
    """Make the page of the newest version and release it in the name of a clinician.

    Args:
        services: the wired parts.
        actor: who does it; of a person, the name is the clinician's.
        panel_id: whose page.
        language: `en`, `es`, `fr` or `de`.
        contact: whom the patient asks; the operator's setting if empty.
        released_by: the clinician's name, where no person is signed in.
        version: the one whose page was read; if another is the newest, nothing is released.
        request_id: for the audit.

    Raises:
        Conflict: code `patient-page-off`: the operator has not switched it on; or the panel is
            preliminary, withdrawn or without an identifier; or a name cannot be printed; or code
            `superseded`: another version is the newest.
        NotFound: no such panel in this organisation.
        SubmissionError: no such language, nobody to ask, or nobody who releases it.
    """
    require(actor, "deliveries:write")
    _is_on(services)
    told = _said(services, actor, language=language, contact=contact, released_by=released_by)
    now, organisation_id = services.now(), actor.organisation_id
    stored, report = _stored(services, actor, panel_id)
    if version not in (None, stored.version):
        raise _changed(stored.version)
    made, drawn = _made(services, stored, report, told)
    record = replace(
        told,
        id=fresh_id(now),
        panel_id=panel_id,
        version=stored.version,
        language=made.page.language,
        digest=drawn.digest,
        file_name=drawn.file_name,
    )

    def work(connection: Connection) -> PatientPageRecord:
        newest = panels.newest_version(connection, organisation_id, panel_id, lock=True)
        if newest != record.version:
            raise _changed(newest)
        patient_pages.withdraw_pages(connection, organisation_id, panel_id, told.released_by, now)
        patient_pages.add_page(
            connection,
            services.store.vault,
            organisation_id,
            record,
            page=to_document(made.page),
            pdf=drawn.pdf,
            released_by_id=actor.id,
        )
        deed = _deed("C", "patient-page-released", record, stored.patient_key)
        audit.record(connection, who(actor, request_id), deed, now)
        return record

    return _opened(services, actor, services.store.write(work))


def _stored(services: Services, actor: Actor, panel_id: str) -> tuple[StoredVersion, ReportRecord]:
    """The newest version and its report, if a page may be made of them."""
    with services.store.reading() as connection:
        stored = panels.read_version(
            connection, services.store.vault, actor.organisation_id, panel_id
        )
        report = reports.read_report(connection, actor.organisation_id, panel_id, stored.version)
    _can_be_released(stored, report)
    return stored, report


def _changed(newest: int) -> Conflict:
    return Conflict(
        f"The panel was corrected meanwhile: version {newest} is the newest. Read its page first.",
        code="superseded",
    )


def preview(
    services: Services,
    actor: Actor,
    panel_id: str,
    *,
    language: str,
    contact: str = "",
    released_by: str = "",
    request_id: str = "",
) -> PatientPage:
    """The page as it would be released now; nothing is kept but the mark of the reading.

    Raises:
        Conflict, NotFound, SubmissionError: as `release`.
    """
    require(actor, "deliveries:write")
    _is_on(services)
    told = _said(services, actor, language=language, contact=contact, released_by=released_by)
    stored, report = _stored(services, actor, panel_id)
    made, _ = _made(services, stored, report, told)
    deed = Deed(
        "R",
        "patient-page-previewed",
        panel_id=panel_id,
        version=stored.version,
        patient_key=stored.patient_key,
    )
    audited(services, actor, deed, request_id)
    return made.page


def _is_on(services: Services) -> None:
    if not services.policy.patient_page:
        raise Conflict(
            "Pages for patients are switched off here; the setting PATIENT_PAGE allows them.",
            code=OFF,
        )


def _said(
    services: Services, actor: Actor, *, language: str, contact: str, released_by: str
) -> PatientPageRecord:
    """What was asked for, checked; the rest is filled in when the page is made."""
    known = services.knowledge.patient.texts
    name = actor.name if actor.kind == "user" else released_by.strip()
    ask = contact.strip() or services.policy.patient_contact
    faults = []
    if language not in known:
        faults.append(("language", f"One of {', '.join(known)} is needed."))
    if not _is_line(ask):
        faults.append(
            ("contact", f"Whom the patient asks: one line of 1 to {_LONGEST} characters.")
        )
    if not _is_line(name):
        faults.append(
            ("released_by", f"The clinician’s name: one line of 1 to {_LONGEST} characters.")
        )
    if faults:
        raise SubmissionError(
            "The page cannot be released like this.",
            code="patient-page-incomplete",
            errors=tuple(Place(where, "text-invalid", message) for where, message in faults),
        )
    return PatientPageRecord(
        id="",
        panel_id="",
        version=0,
        asked=language,
        language=language,
        released_at=services.now(),
        released_by=name,
        contact=ask,
        knowledge_digest=services.knowledge.digest,
        digest="",
        file_name="",
    )


def _is_line(text: str) -> bool:
    return bool(text) and len(text) <= _LONGEST and text.isprintable()


def _can_be_released(stored: StoredVersion, report: ReportRecord) -> None:
    status = document_status(stored)
    if status == _NOT_YET:
        raise Conflict("The results are preliminary; release the page when they are final.")
    if status == _TAKEN_BACK:
        raise Conflict("The laboratory took these results back; there is nothing to release.")
    if not report.number:
        raise Conflict(report.why or "No document is made of this panel.")


def _made(
    services: Services, stored: StoredVersion, report: ReportRecord, told: PatientPageRecord
) -> tuple[Made, Any]:
    from labinterp.reporting import patient_page, patient_pdf  # noqa: PLC0415 - cost start-up

    order = patient_page.PatientOrder(
        number=report.number or "",
        version=stored.version,
        interpretation=stored.interpretation,
        identity=stored.identity,
        panel=stored.panel,
        collected_at=stored.collected_at,
        released_at=told.released_at,
        released_by=told.released_by,
        contact=told.contact,
        language=told.asked,
        demo=services.policy.demo,
        page_size=services.policy.page_size,
    )
    made = patient_page.build(order, services.knowledge.patient)
    try:
        return made, patient_pdf.draw(made, told.released_at)
    except ReportFailure as failure:
        raise Conflict(failure.message, code=failure.code) from failure


def state(services: Services, actor: Actor, panel_id: str) -> PatientPageRecord | None:
    """The page that is released for the newest version; None when there is none.

    Raises:
        NotFound: no such panel in this organisation.
    """
    require(actor, "panels:read")
    with services.store.reading() as connection:
        version = panels.newest_version(connection, actor.organisation_id, panel_id)
        found = patient_pages.newest_page(connection, actor.organisation_id, panel_id)
    is_shown = found is not None and found.withdrawn_at is None and found.version == version
    return found if is_shown else None


def read(services: Services, actor: Actor, panel_id: str, *, request_id: str = "") -> ReleasedPage:
    """The released page, as it was when it was released.

    Raises:
        NotFound: no such panel, or code `patient-page-not-released`: none is released, or it was
            withdrawn, or the panel was corrected since.
    """
    found = state(services, actor, panel_id)
    if found is None:
        raise NotFound(
            "No page of this panel is released to the patient: none was, it was withdrawn, or the"
            " panel was corrected since.",
            code=NOT_RELEASED,
        )
    opened = _opened(services, actor, found)
    deed = _deed("R", "patient-page-read", found, None)
    audited(services, actor, deed, request_id)
    return opened


def withdraw(services: Services, actor: Actor, panel_id: str, *, request_id: str = "") -> None:
    """Show the page to nobody any more; what was printed or saved cannot be called back.

    Raises:
        NotFound: no such panel, or none of its pages is released (`patient-page-not-released`).
    """
    require(actor, "deliveries:write")
    found = state(services, actor, panel_id)
    if found is None:
        raise NotFound("No page of this panel is released.", code=NOT_RELEASED)
    now = services.now()

    def work(connection: Connection) -> None:
        patient_pages.withdraw_pages(connection, actor.organisation_id, panel_id, actor.name, now)
        deed = _deed("D", "patient-page-withdrawn", found, None)
        audit.record(connection, who(actor, request_id), deed, now)

    services.store.write(work)


def _opened(services: Services, actor: Actor, record: PatientPageRecord) -> ReleasedPage:
    from labinterp.reporting.patient_page import PatientPage  # noqa: PLC0415 - costs start-up

    with services.store.reading() as connection:
        kept = patient_pages.read_page(
            connection, services.store.vault, actor.organisation_id, record.id
        )
    if kept is None or hashlib.sha256(kept[1]).hexdigest() != record.digest:
        raise RuntimeError("a released page is not the one that was released")
    return ReleasedPage(record, from_document(PatientPage, kept[0]), kept[1])


def _deed(
    action: audit.Action, subtype: str, record: PatientPageRecord, patient_key: str | None
) -> Deed:
    return Deed(
        action,
        subtype,
        panel_id=record.panel_id,
        version=record.version,
        patient_key=patient_key,
        entity=f"patient-page:{record.id}:{record.language}",
    )
