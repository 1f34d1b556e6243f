"""What must be said about the patient, the panel and the knowledge beside the findings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from labinterp.interpretation.intervals import is_child
from labinterp.model.panel import Classification, Panel, Problem

if TYPE_CHECKING:
    from collections.abc import Iterable

    from labinterp.interpretation.scope import Scope
    from labinterp.model.knowledge import Knowledge
    from labinterp.model.patient import Patient


def unknown_age(classifications: Iterable[Classification], patient: Patient) -> tuple[Problem, ...]:
    """Age is unknown and some sets know adults only: their interval was used, and this says so."""
    if patient.age_days is not None:
        return ()
    assumed = [one.result.measurand.name for one in classifications if one.adults_only]
    if not assumed:
        return ()
    names = ", ".join(dict.fromkeys(assumed))
    message = (
        f"the age is not known; the adult interval was used for {names}. A birth date or an "
        "age would settle it"
    )
    return (Problem("demographics-missing", message, "patient.age"),)


def notices(scope: Scope, patient: Patient, panel: Panel, knowledge: Knowledge) -> tuple[str, ...]:
    """Sentences that stand at the head of the answer."""
    texts = knowledge.statements.get("en", {})
    found = list(panel.notes)
    if scope.notice is not None:
        key = "out-of-scope-child" if is_child(patient) else "out-of-scope-pregnancy"
        found.insert(0, texts.get(key, scope.notice).strip())
    if patient.age_days is None and "age-unknown" in texts:
        found.append(texts["age-unknown"].strip())
    if knowledge.overdue and "overdue-review" in texts:
        found.append(
            texts["overdue-review"].strip().replace("{count}", str(len(knowledge.overdue)))
        )
    return tuple(found)
