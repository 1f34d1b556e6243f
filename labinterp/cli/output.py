"""An answer on a terminal or in a pipe: the report's words, or the contract's JSON."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TextIO

import simplejson

from labinterp.model.report import ReportOrder
from labinterp.reporting import fhir, text
from labinterp.store.records import to_document

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from labinterp.errors import Place
    from labinterp.model.interpretation import Interpretation
    from labinterp.model.knowledge import Knowledge
    from labinterp.model.submission import Received

UNSTORED_BASE: Final = "http://localhost/fhir"
UNFILED: Final = "(not stored)"
"""Stands where a stored panel has its report number."""
_SAID: Final = ("preliminary", "cancelled")
"""States of a panel that its text names; a correction that is not stored corrects nothing."""
_BOLD, _RED, _AMBER, _PLAIN = "\x1b[1m", "\x1b[31m", "\x1b[33m", "\x1b[0m"
_UNDERLINED: Final = re.compile(r"^(.+)\n(-+)$", re.MULTILINE)
_ALARMING: Final = re.compile(r"\b(?:critical(?:ly)? (?:low|high)|emergency)\b", re.IGNORECASE)
_ABNORMAL: Final = re.compile(r"(?<=: )(?:Low|High)\b")


@dataclass(frozen=True, slots=True)
class Answer:
    """A panel with what it means and when it was asked."""

    received: Received
    interpretation: Interpretation
    asked_at: datetime


def as_json(answers: Sequence[Answer], *, is_list: bool) -> str:
    """The contract's JSON; numbers keep their digits.

    Args:
        answers: one, or as many as the file had panels.
        is_list: whether the input could hold several, so that its readers always find a list.
    """
    documents: Any = [to_document(answer.interpretation) for answer in answers]
    chosen = documents if is_list else documents[0]
    return str(simplejson.dumps(chosen, use_decimal=True, ensure_ascii=False, indent=2))


def as_fhir(answers: Sequence[Answer], known: Knowledge) -> str:
    """FHIR R4: a Bundle of one panel; of several, a Bundle a line."""
    bundles = [
        fhir.bundle(_fhir_order(answer, place), known) for place, answer in enumerate(answers, 1)
    ]
    indent = 2 if len(bundles) == 1 else None
    return "\n".join(
        str(simplejson.dumps(one, use_decimal=True, ensure_ascii=False, indent=indent))
        for one in bundles
    )


def _fhir_order(answer: Answer, place: int) -> fhir.FhirOrder:
    """Nothing was stored, so that its ids count the panels, and there is no document."""
    return fhir.FhirOrder(
        base=UNSTORED_BASE,
        id=_unstored_id(place),
        version=1,
        status=answer.received.submission.status,
        interpretation=answer.interpretation,
        identity=answer.received.identity,
        panel=answer.received.panel,
        received_at=answer.asked_at,
        has_document=False,
    )


def _unstored_id(place: int) -> str:
    return f"panel{place}"


def as_text(answers: Sequence[Answer], *, colour: bool) -> str:
    """The whole report of each panel in plain words; of several, each under its place."""
    several = len(answers) > 1
    parts = [
        (f"===== {answer.received.where}\n\n" if several else "") + text.long_text(order_of(answer))
        for answer in answers
    ]
    written = "\n".join(parts)
    return coloured(written) if colour else written


def order_of(answer: Answer) -> ReportOrder:
    """What the report is made from; nothing was stored, so it has no number."""
    received = answer.received
    return ReportOrder(
        number=UNFILED,
        version=1,
        status=received.submission.status if received.submission.status in _SAID else "final",
        interpretation=answer.interpretation,
        identity=received.identity,
        panel=received.panel,
        received_at=answer.asked_at,
        issued_at=answer.asked_at,
        collected_at=received.submission.collected_at,
        contact="",
        operator_line="",
        organisation="",
        panel_id=_unstored_id(1),
    )


def wants_colour(stream: TextIO) -> bool:
    """Colour only on a terminal, and not where `NO_COLOR` is set (https://no-color.org)."""
    import os  # noqa: PLC0415 - for this one convention

    return stream.isatty() and not os.environ.get("NO_COLOR")  # noqa: TID251 - a terminal's convention, no setting of ours


def coloured(written: str) -> str:
    """Headings bold, critical words red, abnormal ones amber; no word is added or lost."""
    painted = _UNDERLINED.sub(rf"{_BOLD}\1{_PLAIN}\n\2", written)
    painted = _ALARMING.sub(rf"{_BOLD}{_RED}\g<0>{_PLAIN}", painted)
    return _ABNORMAL.sub(rf"{_AMBER}\g<0>{_PLAIN}", painted)


def complain(refused: Iterable[Place], stream: TextIO) -> None:
    """Name each part of the input that was not used."""
    for place in refused:
        print(f"labinterp: {place.where}: {place.message} [{place.code}]", file=stream)
