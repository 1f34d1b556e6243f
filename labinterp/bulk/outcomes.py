"""What became of a panel or a line, and how it is written: as a line of JSON, or as a row."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from labinterp import interpretation
from labinterp.errors import Place
from labinterp.formats.taken_back import takes_back
from labinterp.store.records import to_document, written

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from labinterp.model.interpretation import Interpretation
    from labinterp.model.knowledge import Knowledge
    from labinterp.model.submission import Received

Format = Literal["ndjson", "parquet", "summary"]


@dataclass(frozen=True, slots=True)
class Answered:
    """A panel, what names its patient, and what it means.

    Attributes:
        patient: `value` and `system` of the identifier, or a `reference`; by it the sender finds
            the patient again. No name.
    """

    received: Received
    patient: Mapping[str, str]
    found: Interpretation


@dataclass(frozen=True, slots=True)
class Refused:
    """What was not interpreted, and all that was wrong with it.

    Attributes:
        unreadable: the panel and what was made of it, where no result of it could be interpreted.
        patient: as of an answer, where it is known.
    """

    place: Place
    errors: tuple[Place, ...] = ()
    unreadable: tuple[Received, Interpretation] | None = None
    patient: Mapping[str, str] = field(default_factory=dict)


Outcome = Answered | Refused


def outcome_of(received: Received, subject: str | None, known: Knowledge) -> Outcome:
    """One panel, interpreted.

    Args:
        received: the panel.
        subject: what names its patient where no identifier was sent.
        known: the medical knowledge.
    """
    found = interpretation.interpret(received.submission, known)
    patient = _patient(received, subject)
    if interpretation.readable(found) or takes_back(received.submission):
        return Answered(received, patient, found)
    return Refused(
        Place(received.where, "nothing-readable", "No result of this panel can be interpreted."),
        tuple(Place(one.where, one.code, one.message) for one in found.problems),
        (received, found),
        patient,
    )


def encoded(form: Format, outcomes: Sequence[Outcome]) -> list[bytes]:
    """As they are kept until the end of a run; in a summary no panel is."""
    if form == "ndjson":
        return [line_of(one) for one in outcomes]
    if form == "parquet" and outcomes:
        from labinterp.bulk import columns  # noqa: PLC0415 - needs pyarrow

        return [columns.framed(columns.batch_of(outcomes))]
    return []


def line_of(outcome: Outcome) -> bytes:
    """As a line of NDJSON."""
    return written(_document(outcome)).encode() + b"\n"


def _document(outcome: Outcome) -> dict[str, Any]:
    if isinstance(outcome, Refused):
        return {
            "where": outcome.place.where,
            "status": "refused",
            **({"patient": outcome.patient} if outcome.patient else {}),
            "code": outcome.place.code,
            "message": outcome.place.message,
            "errors": to_document(outcome.errors or (outcome.place,)),
        }
    return {
        "where": outcome.received.where,
        "status": "interpreted",
        "patient": outcome.patient,
        "collected_at": outcome.found.collected_at,
        "interpretation": to_document(outcome.found),
    }


def _patient(received: Received, subject: str | None) -> dict[str, str]:
    said = {
        "value": received.identity.identifier,
        "system": received.identity.issuer,
        "reference": None if received.identity.identifier else subject,
    }
    return {name: text for name, text in said.items() if text}
