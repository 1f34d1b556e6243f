"""What records put before a test's name: a date, a bullet, a number, a flag.

Only what surely is one of these is taken off. The places in the line stay as they are.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from labinterp.formats.vocabulary import Vocabulary

_DAY: Final = (
    r"(?:[0-9]{4}-[0-9]{2}-[0-9]{2}|[0-9]{4}/[0-9]{2}/[0-9]{2}"
    r"|[0-9]{1,2}(?P<sep>[-/.])[0-9]{1,2}(?P=sep)[0-9]{4}"
    r"|[0-9]{1,2}[- .]{1,2}[^\W\d_]{3,9}\.?[- ,]{1,2}[0-9]{4})"
)
_HOUR: Final = r"(?:[T ,]{1,3}[0-9]{1,2}:[0-9]{2}(?::[0-9]{2})?(?:Z|[+-][0-9]{2}:?[0-9]{2})?)?"
MOMENT: Final = re.compile(rf"{_DAY}{_HOUR}(?![\w/]|[.:,-][0-9])")
"""A calendar date with or without its time, as a text."""
_SIGNS: Final = re.compile(r"[\s>*•·●○◦▪▫■□‣⁃–—-]+|\(?[0-9]{1,3}[.)]\s+(?=[^\W\d_])")
_FLAG: Final = re.compile(r"(?:[\[(](?P<inside>LL|HH|L|H)[\])]|(?P<bare>LL|HH|L|H|[↓↑]{1,2}))\s+")
_SEPARATORS: Final = " \t:;,|–-"


@dataclass(frozen=True, slots=True)
class Led:
    """A line without what stood before its name; `text` is as long as the line was."""

    text: str
    when: str = ""
    flag: str = ""


def led(line: str, names: Vocabulary) -> Led:
    """The line with blanks where a date, a bullet, a number or a flag stood at its beginning."""
    position, when, flag = 0, "", ""
    while True:
        if match := _SIGNS.match(line, position):
            position = match.end()
        elif not when and (match := MOMENT.match(line, position)):
            when = match.group()
            position = _behind(line, match.end())
        elif not flag and (match := _flag(line, position, names)):
            flag = match["inside"] or match["bare"]
            position = match.end()
        else:
            break
    return Led(" " * position + line[position:], when, flag)


def _flag(line: str, position: int, names: Vocabulary) -> re.Match[str] | None:
    """A flag only where a known name follows: a letter alone may be the beginning of a name."""
    match = _FLAG.match(line, position)
    if match is None or names.name_end(line, position) > position:
        return None
    return match if names.name_end(line, match.end()) > match.end() else None


def _behind(line: str, position: int) -> int:
    while position < len(line) and line[position] in _SEPARATORS:
        position += 1
    return position
