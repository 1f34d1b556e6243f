"""Known test names in free text: they end a name with digits, and part results in one line."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from labinterp.model.spelling import folded_name

if TYPE_CHECKING:
    from collections.abc import Iterable

LONGEST_NAME: Final = 100
_WORDS_OF_A_NAME: Final = 9
_WORD: Final = re.compile(r"\S+")
_ENDS_A_NAME: Final = ":=;|,"


class Vocabulary:
    """The names, folded by `labinterp.model.spelling.folded_name`."""

    def __init__(self, names: Iterable[str]) -> None:
        self._names = frozenset(names)
        self._first_words = frozenset(_first_word(name) for name in self._names)

    def __contains__(self, name: str) -> bool:
        return folded_name(name) in self._names

    def name_end(self, text: str, start: int) -> int:
        """Where the longest known name that begins at `start` ends; `start` when none does."""
        ends: list[int] = []
        for count, word in enumerate(_WORD.finditer(text, start, start + LONGEST_NAME)):
            if count == _WORDS_OF_A_NAME or not (count or self._may_begin(word.group())):
                break
            signs = (at for at, sign in enumerate(word.group()) if sign in _ENDS_A_NAME)
            ends.extend(word.start() + at for at in signs)
            ends.append(word.end())
        return next((end for end in reversed(ends) if text[start:end] in self), start)

    def _may_begin(self, word: str) -> bool:
        piece = re.split(f"[{_ENDS_A_NAME}]", word, maxsplit=1)[0]
        return bool(
            {_first_word(folded_name(word)), _first_word(folded_name(piece))} & self._first_words
        )


def _first_word(name: str) -> str:
    return name.partition(" ")[0].strip(" .,:;")
