"""A stored panel and a later message about some of its results: the panel that follows from both.

Pure. A result is the same when its sender's identifier is. The later one takes its place unless it
is older by its collection, or less settled (a preliminary one after a final one); one that takes a
result back stays in the panel with that status, where it is listed and not interpreted.
"""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from labinterp.formats import json_panel
from labinterp.formats.taken_back import TAKEN_BACK, is_withdrawn, status_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from labinterp.model.submission import Received

_CORRECTING: Final = TAKEN_BACK | {"corrected", "amended", "appended", "c"}
_UNSETTLED: Final = frozenset({"preliminary", "partial", "registered", "p", "i", "r", "s"})
_INHERITED: Final = ("preliminary", "cancelled")
_OF_THE_RESULT: Final = ("collected_at", "specimen")
_NOT_SAID: Final = frozenset({"deliver", "unit_system", "laboratory", "requester"})
"""Members that no answer depends on."""
_FOREIGN: Final = re.compile(r"[^\x00-\x7f]+")
_NOT_READ_ANEW: Final = ("results", "status", "deliver")
"""What no agreement with a sender changes, or what is read anew by itself."""
_NOT_CONTENT: Final = frozenset({"where", "as_received"})
Result = dict[str, Any]


def is_new_measurement(stored: Mapping[str, Any], sent: Mapping[str, Any], identifier: str) -> bool:
    """Is the sent result a later specimen's under the same identifier, and no correction?"""
    after, before = _of(sent, identifier), _of(stored, identifier)
    if not after or not before or any(status_of(one, sent) in _CORRECTING for one in after):
        return False
    taken, earlier = _collected(sent, after[0]), _collected(stored, before[0])
    return taken is not None and earlier is not None and taken > earlier


def is_part_of(stored: Mapping[str, Any], sent: Mapping[str, Any], order: str) -> bool:
    """Are both parts of one order, taken at one time?"""
    times = (
        {_collected(panel, one) for one in panel["results"] if one.get("order") == order}
        for panel in (stored, sent)
    )
    return bool(set.intersection(*times))


def merged(
    stored: Mapping[str, Any], sent: Mapping[str, Any], leave: frozenset[str] = frozenset()
) -> dict[str, Any] | None:
    """What the stored panel becomes; None when the message says nothing newer.

    Args:
        stored: in the contract's own form.
        sent: the later message, in the same form.
        leave: identifiers of results that belong elsewhere.
    """
    coming = [one for one in sent["results"] if one.get("identifier") not in leave]
    later = _groups([one for one in coming if one.get("identifier")])
    before = _groups([one for one in stored["results"] if one.get("identifier")])
    taken = {
        identifier: group
        for identifier, group in later.items()
        if identifier in before and _takes_place(stored, sent, before[identifier], group)
    }
    added = [one for one in coming if _is_added(stored, sent, one, before)]
    if not taken and not added:
        return _said_otherwise(stored, sent) if _is_the_same(stored, sent, later, before) else None
    results = _in_place(stored, sent, taken) + [_explicit(stored, sent, one) for one in added]
    settled = any(_rank(stored, one) > 0 for identifier in taken for one in before[identifier])
    panel = {**stored, **_members(stored, sent), "results": results}
    panel.pop("deliver", None)
    if "deliver" in sent:
        panel["deliver"] = sent["deliver"]
    panel["status"] = _panel_status(results, sent, changed=settled)
    return panel


def _said_otherwise(stored: Mapping[str, Any], sent: Mapping[str, Any]) -> dict[str, Any] | None:
    """The stored panel with what is now said beside the same results; None where that is nothing.

    Symptoms that were recorded since, or another range policy, change the answer without a result
    having changed. Which unit leads, or who asked, does not.
    """
    panel = {**stored, **_members(stored, sent)}
    if is_the_same(stored, panel):
        return None
    panel.pop("deliver", None)
    return {**panel, "deliver": sent["deliver"]} if "deliver" in sent else panel


def _is_the_same(
    stored: Mapping[str, Any],
    sent: Mapping[str, Any],
    later: Mapping[str, list[Result]],
    before: Mapping[str, list[Result]],
) -> bool:
    """Does the message hold every result of the panel as it is stored, and no other?"""
    return later.keys() == before.keys() and all(
        [_content(_explicit(stored, sent, one), sent) for one in group]
        == [_content(one, stored) for one in before[identifier]]
        for identifier, group in later.items()
    )


def read_again(stored: Mapping[str, Any], again: Mapping[str, Any]) -> dict[str, Any] | None:
    """The stored panel with what one message brought of it read anew; None: it has no part in it.

    A result is the message's where the line is the same that it came in, whatever it was read as.
    What another message brought since stays as it is. Where nothing did, what the message says of
    the panel is read anew, too; else only whose intervals decide.

    Args:
        stored: in the contract's own form.
        again: the message as it is read now, in the same form.
    """
    fresh: dict[str, list[Result]] = {}
    for one in again["results"]:
        fresh.setdefault(_line(one), []).append(one)
    same = [
        fresh[line].pop(0) if fresh.get(line := _line(one)) else None for one in _results(stored)
    ]
    if not any(same):
        return None
    overlaid = _without(again, *_NOT_READ_ANEW) if all(same) else {}
    if "range_policy" in again:
        overlaid["range_policy"] = again["range_policy"]
    panel = {**_without(stored, "deliver", "range_policy"), **overlaid}
    results = [
        dict(before) if now is None else _explicit(panel, again, now)
        for before, now in zip(_results(stored), same, strict=True)
    ]
    return {**panel, "results": results}


