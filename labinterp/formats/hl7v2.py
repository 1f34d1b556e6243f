"""HL7 v2 results, 2.1 to 2.8: `ORU^R01` and its kin; one panel for each patient of a message.

Segments are read in order with a small state (patient, order, result); no grammar is demanded.
Every OBX ends as a result, as part of the patient's state, or in a problem or refusal that names
its place.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from labinterp.errors import Place, SubmissionError
from labinterp.formats import hl7v2_patient, json_panel
from labinterp.formats.fhir_document import line
from labinterp.formats.hl7v2_dates import moment_of
from labinterp.formats.hl7v2_result import Notes, note_of, result_of
from labinterp.formats.hl7v2_text import Message, Segment, envelope_of
from labinterp.formats.limits import Context, Reading
from labinterp.formats.sender_settings import PLAIN, SenderSettings

if TYPE_CHECKING:
    from labinterp.formats.ages import PlaceOfProblem
    from labinterp.model.submission import Received

_RESULTS: Final = ("ORU", "OUL")
_EVENTS: Final = ("", "R01", "R03", "R30", "R31", "R32", "R40", "R20", "R21", "R22", "R23", "R24")
_PROCESSING: Final = ("", "P", "T", "D")
_VERSIONS: Final = ("2.1", "2.2", "2.3", "2.3.1", "2.4", "2.5", "2.5.1", "2.6", "2.7", "2.7.1")
_NEWER: Final = ("2.8", "2.8.1", "2.8.2")
_ORDER_STATUS: Final = {
    "F": "final",
    "C": "corrected",
    "X": "cancelled",
    **dict.fromkeys("PRAIOSMN", "preliminary"),
}


@dataclass(slots=True)
class _Result:
    obx: Segment
    order: _Order
    remarks: list[Segment] = field(default_factory=list)


@dataclass(slots=True)
class _Order:
    obr: Segment | None = None
    spm: Segment | None = None
    sac: Segment | None = None
    remarks: list[Segment] = field(default_factory=list)


@dataclass(slots=True)
class _Group:
    """What a message says of one patient."""

    pid: Segment | None
    results: list[_Result] = field(default_factory=list)
    states: list[Segment] = field(default_factory=list)
    orders: list[_Order] = field(default_factory=list)

    @property
    def obrs(self) -> list[Segment]:
        return [one.obr for one in self.orders if one.obr is not None]


@dataclass(frozen=True, slots=True)
class MessageReading:
    """What one message holds.

    Attributes:
        received: its panels, one for each patient.
        faults: what the sender must mend; its result may be among the panels all the same.
        problems: what had to be assumed, about the whole message.
    """

    received: tuple[Received, ...]
    faults: tuple[Place, ...] = ()
    problems: tuple[PlaceOfProblem, ...] = ()


def read(body: bytes, context: Context) -> Reading:
    """One panel for each patient of each message of a body.

    Raises:
        SubmissionError: nothing begins a message, or the only message cannot be taken.
    """
    envelope = envelope_of(body, context.settings.charset)
    received: list[Received] = []
    refused = [place for _, place in envelope.broken]
    several = len(envelope.messages) + len(envelope.broken) > 1
    for number, message in enumerate(envelope.messages, start=1):
        before = f"message {number}: " if several else ""
        wrong = refusal_of(message)
        if wrong is not None:
            refused.append(Place(before + wrong[1].where, wrong[1].code, wrong[1].message))
            continue
        read_one = read_message(message, context, context.settings, before=before)
        received += read_one.received
        refused += [
            Place(before + one.where, one.code, one.message)
            for one in read_one.faults
            if not read_one.received or one.code == "patient-missing"
        ]
    if not received and not several and refused:
        first = refused[0]
        raise SubmissionError(first.message, code=first.code, errors=tuple(refused))
    return Reading(tuple(received), tuple(refused))


def refusal_of(message: Message) -> tuple[str, Place] | None:
    """Why a message cannot be taken at all, by table 0357; None where it can."""
    kind, event = message.header.component(9).upper(), message.header.component(9, 2).upper()
    if kind not in _RESULTS:
        said = line(kind, 20) or "nothing"
        text = f"MSH-9 says {said}; only results (ORU^R01) are taken here"
        return "200", Place("MSH[1]-9", "message-type-unsupported", text)
    if event not in _EVENTS:
        text = f"the event {line(event, 20)} is not taken here; R01 is"
        return "201", Place("MSH[1]-9", "message-type-unsupported", text)
    if message.header.component(11).upper() not in _PROCESSING:
        text = "MSH-11 is none of P, T and D"
        return "202", Place("MSH[1]-11", "processing-id-unsupported", text)
    return None


def read_message(
    message: Message, context: Context, settings: SenderSettings = PLAIN, *, before: str = ""
) -> MessageReading:
    """The panels of one message.

    Args:
        message: its segments.
        context: when it came, and how much is taken.
        settings: what was agreed with its sender.
        before: stands before the places, when the body holds several messages.
    """
    shared = [*message.problems, *_about_header(message)]
    groups = [group for group in _groups(message) if group.results or group.states]
    received: list[Received] = []
    faults: list[Place] = []
    for group in groups:
        notes = Notes()
        if group.pid is None and settings.missing_patient == "refuse":
            text = "no PID came with these results; this sender's are taken only with one"
            faults.append(Place("PID[1]", "patient-missing", text))
            continue
        panel = _panel(group, message, context.received_at, settings, notes)
        faults += notes.faults
        where = group.pid.place if group.pid is not None and len(groups) > 1 else ""
        try:
            received.append(
                json_panel.received_of(
                    panel,
                    context.received_at,
                    "hl7v2",
                    problems=(*shared, *notes.problems),
                    where=(before + where).removesuffix(": ").strip(),
                    limits=context.limits,
                )
            )
        except SubmissionError as error:
            faults += error.errors or (Place(where or "MSH[1]", error.code, error.message),)
    if not groups:
        faults.append(Place("OBX[1]", "nothing-recognised", "the message holds no result (OBX)"))
    return MessageReading(tuple(received), tuple(faults), tuple(shared))


def is_test(message: Message) -> bool:
    """Is it marked as a test (T) or for debugging (D)?"""
    return message.header.component(11).upper() in ("T", "D")


def _about_header(message: Message) -> list[PlaceOfProblem]:
    found: list[PlaceOfProblem] = []
    version = message.header.component(12)
    if version not in (*_VERSIONS, *_NEWER):
        text = f"MSH-12 says {line(version, 20) or 'nothing'}; it was read as any other version"
        found.append(("MSH[1]-12", "version-unsupported", text))
    if is_test(message):
        text = "MSH-11 marks it as a test; no mail is sent for it"
        found.append(("MSH[1]-11", "test-message", text))
    return found


# ---- segments to groups


def _groups(message: Message) -> list[_Group]:
    """What belongs to whom; segments of the same patient are one group."""
    groups = [_Group(None)]
    group, order = groups[0], _Order()
    group.orders.append(order)
    remarks: list[Segment] = []
    for segment in message.segments[1:]:
        if segment.name == "PID":
            group = _group_for(segment, groups)
            order = _Order()
            group.orders.append(order)
            remarks = []
        elif segment.name == "OBR":
            order = _Order(segment)
            group.orders.append(order)
            remarks = order.remarks
        elif segment.name == "OBX":
            remarks = _add_result(group, order, segment)
        elif segment.name == "NTE":
            remarks.append(segment)
        elif segment.name == "SPM":
            order.spm = order.spm or segment
            remarks = []
        elif segment.name == "SAC":
            order.sac = order.sac or segment
    return groups


def _add_result(group: _Group, order: _Order, obx: Segment) -> list[Segment]:
    if obx.component(3) in hl7v2_patient.STATES:
        group.states.append(obx)
        return []
    result = _Result(obx, order)
    group.results.append(result)
    return result.remarks


def _group_for(pid: Segment, groups: list[_Group]) -> _Group:
    identifier = hl7v2_patient.identifier_of(pid)
    for group in groups:
        same = group.pid is not None and hl7v2_patient.identifier_of(group.pid) == identifier
        if identifier and same:
            return group
    if (
        groups[0].pid is None
        and not groups[0].results
        and not groups[0].states
        and len(groups) == 1
    ):
        groups[0].pid = pid
        return groups[0]
    groups.append(_Group(pid))
    return groups[-1]


# ---- one panel


def _panel(
    group: _Group,
    message: Message,
    received_at: datetime,
    settings: SenderSettings,
    notes: Notes,
) -> dict[str, Any]:
    for obr in group.obrs:
        problem = moment_of(obr.component(7), settings.zone).problem
        if problem:
            notes.warn(f"{obr.place}-7", *problem)
    specimens = _specimens(group, notes)
    first = next((one for one in specimens.values() if one), {})
    results = []
    for one in group.results:
        made = result_of(one.obx, one.order.obr, one.remarks, notes, settings)
        own = specimens[id(one.order)]
        results.append({**made, "specimen": own} if own and own != first else made)
    collected = _collected(group, results, settings)
    at = datetime.fromisoformat(collected) if collected else received_at
    panel: dict[str, Any] = {
        "patient": _patient(group, at, notes),
        "collected_at": collected,
        "status": _status(group),
        "laboratory": _laboratory(group, message),
        "requester": _requester(group),
        "specimen": _with_remarks(first, group),
        "range_policy": settings.range_policy,
    }
    return {**{name: said for name, said in panel.items() if said}, "results": results}


def _patient(group: _Group, at: datetime, notes: Notes) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if group.pid is not None:
        found = hl7v2_patient.patient_of(group.pid, at, notes)
    else:
        text = "no PID was sent; age and sex are unknown, and no report is made"
        notes.warn("PID[1]", "patient-missing", text)
    pregnancy = hl7v2_patient.pregnancy_of(group.states, group.obrs, notes)
    return {**found, "pregnancy": pregnancy} if pregnancy else found


def _specimens(group: _Group, notes: Notes) -> dict[int, dict[str, Any]]:
    return {
        id(order): hl7v2_patient.specimen_of(order.spm, order.obr, order.sac, notes)
        for order in group.orders
    }


def _with_remarks(specimen: dict[str, Any], group: _Group) -> dict[str, Any]:
    """What the laboratory remarks on an order is kept with the specimen."""
    said = "\n".join(text for order in group.orders if (text := note_of(order.remarks)))
    comment = "\n".join(part for part in (specimen.get("comment", ""), said) if part)[:1900]
    return {**specimen, "comment": comment} if comment else specimen


def _collected(
    group: _Group, results: list[dict[str, Any]], settings: SenderSettings
) -> str | None:
    """The latest collection of the results, else of the orders, else of the specimens."""
    spms = [one.spm for one in group.orders if one.spm is not None]
    for listed in (
        [one.get("collected_at") for one in results],
        [moment_of(obr.component(7), settings.zone).text for obr in group.obrs],
        [moment_of(spm.component(17), settings.zone).text for spm in spms],
    ):
        known = [one for one in listed if one]
        if known:
            return max(known, key=datetime.fromisoformat)
    return None


def _status(group: _Group) -> str:
    """That of the orders, the least settled of several."""
    said = {_ORDER_STATUS.get(obr.component(25).upper(), "final") for obr in group.obrs}
    return next((one for one in ("preliminary", "corrected", "final") if one in said), "") or (
        "cancelled" if said else "final"
    )


def _laboratory(group: _Group, message: Message) -> dict[str, str]:
    """Who measured: OBX-23, else OBX-15, else the facility that sent it."""
    for one in group.results:
        name = line(one.obx.component(23) or one.obx.component(15, 2))
        if name:
            return {"name": name}
    name = line(message.header.component(4))
    return {"name": name} if name else {}


def _requester(group: _Group) -> str:
    for obr in group.obrs:
        parts = [*obr.components(16), "", "", ""][:3]
        name = line(" ".join(part for part in (parts[2], parts[1]) if part) or parts[0])
        if name:
            return name
    return ""
