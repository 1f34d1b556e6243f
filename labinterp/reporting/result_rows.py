"""The table of results: each as sent, with what is said of it, in the order a clinician needs.

One file for all columns of a row, because what one column says another need not say again.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from decimal import ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING, Final

from labinterp.reporting import words
from labinterp.reporting.blocks import ResultGroup, ResultRow, ResultTable, Section
from labinterp.reporting.lookups import Lookups, told_doubts, unit_text, value_and_unit, value_text
from labinterp.reporting.number_line import Captions, Geometry, geometry
from labinterp.reporting.palette import SYMBOL_OF

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from labinterp.model.interpretation import (
        ChangeRecord,
        DecisionRecord,
        Interpretation,
        InterpretedResult,
        IntervalRecord,
        LineGeometryInputs,
    )

_UNREAD: Final = "unread"
_GROUPS: Final = (
    ("critical", "Critical"),
    ("electrolytes", "Electrolytes"),
    ("minerals", "Minerals"),
    ("vitamins", "Vitamins"),
    ("supporting", "Supporting"),
    (_UNREAD, "Sent, not interpreted"),
)
_PRINTED_DECIMALS: Final = 2
_CONVERTED_FIGURES: Final = 3
_CRITICAL: Final = ("critically_low", "critically_high")
_ABNORMAL: Final = (*_CRITICAL, "low", "high")
NO_INTERVAL: Final = "no interval for this patient"
NO_HISTORY: Final = "No previous result was available for comparison."
_MARKS: Final[tuple[tuple[str, Callable[[Geometry], object]], ...]] = (
    ("band = interval", lambda line: line),
    ("dashed = critical limit", lambda line: line.critical),
    ("dotted = decision limit", lambda line: line.decision),
    ("solid triangle = this result", lambda line: line.kind == "point"),
    ("hollow = previous", lambda line: line.previous is not None),
    ("bracket with arrow = sent as < or >", lambda line: line.kind in {"below", "above"}),
    ("chevron = off the axis", lambda line: line.kind in {"off_left", "off_right"}),
)
"""What each mark of a number line means, and whether a line has it."""


def results(
    answer: Interpretation, look: Lookups, panel: Mapping[str, object] | None = None
) -> Section:
    """Every result that arrived, and every derived one; none is left out.

    Args:
        answer: the whole answer.
        look: what sections look up.
        panel: as received, for the results that the answer could not place.
    """
    footnotes = _footnotes(answer, look)
    history = any(result.change for result in answer.results)
    rows = [(_group(item), _row(item, answer, look, footnotes)) for item in _as_sent(answer)]
    rows += [(_UNREAD, row) for row in unread_rows(answer, panel or {})]
    groups = (
        ResultGroup(id_, title, tuple(row for group, row in rows if group == id_))
        for id_, title in _GROUPS
    )
    table = ResultTable(
        groups=tuple(group for group in groups if group.rows),
        history=history,
        footnotes=tuple(footnotes),
        no_history="" if history else NO_HISTORY,
        legend=_legend([row.line for _, row in rows if row.line]),
    )
    return Section("results", "Results", (table,))


def _as_sent(answer: Interpretation) -> list[InterpretedResult]:
    """The results in the order they were sent; a derived one follows the last it was made of."""
    places: dict[str, tuple[int, ...]] = {}
    for result in answer.results:
        places.setdefault(result.measurand, _place(result.where))

    def rank(result: InterpretedResult) -> tuple[tuple[int, ...], bool]:
        inputs = [places.get(name, ()) for name in result.derived_from]
        return max(inputs, default=_place(result.where)), bool(inputs)

    for result in answer.results:
        if result.derived_from:
            places[result.measurand] = rank(result)[0]
    return sorted(answer.results, key=rank)


def _place(where: str) -> tuple[int, ...]:
    """The numbers in a place: `results[2]` is (2,), `row 12` is (12,)."""
    return tuple(map(int, re.findall(r"\d+", where)))


def unread_rows(answer: Interpretation, panel: Mapping[str, object]) -> Iterator[ResultRow]:
    """The results that nothing here is called like: as sent, with the reason."""
    known = {result.where for result in answer.results}
    sent = panel.get("results")
    for index, row in enumerate(sent if isinstance(sent, Sequence) else ()):
        where = str(row.get("where") or f"results[{index}]")
        why = [one.message for one in answer.problems if one.where == where]
        if where in known or not why:
            continue
        value, unit = words.as_sent(str(row.get("value") or ""), None), str(row.get("unit") or "")
        yield ResultRow(
            measurand="",
            where=where,
            name=_sent_name(row),
            value=value,
            unit=unit,
            value_and_unit=words.with_unit(value, unit),
            standing="unknown",
            symbol=SYMBOL_OF["unknown"],
            flag=words.FLAG_WORDS["unknown"],
            why_unknown=" ".join(map(words.ended, why)),
            interval_whose="none used",
        )


def _sent_name(row: Mapping[str, object]) -> str:
    """What a result was called by its sender: the name, else the code."""
    code = row.get("code")
    told = code.get("code") if isinstance(code, Mapping) else code
    return str(row.get("test") or told or "unnamed")


def _legend(lines: list[Geometry]) -> str:
    """What the marks mean that these number lines have."""
    told = [words_ for words_, has in _MARKS if any(map(has, lines))]
    return f"Position: {'; '.join(told)}." if told else ""


def _group(result: InterpretedResult) -> str:
    if result.standing in _CRITICAL:
        return "critical"
    return result.group if any(result.group == id_ for id_, _ in _GROUPS) else "supporting"


def _footnotes(answer: Interpretation, look: Lookups) -> Mapping[str, int]:
    """The sentences below the table, numbered in the order of their rows."""
    made = (_derivation(result, look) for result in answer.results)
    texts = dict.fromkeys(text for text in made if text)
    return {text: place for place, text in enumerate(texts, start=1)}


def _derivation(result: InterpretedResult, look: Lookups) -> str:
    """How a derived quantity was worked out, and from what."""
    if not result.derived_from:
        return ""
    formula = words.formula((result.derivation or "calculated").strip().rstrip("."))
    inputs = ", ".join(look.results(result.derived_from)) or "results not shown"
    return f"{result.name}: {formula}; from {inputs}."


def _row(
    result: InterpretedResult,
    answer: Interpretation,
    look: Lookups,
    footnotes: Mapping[str, int],
) -> ResultRow:
    doubtful = bool(result.doubts)
    abnormal = result.standing in _ABNORMAL
    derivation = _derivation(result, look)
    return ResultRow(
        measurand=result.measurand,
        where=result.where,
        name=_name(result),
        as_named=_as_named(result),
        value=value_text(result),
        unit=unit_text(result),
        value_and_unit=value_and_unit(result),
        second=second_unit(result),
        standing=result.standing,
        symbol=SYMBOL_OF[result.standing],
        flag=words.FLAG_WORDS[result.standing],
        grade=_grade(result),
        strong=abnormal and not doubtful,
        critical=result.standing in _CRITICAL,
        derived=bool(result.derived_from),
        at_the_limit=_at_the_limit(result),
        doubtful=doubtful,
        doubts=told_doubts(result.doubts),
        why_unknown=_why_unknown(result),
        result_status=_status(result, answer),
        interval=interval_text(result),
        interval_whose=_whose(result),
        interval_numbers=_whose_numbers(result, look),
        line=number_line(result, answer),
        previous=_previous(result.change),
        previous_at=_previous_day(result.change),
        change=result.change.text if result.change else "",
        marks=(footnotes[derivation],) if derivation else (),
        notes=_notes(result),
    )


def _name(result: InterpretedResult) -> str:
    if result.derived_from and not result.name.endswith(("(calculated)", ", calculated")):
        return f"{result.name} (calculated)"
    return result.name


def _as_named(result: InterpretedResult) -> str:
    """The laboratory's own name of the test, where a reader could not tell it is the same."""
    sent = (result.reported.name or "").strip() if result.reported else ""
    return "" if sent.casefold() in ("", result.name.casefold()) else sent


