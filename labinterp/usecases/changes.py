"""What a correction changed, in sentences for the report."""

from __future__ import annotations

from typing import TYPE_CHECKING

from labinterp.formats.taken_back import is_taken_back

if TYPE_CHECKING:
    from labinterp.model.interpretation import Interpretation, InterpretedResult


def changes_between(old: Interpretation, new: Interpretation) -> tuple[str, ...]:
    """One sentence for each test whose reported results differ; derived ones follow from them."""
    before, after = _by_test(old), _by_test(new)
    changed = [
        f"{name}: was {before[name]}, now {after[name]}."
        for name in after
        if name in before and before[name] != after[name]
    ]
    added = [f"{name}: added, {after[name]}." for name in after if name not in before]
    gone = [
        f"{name}: no longer reported, was {before[name]}." for name in before if name not in after
    ]
    return (*changed, *added, *gone)


def _by_test(found: Interpretation) -> dict[str, str]:
    """Each test's results as sent; several of one test stand together."""
    shown: dict[str, str] = {}
    for result in found.results:
        if result.reported is not None:
            text = _as_sent(result)
            known = shown.get(result.name)
            shown[result.name] = f"{known} and {text}" if known else text
    return shown


def _as_sent(result: InterpretedResult) -> str:
    if result.reported is None:
        return "no value"
    if is_taken_back(result.reported.status):
        return "withdrawn"
    parts = (result.reported.comparator, result.reported.value, result.reported.unit)
    return " ".join(part for part in parts if part) or "no value"
