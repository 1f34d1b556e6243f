"""Of whom and of what: PID, SPM, SAC, OBR-13 and OBR-15, and the OBX that tell a state."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from labinterp.formats.fhir_document import line, says
from labinterp.formats.hl7v2_dates import birth_of
from labinterp.formats.panel_schema import LONGEST_GESTATION

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from labinterp.formats.hl7v2_result import Notes
    from labinterp.formats.hl7v2_text import Segment

PREGNANCY_STATUS: Final = "82810-3"
GESTATION: Final = "18185-9"
FASTING: Final = "49541-6"
STATES: Final = (PREGNANCY_STATUS, GESTATION, FASTING)
"""OBX that tell the patient's state; they are no results."""
_SEXES: Final = {"F": "female", "M": "male", "O": "other", "A": "other", "N": "other"}
_PREGNANT: Final = ("77386006", "Y")
_NOT_PREGNANT: Final = ("60001007", "N")
_MATERIALS: Final = {
    "119364003": "serum",
    "119361006": "plasma",
    "119297000": "whole blood",
    "122575003": "urine",
    "SER": "serum",
    "PLAS": "plasma",
    "BLD": "whole blood",
    "UR": "urine",
}
_DEGREES: Final = (
    (("slight", "mild", "leicht", "legere", "faible"), "slight"),
    (("moderate", "massig", "mittel"), "moderate"),
    (("gross", "marked", "severe", "stark", "heavily"), "gross"),
)
_HAEMOLYSED: Final = ("hemoly", "haemoly", "hamoly")
_WEEKS: Final = (
    re.compile(r"\b([0-9]{1,2})\s?/\s?40\b"),
    re.compile(r"\bgestation(?:al age)?\D{0,5}([0-9]{1,2})\s?(?:w|wk|wks|week|weeks)\b"),
    re.compile(r"\b([0-9]{1,2})\s?(?:w|wk|wks|week|weeks)(?:'|s)?\s(?:pregnan|gestation|of gest)"),
)
_INDEX: Final = re.compile(r"[0-9]{1,5}(?:\.[0-9]{1,3})?", re.ASCII)


def patient_of(pid: Segment, at: datetime, notes: Notes) -> dict[str, Any]:
    """A PID in the panel's form; what it does not say is left out."""
    found: dict[str, Any] = {}
    identifier = identifier_of(pid)
    if identifier:
        found["identifier"] = identifier
    names = pid.components(5)
    family = line(_first_part(pid, names[0] if names else "")) if names else ""
    given = line(" ".join(name for name in names[1:3] if name))
    if family:
        found["family"] = family
    if given:
        found["given"] = given
    letter = pid.component(8).upper()
    if letter in _SEXES:
        found["sex"] = _SEXES[letter]
    elif letter not in ("", "U"):
        message = "what was sent is no sex of table 0001; it counts as unknown"
        notes.warn(f"{pid.place}-8", "code-invalid", message)
    born, problem = birth_of(pid.component(7), at)
    if problem:
        notes.warn(f"{pid.place}-7", *problem)
    return {**found, **born}


def identifier_of(pid: Segment) -> dict[str, str]:
    """The medical record number where one says so, else the first; PID-2 and 4 in old versions."""
    sent = [(pid, one) for number in (3, 2, 4) for one in pid.repetitions(number)]
    listed = [one for one in (_identifier(pid, text) for _, text in sent) if one["value"]]
    if not listed:
        return {}
    order = {"MR": 0, "PI": 1, "PT": 2}
    first = min(listed, key=lambda one: order.get(one["kind"], 3))
    return {name: first[name] for name in ("value", "system") if first[name]}


def _identifier(pid: Segment, text: str) -> dict[str, str]:
    raw = [*text.split(pid.signs.component), "", "", "", ""]
    authority = [
        pid.plain(part)
        for part in (raw[3].split(pid.signs.subcomponent) if pid.signs.subcomponent else [raw[3]])
    ]
    namespace, universal, kind = [*authority, "", ""][:3]
    system = f"urn:oid:{universal}" if universal and kind.upper() == "ISO" else namespace
    return {
        "value": line(pid.plain(raw[0])),
        "system": line(system or universal),
        "kind": pid.plain(raw[4]).upper(),
    }


def _first_part(pid: Segment, text: str) -> str:
    """The surname of a family name that is sent in parts."""
    return text.split(pid.signs.subcomponent, maxsplit=1)[0] if pid.signs.subcomponent else text


# ---- the specimen


