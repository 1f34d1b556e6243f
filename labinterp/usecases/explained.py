"""Reading a panel against the knowledge, with what the store knows of the same patient before."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from labinterp import interpretation, telemetry
from labinterp.errors import LabinterpError, Place, SubmissionError
from labinterp.formats import json_panel
from labinterp.formats.taken_back import takes_back
from labinterp.model.submission import Choices, EarlierPanel, ReportedResult, Submission
from labinterp.reporting.printable import not_printable
from labinterp.store import panels

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from labinterp.model.interpretation import Interpretation
    from labinterp.model.submission import Received
    from labinterp.usecases.services import Services


def interpreted(
    services: Services,
    submission: Submission,
    choices: Choices | None = None,
) -> Interpretation:
    """The answer for a panel of which at least one result can be read, or is taken back.

    Args:
        services: the wired parts.
        submission: the panel as received.
        choices: what the organisation uses where the panel does not say.

    Raises:
        SubmissionError: code `nothing-readable`; the problems are its `errors`.
    """
    found = interpretation.interpret(submission, services.knowledge, choices or Choices())
    if not (interpretation.readable(found) or takes_back(submission)):
        telemetry.count(telemetry.PANELS_REFUSED, "nothing-readable")
        raise SubmissionError(
            "No result of this panel can be read; nothing was stored.",
            code="nothing-readable",
            errors=tuple(
                Place(problem.where, problem.code, problem.message) for problem in found.problems
            ),
        )
    telemetry.count(telemetry.INTERPRETATIONS, submission.format)
    return found


def warm_up(services: Services) -> None:
    """Explain one invented result and forget it, so that no caller waits for what is made once."""
    result = ReportedResult("results[0]", "4.0", "mmol/L", name="Potassium")
    submission = Submission("json", (result,), services.now())
    interpretation.interpret(submission, services.knowledge, Choices())


def with_history(
    services: Services,
    organisation_id: str,
    received: Received,
    *,
    other_than: str | None = None,
) -> Submission:
    """The submission with the same patient's earlier stored panels, for change.

    And with what of their details no report can print, said before it is drawn.

    Args:
        services: the wired parts.
        organisation_id: whose panels are looked at; nobody else's are.
        received: the panel and who it is about.
        other_than: a panel that is being corrected is no history of itself.
    """
    patient = panels.patient_key(services.store.vault, organisation_id, received.identity)
    if patient is None:
        return received.submission
    submission = received.submission
    before = submission.collected_at or submission.received_at
    with services.store.reading() as connection:
        stored = panels.earlier_panels(
            connection,
            services.store.vault,
            organisation_id,
            patient,
            before=before,
            since=before - services.policy.history,
            limit=services.policy.history_panels,
            other_than=other_than,
        )
    earlier = tuple(panel for panel in (_earlier(*row) for row in stored) if panel is not None)
    unprintable = tuple(not_printable(received.identity))
    return replace(
        submission,
        previous=(*submission.previous, *earlier),
        problems=(*submission.problems, *unprintable),
    )


def _earlier(
    panel_id: str, collected_at: datetime, received_at: datetime, panel: Mapping[str, object]
) -> EarlierPanel | None:
    """A stored panel as an earlier one; None if it cannot be read any more (it stays stored)."""
    try:
        results = json_panel.received_of(panel, received_at).submission.results
    except LabinterpError:
        return None
    return EarlierPanel(
        collected_at=collected_at,
        results=results,
        where=f"panel {panel_id}",
        origin="store",
        reference=panel_id,
    )
