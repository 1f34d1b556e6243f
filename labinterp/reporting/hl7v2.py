"""A stored answer as an HL7 v2 result message: `ORU^R01` of 2.5.1, pure.

One OBX for each result, in the unit, with the interval and under the code that FHIR has it; one
with the conclusion in words; one with the document. A receiver knows a result by the order (OBR-3,
the panel's id), its code and its sub-id, which are the same in every version: what it was told
before and is told otherwise now comes as a correction (C), what does not hold any more is taken
back (D, or W where it was entered in error).
"""

from __future__ import annotations

import base64
import unicodedata
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from labinterp.model.codes import FLAG_OF_STANDING, LOINC
from labinterp.reporting import fhir_words as words
from labinterp.reporting.fhir import conclusion
from labinterp.reporting.fhir_observation import interval_in_unit, observation, shown_amount

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from labinterp.model.interpretation import Interpretation, InterpretedResult, IntervalRecord
    from labinterp.model.knowledge import Knowledge
    from labinterp.model.report import ReportOrder

APPLICATION: Final = "LABINTERP"
"""MSH-3 of what we send, and the namespace of our order numbers."""
_CONCLUSION: Final = ("48767-8", "Annotation comment")
_REPORT: Final = words.LABORATORY_REPORT
_SIGNS: Final = {"\\": "E", "|": "F", "^": "S", "&": "T", "~": "R"}
_SEXES: Final = {"female": "F", "male": "M", "other": "O"}
_STATUSES: Final = {"preliminary": "P", "partial": "P", "registered": "P"}
_IN_ERROR: Final = ("entered-in-error", "wrong", "w")
_TAKEN_BACK: Final = ("cancelled", "canceled", "deleted", "x", "d", *_IN_ERROR)
_GONE: Final = "DWX"


@dataclass(frozen=True, slots=True)
class MessageOrder:
    """What a message is made from; the same order gives the same bytes.

    Attributes:
        control_id: MSH-10; the same at every try, so that a receiver knows a repeated one.
        facility, facility_id: MSH-4: the organisation's name and id.
        receiver: MSH-5 and MSH-6.
        report: the version that is told.
        document: its PDF; None where there is none.
        before: the answer and the panel of the newest version the receiver may have; None: none.
        is_withdrawn: nothing of the panel holds any more.
        is_test: MSH-11 says T.
    """

    control_id: str
    facility: str
    facility_id: str
    receiver: tuple[str, str]
    sent_at: datetime
    report: ReportOrder
    document: bytes | None = field(default=None, repr=False)
    before: tuple[Interpretation, Mapping[str, object]] | None = None
    is_withdrawn: bool = False
    is_test: bool = False


@dataclass(frozen=True, slots=True)
class _Row:
    """One OBX with what follows it; its fields are written already."""

    kind: str
    code: str
    sub: str
    value: str
    status: str
    unit: str = ""
    interval: str = ""
    flag: str = ""
    observed_at: str = ""
    notes: tuple[str, ...] = ()

    @property
    def known_by(self) -> tuple[str, str]:
        """By what a receiver tells it from others of the order."""
        return self.code.partition("^")[0] or self.code, self.sub


def message(order: MessageOrder, knowledge: Knowledge) -> bytes:
    """The message, segments ending in CR, in UTF-8."""
    rows = _rows(order, knowledge)
    segments = [
        _header(order),
        _patient(order.report),
        _request(order, rows),
        *_remarks(order.report.changes),
    ]
    for number, row in enumerate(rows, start=1):
        segments += [_observed(number, row, order.report), *_remarks(row.notes)]
    segments += _specimen(order.report.panel)
    return "".join(f"{segment}\r" for segment in segments).encode()


# ---- what is told


def _rows(order: MessageOrder, knowledge: Knowledge) -> list[_Row]:
    report = order.report
    usual = "F" if order.before is None else "C"
    usual = _STATUSES.get(_status_of(report.panel), usual)
    rows = (
        []
        if order.is_withdrawn
        else list(_told(report.interpretation, report.panel, knowledge, usual))
    )
    rows = [row for row in rows if row.status not in _GONE or order.before is None]
    if order.before is not None:
        rows += _taken_back(order, rows, knowledge)
    if order.is_withdrawn:
        return [*rows, *(_without_value(code, "D") for code in (_CONCLUSION, _REPORT))]
    said = _text(conclusion(report.interpretation))
    rows.append(_Row("TX", _loinc(*_CONCLUSION), "", said, usual))
    if order.document is not None:
        packed = base64.b64encode(order.document).decode()
        value = f"^application^pdf^Base64^{packed}"
        rows.append(_Row("ED", _loinc(*_REPORT), "", value, usual))
    return rows


