"""Words and dates for the pages, as template filters: one place for what a code is called."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from itertools import groupby
from typing import TYPE_CHECKING, Final

from markupsafe import Markup

from labinterp.reporting import words

if TYPE_CHECKING:
    from collections.abc import Iterable

    from flask import Flask

    from labinterp.model.submission import Identity

URGENCY: Final = {
    "emergency": "Emergency",
    "same_day": "Same day",
    "soon": "Soon",
    "routine": "Routine",
    "none": "No urgency found",
}
REPORT: Final = {
    "queued": "PDF waits to be drawn",
    "drawing": "PDF is being drawn",
    "ready": "PDF ready",
    "failed": "PDF failed",
    "not_made": "no PDF",
}
DELIVERY: Final = {
    "queued": "waiting",
    "sent": "handed to the mail server",
    "deferred": "will be tried again",
    "refused": "refused by the mail server",
    "bounced": "came back",
    "failed": "given up",
    "withdrawn": "withdrawn",
}
TRUTH: Final = {"yes": "Yes", "no": "No", "cannot_tell": "Cannot tell"}
_MONTHS: Final = (
    "Jan",
    "Feb",
    "Mar",
    "Apr",
    "May",
    "Jun",
    "Jul",
    "Aug",
    "Sep",
    "Oct",
    "Nov",
    "Dec",
)


def attach(app: Flask) -> None:
    """Give the templates their filters; what only indents a template is not sent to anyone."""
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.jinja_env.filters.update(
        moment=moment,
        day=day,
        patient_name=patient_name,
        domain=domain,
        urgency_word=lambda code: URGENCY.get(code, code),
        report_word=lambda code: REPORT.get(code, code),
        delivery_word=lambda code: DELIVERY.get(code, code),
        truth_word=lambda code: TRUTH.get(code, code),
        printed=printed,
        number=number,
        formula=words.formula,
        moment_text=moment_text,
        runs=runs,
        pairs=lambda known: [(word, word) for word in known],
        capitalize_first=lambda text: text[:1].upper() + text[1:],
    )


def day(when: date) -> str:
    """`20 Nov 2026`."""
    return f"{when.day} {_MONTHS[when.month - 1]} {when.year}"


def moment(when: datetime, with_offset: bool = True) -> Markup:
    """`20 Nov 2026, 08:00 +00:00`, as a `time` element; its attribute always has the offset."""
    offset = when.strftime("%z") if with_offset else ""
    shown = (
        f"{day(when)}, {when:%H:%M} {offset[:3]}:{offset[3:5]}"
        if offset
        else f"{day(when)}, {when:%H:%M}"
    )
    return Markup('<time datetime="{}">{}</time>').format(when.isoformat(timespec="minutes"), shown)


def moment_text(text: str | None, with_offset: bool = True) -> Markup | str:
    """An RFC 3339 text as `moment` prints it; a text that is none as it stands."""
    if not text:
        return "not stated"
    try:
        return moment(datetime.fromisoformat(text), with_offset)
    except ValueError:
        return text


def number(value: object) -> str:
    """A number with its own digits, never an exponent."""
    if isinstance(value, Decimal):
        return f"{value.normalize():f}"
    return "" if value is None else str(value)


def patient_name(identity: Identity) -> str:
    """Family name, given name; what is known of them."""
    known = [part for part in (identity.family, identity.given) if part]
    return ", ".join(known) or "Name not given"


def domain(address: str) -> str:
    """What follows the @, for a list that shows whole addresses on demand only."""
    return "…@" + address.rpartition("@")[2]


def runs(numbers: Iterable[int]) -> list[tuple[int, ...]]:
    """Source numbers as print tells them: three or more neighbours as the first and the last.

    >>> runs((3, 4, 5, 9, 10))
    [(3, 5), (9,), (10,)]
    """
    told: list[tuple[int, ...]] = []
    for _, neighbours in groupby(enumerate(sorted(set(numbers))), lambda one: one[1] - one[0]):
        run = [number for _, number in neighbours]
        told += [(run[0], run[-1])] if len(run) > 2 else [(number,) for number in run]  # noqa: PLR2004  (two are shorter as two)
    return told


def printed(code: object) -> str:
    """A field name or id of the knowledge in words: `not_low` as `not low`."""
    return str(code).replace("_", " ")
