"""Tables: one result a row (long) or one panel a row (wide), as spreadsheets write them.

Rows are put together by patient and collection time. A row that cannot be read loses only itself;
rows that contradict one another about who the patient is are refused together, because nobody can
tell whose they are. Both layouts stay in one file: they differ in how a row becomes results, and
share all that follows.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from labinterp.errors import Place, SubmissionError, TooLarge
from labinterp.formats.characters import decoded, folded, quoted
from labinterp.formats.csv_columns import (
    Columns,
    Head,
    Survey,
    TestColumn,
    cell_of,
    head_of,
    is_separator_line,
    is_table,
    with_numeric_tests,
)
from labinterp.formats.csv_records import Record, lines_of
from labinterp.formats.headings import MEMBER_OF, RESULT_MEMBERS
from labinterp.formats.json_panel import received_of
from labinterp.formats.limits import Context, Limits, Reading
from labinterp.formats.stated import IDENTIFYING, LISTS, Stated
from labinterp.model.codes import LOINC

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from labinterp.formats.ages import PlaceOfProblem
    from labinterp.formats.dates import Order
    from labinterp.formats.sender_settings import SenderSettings
    from labinterp.model.submission import Received

_RESULT: Final = re.compile(r"results\[([0-9]{1,9})\]\.?")
_WITH_UNIT: Final = re.compile(r"(?P<test>[^()\[\]]{1,100}?)\s*[(\[](?P<unit>[^()\[\]]{1,60})[)\]]")
_LOINC_LENGTH: Final = 10
Key = tuple[str, ...]


@dataclass(slots=True)
class _Group:
    """The rows of one panel; `patient` is what they are known by."""

    patient: Key
    rows: list[int] = field(default_factory=list)
    texts: dict[str, str] = field(default_factory=dict)
    results: list[dict[str, Any]] = field(default_factory=list)
    problems: list[PlaceOfProblem] = field(default_factory=list)

    @property
    def where(self) -> str:
        """`row 4` or `rows 2-8`."""
        first, last = self.rows[0], self.rows[-1]
        return f"row {first}" if first == last else f"rows {first}-{last}"


@dataclass(frozen=True, slots=True)
class _Table:
    """What its columns mean, and what all its rows say of them."""

    columns: Columns
    survey: Survey


def read(body: bytes, context: Context) -> Reading:
    """All panels of a table, and the rows that could not be read.

    Raises:
        SubmissionError: no header, or no row that could be read; all of them are named.
        TooLarge: more rows, columns or panels than the limits allow.
    """
    text, guessed = decoded(body, _charset(context.settings))
    lines = lines_of(text, context.limits)
    head = head_of(lines, context.limits)
    survey = Survey()
    rows, refused = sorted_out(head.records(lines, context.limits), head.columns, survey)
    reading = panels_of([row for row, _ in rows], head, survey, context, guessed)
    refused.extend(reading.refused)
    if not reading.received:
        raise _nothing(refused, context.limits)
    return Reading(reading.received, tuple(refused))


def sorted_out(
    records: Iterable[Record], columns: Columns, survey: Survey
) -> tuple[list[tuple[Record, Key]], list[Place]]:
    """The rows below the header, each with what its patient is known by, and those refused.

    Every row is taken into the survey: rows of one patient may then be read without the others.
    """
    kept: list[tuple[Record, Key]] = []
    refused: list[Place] = []
    for record in records:
        if record.line <= columns.line:
            if record.line < columns.line and not is_separator_line(record.cells):
                refused.append(Place(f"row {record.line}", "row-not-used", _title(record)))
            continue
        survey.see(record, columns)
        fault = record.fault or _row_fault(record, columns)
        if fault:
            refused.append(Place(f"row {record.line}", "row-not-read", fault))
        else:
            kept.append((record, _patient(record, columns)))
    return kept, refused


def panels_of(
    rows: Sequence[Record], head: Head, survey: Survey, context: Context, guessed: str | None = None
) -> Reading:
    """The panels of rows that `sorted_out` kept: all the rows of the patients they are of.

    Args:
        rows: in the order of the table.
        head: of the table.
        survey: of all the rows of the table.
        context: when it came, and how much is taken.
        guessed: the sentence that says that the charset was guessed.

    Raises:
        TooLarge: more panels than the limits allow.
    """
    table = _Table(with_numeric_tests(head.columns, survey.numeric), survey)
    refused: list[Place] = []
    groups = _grouped(rows, table.columns, refused)
    if len(groups) > context.limits.panels:
        raise TooLarge(
            f"The table has {len(groups)} panels; at most {context.limits.panels} are taken."
        )
    for group in groups:
        group.results = [_agreed(result, context.settings) for result in group.results]
    received = _panels(groups, table, context, guessed, refused)
    return Reading(tuple(received), tuple(refused))


def _charset(settings: SenderSettings) -> str:
    if not settings.charset:
        return ""
    from labinterp.formats.hl7v2_text import charset_name  # noqa: PLC0415 - few agree on one

    return charset_name(settings.charset) or ""


def _agreed(result: dict[str, Any], settings: SenderSettings) -> dict[str, Any]:
    """A result with its sender's own names read as what was agreed; `as_received` keeps them."""
    in_header = _WITH_UNIT.fullmatch(result.get("test", "")) if "unit" not in result else None
    if in_header and in_header["unit"] in settings.units:
        result = {**result, "test": in_header["test"], "unit": in_header["unit"]}
    own = [name for name in (result.get("own_code"), result.get("test")) if name]
    meant = next((settings.codes[name] for name in own if name in settings.codes), None)
    made = {name: said for name, said in result.items() if name != "own_code"}
    if meant is not None:
        made["test"] = meant
    if made.get("unit") in settings.units:
        made["unit"] = settings.units[made["unit"]]
    if made.get("flag") in settings.flags:
        made["flag"] = settings.flags[made["flag"]]
    return made


