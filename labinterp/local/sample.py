"""The sample panel: sent through the API as any other program would, and its answer in short.

It is invented and marked as a test. It is sent once: a later start finds it and shows it again.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from labinterp.errors import TemporaryFailure

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from labinterp.local.client import Client

PANEL: Final = Path(__file__).parent / "sample_panel.json"
_IDEMPOTENCY_KEY: Final = "the-sample-panel-of-labinterp-up"
_DRAWN: Final = ("ready", "failed", "not_made")
_SETTLED: Final = ("sent", "refused", "bounced", "failed", "withdrawn")


@dataclass(frozen=True, slots=True)
class Sample:
    """The sample as the service keeps it: its record, as the API answers it."""

    record: dict[str, Any]

    @property
    def id(self) -> str:
        """Of the panel."""
        return str(self.record["id"])

    @property
    def report(self) -> str:
        """How far the PDF is."""
        return str(self.record["report"]["status"])

    @property
    def number(self) -> str:
        """Of the report."""
        return str(self.record["report"].get("number") or "")

    @property
    def mails(self) -> tuple[str, ...]:
        """How far each mail is."""
        return tuple(str(delivery["status"]) for delivery in self.record["deliveries"])

    def is_settled(self) -> bool:
        """Whether the PDF and every mail have come to an end."""
        return self.report in _DRAWN and all(mail in _SETTLED for mail in self.mails)


def submitted(client: Client, *, with_mail: bool) -> Sample:
    """The sample panel as stored: found from an earlier start, or sent now.

    Args:
        client: for asking.
        with_mail: name its recipient; only where mail stays on this machine.

    Raises:
        TemporaryFailure: the service does not take it.
    """
    panel = json.loads(PANEL.read_text(encoding="utf-8"))
    found = client.get("/api/v1/panels", patient=panel["patient"]["identifier"]["value"])
    if found.status == HTTPStatus.OK and found.body.get("panels"):
        return _read(client, str(found.body["panels"][-1]["id"]))
    if not with_mail:
        del panel["deliver"]
    answer = client.post("/api/v1/panels", panel, idempotency_key=_IDEMPOTENCY_KEY)
    if answer.status != HTTPStatus.CREATED:
        raise TemporaryFailure(
            f"the sample panel was not taken: {answer.status} {answer.body.get('detail', '')}"
        )
    return Sample(answer.body)


def settled(client: Client, sample: Sample, keep_waiting: Callable[[Sample], bool]) -> Sample:
    """The sample once its PDF is drawn and its mail is sent, or as far as it is when told to stop.

    Args:
        client: for asking.
        sample: as it was.
        keep_waiting: told how far it is, a few times a second; says whether to go on.
    """
    while not sample.is_settled() and keep_waiting(sample):
        sample = _read(client, sample.id)
    return sample


def _read(client: Client, panel_id: str) -> Sample:
    answer = client.get(f"/api/v1/panels/{panel_id}")
    if answer.status != HTTPStatus.OK:
        raise TemporaryFailure(f"the sample panel cannot be read: {answer.status}")
    return Sample(answer.body)


def in_a_few_lines(sample: Sample) -> Iterator[str]:
    """What the answer says: each result, the urgency, the verdict, the findings, what to do."""
    interpretation = sample.record["interpretation"]
    for result in interpretation["results"]:
        yield f"  {_result(result)}"
    yield f"  Urgency: {_plain(interpretation['urgency'])}"
    twitching = interpretation.get("twitching") or {}
    if twitching.get("verdict"):
        yield f"  Do these results explain the twitching? {_plain(twitching['verdict'])}"
    for finding in interpretation["patterns"][:2]:
        yield f"  Pattern: {finding['title']}"
    for finding in interpretation["artefacts"][:2]:
        yield f"  Doubt: {finding['title']}"
    for step in interpretation["next_steps"][:2]:
        yield f"  Next: {step['text']}"


def _result(result: dict[str, Any]) -> str:
    bands = "; ".join(decision["name"] for decision in result["decisions"])
    standing = _plain(result["standing"]) + (f" ({bands})" if bands else "")
    return f"{result['name']:<30} {_value(result):<14} {standing}"


def _value(result: dict[str, Any]) -> str:
    """As it was sent; what was derived, as it is kept."""
    reported = result.get("reported")
    if reported:
        return f"{reported.get('comparator') or ''}{reported['value']} {reported['unit']}"
    kept = result["value"]
    return f"{kept['number']} {kept['unit']}"


def _plain(word: str) -> str:
    return word.replace("_", " ")
