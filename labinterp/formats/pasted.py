"""Results as records put them on the clipboard: `Potassium 2.4 mmol/L (3.5-5.3) L`, `Na 138 K 2.4`.

Every line is accounted for: it gives results, it states something about the patient, or it is
listed as not used. Nothing is corrected, and where two numbers could be the value, none is taken.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from labinterp.errors import Place, SubmissionError, TooLarge
from labinterp.formats.characters import decoded, folded, forbidden_character, quoted
from labinterp.formats.headings import MEMBER_OF, RESULT_MEMBERS
from labinterp.formats.json_panel import received_of
from labinterp.formats.limits import DEFAULT_LIMITS, Context, Limits, Reading
from labinterp.formats.pasted_columns import DateColumns, date_columns
from labinterp.formats.pasted_lead import MOMENT, led
from labinterp.formats.pasted_line import Found, ends_with_result, results_in
from labinterp.formats.pasted_sections import PastedLine, in_their_sections
from labinterp.formats.stated import IDENTIFYING, Stated
from labinterp.formats.vocabulary import Vocabulary

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from labinterp.formats.ages import PlaceOfProblem
    from labinterp.model.submission import Received

_LINE_ENDS: Final = re.compile(r"\r\n|[\n\r\v\f\x85\u2028\u2029]")
_STATED: Final = re.compile(r"([^\W\d_][\w .'’/-]{0,40}?)\s{0,3}[:=]\s*(\S.*)", re.DOTALL)
_PIECES: Final = re.compile(r"\t+| {3,}|[;|]")


def read(body: bytes, context: Context) -> Reading:
    """One panel from one pasted text.

    Raises:
        SubmissionError: no result was recognised; every line is listed.
    """
    if len(body) > context.limits.pasted_bytes:
        raise TooLarge(
            f"The text has {len(body)} bytes; a pasted one may have {context.limits.pasted_bytes}."
        )
    text, guessed = decoded(body)
    lines = parse(text, context.names, context.limits)
    problems = (("text", "charset-guessed", guessed),) if guessed else ()
    return Reading((received_of_lines(lines, context, problems),))


def parse(
    text: str,
    names: Mapping[str, str],
    limits: Limits = DEFAULT_LIMITS,
) -> tuple[PastedLine, ...]:
    """Each line that is not blank, as what it became.

    Args:
        text: as pasted.
        names: known test names (folded by `labinterp.model.spelling.folded_name`) to measurand ids.
        limits: how much is taken.

    Raises:
        TooLarge: more lines than the limits allow.
    """
    lines = _LINE_ENDS.split(text.removeprefix("\ufeff"))
    if len(lines) > limits.rows:
        raise TooLarge(f"The text has {len(lines)} lines; at most {limits.rows} are taken.")
    known = Vocabulary(names)
    found: list[PastedLine] = []
    columns: DateColumns | None = None
    for number, line in enumerate(lines, start=1):
        if line.strip():
            found.extend(_line(number, line, known, limits, columns))
            columns = (_is_plain(line, limits) and date_columns(line)) or columns
        else:
            columns = None
        if len(found) > limits.results:
            raise TooLarge(f"More than {limits.results} results or lines; paste one panel.")
    return tuple(found)


def received_of_lines(
    lines: Iterable[PastedLine], context: Context, problems: Iterable[PlaceOfProblem] = ()
) -> Received:
    """The panel of these lines; what was not used is a problem each.

    Raises:
        SubmissionError: no line gave a result, or the lines speak of several patients.
    """
    known = tuple(lines)
    if not any(line.result for line in known):
        raise _nothing(known, context.limits)
    _refuse_several_patients(known)
    told = in_their_sections(known)
    stated = Stated(_stated(known), "", {})
    panel = stated.panel() | {"results": list(told.results)}
    if told.collected_at:
        panel["collected_at"] = told.collected_at
    unused = (_unused(line) for line in known if line.reason)
    return received_of(
        panel,
        context.received_at,
        "pasted",
        problems=(*problems, *stated.problems, *told.problems, *unused),
        limits=context.limits,
    )


def _refuse_several_patients(lines: tuple[PastedLine, ...]) -> None:
    """Two numbers, names, birth dates or sexes: whose a result is cannot be told; none is taken."""
    first: dict[str, tuple[int, str]] = {}
    for line in lines:
        for member in sorted(IDENTIFYING & line.stated.keys()):
            number, said = first.setdefault(member, (line.number, folded(line.stated[member])))
            if said != folded(line.stated[member]):
                label = member.replace("_", " ")
                message = f"another {label} than in line {number}; paste one patient at a time"
                place = Place(f"line {line.number}", "multiple-patients", message)
                raise SubmissionError(
                    f"The text speaks of several patients: {place.where} has {message}.",
                    code="multiple-patients",
                    errors=(place,),
                )


def _is_plain(text: str, limits: Limits) -> bool:
    return len(text) <= limits.cell_characters


def _line(
    number: int, text: str, names: Vocabulary, limits: Limits, columns: DateColumns | None
) -> Iterator[PastedLine]:
    if len(text) > limits.cell_characters:
        reason = f"has {len(text)} characters; at most {limits.cell_characters} are read in a line"
        yield PastedLine(number, quoted(text), reason=reason)
    elif character := forbidden_character(text.replace("\t", " ")):
        yield PastedLine(number, quoted(text), reason=f"holds the control character {character}")
    elif stated := _stated_in(text, names):
        yield PastedLine(number, text, stated=stated)
    elif date_columns(text):
        yield PastedLine(number, text)
    else:
        yield from _results(number, text, names, columns)


def _results(
    number: int, text: str, names: Vocabulary, columns: DateColumns | None
) -> Iterator[PastedLine]:
    rows = columns.by_date(text) if columns else None
    found: list[tuple[Found, str]] = []
    reason = rows if isinstance(rows, str) else None
    if isinstance(rows, list):
        for when, row in rows:
            some, why = results_in(led(row, names).text, names)
            reason = reason or why
            found.extend((one, when) for one in some)
    elif reason is None:
        found, reason = _dated(text, names)
    if reason:
        yield PastedLine(number, text, reason=reason)
        return
    for index, ((result, span), when) in enumerate(found, start=1):
        place = f"line {number}" if index == 1 else f"line {number} ({index})"
        whole = {**result, "where": place, "as_received": text.strip()[:2000]}
        yield PastedLine(number, text, whole, span, place=place, when=when)


def _dated(text: str, names: Vocabulary) -> tuple[list[tuple[Found, str]], str | None]:
    """The results of a line with the date that stands before or behind them."""
    begun = led(text, names)
    line, when = begun.text, begun.when
    dates = list(MOMENT.finditer(line))
    if not when and len(dates) == 1:
        start, end = dates[0].span()
        is_last = not line[end:].strip(" \t)].|;,")
        if is_last and ends_with_result(line[:start]):
            when, line = dates[0].group(), line[:start].rstrip("([ ,;|\t")
    found, reason = results_in(line, names)
    if begun.flag and found:
        found[0][0].setdefault("flag", begun.flag)
    return [(one, when) for one in found], reason


def _stated_in(text: str, names: Vocabulary) -> dict[str, str]:
    """What a line like `Name: DOE, Jane   DOB: 1980-02-03` states; empty when it states nothing."""
    pieces = [piece for piece in _PIECES.split(text) if piece.strip()]
    stated = [_statement(piece, names) for piece in pieces]
    if stated and all(stated):
        return dict(pair for pair in stated if pair)
    whole = _statement(text, names)
    return dict([whole]) if whole else {}


def _statement(piece: str, names: Vocabulary) -> tuple[str, str] | None:
    match = _STATED.fullmatch(piece.strip())
    if match is None or match[1] in names:
        return None
    member = MEMBER_OF.get(folded(match[1]))
    return None if member is None or member in RESULT_MEMBERS else (member, match[2])


def _stated(lines: Iterable[PastedLine]) -> dict[str, str]:
    """All that was stated; of a member stated twice the first counts."""
    stated: dict[str, str] = {}
    for line in lines:
        stated = {**line.stated, **stated}
    return stated


def _unused(line: PastedLine) -> PlaceOfProblem:
    return (
        f"line {line.number}",
        "line-not-recognised",
        f"“{quoted(line.text.strip())}” was not used: {line.reason}",
    )


def _nothing(lines: tuple[PastedLine, ...], limits: Limits) -> SubmissionError:
    if not lines:
        message = "Paste results, type them in, or upload a file."
        return SubmissionError(message, code="empty", errors=(Place("text", "empty", message),))
    places = tuple(Place(*_unused(line)) for line in lines if line.reason)[: limits.errors]
    shown = "; ".join(quoted(line.text.strip()) for line in lines[:3])
    return SubmissionError(
        f"No result was recognised. These lines were received: {shown}",
        code="nothing-recognised",
        errors=places,
    )
