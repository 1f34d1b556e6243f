"""What several commands are given: a file of JSON, the name of an organisation."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from labinterp.usecases.services import Services

_LONGEST: Final = 1_000_000


def json_object(path: str, code: str = "file-unreadable") -> dict[str, Any]:
    """The JSON object in a file.

    Raises:
        SubmissionError: with this code; it cannot be read, or is no JSON object.
    """
    from labinterp.errors import SubmissionError  # noqa: PLC0415 - imported when the command runs

    try:
        with Path(path).open(encoding="utf-8") as file:
            found = json.loads(file.read(_LONGEST))
    except (OSError, ValueError, RecursionError) as error:
        raise SubmissionError(f"{path} cannot be read as JSON.", code=code) from error
    if not isinstance(found, dict):
        raise SubmissionError(f"{path} holds no JSON object.", code=code)
    return found


def text(path: str) -> str:
    """The text in a file, UTF-8 or Windows-1252.

    Raises:
        SubmissionError: it cannot be read.
    """
    from labinterp.errors import SubmissionError  # noqa: PLC0415 - imported when the command runs
    from labinterp.formats.characters import decoded  # noqa: PLC0415 - as above

    try:
        body = Path(path).read_bytes()[:_LONGEST]
    except OSError as error:
        raise SubmissionError(f"{path} cannot be read.", code="file-unreadable") from error
    return decoded(body)[0]


def organisation_id(services: Services, word: str | None) -> str | None:
    """The organisation that a list is narrowed to; None for all.

    Raises:
        NotFound: there is none of this id or name.
    """
    from labinterp.cli.organisations import named  # noqa: PLC0415 - imported when the command runs

    return named(services, word).id if word else None
