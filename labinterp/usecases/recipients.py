"""Whom to tell: addresses parsed and counted, and what the operator allows to be attached."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING, Final

from email_validator import EmailNotValidError, validate_email

from labinterp.errors import Place, SubmissionError
from labinterp.model.submission import Recipients

if TYPE_CHECKING:
    from labinterp.usecases.services import Policy

LINK_INSTEAD: Final = "sent as a link: this service does not attach reports"
_LONGEST: Final = 254


def checked(policy: Policy, wanted: Recipients, where: str = "deliver.email") -> Recipients:
    """The same recipients, each address once and in its usual form.

    Raises:
        SubmissionError: code `recipients-invalid`, naming each address that is none by its place.
    """
    faults: list[Place] = []
    kept: dict[str, str] = {}
    for number, text in enumerate(wanted.email):
        try:
            address = address_of(text)
        except ValueError as error:
            faults.append(Place(f"{where}[{number}]", "address-invalid", str(error)))
        else:
            kept.setdefault(address.casefold(), address)
    if len(kept) > policy.recipients:
        message = f"{len(kept)} addresses; one panel may name {policy.recipients}."
        faults.append(Place(where, "too-many-recipients", message))
    if faults:
        raise SubmissionError(
            "Not everyone named can be written to; nothing was stored.",
            code="recipients-invalid",
            errors=tuple(faults),
        )
    return Recipients(tuple(kept.values()), wanted.as_attachment)


def address_of(text: str) -> str:
    """One mail address in its usual form.

    The part behind the @ is shown as it is looked up (`xn--…` where it has letters that are not
    ASCII), so that letters which only look like others are seen; before the @, letters that stand
    for another one (a full-width a, the Kelvin sign) are refused.

    Raises:
        ValueError: it is no address; the message says why.
    """
    if len(text) > _LONGEST or not text.isprintable():
        raise ValueError("A mail address is one line of at most 254 characters.")
    try:
        found = validate_email(
            text.strip(), check_deliverability=False, allow_smtputf8=True, test_environment=True
        )
    except EmailNotValidError as error:
        raise ValueError(f"This is no mail address: {error}") from error
    local = found.local_part
    if unicodedata.normalize("NFKC", local) != local:
        raise ValueError("A letter of this mail address stands for another one; write that one.")
    return f"{local}@{found.ascii_domain}"


def attachment(policy: Policy, wanted: bool) -> tuple[bool, str | None]:
    """Is it attached, and what to note when that is not as asked."""
    if wanted and not policy.attachments:
        return False, LINK_INSTEAD
    return wanted, None
