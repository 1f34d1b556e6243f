"""What was understood of each line, before anything is interpreted: the safety step of entering.

It shows what the steps up to the unit make of a result (which test, which value, which unit), and what
they could not. No standing, no finding and no urgency appears here.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Literal

from labinterp import interpretation

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from labinterp.model.interpretation import Interpretation, InterpretedResult, ProblemRecord
    from labinterp.model.knowledge import Knowledge
    from labinterp.model.submission import Identity, Received, ReportedResult
    from labinterp.web.reading import Read, Row

Verdict = Literal["understood", "needs you", "not used"]
UNDERSTOOD: Final = "Understood"
NOT_USED: Final = "Not used"

STATUS_OF_CODE: Final[dict[str, str]] = {
    "unmapped-code": "Choose",
    "test-unknown": "Choose",
    "test-ambiguous": "Choose",
    "code-name-conflict": "Choose",
    "number-ambiguous": "Choose",
    "duplicate-result": "Choose",
    "unit-missing": "Unit missing",
    "unit-unknown": "Unit unusual for this test",
    "unit-refused": "Unit unusual for this test",
    "unit-case": "Unit unusual for this test",
    "unit-property-mismatch": "Unit unusual for this test",
    "value-implausible": "Looks implausible (maybe another unit)",
    "unit-doubtful": "Looks implausible (maybe another unit)",
    "value-missing": NOT_USED,
    "value-not-numeric": NOT_USED,
    "not-measured": NOT_USED,
    "status-ignored": NOT_USED,
    "stale-result": NOT_USED,
}
"""Code of a problem to the word the check page shows; any other leaves a result understood, with a remark."""


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
        received: the line as it came; `found` is the part of it that was taken for the value.
        status: the status word. remarks: what is wrong, and what would be right.
    """

    index: int | None
    received: str
    found: str
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

    @property
    def parts(self) -> tuple[str, str, str]:
        """The received line before, in and after the place where the value was found."""
        before, found, after = (
            self.received.partition(self.found) if self.found else (self.received, "", "")
        )
        return before, found, after


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
        readable: at least one result can be interpreted.
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
        needs = "needs" if counts["needs you"] == 1 else "need"
        return f"{counts['understood']} understood, {counts['needs you']} {needs} you, {counts['not used']} not used"


def checked(read: Read, knowledge: Knowledge) -> Checked:
    """What was understood of everything that was read."""
    answers = [interpretation.interpret(one.submission, knowledge) for one in read.received]
    patients = tuple(
        _patient(one, answer, knowledge, read.rows)
        for one, answer in zip(read.received, answers, strict=True)
    )
    refused = tuple(f"{place.where}: {place.message}" for place in read.refused)
    return Checked(patients, refused, any(interpretation.readable(answer) for answer in answers))


def _patient(
    one: Received, answer: Interpretation, knowledge: Knowledge, rows: tuple[Row, ...]
) -> PatientLines:
    by_place = {result.where: result for result in answer.results if not result.derived_from}
    reported = one.submission.results
    used = [row.index for row in rows if row.is_used] or list(range(len(reported)))
    lines = [
        _line(
            index if rows else None,
            result,
            by_place.get(result.where),
            _about(result.where, answer.problems),
            knowledge,
        )
        for index, result in zip(used, reported, strict=False)
    ]
    taken_out = [_taken_out(row) for row in rows if not row.is_used]
    places = tuple(result.where for result in reported)
    rest = [problem for problem in answer.problems if not _is_about_any(problem.where, places)]
    unread = [
        _unread(problem)
        for problem in rest
        if problem.code in ("line-not-recognised", "row-not-read")
    ]
    remarks = tuple(
        problem.message
        for problem in rest
        if problem.code not in ("line-not-recognised", "row-not-read")
    )
    return PatientLines(one.where, one.identity, (*lines, *taken_out, *unread), remarks)


def _line(
    index: int | None,
    reported: ReportedResult,
    result: InterpretedResult | None,
    problems: tuple[ProblemRecord, ...],
    knowledge: Knowledge,
) -> Line:
    measurand = knowledge.measurands.get(result.measurand) if result else None
    value = f"{reported.comparator or ''}{reported.value or ''}"
    return Line(
        index=index,
        received=reported.as_received or _as_typed(reported),
        found=reported.value or "",
        name=result.name if result else "",
        value=value,
        unit=reported.unit or "",
        converted=_converted(result),
        interval=_interval(reported),
        status=_status(result, problems),
        remarks=tuple(dict.fromkeys(problem.message for problem in problems)),
        options=(),
        units=tuple(unit.printed for unit in measurand.units) if measurand else (),
        result={"test": reported.name or "", "value": value, "unit": reported.unit or ""},
    )


def _status(result: InterpretedResult | None, problems: Iterable[ProblemRecord]) -> str:
    words = [STATUS_OF_CODE[problem.code] for problem in problems if problem.code in STATUS_OF_CODE]
    if words:
        return next((word for word in words if word != NOT_USED), NOT_USED)
    return UNDERSTOOD if result is not None and result.measurand else "Choose"


def _converted(result: InterpretedResult | None) -> str:
    if result is None or result.conversion is None or result.value is None:
        return ""
    if result.conversion.from_unit == result.conversion.to_unit:
        return ""
    return f"= {result.value.comparator or ''}{result.value.number:f} {result.value.printed_unit or result.value.unit}"


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
    received = str(
        result.get("as_received")
        or " ".join(str(result.get(name, "")) for name in ("test", "value", "unit"))
    )
    return Line(row.index, received, "", "", "", "", "", "", NOT_USED, ("You took this line out.",))


def _unread(problem: ProblemRecord) -> Line:
    return Line(None, problem.where, "", "", "", "", "", "", NOT_USED, (problem.message,))


def _about(where: str, problems: Iterable[ProblemRecord]) -> tuple[ProblemRecord, ...]:
    return tuple(problem for problem in problems if _is_about_any(problem.where, (where,)))


def _is_about_any(place: str, wheres: Iterable[str]) -> bool:
    return any(
        place == where or place.startswith((f"{where}.", f"{where},", f"{where}["))
        for where in wheres
    )