def _told(
    answer: Interpretation, panel: Mapping[str, object], knowledge: Knowledge, usual: str
) -> Iterator[_Row]:
    """A row for each result of an answer, numbered where a test has several."""
    sent: dict[str, Mapping[str, Any]] = {
        str(row.get("where") or f"results[{index}]"): row
        for index, row in enumerate(_listed(panel.get("results")))
    }
    seen: dict[str, int] = {}
    for result in answer.results:
        row = _result(result, sent.get(result.where, {}), panel, knowledge, usual)
        name = row.known_by[0]
        seen[name] = seen.get(name, 0) + 1
        yield replace(row, sub=str(seen[name]) if seen[name] > 1 else "")


def _listed(value: object) -> list[Mapping[str, Any]]:
    return value if isinstance(value, list) else []


def _result(
    result: InterpretedResult,
    sent: Mapping[str, Any],
    panel: Mapping[str, object],
    knowledge: Knowledge,
    usual: str,
) -> _Row:
    made = observation(result, knowledge, sent, _status_of(panel))
    status = _letter(result, panel, usual)
    shown = shown_amount(result, "")
    notes = tuple(one["text"] for one in made["note"])
    observed_at = _time(made["effectiveDateTime"])
    row = _Row(
        "", _code(result, made["code"]), "", "", status, observed_at=observed_at, notes=notes
    )
    if status in _GONE:
        return row
    if shown is not None:
        kind, value = _number(f"{shown.number:f}", shown.comparator)
        measurand = knowledge.measurands.get(result.measurand)
        interval = interval_in_unit(result.interval, shown, measurand)
        return replace(
            row,
            kind=kind,
            value=value,
            unit=_unit(shown.unit, shown.printed_unit),
            interval=_text(_between(interval)) if interval else "",
            flag=FLAG_OF_STANDING[result.standing] or "",
        )
    said = result.reported
    if said is None or not said.value:
        return replace(row, status="X")
    whole = "".join(part for part in (said.comparator, said.value) if part)
    unit = _text(said.unit or "")
    return replace(row, kind="ST", value=_text(whole), unit=unit and f"^{unit}")


def _letter(result: InterpretedResult, panel: Mapping[str, object], usual: str) -> str:
    """OBX-11: what the laboratory says of the result, else that of the version."""
    own = (result.reported.status if result.reported else None) or _status_of(panel)
    said = own.strip().casefold()
    if said in _TAKEN_BACK:
        return "W" if said in _IN_ERROR else "X"
    return _STATUSES.get(said, usual)


def _status_of(panel: Mapping[str, object]) -> str:
    return str(panel.get("status") or "final").casefold()


def _taken_back(order: MessageOrder, rows: Iterable[_Row], knowledge: Knowledge) -> Iterator[_Row]:
    """What the receiver was told before and is no result any more."""
    if order.before is None:
        return
    still = {row.known_by for row in rows}
    answer, panel = order.before
    now = {
        row.known_by: row.status
        for row in _told(order.report.interpretation, order.report.panel, knowledge, "C")
    }
    for row in _told(answer, panel, knowledge, "F"):
        if row.known_by not in still and row.status not in _GONE:
            status = "W" if now.get(row.known_by) == "W" else "D"
            yield _Row("", row.code, row.sub, "", status, observed_at=row.observed_at)


def _without_value(code: tuple[str, str], status: str) -> _Row:
    return _Row("", _loinc(*code), "", "", status)


# ---- how it is written


def _header(order: MessageOrder) -> str:
    application, facility = (_text(part) for part in order.receiver)
    fields = [
        *("MSH", "^~\\&", APPLICATION),
        f"{_text(order.facility)}^{_text(order.facility_id)}^L",
        *(application, facility, _moment(order.sent_at), "", "ORU^R01^ORU_R01"),
        *(_text(order.control_id), "T" if order.is_test else "P", "2.5.1"),
        *("", "", "", "", "", "UNICODE UTF-8"),
    ]
    return "|".join(fields)