def second_unit(result: InterpretedResult) -> str:
    """The value in the other unit system, with no more figures than were sent.

    The same number again is left out (2.9 mmol/L of potassium is 2.9 mEq/L), unless the interval
    needs the other unit.
    """
    shown = words.one_unit_form(unit_text(result))
    sent = value_text(result)
    kept = words.figures(sent)
    is_compared = result.interval is None or _in_own_unit(result, result.interval)
    for amount in (result.value, result.conventional):
        if amount is None or words.one_unit_form(amount.printed_unit or amount.unit) == shown:
            continue
        number = words.with_comparator(words.rounded(amount.number, kept), amount.comparator)
        if number.replace(words.NBSP, "") == sent.replace(words.NBSP, "") and is_compared:
            continue
        return words.with_unit(number, amount.printed_unit or amount.unit)
    return ""


def _grade(result: InterpretedResult) -> str:
    """The severity band, else the region of a decision scheme the result lies in."""
    if result.band_label:
        return f"{result.band_label}, provisional" if result.provisional else result.band_label
    own = result.interval.set if result.interval else None
    regions = [_region(item, own) for item in result.decisions if item.kind == "decision"]
    return "; ".join(regions) or ("provisional" if result.provisional else "")


def _region(decision: DecisionRecord, own: str | None) -> str:
    """A region's name; whose it is, where the interval beside it is another's."""
    whose = decision.scheme_title if decision.scheme != own else None
    beside = "; ".join(
        word for word in (whose, "unverified" if decision.unverified else "") if word
    )
    return f"{decision.name} ({beside})" if beside else decision.name


