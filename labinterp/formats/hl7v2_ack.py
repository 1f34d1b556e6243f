"""The answer to a message: MSA and, from 2.5 on, ERR, in the sender's signs and charset.

Beside it what others answer to a message of ours.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from labinterp.errors import Place, SubmissionError
from labinterp.formats.hl7v2_text import STANDARD, Delimiters, Message, envelope_of, escaped

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from labinterp.formats.hl7v2_text import Segment

Code = Literal["AA", "AE", "AR", "CA", "CE", "CR"]
Severity = Literal["E", "W"]
_PLACE: Final = re.compile(r"(?:message \d+: )?([A-Z][A-Z0-9]{2})\[(\d+)\](?:-(\d+))?")
_OLD: Final = re.compile(r"2\.[0-4](?:\.|$)|$")
_MOST: Final = 50
_LONGEST: Final = 200
_LONGEST_OLD: Final = 80
_CONDITIONS: Final = {
    "0": "Message accepted",
    "100": "Segment sequence error",
    "101": "Required field missing",
    "102": "Data type error",
    "103": "Table value not found",
    "200": "Unsupported message type",
    "201": "Unsupported event code",
    "202": "Unsupported processing id",
    "203": "Unsupported version id",
    "204": "Unknown key identifier",
    "205": "Duplicate key identifier",
    "206": "Application record locked",
    "207": "Application internal error",
}
_CONDITION_OF: Final = {
    "patient-missing": "101",
    "missing-member": "101",
    "nothing-recognised": "100",
    "delimiters-invalid": "100",
    "code-invalid": "103",
    "unmapped-code": "103",
    "unit-unknown": "103",
    "message-type-unsupported": "200",
    "processing-id-unsupported": "202",
    "version-unsupported": "203",
    "sender-unknown": "204",
    "control-id-reused": "205",
    "request-in-progress": "206",
}
_VERDICTS: Final = ("AA", "AE", "AR", "CA", "CE", "CR")
_ACCEPT: Final[dict[str, Code]] = {"AA": "CA", "AE": "CE", "AR": "CR"}


@dataclass(frozen=True, slots=True)
class Remark:
    """One problem as an ERR segment tells it."""

    place: Place
    severity: Severity = "E"
    condition: str = ""


def acknowledgements(
    message: Message,
    code: Literal["AA", "AE", "AR"],
    remarks: Iterable[Remark],
    *,
    now: datetime,
    id_: str,
    both: bool = False,
) -> tuple[bytes, ...]:
    """The answers that the sender asked for, each a message of its own.

    With MSH-15 and 16 empty it is the application's answer. In enhanced mode an application answer
    that is sent at once stands for the accept answer, too, unless `both` are agreed.
    """
    told = tuple(remarks)
    accept, application = (message.header.component(number).upper() for number in (15, 16))
    if not (accept or application):
        return (acknowledgement(message, code, told, now=now, id_=id_),)
    wants_accept = _wants(accept or "NE", code)
    wants_application = _wants(application or "NE", code)
    made = []
    if wants_accept and (both or not wants_application):
        # What cannot be taken at all is not committed; what was wrong in it was, and is told later.
        first: Code = "CA" if code == "AE" and wants_application else _ACCEPT[code]
        made.append(acknowledgement(message, first, told, now=now, id_=f"{id_}C"[-20:]))
    if wants_application:
        made.append(acknowledgement(message, code, told, now=now, id_=id_))
    return tuple(made)


def _wants(condition: str, code: str) -> bool:
    if condition == "ER":
        return code != "AA"
    if condition == "SU":
        return code == "AA"
    return condition != "NE"


def acknowledgement(
    message: Message, code: Code, remarks: Iterable[Remark], *, now: datetime, id_: str
) -> bytes:
    """One ACK in the sender's delimiters, charset and version."""
    header, signs = message.header, message.signs
    version = header.field(12)
    is_old = bool(_OLD.match(header.component(12)))
    told = tuple(remarks)
    stamp = now.strftime("%Y%m%d%H%M%S") + ("" if is_old else now.strftime("%z"))
    event = header.component(9, 2)
    kind = "ACK" if is_old else signs.component.join(("ACK", event or "R01", "ACK"))
    fields = [
        *(header.field(number) for number in (5, 6, 3, 4)),
        *(stamp, "", kind, id_),
        *(header.field(11) or "P", version),
    ]
    if header.field(18):
        fields += [""] * 5 + [header.field(18)]
    msh = f"MSH{signs.field}{signs.encoding}{signs.field}" + signs.field.join(fields)
    msa = signs.field.join(("MSA", code, header.field(10)))
    segments = [msh, msa]
    if is_old:
        text = _in_short(told)
        segments[1] += f"{signs.field}{escaped(text, signs)}" if text else ""
    else:
        segments += [_error(one, signs) for one in told[:_MOST]]
    return ("\r".join(segments) + "\r").encode(message.charset, "replace")


