"""One OBX as a result in the panel's own form, every digit and word kept as it was sent."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from labinterp.errors import Place
from labinterp.formats.fhir_document import line
from labinterp.formats.fields import LONGEST_NUMBER
from labinterp.formats.hl7v2_dates import moment_of
from labinterp.formats.sender_settings import PLAIN, SenderSettings

if TYPE_CHECKING:
    from collections.abc import Iterable

    from labinterp.formats.ages import PlaceOfProblem
    from labinterp.formats.hl7v2_text import Segment

_SYSTEMS: Final = {
    "LN": "http://loinc.org",
    "LOINC": "http://loinc.org",
    "2.16.840.1.113883.6.1": "http://loinc.org",
    "SCT": "http://snomed.info/sct",
    "SNM": "http://snomed.info/sct",
    "2.16.840.1.113883.6.96": "http://snomed.info/sct",
}
LOCAL: Final = "urn:local"
_CODINGS: Final = ((0, 1, 2), (3, 4, 5), (9, 10, 11))
"""Where code, text and system of each coding stand in a CWE."""
_NUMERIC: Final = re.compile(
    r"\s*(?:<=|>=|=<|=>|<|>|≤|≥|=)?\s*[+-]?[0-9]*[.,]?[0-9]+[.,]?\s*", re.ASCII
)
_WITH_UNIT: Final = re.compile(
    r"(?P<number>(?:<=|>=|<|>|≤|≥)?\s*[+-]?[0-9][0-9.,]{0,30})\s*(?P<unit>[^\s0-9<>.,][^\s<>]{0,39})",
    re.ASCII,
)
_COMPARATORS: Final = ("<", ">", "<=", ">=", "=", "")
_TYPES: Final = (
    *("NM", "SN", "ST", "TX", "FT", "CE", "CWE", "CNE", "CF", "NR"),
    *("DT", "TM", "TS", "DTM", "ED", "RP", "CX", "IS", "ID", "SI", "XCN", "XPN", "XAD", "XTN"),
)
_KEPT_ASIDE: Final = ("ED", "RP")
_STATUSES: Final = {
    "F": "final",
    "U": "final",
    "V": "final",
    "C": "corrected",
    "A": "corrected",
    "B": "corrected",
    "P": "preliminary",
    "R": "preliminary",
    "S": "preliminary",
    "I": "registered",
    "O": "registered",
    "X": "cancelled",
    "N": "cancelled",
    "D": "entered-in-error",
    "W": "entered-in-error",
}
_NO_RESULT: Final = {
    "X": "the laboratory could not obtain it (X)",
    "N": "it was not asked for (N)",
    "I": "it is pending (I)",
    "O": "it is ordered only (O)",
    "D": "the laboratory deleted it (D)",
    "W": "the laboratory withdrew it as wrong (W)",
}
_NO_RANGE: Final = re.compile(r"[\s\[\]()\-]*|0+(?:[.,]0+)?\s*-\s*0+(?:[.,]0+)?")
_BETWEEN: Final = re.compile(
    r"(?<=[0-9])\s*(?:\b(?:to|a|bis|tot|til)\b|à)\s*(?=[0-9])", re.IGNORECASE
)
_LONGEST_KEPT: Final = 2000
_LONGEST_NOTE: Final = 1900


@dataclass(slots=True)
class Notes:
    """What was found on the way.

    Attributes:
        problems: what had to be assumed or left out; the result stays.
        faults: what the sender must mend.
    """

    problems: list[PlaceOfProblem] = field(default_factory=list)
    faults: list[Place] = field(default_factory=list)

    def warn(self, where: str, code: str, message: str) -> None:
        """Something to be told."""
        self.problems.append((where, code, message))

    def fault(self, where: str, code: str, message: str) -> None:
        """Something the sender must mend; it is told as a problem, too."""
        self.faults.append(Place(where, code, message))


def result_of(
    obx: Segment,
    order: Segment | None,
    remarks: Iterable[Segment],
    notes: Notes,
    settings: SenderSettings = PLAIN,
) -> dict[str, Any]:
    """One OBX in the panel's own form.

    Args:
        obx: the segment.
        order: its OBR; None where none came before it.
        remarks: the NTE segments behind it.
        notes: where problems and faults are gathered.
        settings: what was agreed with the sender.
    """
    letter = obx.component(11).upper()
    status = _status(obx, letter, notes)
    codes, name = _named(obx, settings, notes)
    result: dict[str, Any] = {
        "where": obx.place,
        "test": name,
        "code": codes[0] if codes else None,
        "codes": codes[1:20],
        "unit": _unit(obx, settings),
        "reference_interval": _range(obx),
        "flag": _flag(obx, settings),
        "note": note_of(remarks),
        "status": status,
        "identifier": identity(obx, order),
        "order": order_number(order),
        "as_received": line_of(obx),
        "collected_at": _collected(obx, order, notes, settings),
    }
    measured = _value(obx, letter, notes)
    if letter in _NO_RESULT:
        measured = _no_result(obx, letter, result["note"], measured, notes)
    result.update(measured)
    return {member: said for member, said in result.items() if said not in (None, "", [], {})}


def identity(obx: Segment, order: Segment | None) -> str:
    """By which the sender knows the result: order number, test and sub-id."""
    number = order_number(order)
    code = obx.component(3) or obx.component(3, 4) or obx.component(3, 2)
    if not (number and code):
        return ""
    return line("|".join((number, code, obx.plain(obx.field(4)))), 300)


def order_number(order: Segment | None) -> str:
    """The filler's number of an order, else the placer's."""
    if order is None:
        return ""
    return line("^".join(order.components(3)[:2]) or "^".join(order.components(2)[:2]), 200)


def line_of(segment: Segment) -> str:
    """The segment as it came, as far as there is room for it."""
    return segment.plain(segment.raw.replace(segment.signs.escape, "\\"))[:_LONGEST_KEPT]


def note_of(remarks: Iterable[Segment]) -> str:
    """What the NTE segments say, lines kept."""
    return "\n".join(said for one in remarks if (said := one.whole(3)))[:_LONGEST_NOTE].strip()


# ---- what was measured


def _named(
    obx: Segment, settings: SenderSettings, notes: Notes
) -> tuple[list[dict[str, str]], str]:
    """Every coding of OBX-3, and its name; the sender's map names what its local codes mean."""
    parts = obx.components(3)
    codes: list[dict[str, str]] = []
    mapped = ""
    for code_at, text_at, system_at in _CODINGS:
        code, text, said = (line(_at(parts, at)) for at in (code_at, text_at, system_at))
        if not code:
            continue
        system = _SYSTEMS.get(said.upper(), f"{LOCAL}:{said}" if said else LOCAL)
        codes.append({"system": system, "code": code, **({"display": text} if text else {})})
        mapped = mapped or settings.codes.get(code, "")
    name = next((line(_at(parts, at)) for at in (1, 4, 8, 10) if _at(parts, at).strip()), "")
    name = name or (codes[0]["code"] if codes and codes[0]["system"] != _SYSTEMS["LN"] else "")
    if not (codes or name):
        notes.fault(
            f"{obx.place}-3", "missing-member", "says neither by code nor by name what it is"
        )
        name = "unnamed"
    return codes, mapped or name


