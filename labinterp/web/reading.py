"""What was entered, read into panels: the text, the typed fields, and what was chosen since."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

from labinterp import formats
from labinterp.formats import json_panel, pasted
from labinterp.formats.characters import decoded
from labinterp.model.spelling import folded_name
from labinterp.web import typed
from labinterp.web.fields import FieldError, Form, common_members, merged, text
from labinterp.web.prefill import restored

if TYPE_CHECKING:
    from datetime import datetime

    from labinterp.errors import Place
    from labinterp.model.knowledge import Knowledge
    from labinterp.model.submission import Received
    from labinterp.usecases.journey import PanelRecord
    from labinterp.usecases.services import Services
    from labinterp.web.draft import Draft

TIME_ASSUMED: Final = (
    "The time of day was not given; 12:00 is used and stands for no measured time."
)
CHANGEABLE: Final = ("test", "value", "unit")
Problem = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class Read:
    """The panels of one draft, and what of it could not be read.

    Attributes:
        rows: of a single panel, every result with its place in the list, used or taken out.
        found: a result's place to its line, before, in and after the value that was taken.
    """

    received: tuple[Received, ...]
    refused: tuple[Place, ...] = ()
    rows: tuple[Row, ...] = ()
    found: Mapping[str, tuple[str, str, str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Row:
    """One result as it was read and changed; `index` names its fields on the check page."""

    index: int
    result: Mapping[str, Any]
    is_used: bool


def read(
    draft: Draft, answers: Form, services: Services, corrected: PanelRecord | None = None
) -> Read:
    """The draft's panels with the typed fields merged in and the answers of the check page applied.

    Args:
        draft: what was entered.
        answers: the check page's form.
        services: the wired parts.
        corrected: the version that is being corrected; what the form does not show stays its own.

    Raises:
        SubmissionError: nothing of it can be read.
    """
    now = services.now()
    if draft.source == "typed":
        results, _ = typed.results(draft.fields, services.knowledge)
        entry = _Entry({"results": results}, "web_form", (), corrected)
        return _one(entry, draft.fields, answers, now)
    names = names_of(services.knowledge)
    kind = formats.detect(draft.body, draft.media_type or None, draft.file_name or None)
    first = formats.read(kind, draft.body, now, names=names)
    if len(first.received) != 1:
        return Read(first.received, first.refused)
    only = first.received[0]
    entry = _Entry(only.panel, only.submission.format, only.submission.problems, corrected)
    made = _one(entry, draft.fields, answers, now)
    found = _found(draft.body, names) if kind == "pasted" else {}
    return replace(made, refused=first.refused, found=found)


def missing(read: Read, draft: Draft) -> tuple[FieldError, ...]:
    """The least that is needed and was neither read nor typed: an age, and the sample date."""
    if len(read.received) != 1:
        return ()
    submission = read.received[0].submission
    errors = []
    if submission.age_days is None and read.received[0].identity.birth_date is None:
        errors.append(
            FieldError("birth-day", "Birth date or age: write one of them; intervals depend on it.")
        )
    if submission.collected_at is None and not text(draft.fields, "sample-day"):
        errors.append(FieldError("sample-day", "Sample date: write the day the sample was taken."))
    return tuple(errors)


@dataclass(frozen=True, slots=True)
class _Entry:
    panel: Mapping[str, Any]
    format: str
    problems: tuple[Problem, ...]
    corrected: PanelRecord | None = None


def _found(body: bytes, names: Mapping[str, str]) -> dict[str, tuple[str, str, str]]:
    """Each pasted line before, in and after its value; a line that gave none stands whole."""
    found = {}
    for line in pasted.parse(decoded(body)[0], names):
        start, end = line.span or (len(line.text), len(line.text))
        place = line.place or f"line {line.number}"
        found[place] = (line.text[:start], line.text[start:end], line.text[end:])
    return found


def _one(entry: _Entry, typed_fields: Form, answers: Form, now: datetime) -> Read:
    members, _ = common_members(typed_fields)
    panel = merged(entry.panel, members)
    if entry.corrected:
        panel = restored(panel, entry.corrected)
    rows = tuple(
        Row(index, _changed(result, answers, index), text(answers, f"row-{index}-use") != "no")
        for index, result in enumerate(panel.get("results", ()))
    )
    kept = [row.result for row in rows if row.is_used]
    settled = _settled(panel, answers)
    open_still = [
        problem
        for problem in (*entry.problems, *_noon(entry, typed_fields))
        if problem[0].partition(",")[0] not in settled
    ]
    received = json_panel.received_of(
        panel | {"results": kept}, now, entry.format, problems=open_still
    )
    each_once = tuple(dict.fromkeys(received.submission.problems))
    submission = replace(received.submission, problems=each_once)
    return Read((replace(received, submission=submission),), (), rows)


def _changed(result: Mapping[str, Any], answers: Form, index: int) -> dict[str, Any]:
    """A result with what was chosen for it; the line it was read from stays beside it."""
    chosen = _chosen(result, answers, index)
    changed = dict(result) | chosen
    if "test" in chosen:
        changed.pop("code", None)
        changed.pop("codes", None)
    return changed


def _chosen(result: Mapping[str, Any], answers: Form, index: int) -> dict[str, str]:
    """What was answered for one row and differs from what was read."""
    answered = {name: text(answers, f"row-{index}-{name}") for name in CHANGEABLE}
    return {
        name: value
        for name, value in answered.items()
        if value and value != _spelled(result.get(name))
    }


def _spelled(sent: object) -> str:
    """A member as the page shows it: a comparator that was sent apart stands before its value."""
    if isinstance(sent, Mapping):
        return f"{sent.get('comparator') or ''}{sent.get('value') or ''}"
    return str(sent or "").strip()


def _settled(panel: Mapping[str, Any], answers: Form) -> frozenset[str]:
    """Places whose earlier problems no longer hold, because somebody answered them."""
    return frozenset(
        str(result.get("where"))
        for index, result in enumerate(panel.get("results", ()))
        if _chosen(result, answers, index) or text(answers, f"row-{index}-use") == "no"
    )


def _noon(entry: _Entry, typed_fields: Form) -> tuple[Problem, ...]:
    """Said where only the day was typed: nobody may take the time beside it for a measured one."""
    assumed = text(typed_fields, "sample-day") and not text(typed_fields, "sample-time")
    if assumed and not entry.panel.get("collected_at"):
        return (("collected_at", "time-missing", TIME_ASSUMED),)
    return ()


def names_of(knowledge: Knowledge) -> dict[str, str]:
    """Every known name of a test to its measurand, for reading free text."""
    return {
        name: measurand.id
        for measurand in knowledge.measurands.values()
        for name in map(folded_name, (measurand.id, measurand.name, *measurand.names))
    }
