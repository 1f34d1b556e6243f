"""What the use cases answer, beside the records of the store."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from datetime import timedelta

    from labinterp.errors import Place
    from labinterp.model.interpretation import Interpretation
    from labinterp.store.rows import ReportStatus


@dataclass(frozen=True, slots=True)
class Accepted:
    """A panel that is on disk.

    Attributes:
        replayed: an earlier request put it there.
        problems: how many there are in its answer.
        interpretation: its answer, where it was made just now; else it is read.
    """

    panel_id: str
    version: int
    replayed: bool = False
    problems: int = 0
    interpretation: Interpretation | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class ImportOutcome:
    """What became of one row or message of a file.

    Attributes:
        where: its place in the file (`rows 2-8`).
        duplicate: the same row was stored before; nothing new was made.
        code, message, errors: why it was refused.
    """

    where: str
    status: Literal["stored", "refused"]
    panel_id: str | None = None
    version: int | None = None
    duplicate: bool = False
    code: str | None = None
    message: str | None = None
    errors: tuple[Place, ...] = ()
    problems: int = 0


@dataclass(frozen=True, slots=True)
class ReportState:
    """The document of one panel version, or why it is not there.

    Attributes:
        pdf: the bytes once ready, their hash verified.
        retry_after: seconds to wait before asking again; None when asking again is pointless.
        superseded: a newer version exists.
    """

    status: ReportStatus
    number: str | None
    version: int
    why: str | None
    pdf: bytes | None
    file_name: str | None
    retry_after: int | None
    superseded: bool = False
    digest: str | None = None


@dataclass(frozen=True, slots=True)
class DueCounts:
    """How much work waits, and how long the oldest has.

    Attributes:
        reports, deliveries: rows per state, over all organisations.
        reports_due, deliveries_due: rows a worker could take now.
        oldest_due: age of the oldest of those; None when nothing waits.
        mail_trouble: deliveries waiting because the mail server refused us (not the recipient).
        notices, notices_due: the same for events told to endpoints.
        jobs, jobs_due: background jobs that are open or failed, and those whose turn it is.
    """

    reports: dict[str, int]
    deliveries: dict[str, int]
    reports_due: int
    deliveries_due: int
    oldest_due: timedelta | None
    mail_trouble: int
    notices: dict[str, int] = field(default_factory=dict)
    notices_due: int = 0
    jobs: dict[str, int] = field(default_factory=dict)
    jobs_due: int = 0