def _at_the_limit(result: InterpretedResult) -> str:
    if not result.at_the_limit:
        return ""
    note = result.at_the_limit_note or "At the limit (rounding or uncertainty decides)"
    return words.ended(words.capital(note))


def _why_unknown(result: InterpretedResult) -> str:
    if result.standing != "unknown":
        return ""
    return words.ended(words.capital(result.why_unknown or NO_INTERVAL))


def _status(result: InterpretedResult, answer: Interpretation) -> str:
    status = (result.reported.status or "") if result.reported else ""
    return "" if status in ("", "final", answer.status) else status


def interval_text(result: InterpretedResult) -> str:
    """The interval with the result's decimals, and with its unit where that is not the result's."""
    interval = result.interval
    if interval is None:
        return ""
    shown = _ends(interval, _least_decimals(result, interval))
    if _in_own_unit(result, interval):
        return shown
    return words.with_unit(shown, interval.printed_unit or interval.unit)


def _in_own_unit(result: InterpretedResult, interval: IntervalRecord) -> bool:
    shown = words.one_unit_form(unit_text(result))
    known = {words.one_unit_form(unit) for unit in (interval.unit, interval.printed_unit) if unit}
    return shown in known or (result.line is not None and _is_alike(result.line, interval))


def _is_alike(line: LineGeometryInputs, interval: IntervalRecord) -> bool:
    """Are the limits the same numbers in the result's unit, as mmol/L and mEq/L of potassium?"""
    ends = (interval.low, interval.high)
    return line.unit == interval.unit or (any(ends) and (line.low, line.high) == ends)


def _least_decimals(result: InterpretedResult, interval: IntervalRecord) -> int:
    """Decimals that the ends of an interval are printed with, at least."""
    ends = (end for end in (interval.low, interval.high) if end is not None)
    sent = words.decimals(value_text(result)) if _in_own_unit(result, interval) else 0
    return max((sent, *(words.own_decimals(end) for end in ends)))


