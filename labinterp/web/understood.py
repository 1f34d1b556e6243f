"""What was understood of each line, before anything is interpreted: the safety step of entering.

It shows what the steps up to the unit make of a result (which test, which value, which unit), and
what they could not. No standing, no finding and no urgency appears here.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Literal

from labinterp import interpretation
from labinterp.formats.taken_back import takes_back
from labinterp.interpretation.lookup import lookup_of, name_key
from labinterp.interpretation.numerals import read_number

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from labinterp.model.interpretation import Interpretation, InterpretedResult, ProblemRecord
    from labinterp.model.knowledge import Knowledge
    from labinterp.model.measurand import Measurand
    from labinterp.model.submission import Identity, Received, ReportedResult
    from labinterp.web.reading import Read, Row

Verdict = Literal["understood", "needs you", "not used"]
UNDERSTOOD: Final = "Understood"
NOT_USED: Final = "Not used"

CHOOSE: Final = "Choose"
STATUS_OF_CODE: Final[dict[str, str]] = {
    "code-name-conflict": CHOOSE,
    "duplicate-result": CHOOSE,
    "unit-missing": "Unit missing",
    "unit-unknown": "Unit unusual for this test",
    "unit-property-mismatch": "Unit unusual for this test",
    "unit-doubtful": "Looks implausible (maybe another unit)",
    "value-implausible": "Looks implausible (maybe another unit)",
    "unmapped-code": NOT_USED,
    "value-not-numeric": NOT_USED,
    "not-measured": NOT_USED,
    "status-ignored": NOT_USED,
    "stale-result": NOT_USED,
    "repeated-result": NOT_USED,
}
"""Code of a problem to the word the page shows; any other leaves a result understood, remarked."""
UNREAD: Final = "line-not-recognised"
_UNIT_CODES: Final = frozenset({"unit-missing", "unit-unknown"})


@dataclass(frozen=True, slots=True)
class Option:
    """One button of a row that needs an answer: sets a field of the row."""

    field: str
    value: str
    label: str


@dataclass(frozen=True, slots=True)
class Line:
    """One row of the check page.

    Attributes:
        index: names the row's fields; None where it cannot be changed.
        parts: the line as it came, before, in and after the place where the value was found.
        status: the status word. remarks: what is wrong, and what would be right.
    """

    index: int | None
    parts: tuple[str, str, str]
    name: str
    value: str
    unit: str
    converted: str
    interval: str
    status: str
    remarks: tuple[str, ...] = ()
    options: tuple[Option, ...] = ()
    units: tuple[str, ...] = ()
    result: Mapping[str, Any] = field(default_factory=dict)

    @property
    def verdict(self) -> Verdict:
        """Which of the three counts of the heading this row belongs to."""
        if self.status == UNDERSTOOD:
            return "understood"
        return "not used" if self.status == NOT_USED else "needs you"


@dataclass(frozen=True, slots=True)
class PatientLines:
    """The rows of one patient's panel, and who that is."""

    title: str
    identity: Identity
    lines: tuple[Line, ...]
    remarks: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Checked:
    """Everything the check page shows.

    Attributes:
        refused: rows or lines outside any panel that could not be read, as sentences.
        readable: at least one result can be interpreted, or is taken back by its sender.
    """

    patients: tuple[PatientLines, ...]
    refused: tuple[str, ...]
    readable: bool

    @property
    def counts(self) -> dict[Verdict, int]:
        """How many rows were understood, need an answer, or are not used."""
        verdicts = [line.verdict for patient in self.patients for line in patient.lines]
        counted: dict[Verdict, int] = {
            "understood": 0,
            "needs you": 0,
            "not used": len(self.refused),
        }
        for verdict in verdicts:
            counted[verdict] += 1
        return counted

    @property
    def heading(self) -> str:
        """`6 understood, 1 needs you, 2 not used`."""
        counts = self.counts
        needs = "needs you" if counts["needs you"] == 1 else "need you"
        said = (
            (counts["understood"], "understood"),
            (counts["needs you"], needs),
            (counts["not used"], "not used"),
        )
        return ", ".join(f"{count} {word}" for count, word in said)


def checked(read: Read, knowledge: Knowledge) -> Checked:
    """What was understood of everything that was read."""
    answers = [interpretation.interpret(one.submission, knowledge) for one in read.received]
    context = _Context(knowledge, read.found)
    patients = tuple(
        _patient(one, answer, read, context)
        for one, answer in zip(read.received, answers, strict=True)
    )
    refused = tuple(f"{place.where}: {place.message}" for place in read.refused)
    readable = any(
        interpretation.readable(answer) or takes_back(one.submission)
        for one, answer in zip(read.received, answers, strict=True)
    )
    return Checked(patients, refused, readable)


@dataclass(frozen=True, slots=True)
class _Context:
    knowledge: Knowledge
    found: Mapping[str, tuple[str, str, str]]


