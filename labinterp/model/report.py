"""The document made of an interpretation: what the drawing needs, and what came out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from labinterp.model.interpretation import Interpretation
from labinterp.model.submission import Identity


@dataclass(frozen=True, slots=True)
class ReportOrder:
    """Everything one report is drawn from; the same order gives the same bytes.

    Attributes:
        number: `LI-2026-000123`.
        version: 1, or higher for a correction.
        status: preliminary, final, corrected or superseded.
        changes: for a correction: what changed, one sentence each.
        demo: test data, marked so on every page.
        contact, operator_line: the operator's advice contact and regulatory line (settings).
        panel: the panel as received, in the contract's JSON form, for what the answer does not
            repeat
            (specimen, laboratory).
        panel_id: of the stored panel, for the ids of the answer in FHIR inside the document.
    """

    number: str
    version: int
    status: str
    interpretation: Interpretation
    identity: Identity
    panel: Mapping[str, object]
    received_at: datetime
    issued_at: datetime
    collected_at: datetime | None
    contact: str
    operator_line: str
    organisation: str
    recipients: tuple[str, ...] = ()
    changes: tuple[str, ...] = ()
    acknowledgements: tuple[str, ...] = ()
    demo: bool = False
    language: str = "en"
    page_size: str = "A4"
    panel_id: str = ""


@dataclass(frozen=True, slots=True)
class Report:
    """A finished document.

    Attributes:
        pdf: the bytes.
        summary: the plain-text form, at most 25 lines.
        digest: SHA-256 of the bytes, hexadecimal.
    """

    pdf: bytes
    summary: str
    digest: str
    pages: int
    file_name: str
