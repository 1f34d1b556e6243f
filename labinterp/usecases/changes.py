"""What a new version of a panel changed: for the record, the page and the report alike."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from labinterp.formats.taken_back import is_taken_back
from labinterp.store import panels
from labinterp.store.rows import VersionChange

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from sqlalchemy import Connection

    from labinterp.model.interpretation import Interpretation, InterpretedResult
    from labinterp.store.crypto import Vault
    from labinterp.store.panels import StoredVersion
    from labinterp.store.rows import ChangeKind

_WITHDRAWN: Final = "withdrawn"
_MEMBERS: Final = {
    "patient": "patient",
    "collected_at": "collection time",
    "specimen": "specimen",
    "laboratory": "laboratory",
    "requester": "requester",
    "symptoms": "symptoms",
    "medications": "medicines",
    "conditions": "conditions",
    "history": "history",
}
_DETAILS: Final = {
    "interval": "reference interval",
    "flag": "flag",
    "note": "note",
    "status": "status",
}
_LONGEST_REASON: Final = 200


def changes_of(
    connection: Connection, vault: Vault, organisation_id: str, stored: StoredVersion
) -> tuple[VersionChange, ...]:
    """What this version changed of the one before it; nothing where it is the first."""
    if stored.version == 1:
        return ()
    before = panels.read_version(
        connection, vault, organisation_id, stored.panel_id, stored.version - 1
    )
    return changes_between(before.interpretation, stored.interpretation, before.panel, stored.panel)


def changes_between(
    old: Interpretation,
    new: Interpretation,
    old_panel: Mapping[str, Any] | None = None,
    new_panel: Mapping[str, Any] | None = None,
) -> tuple[VersionChange, ...]:
    """One for each test whose reported results differ; derived ones follow from them.

    Args:
        old: the answer of the earlier version.
        new: the answer of this one.
        old_panel: the earlier version as received, for what else it said.
        new_panel: the same of this one.
    """
    before, after = _by_test(old), _by_test(new)
    both = [name for name in after if name in before]
    changed = [_result(name, before[name], after[name]) for name in both]
    added = [_result(name, [], after[name]) for name in after if name not in before]
    gone = [_result(name, before[name], []) for name in before if name not in after]
    found = [one for one in (*changed, *added, *gone) if one is not None]
    return (*found, *_context(old_panel or {}, new_panel or {}))


def _by_test(found: Interpretation) -> dict[str, list[InterpretedResult]]:
    """Each test's results as sent; several of one test stand together."""
    shown: dict[str, list[InterpretedResult]] = {}
    for result in found.results:
        if result.reported is not None:
            shown.setdefault(result.name, []).append(result)
    return shown


def _result(
    name: str, before: list[InterpretedResult], after: list[InterpretedResult]
) -> VersionChange | None:
    was, now = _as_sent(before), _as_sent(after)
    measurand = (after or before)[0].measurand or None
    if was == now:
        return _details(name, measurand, now, before, after)
    reason = _reason(after)
    kind: ChangeKind
    if not before:
        kind, text = "added", f"{name}: added, {now}"
    elif not after:
        kind, text = "removed", f"{name}: no longer reported, was {was}"
    else:
        kind = "withdrawn" if now == _WITHDRAWN else "changed"
        text = f"{name}: was {was}, now {now}"
    told = f"{text} ({reason})." if reason else f"{text}."
    return VersionChange(kind, name, told, measurand, _value(was), _value(now), reason)


def _details(
    name: str,
    measurand: str | None,
    value: str,
    before: list[InterpretedResult],
    after: list[InterpretedResult],
) -> VersionChange | None:
    """The value stands; what is said beside it does not."""
    differ = [
        word for member, word in _DETAILS.items() if _said(before, member) != _said(after, member)
    ]
    if not differ:
        return None
    text = f"{name}: {value} stands; changed: {', '.join(differ)}."
    return VersionChange("remarks", name, text, measurand, _value(value), _value(value))


def _said(results: list[InterpretedResult], member: str) -> list[object]:
    return [getattr(result.reported, member) for result in results]


def _reason(after: list[InterpretedResult]) -> str | None:
    """What the laboratory says beside the result that took the place of another."""
    notes = (result.reported.note for result in after if result.reported is not None)
    told = "; ".join(dict.fromkeys(" ".join(note.split()) for note in notes if note))
    return told[:_LONGEST_REASON].rstrip(" .") or None


def _value(said: str) -> str | None:
    return None if said in ("", _WITHDRAWN) else said


def _as_sent(results: Iterable[InterpretedResult]) -> str:
    return " and ".join(dict.fromkeys(map(_one_as_sent, results)))


def _one_as_sent(result: InterpretedResult) -> str:
    if result.reported is None:
        return "no value"
    if is_taken_back(result.reported.status):
        return _WITHDRAWN
    parts = (result.reported.comparator, result.reported.value, result.reported.unit)
    return " ".join(part for part in parts if part) or "no value"


def _context(old: Mapping[str, Any], new: Mapping[str, Any]) -> tuple[VersionChange, ...]:
    """What else of the panel is not as it was; only which member, since some name the patient."""
    return tuple(
        VersionChange("context", word, f"Also changed: {word}.")
        for member, word in _MEMBERS.items()
        if old.get(member) != new.get(member)
    )