def _patient(one: Received, answer: Interpretation, read: Read, context: _Context) -> PatientLines:
    by_place = {result.where: result for result in answer.results if not result.derived_from}
    reported = one.submission.results
    used = [row.index for row in read.rows if row.is_used]
    indexes: list[int | None] = [*used] if used else [None] * len(reported)
    lines = [
        _line(
            index,
            result,
            by_place.get(result.where),
            _about(result.where, answer.problems),
            context,
        )
        for index, result in zip(indexes, reported, strict=True)
    ]
    taken_out = [_taken_out(row) for row in read.rows if not row.is_used]
    places = tuple(result.where for result in reported)
    rest = [problem for problem in answer.problems if not _is_about_any(problem.where, places)]
    unread = [_unread(problem, context) for problem in rest if problem.code == UNREAD]
    remarks = tuple(problem.message for problem in rest if problem.code != UNREAD)
    return PatientLines(one.where, one.identity, (*lines, *taken_out, *unread), remarks)


def _line(
    index: int | None,
    reported: ReportedResult,
    result: InterpretedResult | None,
    problems: tuple[ProblemRecord, ...],
    context: _Context,
) -> Line:
    measurand = context.knowledge.measurands.get(result.measurand) if result else None
    value = f"{reported.comparator or ''}{reported.value or ''}"
    options = () if index is None else _options(reported, measurand, problems, context)
    received = reported.as_received or _as_typed(reported)
    return Line(
        index=index,
        parts=context.found.get(reported.where) or (received, "", ""),
        name=result.name if result else "",
        value=value,
        unit=reported.unit or "",
        converted=_converted(result),
        interval=_interval(reported),
        status=CHOOSE if options and options[0].field != "unit" else _status(result, problems),
        remarks=tuple(dict.fromkeys(problem.message for problem in problems)),
        options=options,
        units=tuple(unit.printed for unit in measurand.units) if measurand else (),
        result={"test": reported.name or "", "value": value, "unit": reported.unit or ""},
    )


def _options(
    reported: ReportedResult,
    measurand: Measurand | None,
    problems: Iterable[ProblemRecord],
    context: _Context,
) -> tuple[Option, ...]:
    """The answers that fit the question this row asks; none where nothing is asked."""
    codes = {problem.code for problem in problems}
    if read_number(reported.value, reported.comparator).trouble == "ambiguous_comma":
        value = reported.value or ""
        return tuple(
            Option("value", value.replace(",", sign), value.replace(",", sign))
            for sign in (".", "")
        )
    if measurand is None and "unmapped-code" in codes:
        named = lookup_of(context.knowledge).names.get(name_key(reported.name or ""), ())
        return tuple(Option("test", one.name, one.name) for one in named)
    if measurand is not None and codes & _UNIT_CODES:
        return tuple(Option("unit", unit.printed, unit.printed) for unit in measurand.units)
    if "duplicate-result" in codes:
        return (Option("use", "no", "Leave this one out"),)
    return ()


def _status(result: InterpretedResult | None, problems: Iterable[ProblemRecord]) -> str:
    words = [STATUS_OF_CODE[problem.code] for problem in problems if problem.code in STATUS_OF_CODE]
    if words:
        return next((word for word in words if word != NOT_USED), NOT_USED)
    return UNDERSTOOD if result is not None and result.measurand else NOT_USED


def _converted(result: InterpretedResult | None) -> str:
    if result is None or result.conversion is None or result.value is None:
        return ""
    if result.conversion.from_unit == result.conversion.to_unit:
        return ""
    value = result.value
    return f"= {value.comparator or ''}{value.number:f} {value.printed_unit or value.unit}"


def _interval(reported: ReportedResult) -> str:
    interval = reported.interval
    if interval is None:
        return ""
    return interval.text or f"{interval.low or ''}–{interval.high or ''}"


def _as_typed(reported: ReportedResult) -> str:
    parts = (
        reported.name,
        f"{reported.comparator or ''}{reported.value or ''}",
        reported.unit,
        _interval(reported),
        reported.flag,
    )
    return " ".join(part for part in parts if part)


def _taken_out(row: Row) -> Line:
    result = row.result
    spelled = " ".join(str(result.get(name, "")) for name in ("test", "value", "unit"))
    received = str(result.get("as_received") or spelled)
    return _idle(row.index, received, "You took this line out.")


def _unread(problem: ProblemRecord, context: _Context) -> Line:
    received = "".join(context.found.get(problem.where, (problem.where,)))
    return _idle(None, received, problem.message)


def _idle(index: int | None, received: str, remark: str) -> Line:
    return Line(index, (received, "", ""), "", "", "", "", "", NOT_USED, (remark,))


def _about(where: str, problems: Iterable[ProblemRecord]) -> tuple[ProblemRecord, ...]:
    return tuple(problem for problem in problems if _is_about_any(problem.where, (where,)))


def _is_about_any(place: str, wheres: Iterable[str]) -> bool:
    return any(
        place == where or place.startswith((f"{where}.", f"{where},", f"{where}["))
        for where in wheres
    )
