"""Every exception of labinterp.

An exception is about a whole request; one result that cannot be read is a `Problem` in the
answer instead.

    LabinterpError
    ├── SubmissionError     the sender's: this panel cannot be interpreted at all          4xx
    │   ├── TooLarge        longer, deeper or more numerous than the limits allow          413
    │   ├── UnsupportedFormat   a content type, version or encoding that no reader takes   415
    │   └── Conflict        the request contradicts what is stored                         409, 422
    ├── NotFound            no such thing for this organisation                            404
    ├── AccessDenied        who asks is not known, or may not do this                      401, 403
    ├── KnowledgeError      ours: a file of reference_ranges/ is wrong; refuse to start    500
    ├── ReportFailure       a report cannot be drawn; nothing half drawn is kept             409
    ├── SettingsError       the operator's: settings missing or unsafe; refuse to start
    └── TemporaryFailure    the world's: database, broker or mail server; try again        503

Each carries a stable `code` (kebab-case), a sentence for people, and `errors`: the places it is
about.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Place:
    """One thing that is wrong, and where: a JSON path, `row 4`, `OBX[3]-5`, a file and line.

    Attributes:
        where: the place in the sender's own terms.
        code: stable kebab-case code, the same at every door.
        message: what is wrong and what would be right.
    """

    where: str
    code: str
    message: str


class LabinterpError(Exception):
    """The root: anything labinterp raises on purpose."""

    code = "error"

    def __init__(
        self, message: str, *, code: str | None = None, errors: tuple[Place, ...] = ()
    ) -> None:
        super().__init__(message)
        self.message = message
        self.code = code or type(self).code
        self.errors = errors


class SubmissionError(LabinterpError):
    """What was sent cannot be interpreted at all; nothing was stored."""

    code = "submission-invalid"


class TooLarge(SubmissionError):
    """Longer, deeper or more numerous than the limits allow."""

    code = "too-large"


class UnsupportedFormat(SubmissionError):
    """A content type, version or encoding that no reader takes."""

    code = "unsupported-format"


class Conflict(SubmissionError):
    """The request contradicts what is stored: a reused key, a state that does not allow it."""

    code = "conflict"


class NotFound(LabinterpError):
    """No such thing, for this organisation. Another organisation's id reads the same."""

    code = "not-found"


class AccessDenied(LabinterpError):
    """Who asks is not known (`unauthenticated`), or may not do this (`forbidden`)."""

    code = "forbidden"


class KnowledgeError(LabinterpError):
    """A file of `reference_ranges/` is wrong; names file and line. The service does not start."""

    code = "knowledge-invalid"


class ReportFailure(LabinterpError):
    """A report cannot be drawn: no identifier, a character no font has. Trying again is no use.

    The message is for the record's `why`; it names a character or an element, never a patient.
    """

    code = "report-not-drawn"


class SettingsError(LabinterpError):
    """Settings are missing or unsafe; one message names all. The service does not start."""

    code = "settings-invalid"


class TemporaryFailure(LabinterpError):
    """Database, broker, disk or mail server failed; the only failure that is tried again.

    Attributes:
        retry_after: seconds after which trying again makes sense.
    """

    code = "temporarily-unavailable"

    def __init__(self, message: str, *, code: str | None = None, retry_after: int = 5) -> None:
        super().__init__(message, code=code)
        self.retry_after = retry_after
