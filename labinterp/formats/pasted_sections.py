"""What the lines above a result say of it: a material that is not blood, a time of its own."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from labinterp.formats.characters import quoted
from labinterp.formats.dates import ReadMoment, order_of, read_moment

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from labinterp.formats.ages import PlaceOfProblem

_OTHER_MATERIAL: Final = re.compile(
    r"\b(urine|urinary|urin|csf|cerebrospinal|dialysate|sweat|stool|faec\w{1,4}|fluid|liquor)\b",
    re.IGNORECASE,
)
_BLOOD: Final = re.compile(
    r"\b(serum|plasma|blood|biochemistry|chemistry|ha?ematology|blut|sang)\b", re.IGNORECASE
)
_UNDATED: Final = (
    "no date stands beside it, as beside others; it counts as of the newest of their dates"
)
_LONGEST_HEADING: Final = 60


@dataclass(frozen=True, slots=True)
class PastedLine:
    """What one line (or one result of it) became.

    Attributes:
        number: of the line, from 1.
        text: the line as received.
        result: in the panel's form; None when the line gave none.
        span: where in `text` the value was found.
        stated: member and text, of a line about patient, time or laboratory.
        reason: why the line is not used; None when it is.
        place: the result's place, unique in the text.
        when: the date that stands beside the result, as it was written.
    """

    number: int
    text: str
    result: Mapping[str, Any] | None = None
    span: tuple[int, int] | None = None
    stated: Mapping[str, str] = field(default_factory=dict)
    reason: str | None = None
    place: str = ""
    when: str = ""


@dataclass(frozen=True, slots=True)
class Told:
    """The results with what the lines above them say.

    Attributes:
        collected_at: the latest time, where the lines name several.
    """

    results: tuple[Mapping[str, Any], ...]
    problems: tuple[PlaceOfProblem, ...]
    collected_at: str | None


def in_their_sections(lines: Iterable[PastedLine]) -> Told:
    """Each result under the heading and the time that stand above it."""
    known = tuple(lines)
    times = {line.stated["collected_at"] for line in known if "collected_at" in line.stated}
    dates = tuple(dict.fromkeys(line.when for line in known if line.when))
    read = _read(dates, times)
    results: list[Mapping[str, Any]] = []
    problems: list[PlaceOfProblem] = []
    material = moment = None
    if dates and times:  # what has no date of its own has the one that was stated
        moment = _moment(next(line.stated for line in known if "collected_at" in line.stated))
    for line in known:
        heading = _heading(line)
        if heading is not None:
            material = heading or None
            if material:
                message = f"“{quoted(line.text.strip())}”: what stands below was read as {material}"
                problems.append((f"line {line.number}", "section-heading", message))
        if len(times) > 1 and "collected_at" in line.stated:
            moment = _moment(line.stated)
        if line.when and (problem := read[line.when].problem):
            problems.append((line.place, *problem))
        if line.result is not None:
            at = read[line.when].text if line.when else moment
            if dates and not (line.when or moment):
                problems.append((line.place, "time-missing", _UNDATED))
            results.append(_under(line.result, material, at))
    moments = [one["collected_at"] for one in results if "collected_at" in one]
    latest = max(moments, key=datetime.fromisoformat) if moments else None
    return Told(tuple(results), tuple(problems), latest)


def _read(dates: tuple[str, ...], times: set[str]) -> dict[str, ReadMoment]:
    """Each date that was written, read in the order of day and month that all of them prove."""
    order = order_of((*dates, *times))
    return {date: read_moment(date, order=order) for date in dates}


def _heading(line: PastedLine) -> str | None:
    """The material a heading names, the empty text for blood, None where there is no heading."""
    text = line.text.strip()
    is_heading = line.reason is not None and len(text) <= _LONGEST_HEADING
    if not is_heading or any(mark.isdigit() for mark in text):
        return None
    other = _OTHER_MATERIAL.search(text)
    if other:
        return other.group().casefold()
    return "" if _BLOOD.search(text) else None


def _moment(stated: Mapping[str, str]) -> str | None:
    return read_moment(stated["collected_at"], stated.get("collected_time", "")).text


def _under(result: Mapping[str, Any], material: str | None, moment: str | None) -> dict[str, Any]:
    told: dict[str, Any] = dict(result)
    if material:
        told["specimen"] = {"material": material}
    if moment:
        told["collected_at"] = moment
    return told
