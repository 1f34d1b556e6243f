"""The results in one line of pasted text: name, comparator, number, unit, interval, flag.

They come in the orders records use. All patterns are anchored and bounded, so that reading a line
takes time in proportion to its length.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from labinterp.formats.characters import quoted
from labinterp.formats.vocabulary import LONGEST_NAME

if TYPE_CHECKING:
    from labinterp.formats.vocabulary import Vocabulary

_DIGITS: Final = r"[0-9]{1,15}(?:[.,][0-9]{1,15}){0,5}"
_LABEL: Final = (
    r"(?:(?:(?:ref(?:erence)?|normal)?\s?(?:range|interval|ref(?:erence)?|normal)"
    r"|(?:ref(?:erenz)?\.?|norm)-?(?:bereich|werte?)|normes?"
    r"|val(?:eurs?|ores?)\s(?:usuelles|normale?s|de\sr[ée]f[ée]ren(?:ce|cia)))\s{0,3}[.:]?"
    r"|(?:n|vn|vr)\s{0,3}:)\s{0,3}"
)
"""Words before an interval that say that it is one."""
_NUMBER: Final = re.compile(
    rf"(?P<mark>[*!]{{0,3}})(?P<comparator>(?:[<>]=?|=[<>]|[≤≥⩽⩾])\s{{0,3}})?(?P<digits>[+\-−]?{_DIGITS})"
    r"(?P<after>(?:LL|HH|[LH])?[*!↑↓]{0,3}(?![\w.,:/^]{0,40}[0-9])(?!\w)(?!-?\(?(?i:OH|hydrox|hidrox)))?"
)
_INTERVAL: Final = re.compile(
    rf"(?:{_LABEL})?(?P<text>(?P<open>[\[(])?\s{{0,3}}(?:{_LABEL})?"
    rf"(?:{_DIGITS}\s{{0,3}}(?:[-–—‐‑~]|to|bis|à|a|hasta|\.\.)\s{{0,3}}{_DIGITS}"
    rf"|(?(open)(?:[<>]=?|[≤≥]|up to)\s{{0,3}}{_DIGITS}|(?!)))"
    r"(?(open)(?:\s{0,3}[^\W\d_%][^\s()\[\],;|]{0,20})?\s{0,3}[\])]|))"
    r"(?![\w.,]{0,3}[0-9])(?!\w)",
    re.IGNORECASE,
)
_FLAG: Final = re.compile(
    r"[\[(]?(?P<flag>LL|HH|AA|[LHNA][*!]{0,3}|low|high|normal|abnormal"
    r"|critical(?:ly)?(?: low| high)?|crit"
    r"|[*!]{1,3}|[↑↓]{1,3}|\+{1,3})[\])]?(?=[\s,;|]|$)(?!\s{0,3}[:=])",
    re.IGNORECASE,
)
_UNIT: Final = re.compile(
    r"[\[(]?(?P<unit>(?:x ?)?(?:10[*^]?-?[0-9]{1,2}|[^\W\d_]{1,12}|%|\{[^{}\s]{1,12}\})"
    r"\s?/\s?[0-9]{0,4} ?[^\s()\[\],;|]{1,24}|mg ?%|%|[^\W\d_]{1,6})[\])]?(?=[\s,;|()\[\]]|$)"
)
_BARE_UNIT_LIST: Final = """
% mg% mg g ug µg μg mcg ng pg mol mmol umol µmol μmol nmol pmol meq mval mosm mm um nm pm
meql mmoll umoll µmoll μmoll nmoll pmoll ngml pgml ngl gl mgdl mgl u iu ul iul mu ku
"""
_BARE_UNITS: Final = frozenset(_BARE_UNIT_LIST.split())
_UNIT_OR_NAME: Final = frozenset(("mg",))
"""A unit that is also a symbol of a test; what follows it decides."""
_RANGE_LIKE: Final = re.compile(rf"[\[(]?{_DIGITS}[-–—‐‑~/]{_DIGITS}[\])]?[,.]?")
"""Two numbers that may be an interval in a form that is not read; kept, so that it is told."""
_SKIPPED: Final = re.compile(r"[\s,;|:=•·\-–—]+")
_ALSO: Final = re.compile(
    rf"\(?(?:soit|bzw\.?|entspr(?:icht|\.)?|equivale\s?a|i\.e\.|=)\s{{1,3}}{_DIGITS}\s{{0,3}}"
    r"[^\W\d_]{1,12}\s?/\s?[^\W\d_]{1,12}\)?(?=[\s,;|]|$)",
    re.IGNORECASE,
)
"""The same value in another unit; it stands as a note, and is not read again."""
_LABELLED: Final = re.compile(_LABEL, re.IGNORECASE)
_STRONG: Final = re.compile(r"[;|\t]|\s{3}")
_WORD: Final = re.compile(r"[^\s;|]+")
_LEADERS: Final = re.compile(r"\.{3,}|…+|_{3,}")
"""Dots that lead the eye from a name to its value; they say nothing."""
_BEFORE_NUMBERS: Final = frozenset(" \t:;|=,([*!")
_AROUND_NAMES: Final = " \t,;:|=([-–*!."
_LONGEST_ASIDE: Final = 60
_LONGEST_WORDS: Final = 200

Span = tuple[int, int]
Found = tuple[dict[str, Any], Span]


@dataclass(slots=True)
class _Draft:
    """A result while its line is read; `doubt` says why it cannot be one."""

    name: str
    members: dict[str, str] = field(default_factory=dict)
    span: Span = (0, 0)
    doubt: str | None = None


def results_in(text: str, names: Vocabulary) -> tuple[list[Found], str | None]:
    """The results of a line in their order, or why it gives none.

    Args:
        text: one line, of bounded length.
        names: known test names.
    """
    text = _LEADERS.sub(_as_wide, text)
    drafts: list[_Draft] = []
    position = _skipped(text, 0)
    while position < len(text):
        draft, position = _one(text, position, names, is_first=not drafts)
        if draft.doubt:
            return [], draft.doubt
        drafts.append(draft)
    if not drafts:
        return [], "there is nothing in it"
    return [(_result(draft), draft.span) for draft in drafts], None


def _as_wide(leaders: re.Match[str]) -> str:
    """As many spaces, so that every place in the line stays where it was."""
    return " " * len(leaders.group())


def _result(draft: _Draft) -> dict[str, Any]:
    result: dict[str, Any] = {"test": draft.name, **draft.members}
    if "interval" in result:
        result["reference_interval"] = result.pop("interval")
    return result


def _one(text: str, start: int, names: Vocabulary, *, is_first: bool) -> tuple[_Draft, int]:
    """One result from `start`, and where it ends."""
    known_end = names.name_end(text, start)
    number = _first_number(text, known_end)
    if number is None:
        return _in_words(text, start, known_end), len(text)
    name_end = _name_end(text, start, known_end, number.start())
    draft = _Draft(text[start:name_end].strip(_AROUND_NAMES))
    draft.members |= _asides(text[name_end : number.start()]) or {}
    position = _rest(text, number, draft, names)
    draft.doubt = draft.doubt or _name_doubt(draft, known_end > start, is_first)
    return draft, position


def _name_doubt(draft: _Draft, is_known: bool, is_first: bool) -> str | None:
    """Words that are no known name count as a test's only where a result follows."""
    if not any(letter.isalpha() for letter in draft.name):
        return "no test is named before the number"
    if len(draft.name) > LONGEST_NAME:
        return "the text before the number is too long for a test's name"
    if is_known or {"unit", "interval"} & draft.members.keys():
        return None
    if is_first:
        return "no known test is named, and no unit or interval stands beside the number"
    return "it holds several numbers, and which are results is not clear"