def _at(parts: list[str], at: int) -> str:
    return parts[at] if at < len(parts) else ""


def _value(obx: Segment, letter: str, notes: Notes) -> dict[str, Any]:
    where = f"{obx.place}-5"
    kind = obx.component(2).upper()
    sent = obx.repetitions(5)
    if not any(obx.plain(one) for one in sent):
        return {"not_measured": _why_empty(obx)}
    if kind not in _TYPES:
        said = f"{line(kind, 20)!r} is no known type" if kind else "no type was sent"
        notes.warn(f"{obx.place}-2", "code-invalid", f"{said}; the value was read as text")
    if kind in _KEPT_ASIDE:
        notes.warn(where, "value-not-numeric", f"a document ({kind}) is kept aside and not read")
        return {"not_measured": f"a document was sent ({kind})"}
    if len(sent) > 1 and kind not in ("TX", "FT"):
        listed = " ~ ".join(line(obx.plain(one), 60) for one in sent)
        notes.warn(where, "value-not-numeric", f"has {len(sent)} values; none was chosen")
        return {"value": line(listed, LONGEST_NUMBER)}
    reader = _READERS.get(kind)
    return reader(obx, letter, notes) if reader else _text(obx)


def _text(obx: Segment) -> dict[str, Any]:
    """A whole text of number and unit is a number with its unit; prose is never searched."""
    said = obx.whole(5)
    with_unit = _WITH_UNIT.fullmatch(said)
    if with_unit:
        unit = {} if obx.component(6) else {"unit": line(with_unit["unit"], 60)}
        return {"value": line(with_unit["number"], LONGEST_NUMBER), **unit}
    return {"value": line(said, LONGEST_NUMBER)}


def _why_empty(obx: Segment) -> str:
    return "deliberately empty" if obx.is_null(5) else "no value was sent"


def _number(obx: Segment, letter: str, notes: Notes) -> dict[str, Any]:
    """A number; what is written like none is a fault, unless its status says there is no result."""
    parts = obx.components(5)
    said = line(parts[0] if parts else "", LONGEST_NUMBER)
    if len(parts) > 1 and any(parts[1:]):
        said = line("^".join(parts), LONGEST_NUMBER)
    where = f"{obx.place}-5"
    if _NUMERIC.fullmatch(said):
        if not re.fullmatch(r"[+-]?[0-9]*\.?[0-9]*", said, re.ASCII):
            message = f"“{line(said, 40)}” is no NM as HL7 has it; it was read as it stands"
            notes.warn(where, "bad-number", message)
        return {"value": _leading(said)}
    if letter not in _NO_RESULT:
        message = (
            f"“{line(said, 40)}” is not a number; send ST, or an empty OBX-5 with OBX-11 I or X"
        )
        notes.fault(where, "value-not-numeric", message)
    return {"value": said}