def _patient(report: ReportOrder) -> str:
    who = report.identity
    identifier = f"{_text(who.identifier)}^^^{_issuer(who.issuer)}^MR" if who.identifier else ""
    name = "^".join(_text(part or "") for part in (who.family, who.given)).rstrip("^")
    born = who.birth_date.strftime("%Y%m%d") if who.birth_date else ""
    sex = _SEXES.get(report.interpretation.patient.sex, "U")
    return f"PID|1||{identifier}||{name}||{born}|{sex}"


def _issuer(issuer: str | None) -> str:
    """CX-4: an OID as such, anything else as a name."""
    oid = (issuer or "").removeprefix("urn:oid:")
    return f"&{_text(oid)}&ISO" if oid != (issuer or "") else _text(oid)


def _request(order: MessageOrder, rows: Iterable[_Row]) -> str:
    report = order.report
    letters = {row.status for row in rows}
    status = "X" if order.is_withdrawn else "P" if "P" in letters else "F"
    status = "C" if status == "F" and order.before is not None else status
    requester = _text(report.identity.requester or "")
    return "|".join(
        (
            *("OBR", "1", "", f"{_text(report.panel_id)}^{APPLICATION}", _loinc(*_REPORT), "", ""),
            *(_time(report.interpretation.collected_at), *[""] * 8),
            *(requester and f"^{requester}", "", "", "", _text(report.number), ""),
            *(_moment(report.issued_at), "", "LAB", status),
        )
    )


def _observed(number: int, row: _Row, report: ReportOrder) -> str:
    laboratory = _text(report.identity.laboratory_name or "")
    fields = [
        *("OBX", str(number), row.kind, row.code, row.sub, row.value, row.unit, row.interval),
        *(row.flag, "", "", row.status, "", "", row.observed_at, *[""] * 8, laboratory),
    ]
    return "|".join(fields).rstrip("|")


def _remarks(texts: Iterable[str]) -> list[str]:
    return [f"NTE|{number}|L|{_text(text)}" for number, text in enumerate(texts, start=1)]


def _specimen(panel: Mapping[str, object]) -> list[str]:
    """What was examined, where it is the same for all results."""
    shared = _material(panel)
    materials = {_material(one) or shared for one in _listed(panel.get("results"))}
    return [f"SPM|1|||^{_text(shared)}"] if shared and materials == {shared} else []


def _material(said: Mapping[str, object]) -> str:
    specimen = said.get("specimen")
    return str(specimen.get("material") or "") if isinstance(specimen, dict) else ""


def _code(result: InterpretedResult, concept: Mapping[str, Any]) -> str:
    """LOINC's code under our own name for it, and our own code; or that alone."""
    coding = next((one for one in concept.get("coding", ()) if one["system"] == LOINC), None)
    own = f"{_text(result.measurand or result.name)}^{_text(result.name)}^L"
    return f"{_loinc(coding['code'], result.name)}^{own}" if coding else own


def _loinc(code: str, name: str) -> str:
    return f"{_text(code)}^{_text(name)}^LN"


def _unit(code: str, printed: str | None) -> str:
    return f"{_text(code or '1')}^{_text(printed or code or '1')}^UCUM"


def _number(digits: str, comparator: str | None) -> tuple[str, str]:
    """NM, or SN where a comparator belongs to it."""
    if comparator in ("<", "<=", ">", ">="):
        return "SN", f"{comparator}^{digits}"
    return "NM", digits


def _between(interval: IntervalRecord) -> str:
    low, high = (None if end is None else f"{end:f}" for end in (interval.low, interval.high))
    if low is not None and high is not None:
        return f"{low}-{high}"
    if low is not None:
        return f"{'>=' if interval.low_included else '>'}{low}"
    if high is not None:
        return f"{'<=' if interval.high_included else '<'}{high}"
    return interval.text


def _time(text: object) -> str:
    """A moment of the answer, as it was said."""
    if not text:
        return ""
    try:
        return _moment(datetime.fromisoformat(str(text).upper()))
    except ValueError:
        return ""


def _moment(moment: datetime) -> str:
    return moment.strftime("%Y%m%d%H%M%S%z")


def _text(text: str) -> str:
    """Our text in a field: no sign of it is a delimiter, no line of it ends the segment."""
    plain = "".join(
        " " if unicodedata.category(sign) in ("Cc", "Zl", "Zp") else sign for sign in text
    )
    return "".join(f"\\{_SIGNS[sign]}\\" if sign in _SIGNS else sign for sign in plain)
