"""E-mail addresses as typed into a form: one line, a few of them, each checked for its form only."""

from __future__ import annotations

import re
from typing import Final

from email_validator import EmailNotValidError, validate_email

from labinterp.errors import SubmissionError
from labinterp.model.submission import Recipients

AT_MOST: Final = 20


def addresses(typed: str, *, as_attachment: bool) -> Recipients:
    """The addresses in a field, separated by commas, semicolons or blanks.

    Raises:
        SubmissionError: none, too many, or one that is no address; nothing was sent.
    """
    parts = [part for part in re.split(r"[\s,;]+", typed) if part]
    if not parts:
        raise SubmissionError("Send to: write an e-mail address.", code="bad-email")
    if len(parts) > AT_MOST:
        raise SubmissionError(f"Send to: at most {AT_MOST} addresses.", code="bad-email")
    checked = tuple(dict.fromkeys(_checked(part) for part in parts))
    return Recipients(email=checked, as_attachment=as_attachment)


def _checked(part: str) -> str:
    try:
        return validate_email(part[:254], check_deliverability=False).normalized
    except EmailNotValidError as error:
        raise SubmissionError(
            f"Send to: “{part[:60]}” is not an e-mail address.", code="bad-email"
        ) from error