def looks_like_table(body: bytes) -> bool:
    """Whether the beginning of a body is a table with a header this reader knows."""
    try:
        text, _ = decoded(body)
        return is_table(text.splitlines()[:20], Limits())
    except SubmissionError:
        return False


def _grouped(rows: Iterable[Record], columns: Columns, refused: list[Place]) -> list[_Group]:
    """Rows by patient and collection time, in the order of their first row."""
    groups: dict[Key, _Group] = {}
    people = _People()
    for record in rows:
        texts = _texts(record, columns)
        results = _results(record, texts, columns)
        if not results:
            message = "holds no value and no test; nothing of it was used"
            refused.append(Place(f"row {record.line}", "row-not-read", message))
            continue
        patient = _patient(record, columns)
        when = (texts.get("collected_at", ""), texts.get("collected_time", ""))
        people.meet(patient, record.line, texts)
        _join(groups.setdefault((*patient, *when), _Group(patient)), record.line, texts, results)
    return [group for group in groups.values() if not _refuse_contradiction(group, people, refused)]


class _People:
    """Who each number belongs to, as far as the rows agree."""

    def __init__(self) -> None:
        self._known: dict[tuple[Key, str], tuple[str, int]] = {}
        self.contradictions: dict[Key, str] = {}

    def meet(self, patient: Key, line: int, texts: Mapping[str, str]) -> None:
        """Compare a row's statements about the patient with those of the rows before."""
        for member in sorted(IDENTIFYING & texts.keys()):
            said = texts[member]
            known, first = self._known.setdefault((patient, member), (said, line))
            if known != said and folded(known) != folded(said):
                label = member.replace("_", " ")
                self.contradictions.setdefault(
                    patient, f"rows {first} and {line} differ in the patient's {label}"
                )


def _refuse_contradiction(group: _Group, people: _People, refused: list[Place]) -> bool:
    contradiction = people.contradictions.get(group.patient)
    if contradiction:
        message = f"{contradiction}; whose results these are cannot be told"
        refused.append(Place(group.where, "identity-conflict", message))
    return contradiction is not None


