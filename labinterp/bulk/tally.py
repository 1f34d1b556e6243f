"""What a run counted: panels, results, urgencies, findings; what was not interpreted, and why."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, Final

from labinterp.bulk.outcomes import Answered

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from labinterp.bulk.outcomes import Outcome
    from labinterp.model.interpretation import Interpretation
    from labinterp.model.submission import ReportedResult, Submission

_MOST_NAMES: Final = 5_000
_LONGEST_NAME: Final = 80
_TOLD: Final = 100
_OTHERS: Final = ("others", "", "")
_OF_THE_PANEL: Final = ("patient-missing",)
"""Problems that may stand at the place of a single result and are not about it."""
_UNSAID: Final = "not-interpreted"


class Tally:
    """Counts; made from what `document` gave, so that a resumed run counts on.

    One is made for each part of a run, and all are added up in the order of the parts: so the sum
    is the same, whoever counted them.
    """

    def __init__(self, kept: Mapping[str, Any] | None = None) -> None:
        kept = kept or {}
        self._counts: Counter[str] = Counter(kept.get("counts", {}))
        self._urgencies: Counter[str] = Counter(kept.get("urgencies", {}))
        self._findings: Counter[str] = Counter(kept.get("findings", {}))
        self._refused: Counter[str] = Counter(kept.get("refused", {}))
        self._reasons: Counter[tuple[str, str, str]] = Counter()
        for code, name, unit, count in kept.get("reasons", ()):
            self._reasons[code, name, unit] = count

    def document(self) -> dict[str, Any]:
        """As JSON, to be counted on."""
        return {
            "counts": dict(self._counts),
            "urgencies": dict(self._urgencies),
            "findings": dict(self._findings),
            "refused": dict(self._refused),
            "reasons": [[*key, count] for key, count in self._reasons.items()],
        }

    def add(self, part: Mapping[str, Any]) -> None:
        """What another one counted, as its `document`; beyond many names the rest are `others`."""
        self._counts.update(part["counts"])
        self._urgencies.update(part["urgencies"])
        self._findings.update(part["findings"])
        self._refused.update(part["refused"])
        for code, name, unit, count in part["reasons"]:
            key = (code, name, unit)
            known = key in self._reasons or len(self._reasons) < _MOST_NAMES
            self._reasons[key if known else _OTHERS] += count

    def count(self, outcomes: Iterable[Outcome]) -> None:
        """What became of panels, lines and rows."""
        for one in outcomes:
            if isinstance(one, Answered):
                self.interpreted(one.received.submission, one.found)
                continue
            self._counts["refused"] += 1
            self._refused[one.place.code] += 1
            if one.unreadable is not None:
                received, found = one.unreadable
                self._results(received.submission, found)

    def interpreted(self, submission: Submission, found: Interpretation) -> None:
        """A panel and its answer."""
        self._counts["panels"] += 1
        self._urgencies[found.urgency] += 1
        for finding in (*found.artefacts, *found.patterns, *found.mechanisms):
            self._findings[finding.rule] += 1
        self._results(submission, found)

    def _results(self, submission: Submission, found: Interpretation) -> None:
        places = {
            one.where
            for one in found.results
            if one.reported is not None and (one.value is not None or one.read_in_words)
        }
        read = {_said(one) for one in submission.results if one.where in places}
        why = {
            problem.where: problem.code
            for problem in reversed(found.problems)
            if problem.code not in _OF_THE_PANEL
        }
        for result in submission.results:
            self._counts["results"] += 1
            if _said(result) in read:  # also one that was said twice and counts once
                self._counts["interpreted"] += 1
                continue
            named = result.name or (result.codes[0].code if result.codes else "")
            key = (
                why.get(result.where, _UNSAID),
                named[:_LONGEST_NAME],
                (result.unit or "")[:_LONGEST_NAME],
            )
            self._reasons[key] += 1

    @property
    def panels(self) -> int:
        """How many panels were interpreted."""
        return self._counts["panels"]

    def summary(self, lines: int) -> dict[str, Any]:
        """What the run says of itself at its end."""
        results, interpreted = self._counts["results"], self._counts["interpreted"]
        return {
            "lines": lines,
            "panels": self.panels,
            "refused": self._counts["refused"],
            "refused_because": _ordered(self._refused),
            "results": results,
            "results_interpreted": interpreted,
            "results_not_interpreted": results - interpreted,
            "not_interpreted_because": [
                {"code": code, "name": name, "unit": unit, "count": count}
                for (code, name, unit), count in _most_first(self._reasons)[:_TOLD]
            ],
            "urgency": _ordered(self._urgencies),
            "findings": _ordered(self._findings),
        }


def in_words(summary: Mapping[str, Any]) -> str:
    """The summary for a person: one line a fact."""
    lines = [
        f"{summary['lines']} lines: {summary['panels']} panels interpreted",
        f"{summary['refused']} lines, rows or panels refused",
        f"{summary['results_interpreted']} of {summary['results']} results interpreted",
    ]
    lines += [f"  refused {count}: {code}" for code, count in summary["refused_because"].items()]
    lines += [
        f"  not interpreted {one['count']}: {one['name'] or '(no name)'}"
        f"{' in ' + one['unit'] if one['unit'] else ''} [{one['code']}]"
        for one in summary["not_interpreted_because"]
    ]
    return "\n".join(lines)


def _said(result: ReportedResult) -> tuple[object, ...]:
    return (result.codes, result.name, result.value, result.unit, result.collected_at)


def _most_first(counts: Counter[Any]) -> list[tuple[Any, int]]:
    return sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))


def _ordered(counts: Counter[str]) -> dict[str, int]:
    return dict(_most_first(counts))