def unreadable(reason: str, *, now: datetime, id_: str) -> bytes:
    """The answer where not even the header can be read."""
    stamp = now.strftime("%Y%m%d%H%M%S%z")
    place = Remark(Place("MSH[1]", "header-missing", reason), condition="100")
    return (
        f"MSH|^~\\&|LABINTERP||||{stamp}||ACK|{id_}|P|2.5.1\rMSA|AR|\r{_error(place, STANDARD)}\r"
    ).encode("ascii", "replace")


def _in_short(remarks: tuple[Remark, ...]) -> str:
    """The first fault in a line, as MSA-3 takes it."""
    first = next((one for one in remarks if one.severity == "E"), None)
    if first is None:
        return ""
    return f"{_spoken(first.place.where)}: {first.place.message}"[:_LONGEST_OLD]


def _spoken(where: str) -> str:
    return where.replace("[", " ").replace("]", "")


def _error(remark: Remark, signs: Delimiters) -> str:
    place = remark.place
    condition = remark.condition or _CONDITION_OF.get(place.code, "102")
    if remark.severity == "W" and condition not in ("103", "205"):
        condition = "0"
    coded = (condition, _CONDITIONS[condition], "HL70357")
    own = (escaped(place.code, signs), escaped(place.code.replace("-", " "), signs), "L")
    return signs.field.join(
        (
            "ERR",
            "",
            _location(place.where, signs),
            signs.component.join(coded),
            remark.severity,
            signs.component.join(own),
            "",
            "",
            escaped(f"{place.where}: {place.message}"[:_LONGEST], signs),
        )
    )


def _location(where: str, signs: Delimiters) -> str:
    match = _PLACE.match(where)
    if not match:
        return ""
    parts = (match[1], match[2], match[3]) if match[3] else (match[1], match[2])
    return signs.component.join((*parts, "1", "1") if match[3] == "5" else parts)


# ---- the answers of others


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a receiver says of a message of ours.

    Attributes:
        code: of MSA-1: AA, AE, AR, CA, CE or CR.
        why: its own words.
    """

    code: str
    why: str

    @property
    def is_taken(self) -> bool:
        """Has it the message, and no complaint?"""
        return self.code in ("AA", "CA")


def verdict_of(answer: bytes, control_id: str) -> Verdict | None:
    """What an answer says of the message of this id; None where it is no answer to it."""
    try:
        message = envelope_of(answer).messages[0]
    except (SubmissionError, IndexError):
        return None
    told = next((one for one in message.segments if one.name == "MSA"), None)
    if told is None or told.component(2) != control_id:
        return None
    code = told.component(1).upper()
    if code not in _VERDICTS:
        return None
    why = [told.component(3), *(_said(one) for one in message.segments if one.name == "ERR")]
    return Verdict(code, "; ".join(part for part in why if part))


def _said(error: Segment) -> str:
    """Where, what, and the words for people, of one ERR."""
    what = " ".join(part for part in error.components(3)[:2] if part)
    where = "-".join(part for part in error.components(2)[:3] if part)
    at = f"at {where}" if where else ""
    return " ".join(part for part in (what, at, error.component(8) or error.component(7)) if part)
