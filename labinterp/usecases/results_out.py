"""Results to a receiver of HL7 v2: the message of one version made, handed over, and judged.

The newest version alone is sent: an older one that waits behind it is left out, for what it says
does not hold any more. Whether a version corrects what the receiver has is seen from what was sent
to it before.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Final, Literal

from labinterp.delivery import mllp
from labinterp.errors import NotFound
from labinterp.formats import hl7v2_ack
from labinterp.reporting import hl7v2
from labinterp.store import notices, panels, people, reports
from labinterp.usecases.notices import WITHDRAWN
from labinterp.usecases.orders import report_order

if TYPE_CHECKING:
    from labinterp.model.submission import Identity
    from labinterp.store.notices import NoticeClaim
    from labinterp.store.rows import WebhookRecord
    from labinterp.usecases.services import Services

_CONTROL_ID: Final = 20
_SHORTEST: Final = 3
_OVERTAKEN: Final = "not sent: version {newest} takes its place"
_ERASED: Final = "not sent: the panel was erased"
_NEVER_SENT: Final = "not sent: nothing of this panel was sent before, so nothing is taken back"
_NO_ANSWER: Final = "what came back is no acknowledgement of this message"


@dataclass(frozen=True, slots=True)
class Sent:
    """What came of it.

    Attributes:
        kind: as a notice's outcome has it.
        answer: in our words, with the receiver's reason but for the patient's name in it.
    """

    kind: Literal["sent", "deferred", "refused", "withdrawn"]
    answer: str


def send(services: Services, claim: NoticeClaim, receiver: WebhookRecord) -> Sent:
    """Send the version that the claim is about, unless there is nothing to be sent (any more).

    Raises:
        AddressRefused, Unreachable: nobody answered.
    """
    order = _order(services, claim, receiver)
    if isinstance(order, str):
        return Sent("withdrawn", order)
    message = hl7v2.message(order, services.knowledge)
    answer = mllp.hand_over(services.outbound, receiver.url, message)
    verdict = hl7v2_ack.verdict_of(answer, order.control_id)
    if verdict is None:
        return Sent("deferred", _NO_ANSWER)
    why = _without(verdict.why, order.report.identity)
    if verdict.is_taken:
        return Sent("sent", verdict.code)
    return Sent("refused", f"{notices.REFUSED}{verdict.code} {why}".strip())


def control_id_of(notice_id: str) -> str:
    """MSH-10 of what is sent for a notice: the same at every try, and short enough for anybody."""
    return sha256(notice_id.encode()).hexdigest()[:_CONTROL_ID]


def _order(
    services: Services, claim: NoticeClaim, receiver: WebhookRecord
) -> hl7v2.MessageOrder | str:
    """What the message is made from, or why there is none."""
    organisation_id, vault = claim.organisation_id, services.store.vault
    if claim.panel_id is None or claim.version is None:
        return _ERASED
    with services.store.reading() as connection:
        try:
            stored = panels.read_version(
                connection, vault, organisation_id, claim.panel_id, claim.version
            )
        except NotFound:
            return _ERASED
        if stored.version < stored.newest_version:
            return _OVERTAKEN.format(newest=stored.newest_version)
        told = notices.told_before(connection, receiver.id, claim.panel_id, claim.version)
        before = (
            panels.read_version(connection, vault, organisation_id, claim.panel_id, told)
            if told is not None
            else None
        )
        if claim.event == WITHDRAWN and before is None:
            return _NEVER_SENT
        record = reports.read_report(connection, organisation_id, claim.panel_id, claim.version)
        kept = (
            reports.read_file(connection, vault, organisation_id, record.id)
            if record.status == "ready"
            else None
        )
        name = people.organisation_name(connection, organisation_id)
    chosen = receiver.document or {}
    issued_at = record.ready_at or stored.received_at
    return hl7v2.MessageOrder(
        control_id=control_id_of(claim.id),
        facility=name,
        facility_id=organisation_id,
        receiver=(str(chosen.get("application", "")), str(chosen.get("facility", ""))),
        sent_at=services.now(),
        report=report_order(services, organisation_id, stored, record, issued_at),
        document=kept[0] if kept is not None and chosen.get("document", True) else None,
        before=(before.interpretation, before.panel) if before is not None else None,
        is_withdrawn=claim.event == WITHDRAWN,
        is_test=services.policy.demo,
    )


def _without(text: str, who: Identity) -> str:
    """A receiver's reason without what it quotes of the patient."""
    names = (who.identifier, *re.findall(r"\w+", f"{who.family or ''} {who.given or ''}"))
    born = who.birth_date
    dates = (born.isoformat(), born.strftime("%Y%m%d")) if born else ()
    for word in (*names, *dates):
        if word and len(word) >= _SHORTEST:
            text = re.sub(re.escape(word), "…", text, flags=re.IGNORECASE)
    return text
