"""What of a patient's details no report can print: said when a panel comes, not when it is drawn.

The fonts have the letters of most names (`scripts`). A name in others is kept, answered and shown
on the pages; the PDF would lose it, so that none is made until the name comes in letters it has.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from labinterp.errors import ReportFailure

if TYPE_CHECKING:
    from collections.abc import Iterator

    from labinterp.model.submission import Identity

CODE: Final = "not-printable"
_PRINTED: Final = (
    ("patient.identifier.value", "identifier"),
    ("patient.identifier.system", "issuer"),
    ("patient.family", "family"),
    ("patient.given", "given"),
    ("requester", "requester"),
    ("laboratory.name", "laboratory_name"),
    ("laboratory.address", "laboratory_address"),
    ("laboratory.number", "laboratory_number"),
)
"""Where a detail stands in the panel, and what it is called here."""


def not_printable(identity: Identity) -> Iterator[tuple[str, str, str]]:
    """Place, code and message of each detail that has a character without a glyph."""
    for where, name in _PRINTED:
        text = str(getattr(identity, name) or "")
        if text.isascii():
            continue
        from labinterp.reporting.glyphs import drawable  # noqa: PLC0415 - loads fonts, seldom needed

        try:
            drawable(text)
        except ReportFailure as failure:
            yield where, CODE, f"{failure} Send it in such letters, as a correction."