def _first_number(text: str, start: int) -> re.Match[str] | None:
    """The first number that stands by itself and is not the beginning of an interval."""
    position = start
    while position < len(text):
        if position == start or _may_begin_number(text, position):
            interval = _INTERVAL.match(text, position)
            if interval:
                position = interval.end()
                continue
            number = _number_at(text, position)
            if number:
                return number
        position += 1
    return None


def _may_begin_number(text: str, position: int) -> bool:
    """Behind a blank or a separator, and not inside a time."""
    before = text[position - 1]
    in_a_time = before == ":" and position > 1 and text[position - 2].isdigit()
    return before in _BEFORE_NUMBERS and not in_a_time


def _number_at(text: str, position: int) -> re.Match[str] | None:
    """A number here with nothing glued to it but a flag, a mark or a unit."""
    match = _NUMBER.match(text, position)
    if match is None or match["after"] is not None:
        return match
    unit = _UNIT.match(text, match.end())
    return match if unit and _is_unit(unit["unit"]) else None


def _name_end(text: str, start: int, known_end: int, number_start: int) -> int:
    """Where the name ends: before the interval or flag that stands between it and its number."""
    if known_end > start and _asides(text[known_end:number_start]) is not None:
        return known_end
    for position in range(max(start + 1, number_start - _LONGEST_ASIDE), number_start):
        if _may_begin_number(text, position) and _INTERVAL.match(text, position):
            is_aside = _asides(text[position:number_start]) is not None
            return position if is_aside else number_start
    return number_start


def _asides(between: str) -> dict[str, str] | None:
    """Interval and flag that stand before a number; None when other words stand there."""
    found: dict[str, str] = {}
    position = _skipped(between, 0)
    while position < len(between):
        interval = _INTERVAL.match(between, position)
        match = interval or _FLAG.match(between, position)
        if match is None:
            return None if between[position:].strip(" \t([*!") else found
        if interval and "interval" in found:
            return None
        if interval:
            found["interval"] = _bare(interval["text"])
        else:
            found.setdefault("flag", match["flag"])
        position = _skipped(between, match.end())
    return found