def _row_fault(record: Record, columns: Columns) -> str | None:
    extra = [cell for cell in record.cells[columns.width :] if cell]
    if extra:
        return (
            f"has {len(record.cells)} cells, the header has {columns.width}; "
            "a decimal comma or a separator inside a cell needs quotation marks"
        )
    if "identifier" in columns.members and not cell_of(record, columns.members["identifier"]):
        return "names no patient although the table has a column for it; whose it is cannot be told"
    for member, index in columns.rivals:
        used = columns.members[member]
        if cell_of(record, index) not in ("", cell_of(record, used)):
            return (
                f"has another {member} in column {index + 1} than in column {used + 1}; "
                "which is right? Send one column for it"
            )
    return None


def _texts(record: Record, columns: Columns) -> dict[str, str]:
    cells = {member: cell_of(record, index) for member, index in columns.members.items()}
    return {member: cell for member, cell in cells.items() if cell}


def _patient(record: Record, columns: Columns) -> Key:
    """What a row's patient is known by. Without a number nothing is merged by name."""
    number = columns.members.get("identifier")
    if number is not None:
        issuer = columns.members.get("issuer")
        return (cell_of(record, number), "" if issuer is None else cell_of(record, issuer))
    return (f"row {record.line}", "") if columns.layout == "wide" else ("", "")


def _join(
    group: _Group, line: int, texts: Mapping[str, str], results: list[dict[str, Any]]
) -> None:
    """Add a row to its panel; what it states otherwise than the rows before is a problem."""
    for member in sorted(texts.keys() - RESULT_MEMBERS - {"material"}):
        text = texts[member]
        known = group.texts.setdefault(member, text)
        if member in LISTS and text != known:
            group.texts[member] = f"{known};{text}"
        elif known != text and folded(known) != folded(text):
            label = member.replace("_", " ")
            message = f"states another {label} than the rows before; the first counts"
            group.problems.append((f"row {line}", "row-differs", message))
    material = texts.get("material")
    specimen = {"specimen": {"material": material}} if material else {}
    group.rows.append(line)
    group.results.extend(result | specimen for result in results)


def _results(record: Record, texts: Mapping[str, str], columns: Columns) -> list[dict[str, Any]]:
    if columns.layout == "wide":
        found = (_wide_result(record, test) for test in columns.tests)
        return [result for result in found if result]
    named = texts.keys() & {"test", "code"}
    return [_long_result(record, texts)] if named or "value" in texts else []


def _long_result(record: Record, texts: Mapping[str, str]) -> dict[str, Any]:
    value = texts.get("value")
    comparator = texts.get("comparator")
    ends = {end: texts[end] for end in ("low", "high") if end in texts}
    return _filled(
        code=_code(texts.get("code")),
        own_code=texts.get("code"),
        test=texts.get("test") or texts.get("code"),
        value={"comparator": comparator, "value": value} if comparator and value else value,
        unit=texts.get("unit"),
        reference_interval=ends or texts.get("interval"),
        flag=texts.get("flag"),
        note=texts.get("note"),
        status=texts.get("result_status"),
        where=f"row {record.line}",
        as_received=_as_received(record),
    )


def _wide_result(record: Record, test: TestColumn) -> dict[str, Any] | None:
    value = cell_of(record, test.index)
    if not value:
        return None
    unit = test.unit if test.unit_index is None else cell_of(record, test.unit_index)
    return _filled(
        test=test.name,
        value=value,
        unit=unit,
        where=f"row {record.line}, column {test.index + 1} ({quoted(test.name)})",
        as_received=" ".join(part for part in (test.name, value, unit) if part),
    )


def _code(text: str | None) -> dict[str, str] | None:
    """A LOINC code; what does not look like one stays a name."""
    if text is None or len(text) > _LOINC_LENGTH:
        return None
    before, hyphen, check = text.partition("-")
    is_loinc = hyphen and before.isdigit() and check.isdigit() and len(check) == 1
    return {"system": LOINC, "code": text} if is_loinc else None


def _as_received(record: Record) -> str:
    return " | ".join(cell for cell in record.cells if cell)[:2000]


def _filled(**members: Any) -> dict[str, Any]:
    return {name: member for name, member in members.items() if member not in (None, "", {})}


