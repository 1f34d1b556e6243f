"""What the knowledge of today would say of a stored panel; the stored answer stays as it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from labinterp.access import require
from labinterp.formats import json_panel
from labinterp.usecases.explained import interpreted, with_history

if TYPE_CHECKING:
    from labinterp.access import Actor
    from labinterp.model.interpretation import Interpretation
    from labinterp.store.rows import PanelRecord
    from labinterp.usecases.services import Services


def read_again(services: Services, actor: Actor, record: PanelRecord) -> Interpretation:
    """The panel read once more, with the organisation's choices and the history of now; not kept.

    Raises:
        AccessDenied: the actor may not read panels.
        SubmissionError: nothing of it can be read any more.
    """
    require(actor, "panels:read")
    received = json_panel.received_of(record.panel, record.received_at)
    submission = with_history(services, actor.organisation_id, received, other_than=record.id)
    return interpreted(services, submission, actor.choices)