def _rest(text: str, number: re.Match[str], draft: _Draft, names: Vocabulary) -> int:
    """Take what follows the number until the next result begins; returns where that is."""
    sign = (number["comparator"] or "").strip()
    first = "comparator" if sign else "digits"
    draft.members["value"] = f"{sign}{number['digits']}"
    draft.span = (number.start(first), number.end("digits"))
    if glued := (number["after"] or number["mark"]):
        draft.members["flag"] = glued
    position = _skipped(text, number.end())
    while position < len(text):
        token = _token(text, position)
        if _begins_result(text, position, names, token):
            return position
        if token is None or not _take(token, draft):
            return _leftover(text, position, draft, names)
        position = _skipped(text, token.end)
    return position


@dataclass(frozen=True, slots=True)
class _Token:
    """A piece behind a number: which member of the result it is, and where it ends."""

    member: str
    text: str
    end: int


def _token(text: str, position: int) -> _Token | None:
    """The interval, flag or unit at `position`."""
    if match := _ALSO.match(text, position):
        return _Token("note", match.group().strip(), match.end())
    if match := _INTERVAL.match(text, position):
        return _Token("interval", _bare(match["text"]), match.end())
    if match := _FLAG.match(text, position):
        return _Token("flag", match["flag"], match.end())
    unit = _UNIT.match(text, position)
    if unit and _is_unit(unit["unit"]):
        return _Token("unit", unit["unit"].strip(), unit.end())
    return None


def _take(token: _Token, draft: _Draft) -> bool:
    """Make the piece part of the result; false when it has another one already."""
    taken = draft.members.setdefault(token.member, token.text)
    if token.member == "flag" and not any(mark.isalpha() for mark in taken):
        draft.members["flag"] = token.text  # a word says more than the stars before it
    if token.member == "interval" and taken != token.text:
        draft.doubt = "two intervals stand in it; which is this test's?"
    return token.member != "unit" or taken == token.text


def _leftover(text: str, position: int, draft: _Draft, names: Vocabulary) -> int:
    """Words that are neither unit, interval nor flag: a remark, another result's name, or a doubt.

    Words before a known name belong to that name, for they may change what it means (`urine K`);
    only a strong separator parts them.
    """
    begin = position
    for word in _WORD.finditer(text, position):
        parted = _STRONG.search(text, begin, word.start())
        while parted:
            begin = parted.end()
            parted = _STRONG.search(text, begin, word.start())
        if word.start() > position and _begins_result(text, word.start(), names):
            return _skipped(text, begin)
        if _INTERVAL.match(text, word.start()) or not _number_at(text, word.start()):
            if _RANGE_LIKE.fullmatch(word.group()):
                draft.members.setdefault("interval", text[begin : word.end()].strip())
            continue
        if any(letter.isalpha() for letter in text[begin : word.start()]):
            return _skipped(text, begin)
        draft.doubt = f"a second number stands in it ({quoted(word.group())}); which is the value?"
        return len(text)
    return len(text)


def _begins_result(text: str, start: int, names: Vocabulary, token: _Token | None = None) -> bool:
    """Whether a known name with something behind it stands here, longer than the token here."""
    end = names.name_end(text, start)
    after = _skipped(text, end)
    if end == start or after == len(text) or (token and token.end > end):
        return False
    if (token and token.end == end) or text[start:end].casefold() in _UNIT_OR_NAME:
        return _INTERVAL.match(text, after) is None and _number_at(text, after) is not None
    return True


def _in_words(text: str, start: int, known_end: int) -> _Draft:
    """A known name with words in place of a number is a result in words; anything else is none."""
    name = text[start:known_end].strip(_AROUND_NAMES)
    if not name:
        return _Draft("", doubt="no number was found in it")
    said = text[known_end:].strip(" \t,;:|=")
    if not said:
        return _Draft(name, doubt="there is no value beside the test's name")
    if len(said) > _LONGEST_WORDS:
        return _Draft(name, doubt="what stands beside the test's name is too long")
    at = text.index(said, known_end)
    return _Draft(name, {"value": said}, (at, at + len(said)))


def _skipped(text: str, position: int) -> int:
    match = _SKIPPED.match(text, position)
    return match.end() if match else position


def _bare(interval: str) -> str:
    bare = interval.strip(" \t()[]")
    return _LABELLED.sub("", bare, count=1) if _LABELLED.match(bare) else bare


def ends_with_result(text: str) -> bool:
    """Whether a text ends as a result does: with its number, unit, interval or flag."""
    last = text.rstrip(" \t,;|([").rpartition(" ")[2].rpartition("\t")[2]
    if not last:
        return False
    unit = _UNIT.fullmatch(last)
    is_flag = _FLAG.fullmatch(last) is not None
    return is_flag or last[-1] in "0123456789)]" or (unit is not None and _is_unit(unit["unit"]))


def _is_unit(text: str) -> bool:
    return "/" in text or text.casefold() in _BARE_UNITS