def _panels(
    groups: Iterable[_Group],
    table: _Table,
    context: Context,
    guessed: str | None,
    refused: list[Place],
) -> list[Received]:
    orders = _orders(table)
    shared = [*_file_problems(guessed), *_unused_columns(table)]
    received = []
    for group in groups:
        panel = _panel_without_bad_rows(group, context, orders, shared, refused)
        if panel is not None:
            received.append(panel)
    return received


def _panel_without_bad_rows(
    group: _Group,
    context: Context,
    orders: Mapping[str, Order | None],
    shared: list[PlaceOfProblem],
    refused: list[Place],
) -> Received | None:
    """The group's panel; results of the wrong form are refused by row, and the rest is read."""
    while group.results:
        try:
            return _panel(group, context, orders, shared)
        except SubmissionError as error:
            places = error.errors or (Place("", error.code, error.message),)
        bad = {_result_of(place) for place in places}
        refused.extend(_at_row(place, group) for place in places)
        if None in bad:
            break
        kept = (result for index, result in enumerate(group.results) if index not in bad)
        group.results = list(kept)
    return None


def _result_of(place: Place) -> int | None:
    """Which result of the panel a place speaks of; None for the panel itself."""
    match = _RESULT.match(place.where)
    return int(match[1]) if match else None


def _at_row(place: Place, group: _Group) -> Place:
    """A fault of form in the sender's terms: the row, and what is wrong in it."""
    index = _result_of(place)
    if index is None:
        return Place(group.where, place.code, f"{place.where}: {place.message}".lstrip(": "))
    member = _RESULT.sub("", place.where)
    where = str(group.results[index]["where"])
    return Place(where, place.code, f"{member}: {place.message}".lstrip(": "))


def _panel(
    group: _Group,
    context: Context,
    orders: Mapping[str, Order | None],
    shared: list[PlaceOfProblem],
) -> Received:
    material, results = _one_material(group.results)
    texts = {**group.texts, "material": material}
    stated = Stated(texts, group.where, orders, zone=context.settings.zone)
    policy = (
        {"range_policy": context.settings.range_policy} if context.settings.range_policy else {}
    )
    panel = stated.panel() | policy | {"results": results}
    return received_of(
        panel,
        context.received_at,
        "csv",
        problems=(*shared, *group.problems, *stated.problems),
        where=group.where,
        limits=context.limits,
    )


def _one_material(results: list[dict[str, Any]]) -> tuple[str, list[dict[str, Any]]]:
    """A material that all results share is the panel's; where they differ it stays with each."""
    materials = {result.get("specimen", {}).get("material", "") for result in results}
    if len(materials) > 1:
        return "", results
    bare = [{name: result[name] for name in result if name != "specimen"} for result in results]
    return materials.pop(), bare


def _orders(table: _Table) -> dict[str, Order | None]:
    """The order of day and month that each column of dates proves."""
    return {member: table.survey.order(member) for member in ("birth_date", "collected_at")}


def _file_problems(guessed: str | None) -> list[PlaceOfProblem]:
    return [("file", "charset-guessed", guessed)] if guessed else []


def _unused_columns(table: _Table) -> list[PlaceOfProblem]:
    """Columns that hold something and mean nothing here: said once for each panel."""
    used = table.columns.members
    return [
        (f"column {index + 1}", "column-not-used", f"“{name}” {_why_unused(name, used)}")
        for index, name in table.columns.unused
        if index in table.survey.filled
    ]


def _why_unused(name: str, used: Mapping[str, int]) -> str:
    first = used.get(MEMBER_OF.get(folded(name), ""))
    if first is None:
        return "is not known; the column was not used"
    return f"means the same as column {first + 1}, which was used; this column was not"


def _title(row: Record) -> str:
    text = row.fault or "“" + quoted(" ".join(cell for cell in row.cells if cell)) + "”"
    return f"stands above the header and was not used: {text}"


def _nothing(refused: list[Place], limits: Limits) -> SubmissionError:
    message = "No row of the table could be read." if refused else "The table has no rows."
    return SubmissionError(message, code="nothing-readable", errors=tuple(refused[: limits.errors]))