def specimen_of(
    spm: Segment | None, order: Segment | None, sac: Segment | None, notes: Notes
) -> dict[str, Any]:
    """A specimen in the panel's form: SPM, else OBR-15; the haemolysis index of SAC."""
    found: dict[str, Any] = {}
    coded, words, where = False, "", ""
    if spm is not None:
        found["material"] = _material(spm, 4)
        words = "; ".join(line(" ".join(spm.parts(one)[:2])) for one in spm.repetitions(24))
        coded = any(spm.parts(one)[0].upper() == "HEM" for one in spm.repetitions(24))
        found["comment"] = line("; ".join(_texts(spm, 24)), 500)
        where = f"{spm.place}-24"
    elif order is not None and order.field(15):
        said = line(" ".join(order.components(15)))
        material = _material(order, 15)
        if says(said, *_HAEMOLYSED):
            words, where = said, f"{order.place}-15"
            found["comment"] = said
        else:
            found["material"] = material
    found["haemolysis"] = _haemolysis(words, where, notes, coded=coded)
    index = sac.component(32) if sac is not None else ""
    if index and _INDEX.fullmatch(index):
        found["haemolysis_index"] = index
    elif index and sac is not None:
        message = f"“{line(index, 20)}” is no number; the index counts as unknown"
        notes.warn(f"{sac.place}-32", "bad-number", message)
    return {name: said for name, said in found.items() if said}


def _material(segment: Segment, number: int) -> str:
    parts = [*segment.components(number), "", ""]
    first = parts[0]
    if segment.signs.subcomponent:
        raw = segment.field(number).split(segment.signs.component)[0]
        first = segment.plain(raw.split(segment.signs.subcomponent)[0])
    return _MATERIALS.get(first.upper()) or line(parts[1] or first)


def _texts(segment: Segment, number: int) -> list[str]:
    listed = [segment.parts(one) for one in segment.repetitions(number)]
    return [one[1] if len(one) > 1 and one[1] else one[0] for one in listed]


def _haemolysis(words: str, where: str, notes: Notes, *, coded: bool) -> str:
    """The degree as it was said; haemolysis without one is told, and what it raises is doubted."""
    if not coded and not says(words, *_HAEMOLYSED):
        return ""
    if says(words, "not hemoly", "not haemoly", "no hemoly", "no haemoly", "non hemoly"):
        return "none"
    for spelled, degree in _DEGREES:
        if says(words, *spelled):
            return degree
    message = "haemolysed, to a degree that was not said; read as moderate: ask the laboratory"
    notes.warn(where, "haemolysis-degree-missing", message)
    return "moderate"


# ---- the patient's state


def pregnancy_of(
    states: Iterable[Segment], orders: Iterable[Segment], notes: Notes
) -> dict[str, Any]:
    """Pregnancy and completed weeks: from OBX, else from the words of OBR-13."""
    status, weeks = "", None
    for obx in states:
        value = obx.component(5).upper()
        if obx.component(11).upper() in ("X", "N", "D", "W", "I"):
            continue
        if obx.component(3) == PREGNANCY_STATUS and value:
            status = _word(value)
        elif obx.component(3) == GESTATION:
            weeks = _weeks(value, obx.component(6)) if value else weeks
    for order in orders:
        said = line(order.whole(13), 500)
        if not said:
            continue
        message = f"“{said[:120]}” is read for pregnancy and fasting only; it is kept"
        notes.warn(f"{order.place}-13", "clinical-information", message)
        if not status and weeks is None:
            status, weeks = _from_words(said)
    if weeks is not None and status != "not_pregnant":
        return {"status": "pregnant", "gestation_weeks": weeks}
    return {"status": status} if status else {}


def _word(value: str) -> str:
    if value in _PREGNANT:
        return "pregnant"
    return "not_pregnant" if value in _NOT_PREGNANT else "unknown"


def _weeks(value: str, unit: str) -> int | None:
    try:
        number = float(value)
    except ValueError:
        return None
    if not 0 <= number <= LONGEST_GESTATION * 7:
        return None
    weeks = int(number / 7 if unit.casefold() in ("d", "day", "days") else number)
    return weeks if weeks <= LONGEST_GESTATION else None


def _from_words(said: str) -> tuple[str, int | None]:
    """Only words that leave no doubt: `22/40`, `gestation 22 weeks`, `pregnant`."""
    plain = said.casefold()
    if says(
        said, "not pregnan", "non pregnan", "nonpregnan", "no pregnan", "denies pregnan", "post"
    ):
        return "", None
    for form in _WEEKS:
        match = form.search(plain)
        if match and int(match[1]) <= LONGEST_GESTATION:
            return "pregnant", int(match[1])
    sure = re.fullmatch(r"(?:.*[;,.] ?)?pregnant(?:[;,.].*)?", plain)
    return ("pregnant" if sure else ""), None