def is_the_same(stored: Mapping[str, Any], panel: Mapping[str, Any]) -> bool:
    """Do two panels say the same, but for what no answer depends on?"""
    return _said(stored) == _said(panel)


def _said(panel: Mapping[str, Any]) -> dict[str, Any]:
    said = _without(panel, *_NOT_SAID, *_OF_THE_RESULT)
    return {**said, "results": [_resolved(one, panel) for one in _results(panel)]}


def _resolved(one: Mapping[str, Any], panel: Mapping[str, Any]) -> dict[str, Any]:
    """A result with what its panel says of all."""
    inherited = {name: panel[name] for name in _OF_THE_RESULT if name in panel}
    return {**inherited, **_content(one, panel)}


def _results(panel: Mapping[str, Any]) -> Sequence[Result]:
    results: Sequence[Result] = panel["results"]
    return results


def _without(said: Mapping[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in said.items() if name not in names}


def _line(one: Mapping[str, Any]) -> str:
    """The line a result came in; in another charset only letters beyond ASCII are others."""
    return _FOREIGN.sub("?", str(one.get("as_received", "")))


def as_received(panel: Mapping[str, Any], sent: Received) -> Received:
    """The panel as a Submission that came when the later message did."""
    made = json_panel.received_of(
        panel,
        sent.submission.received_at,
        sent.submission.format,
        problems=sent.submission.problems,
        where=sent.where,
    )
    problems = tuple(dict.fromkeys(made.submission.problems))
    return replace(made, submission=replace(made.submission, problems=problems))


def _groups(results: Sequence[Result]) -> dict[str, list[Result]]:
    found: dict[str, list[Result]] = {}
    for one in results:
        found.setdefault(one["identifier"], []).append(one)
    return found


def _of(panel: Mapping[str, Any], identifier: str) -> list[Result]:
    return [one for one in panel["results"] if one.get("identifier") == identifier]


def _is_added(
    stored: Mapping[str, Any],
    sent: Mapping[str, Any],
    one: Result,
    before: Mapping[str, list[Result]],
) -> bool:
    """A result that the panel does not hold yet; one without identifier is known by its content."""
    if one.get("identifier"):
        return one["identifier"] not in before
    content = _content(_explicit(stored, sent, one), sent)
    return all(_content(other, stored) != content for other in stored["results"])


def _takes_place(
    stored: Mapping[str, Any],
    sent: Mapping[str, Any],
    before: Sequence[Result],
    later: Sequence[Result],
) -> bool:
    new = [_content(_explicit(stored, sent, one), sent) for one in later]
    if new == [_content(one, stored) for one in before]:
        return False
    when = [moment for one in before if (moment := _collected(stored, one))]
    taken = [moment for one in later if (moment := _collected(sent, one))]
    if when and taken and max(taken) < max(when):
        return False
    return max(_rank(sent, one) for one in later) >= max(_rank(stored, one) for one in before)


def _content(one: Mapping[str, Any], panel: Mapping[str, Any]) -> dict[str, Any]:
    kept = {name: value for name, value in one.items() if name not in _NOT_CONTENT}
    return {**kept, "status": status_of(one, panel)}


def _rank(panel: Mapping[str, Any], one: Mapping[str, Any]) -> int:
    status = status_of(one, panel)
    if status in _CORRECTING:
        return 2
    return 0 if status in _UNSETTLED else 1


def _collected(panel: Mapping[str, Any], one: Mapping[str, Any]) -> datetime | None:
    text = one.get("collected_at") or panel.get("collected_at")
    if not text:
        return None
    moment = datetime.fromisoformat(str(text).upper())
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _in_place(
    stored: Mapping[str, Any], sent: Mapping[str, Any], taken: Mapping[str, list[Result]]
) -> list[Result]:
    """The stored results in their order, each group that is taken over at its first place."""
    results: list[Result] = []
    done: set[str] = set()
    for one in stored["results"]:
        identifier = one.get("identifier")
        if identifier not in taken:
            results.append(_with_status(stored, one))
        elif identifier not in done:
            done.add(identifier)
            results += [_explicit(stored, sent, later) for later in taken[identifier]]
    return results


def _with_status(panel: Mapping[str, Any], one: Result) -> Result:
    """A status that stood over the whole panel, said of the result itself."""
    if one.get("status") or panel.get("status") not in _INHERITED:
        return dict(one)
    return {**one, "status": panel["status"]}


def _explicit(stored: Mapping[str, Any], sent: Mapping[str, Any], one: Result) -> Result:
    """A sent result carrying what its own message said of all, where the stored one says other."""
    said = {
        name: sent[name]
        for name in _OF_THE_RESULT
        if name in sent and name not in one and sent[name] != stored.get(name)
    }
    result = _with_status(sent, {**one, **said})
    if sent.get("status") == "corrected" and not result.get("status"):
        result["status"] = "corrected"
    return result


def _members(stored: Mapping[str, Any], sent: Mapping[str, Any]) -> dict[str, Any]:
    """What the later message says of patient, symptoms and the like stands; the rest stays."""
    kept = {"results", "status", "deliver", *_OF_THE_RESULT}
    said = {name: value for name, value in sent.items() if name not in kept}
    if "patient" in stored and "patient" in said:
        said["patient"] = {**stored["patient"], **said["patient"]}
    return said


def _panel_status(results: Sequence[Result], sent: Mapping[str, Any], *, changed: bool) -> str:
    if is_withdrawn({"results": results}):
        return "cancelled"
    if changed:
        return "corrected"
    status = str(sent.get("status", "final"))
    return "final" if status == "cancelled" else status
