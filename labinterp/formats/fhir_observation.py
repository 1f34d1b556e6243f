"""One FHIR Observation as results in the panel's own form, every digit and word kept.

An Observation may hold a value, a reason why it has none, components, or only members; each value
becomes one result at its own FHIRPath place, and what cannot be read becomes a problem there.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import simplejson

from labinterp.formats.dates import read_moment
from labinterp.formats.fhir_document import codings, inner, items, line, text, words
from labinterp.formats.fields import LONGEST_NUMBER, NumberLiteral

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from labinterp.formats.ages import PlaceOfProblem

UCUM: Final = ("http://unitsofmeasure.org", "urn:oid:2.16.840.1.113883.6.8", "UCUM")
_VALUES: Final = (
    "valueQuantity",
    "valueString",
    "valueInteger",
    "valueCodeableConcept",
    "valueBoolean",
    "valueRange",
    "valueRatio",
    "valueSampledData",
    "valueTime",
    "valueDateTime",
    "valuePeriod",
)
_UNREADABLE: Final = ("valueRatio", "valueSampledData", "valueTime", "valueDateTime", "valuePeriod")
_NUMBER_AND_UNIT: Final = re.compile(
    r"(?P<number>(?:<=|>=|<|>|≤|≥)?\s*[+-]?[0-9][0-9.,]{0,30})\s*(?P<unit>[^\s0-9<>][^<>]{0,39})?"
)
_COMPARATORS: Final = ("<", "<=", ">=", ">")
_STATUSES: Final = {
    "final": "final",
    "amended": "corrected",
    "corrected": "corrected",
    "preliminary": "preliminary",
    "registered": "registered",
    "cancelled": "cancelled",
    "entered-in-error": "entered-in-error",
}
_NORMAL_RANGE: Final = ("normal", "type", "recommended")
_SEX_CODES: Final = {
    "248152002": "female",
    "female": "female",
    "F": "female",
    "248153007": "male",
    "male": "male",
    "M": "male",
}
_YEARS_IN: Final = {"a": 1.0, "mo": 1 / 12, "wk": 1 / 52.18, "d": 1 / 365.25, "h": 1 / 8766}
_LONGEST_KEPT: Final = 2000
_PENDING: Final = "pending: it is registered and not yet a result"


@dataclass(frozen=True, slots=True)
class Person:
    """Of whom the ranges are asked: the sex that intervals use, and years at collection."""

    sex: str | None = None
    years: float | None = None
    pregnant: bool | None = None


@dataclass(frozen=True, slots=True)
class ReadObservation:
    """What an Observation holds, and what of it could not be read."""

    results: tuple[dict[str, Any], ...]
    problems: tuple[PlaceOfProblem, ...] = ()


def results_of(
    observation: Mapping[str, Any], path: str, person: Person, report_status: str = ""
) -> ReadObservation:
    """The results of one Observation.

    Args:
        observation: the resource.
        path: its FHIRPath place.
        person: whom the ranges must fit.
        report_status: of the DiagnosticReport it hangs on; a withdrawn report withdraws it.
    """
    problems: list[PlaceOfProblem] = []
    shared = _shared(observation, path, report_status, problems)
    found: list[dict[str, Any]] = []
    parts = items(observation, "component")
    if _has_value(observation) or not (parts or any(observations_in(observation))):
        found.append({**shared, **_measured(observation, path, person, problems)})
        found[-1]["as_received"] = _as_received(observation)
    for index, part in enumerate(parts):
        where = f"{path}.component[{index}]"
        own = _measured(part, where, person, problems)
        own["identifier"] = f"{shared['identifier']}|{index}" if "identifier" in shared else None
        found.append({**shared, **own, "as_received": _as_received(part)})
    if shared["status"] == "registered":
        found = [{**one, "value": None, "not_measured": _PENDING} for one in found]
    return ReadObservation(tuple(map(_without_blanks, found)), tuple(problems))


def effective(observation: Mapping[str, Any], path: str) -> tuple[str | None, list[PlaceOfProblem]]:
    """When the specimen was taken, as an RFC 3339 text, and what had to be assumed."""
    sent, where = _effective_text(observation)
    if not sent:
        return None, []
    read = read_moment(sent.strip()[:40])
    problems = [(f"{path}.{where}", *read.problem)] if read.problem else []
    return read.text, problems


def _effective_text(node: Mapping[str, Any]) -> tuple[str, str]:
    for name in ("effectiveDateTime", "effectiveInstant"):
        if text(node, name):
            return text(node, name), name
    period = inner(node, "effectivePeriod")
    if period:
        return text(period, "start") or text(period, "end"), "effectivePeriod"
    events = inner(node, "effectiveTiming").get("event")
    said = [one for one in events if isinstance(one, str)] if isinstance(events, list) else []
    return next(iter(said), ""), "effectiveTiming"


# ---- one value


def _measured(
    node: Mapping[str, Any], path: str, person: Person, problems: list[PlaceOfProblem]
) -> dict[str, Any]:
    """Code, value, unit, range and flag of an Observation or a component."""
    listed = codings(inner(node, "code"))
    coded = [
        {"system": line(system) or "unknown", "code": line(code), "display": line(display)}
        for system, code, display in listed
    ]
    result: dict[str, Any] = {
        "where": path,
        "test": line(words(inner(node, "code"))),
        "code": _without_blanks(coded[0]) if coded else None,
        "codes": [_without_blanks(one) for one in coded[1:20]],
        "reference_interval": _range(node, path, person, problems),
        "flag": _flag(node),
        "note": _notes(node),
    }
    if not (result["test"] or coded):
        problems.append(
            (f"{path}.code", "structure", "says neither by code nor by name what it is")
        )
    return {**result, **_value(node, path, problems)}


def _has_value(node: Mapping[str, Any]) -> bool:
    return any(name in node for name in (*_VALUES, "dataAbsentReason"))


def _value(node: Mapping[str, Any], path: str, problems: list[PlaceOfProblem]) -> dict[str, Any]:
    present = [name for name in _VALUES if name in node]
    if len(present) > 1:
        message = f"has {len(present)} values; {present[0]} was read"
        problems.append((path, "structure", message))
    if not present:
        return {"not_measured": _absent(node)}
    name, where = present[0], f"{path}.{present[0]}"
    if name == "valueQuantity":
        return _quantity(inner(node, name), where, problems)
    if name in _UNREADABLE:
        message = "a value of this kind is no number; it was kept and not interpreted"
        problems.append((where, "value-not-numeric", message))
        return {"not_measured": "sent as another kind of value"}
    return _from_words(_said(node, name), name)


def _said(node: Mapping[str, Any], name: str) -> str:
    sent = node.get(name)
    if name == "valueCodeableConcept":
        return words(sent)
    if name == "valueRange":
        ends = [text(inner(sent, end), "value") for end in ("low", "high")]
        unit = text(inner(sent, "low"), "unit") or text(inner(sent, "high"), "unit")
        return f"{ends[0]}-{ends[1]} {unit}".strip()
    if isinstance(sent, bool):
        return "positive" if sent else "negative"
    return text(node, name)


def _from_words(said: str, name: str) -> dict[str, Any]:
    """A whole text of number and unit is a number with its unit; prose is never searched."""
    plain = line(said, LONGEST_NUMBER)
    match = _NUMBER_AND_UNIT.fullmatch(plain)
    if match and name in ("valueString", "valueCodeableConcept"):
        return {"value": match["number"].replace(" ", ""), "unit": line(match["unit"] or "", 60)}
    return {"value": plain} if plain else {"not_measured": "the value that was sent is empty"}


def _quantity(sent: Mapping[str, Any], path: str, problems: list[PlaceOfProblem]) -> dict[str, Any]:
    if "value" in sent and not isinstance(sent["value"], NumberLiteral):
        message = "must be a JSON number; it was read as the text it is"
        problems.append((f"{path}.value", "wrong-type", message))
    number = line(text(sent, "value"), LONGEST_NUMBER)
    comparator = text(sent, "comparator").strip()
    if comparator and comparator not in _COMPARATORS:
        message = f"{line(comparator, 20)!r} is no comparator; the value was not interpreted"
        problems.append((f"{path}.comparator", "code-invalid", message))
        return {
            "value": line(f"{comparator} {number}", LONGEST_NUMBER),
            "unit": _unit(sent, path, problems),
        }
    if not number:
        return {"not_measured": "the quantity has no value", "unit": _unit(sent, path, problems)}
    value = {"comparator": comparator, "value": number} if comparator else number
    return {"value": value, "unit": _unit(sent, path, problems)}


def _unit(sent: Mapping[str, Any], path: str, problems: list[PlaceOfProblem]) -> str:
    """The UCUM code, else the text; a code of another system is not read as a unit."""
    system, code = text(sent, "system").strip(), text(sent, "code").strip()
    said = text(sent, "unit").strip()
    if code and (system in UCUM or (not system and not said)):
        return line(code, 60)
    if code and system not in UCUM and said:
        message = "the unit's code is of no UCUM system; the unit's text was used"
        if system:
            problems.append((f"{path}.system", "unit-system", message))
    return line(said or code, 60)


def _absent(node: Mapping[str, Any]) -> str:
    reason = line(words(inner(node, "dataAbsentReason")), 120)
    notes = _notes(node)
    said = ": ".join(part for part in (reason, line(notes or "", 70)) if part)
    return said or "no value and no reason was sent"


# ---- what stands beside the value


def _shared(
    node: Mapping[str, Any], path: str, report_status: str, problems: list[PlaceOfProblem]
) -> dict[str, Any]:
    status = text(node, "status").strip()
    if status in ("", "unknown"):
        message = f"has {'no' if not status else 'an unknown'} status; it was read as final"
        problems.append((f"{path}.status", "status-missing", message))
    elif status not in (*_STATUSES, "unknown"):
        message = f"{line(status, 40)!r} is no status of an Observation; it was not interpreted"
        problems.append((f"{path}.status", "code-invalid", message))
    capped = report_status in ("cancelled", "entered-in-error")
    if capped and status not in ("cancelled", "entered-in-error"):
        message = f"its report is {report_status}; so is this"
        problems.append((f"{path}.status", "status-ignored", message))
    known = _STATUSES.get(status, "entered-in-error" if status and status != "unknown" else status)
    moment, assumed = effective(node, path)
    problems.extend(assumed)
    return {
        "status": report_status if capped else known,
        "collected_at": moment,
        "identifier": _identifier(node, moment),
    }


def _identifier(node: Mapping[str, Any], moment: str | None) -> str:
    """By which the sender knows it: its identifier, else code, lasting specimen and time."""
    for one in items(node, "identifier"):
        if text(one, "value"):
            return line(f"{text(one, 'system')}|{text(one, 'value')}", 300)
    code = next((f"{system}|{code}" for system, code, _ in codings(inner(node, "code"))), "")
    specimen = text(inner(node, "specimen"), "reference")
    lasting = "" if specimen.startswith(("urn:uuid:", "#")) else specimen
    made = "|".join(part for part in (code, lasting, moment or "") if part)
    return line(made, 300) if code and moment else ""


def _flag(node: Mapping[str, Any]) -> str:
    for concept in items(node, "interpretation"):
        for _, code, _ in codings(concept):
            return line(code, 20)
        if text(concept, "text"):
            return line(text(concept, "text"), 20)
    return ""


def _notes(node: Mapping[str, Any]) -> str:
    said = [text(one, "text") for one in items(node, "note")]
    said += [text(node, "comment"), text(node, "comments")]
    return " ".join(line(one, 600) for one in said if one.strip())[:_LONGEST_KEPT]


def _range(
    node: Mapping[str, Any], path: str, person: Person, problems: list[PlaceOfProblem]
) -> dict[str, str] | str | None:
    """The one range that fits; of several that fit none is used, and that is said."""
    ranges = items(node, "referenceRange")
    fitting = [
        (index, one)
        for index, one in enumerate(ranges)
        if _is_normal(one) and _fits(one, person) and not one.get("modifierExtension")
    ]
    if len(fitting) > 1 and len({str(_ends(one)) for _, one in fitting}) > 1:
        message = f"{len(fitting)} ranges fit; none of them was used"
        problems.append((f"{path}.referenceRange", "range-ambiguous", message))
        return None
    if not fitting:
        if ranges:
            message = (
                "no range that was sent is a reference range that fits this patient; none was used"
            )
            problems.append((f"{path}.referenceRange", "range-ambiguous", message))
        return None
    return _ends(fitting[0][1])


def _ends(sent: Mapping[str, Any]) -> dict[str, str] | str | None:
    low, high = inner(sent, "low"), inner(sent, "high")
    ends = {"low": line(text(low, "value"), 60), "high": line(text(high, "value"), 60)}
    if not any(ends.values()):
        return line(text(sent, "text")) or None
    if all(_is_zero(one) for one in ends.values()):
        return None
    unit = _unit(low, "", []) or _unit(high, "", [])
    return {name: end for name, end in {**ends, "unit": unit}.items() if end}


def _is_zero(number: str) -> bool:
    return bool(number) and not number.strip("0.")


def _is_normal(sent: Mapping[str, Any]) -> bool:
    kind = inner(sent, "type") or inner(sent, "meaning")
    return (
        not kind or not codings(kind) or any(code in _NORMAL_RANGE for _, code, _ in codings(kind))
    )


def _fits(sent: Mapping[str, Any], person: Person) -> bool:
    """Does a range speak for this patient, as far as is known?"""
    sexes = {
        _SEX_CODES[code]
        for concept in items(sent, "appliesTo")
        for _, code, _ in codings(concept)
        if code in _SEX_CODES
    }
    if sexes and person.sex in ("female", "male") and person.sex not in sexes:
        return False
    pregnant = any(
        code == "77386006"
        for concept in items(sent, "appliesTo")
        for _, code, _ in codings(concept)
    )
    if pregnant and not person.pregnant:
        return False
    age = inner(sent, "age")
    if not age or person.years is None:
        return True
    low, high = _years(inner(age, "low")), _years(inner(age, "high"))
    return (low is None or person.years >= low) and (high is None or person.years <= high)


def _years(sent: Mapping[str, Any]) -> float | None:
    try:
        number = float(text(sent, "value"))
    except ValueError:
        return None
    return number * _YEARS_IN.get(text(sent, "code") or text(sent, "unit"), 1.0)


def _as_received(node: Mapping[str, Any]) -> str:
    """The resource as it came, as far as there is room for it."""
    kept = {name: inner for name, inner in node.items() if name not in ("contained", "text")}
    return str(simplejson.dumps(_plain(kept), ensure_ascii=True))[:_LONGEST_KEPT]


def _plain(node: Any) -> Any:
    if isinstance(node, dict):
        return {name: _plain(inner) for name, inner in node.items()}
    if isinstance(node, list):
        return [_plain(inner) for inner in node]
    return simplejson.RawJSON(node.text) if isinstance(node, NumberLiteral) else node


def _without_blanks(node: Mapping[str, Any]) -> dict[str, Any]:
    return {name: inner for name, inner in node.items() if inner not in ("", None, [], {})}


def observations_in(node: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """The references of a report or a panel Observation to its members (`related` in STU3)."""
    for name in ("result", "hasMember"):
        yield from items(node, name)
    for one in items(node, "related"):
        if text(one, "type") == "has-member":
            yield inner(one, "target")