def _ends(interval: IntervalRecord, least: int) -> str:
    low, high = interval.low, interval.high
    if low is not None and high is not None:
        return f"{words.number(low, least)}–{words.number(high, least)}"
    if high is not None:
        sign = "≤" if interval.high_included else "<"
        return f"{sign}{words.NBSP}{words.number(high, least)}"
    if low is not None:
        sign = "≥" if interval.low_included else ">"
        return f"{sign}{words.NBSP}{words.number(low, least)}"
    return ""


def _whose(result: InterpretedResult) -> str:
    interval = result.interval
    if interval is None:
        reason = (result.why_unknown or NO_INTERVAL).rstrip(".").casefold()
        return NO_INTERVAL if reason == NO_INTERVAL else "none used"
    if interval.owner == "laboratory":
        return "laboratory’s own"
    kind = "decision limit" if interval.kind == "decision" else "cited"
    whose = interval.title or interval.set
    whom = "" if interval.applies_to in ("", "everyone") else f", {interval.applies_to}"
    if interval.fallback:
        return f"single source: the range set has none{whom}"
    return f"{kind}: {whose}{whom}"


def _whose_numbers(result: InterpretedResult, look: Lookups) -> tuple[int, ...]:
    """Where our interval is from; the laboratory's own needs no source of ours."""
    interval = result.interval
    if interval is None or interval.owner == "laboratory":
        return ()
    return look.numbers(interval.source)


def number_line(result: InterpretedResult, answer: Interpretation) -> Geometry | None:
    """The number line of a result, on one axis with the other results of its measurand."""
    if result.line is None or result.interval is None:
        return None
    own_unit = _in_own_unit(result, result.interval)
    least = (
        _least_decimals(result, result.interval) if own_unit else words.decimals(value_text(result))
    )
    places = least if own_unit else _converted_places(result.line)
    others = [
        other.line.value
        for other in answer.results
        if other.measurand == result.measurand
        and other.line
        and other.line.unit == result.line.unit
    ]
    captions = Captions(
        alt=_alt(result),
        value=value_text(result),
        number=lambda limit: _limit_text(limit, least, places),
        standing=result.standing,
    )
    return geometry(result.line, captions, others)


def _converted_places(line: LineGeometryInputs) -> int:
    """Decimals of converted limits: those that give the interval's upper end few figures."""
    end = line.low if line.high is None else line.high
    figures = _CONVERTED_FIGURES - 1 - (end.adjusted() if end else 0)
    return min(max(figures, 0), _PRINTED_DECIMALS)


def _limit_text(limit: Decimal, least: int, places: int) -> str:
    """A limit with the interval's decimals; one that was converted is rounded to `places`."""
    if words.own_decimals(limit) <= max(least, _PRINTED_DECIMALS):
        return words.number(limit, least)
    return words.number(limit.quantize(Decimal((0, (1,), -places)), rounding=ROUND_HALF_UP))


def _alt(result: InterpretedResult) -> str:
    """`Potassium 2.4 mmol/L, critical low. Reference interval 3.5 to 5.3.`."""
    flag = words.FLAG_WORDS[result.standing].lower()
    kind = "Decision limit" if result.interval and result.interval.kind == "decision" else ""
    interval = interval_text(result).replace("–", " to ")
    sentence = f"{result.name} {value_and_unit(result)}, {flag}."
    return f"{sentence} {kind or 'Reference interval'} {interval}.".replace(words.NBSP, " ")


def _previous(change: ChangeRecord | None) -> str:
    if change is None:
        return ""
    earlier = change.earlier
    shown = words.with_comparator(words.number(earlier.number), earlier.comparator)
    return words.with_unit(shown, earlier.printed_unit or earlier.unit)


def _previous_day(change: ChangeRecord | None) -> str:
    return words.day_of(change.earlier_at) if change else ""


def _notes(result: InterpretedResult) -> tuple[str, ...]:
    sent = result.reported.note if result.reported else None
    told = (words.ended(words.capital(note)) for note in result.notes)
    return (*(() if not sent else (f"Laboratory: {sent}",)), *told)