def _leading(said: str) -> str:
    """`+.74`, which HL7 allows, as the number other doors know: 0.74."""
    plain = said.removeprefix("+")
    return f"0{plain}" if plain.startswith(".") else plain


def _structured(obx: Segment, _letter: str, notes: Notes) -> dict[str, Any]:
    """SN: comparator, number, separator, number."""
    parts = [*obx.components(5), "", "", "", ""][:4]
    comparator, first, sign, second = (line(part, 60) for part in parts)
    where = f"{obx.place}-5"
    raw = line("^".join(parts).rstrip("^"), LONGEST_NUMBER)
    if comparator not in _COMPARATORS or (sign and sign not in "-+:/"):
        notes.warn(where, "value-not-numeric", f"“{raw}” is kept as text")
        return {"value": f"{comparator} {first} {sign} {second}".strip()}
    comparator = "" if comparator == "=" else comparator
    if not sign and not second and _NUMERIC.fullmatch(first):
        return {"value": f"{comparator}{_leading(first)}"}
    if not sign and not second:
        notes.fault(where, "value-not-numeric", f"“{raw}” holds no number")
    return {"value": line(f"{comparator}{first}{sign}{second}", LONGEST_NUMBER) or raw}


def _between(obx: Segment, _letter: str, _notes: Notes) -> dict[str, Any]:
    """NR: low and high."""
    return {"value": line("-".join(obx.components(5)[:2]), LONGEST_NUMBER)}


def _coded(obx: Segment, _letter: str, _notes: Notes) -> dict[str, Any]:
    """The text of a coded value; digits in it are words, not a number."""
    parts = obx.components(5)
    said = next((_at(parts, at) for at in (1, 8, 4, 0) if _at(parts, at).strip()), "")
    said = line(said, LONGEST_NUMBER - 10)
    return {"value": f"{said} (coded)" if _NUMERIC.fullmatch(said) else said}


_READERS: Final = {
    "NM": _number,
    "SN": _structured,
    "NR": _between,
    **dict.fromkeys(("CE", "CWE", "CNE", "CF"), _coded),
}


def _no_result(
    obx: Segment, letter: str, note: str, measured: dict[str, Any], notes: Notes
) -> dict[str, Any]:
    """The status says that there is no result; a value beside it is kept and not interpreted."""
    sent = measured.get("value")
    why = _NO_RESULT[letter]
    if sent is not None:
        message = f"its status is {letter}; the value beside it was not interpreted"
        notes.warn(f"{obx.place}-11", "status-ignored", message)
        return {"not_measured": line(f"{why}; “{sent}” stood beside it")}
    return {"not_measured": line(f"{why}: {note}" if note else why)}


# ---- what stands beside the value


def _status(obx: Segment, letter: str, notes: Notes) -> str:
    where = f"{obx.place}-11"
    if not letter:
        notes.warn(where, "status-missing", "has no status; it was taken as not verified")
        return "preliminary"
    if letter not in _STATUSES:
        message = f"{line(letter, 20)!r} is no status of table 0085; it was taken as not verified"
        notes.warn(where, "code-invalid", message)
    return _STATUSES.get(letter, "preliminary")


def _unit(obx: Segment, settings: SenderSettings) -> str:
    """The code where it is UCUM's, else the text; the sender's own names are translated."""
    parts = obx.components(6)
    code, text, system = (_at(parts, at) for at in range(3))
    said = line((code if system.upper() == "UCUM" else text or code) or code or text, 60)
    said = said or line(_at(parts, 3) or _at(parts, 4), 60)
    return settings.units.get(said, said)


def _range(obx: Segment) -> str:
    said = _BETWEEN.sub("-", line(obx.whole(7)))
    return "" if _NO_RANGE.fullmatch(said) else said


def _flag(obx: Segment, settings: SenderSettings) -> str:
    """The first flag that says something; N says normal, a null says nothing."""
    for one in obx.repetitions(8):
        parts = obx.parts(one)
        said = line(parts[0] or _at(parts, 1), 20)
        if said and said.casefold() != "null":
            return settings.flags.get(said, said)
    return ""


def _collected(
    obx: Segment, order: Segment | None, notes: Notes, settings: SenderSettings
) -> str | None:
    """OBX-14, else the order's own time of collection."""
    if obx.component(14):
        read = moment_of(obx.component(14), settings.zone)
        if read.problem:
            notes.warn(f"{obx.place}-14", *read.problem)
        if read.text:
            return read.text
    return moment_of(order.component(7), settings.zone).text if order is not None else None
