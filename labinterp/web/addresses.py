"""E-mail addresses as typed into a form: a few, on one line, each checked for its form only."""

from __future__ import annotations

import re

from labinterp.errors import SubmissionError
from labinterp.model.submission import Recipients
from labinterp.usecases.recipients import address_of


def addresses(typed: str, *, as_attachment: bool, at_most: int) -> Recipients:
    """The addresses in a field, separated by commas, semicolons or blanks.

    Raises:
        SubmissionError: none, too many, or one that is no address; nothing was sent.
    """
    parts = [part for part in re.split(r"[\s,;]+", typed) if part]
    if not parts:
        raise SubmissionError("Send to: write an e-mail address.", code="recipients-invalid")
    if len(parts) > at_most:
        raise SubmissionError(f"Send to: at most {at_most} addresses.", code="recipients-invalid")
    return Recipients(tuple(dict.fromkeys(map(_checked, parts))), as_attachment)


def _checked(part: str) -> str:
    try:
        return address_of(part)
    except ValueError as error:
        raise SubmissionError(
            f"Send to: “{part[:60]}” is not an e-mail address.", code="recipients-invalid"
        ) from error
