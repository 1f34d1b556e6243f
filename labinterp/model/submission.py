"""A panel as it was received: every value is still the text that was sent.

Identity (a name, an identifier, a birth date) travels beside it, in `Identity`; interpretation
never sees it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Literal

from labinterp.model.codes import RangePolicy, Sex
from labinterp.model.patient import PregnancyStatus

PanelStatus = Literal["final", "preliminary", "corrected", "cancelled"]


@dataclass(frozen=True, slots=True)
class ReportedCode:
    """A code as sent; nothing says yet that it is right."""

    system: str
    code: str
    display: str | None = None


@dataclass(frozen=True, slots=True)
class ReportedInterval:
    """The laboratory's interval as sent: two ends, or its text (`3.5-5.3`, `<5.0`)."""

    low: str | None = None
    high: str | None = None
    text: str | None = None
    unit: str | None = None


@dataclass(frozen=True, slots=True)
class ReportedResult:
    """One result as sent.

    Attributes:
        value: digit for digit, with its comparator if it was inside the text; None when absent.
        comparator: when it was sent apart.
        where: its place in what was sent (`results[2]`, `row 4`, `OBX[3]`), for every Problem about
            it.
        status: final, preliminary, corrected, cancelled …; None when not said.
        not_measured: the reason given for an absent value.
        identifier: by which the sender knows this result (order and test), so that a later message
            can correct it; None when nothing tells.
        as_received: the line or segment it was read from, where the door has one.
    """

    where: str
    value: str | None
    unit: str | None
    name: str | None = None
    codes: tuple[ReportedCode, ...] = ()
    comparator: str | None = None
    interval: ReportedInterval | None = None
    flag: str | None = None
    note: str | None = None
    status: str | None = None
    not_measured: str | None = None
    collected_at: datetime | None = None
    specimen: Mapping[str, str | Decimal] | None = None
    identifier: str | None = None
    as_received: str | None = None


@dataclass(frozen=True, slots=True)
class ReportedTerm:
    """A symptom, medicine, condition or history fact as sent.

    An id, a label, a synonym or a code.
    """

    where: str
    text: str
    code: ReportedCode | None = None
    onset: str | None = None
    side: str | None = None
    duration_days: int | None = None


@dataclass(frozen=True, slots=True)
class EarlierPanel:
    """Results of an earlier collection, for change: from the request or from the store."""

    collected_at: datetime | None
    results: tuple[ReportedResult, ...]
    where: str
    origin: Literal["request", "store"] = "request"
    reference: str | None = None


@dataclass(frozen=True, slots=True)
class Choices:
    """What the sender (or the organisation) chose of our settings; None means: the next default."""

    range_set: str | None = None
    range_policy: RangePolicy | None = None
    critical_policy: str | None = None
    schemes: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Submission:
    """One patient's panel as received, without identity.

    Attributes:
        format: the reader's name (`json`, `csv`, `pasted`, …).
        age_days: age at collection [days], worked out by the reader from the birth date or the age
            sent.
        age_basis: how the age is known: `birth_date`, `age`, `birth_date_and_received` (no
            collection time).
        problems: what the reader itself could not place, as (where, code, message).
    """

    format: str
    results: tuple[ReportedResult, ...]
    received_at: datetime
    collected_at: datetime | None = None
    status: PanelStatus = "final"
    sex: Sex = "unknown"
    age_days: Decimal | None = None
    age_text: str | None = None
    age_basis: str | None = None
    pregnancy: PregnancyStatus = "unknown"
    gestation_weeks: int | None = None
    laboratory: str | None = None
    specimen_material: str | None = None
    specimen_container: str | None = None
    specimen_fields: Mapping[str, str | Decimal] = field(default_factory=dict)
    haemolysis_index: Decimal | None = None
    specimen_comment: str | None = None
    symptoms: tuple[ReportedTerm, ...] = ()
    medications: tuple[ReportedTerm, ...] = ()
    conditions: tuple[ReportedTerm, ...] = ()
    history: tuple[ReportedTerm, ...] = ()
    previous: tuple[EarlierPanel, ...] = ()
    choices: Choices = field(default_factory=Choices)
    problems: tuple[tuple[str, str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Identity:
    """Who the patient is; only store, reporting and the pages see it."""

    identifier: str | None = None
    issuer: str | None = None
    family: str | None = None
    given: str | None = None
    birth_date: date | None = None
    requester: str | None = None
    laboratory_name: str | None = None
    laboratory_address: str | None = None
    laboratory_number: str | None = None


@dataclass(frozen=True, slots=True)
class Recipients:
    """Whom the sender wants told, and how."""

    email: tuple[str, ...] = ()
    as_attachment: bool = False


@dataclass(frozen=True, slots=True)
class Received:
    """What a reader makes of one patient's part of a message.

    Attributes:
        panel: the panel in the contract's own JSON form (§3), as plain data; stored and shown as
            received.
        where: its place in the message, when that holds several (`rows 2-8`).
    """

    submission: Submission
    identity: Identity
    recipients: Recipients
    panel: Mapping[str, object]
    where: str = ""
