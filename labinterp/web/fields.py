"""The fields that the three ways of entry share, read from the form into members of a panel.

What cannot be read is named beside its field; what was left empty is left out, and the answer says
what that cost. Nothing here judges a result.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any, Final
from zoneinfo import ZoneInfo

Form = Mapping[str, list[str]]
PREGNANCY: Final = {"yes": "pregnant", "no": "not_pregnant"}
AGE_UNITS: Final = ("years", "months", "days", "hours")
TERM_LISTS: Final = ("medications", "conditions", "history")
NOON: Final = time(12)
"""Stands for a time of day that was not given; whoever uses it says so."""
_NUMBER: Final = re.compile(r"[0-9]{1,6}([.,][0-9]{1,6})?")


@dataclass(frozen=True, slots=True)
class FieldError:
    """What is wrong with one field of a form: its id, and the sentence beside it."""

    field: str
    message: str


class FieldProblem(ValueError):
    """Raised while reading a form; carries the field it is about."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.error = FieldError(field, message)


def text(form: Form, name: str) -> str:
    """The field's text without surrounding blanks; empty when absent."""
    return (form.get(name) or [""])[0].strip()


def common_members(form: Form) -> tuple[dict[str, Any], tuple[FieldError, ...]]:
    """Members of a panel (contract §3) that the common fields fill, and what is wrong with them."""
    panel: dict[str, Any] = {}
    errors: list[FieldError] = []
    for member, reader in _READERS:
        try:
            value = reader(form)
        except FieldProblem as problem:
            errors.append(problem.error)
        else:
            if value:
                panel[member] = value
    return panel, tuple(errors)


def merged(panel: Mapping[str, Any], typed: Mapping[str, Any]) -> dict[str, Any]:
    """The panel as read, with what was typed beside it filling its gaps; what was read is kept."""
    result = dict(panel)
    for member, value in typed.items():
        held = result.get(member)
        if isinstance(held, Mapping) and isinstance(value, Mapping):
            result[member] = merged(held, value)
        elif isinstance(held, list) and isinstance(value, list):
            result[member] = held + [item for item in value if item not in held]
        elif held in (None, "", "unknown"):
            result[member] = value
    return result


def date_of(form: Form, name: str, what: str) -> date | None:
    """The date of three fields `<name>-day`, `-month`, `-year`; None when all are empty."""
    parts = [text(form, f"{name}-{part}") for part in ("day", "month", "year")]
    if not any(parts):
        return None
    first_wrong = next(
        (
            part
            for part, value in zip(("day", "month", "year"), parts, strict=True)
            if not value.isascii() or not value.isdigit()
        ),
        "day",
    )
    try:
        day, month, year = (int(part) for part in parts)
        found = date(year, month, day)
    except ValueError as error:
        raise FieldProblem(
            f"{name}-{first_wrong}", f"{what}: write day, month and year in digits, as 3 2 1980."
        ) from error
    if found.year < 1000:  # noqa: PLR2004  (a year of four digits: 80 could be 1980 or 2080)
        raise FieldProblem(f"{name}-year", f"{what}: write the year with four digits.")
    return found


def _patient(form: Form) -> dict[str, Any]:
    identifier = {"value": text(form, "identifier"), "system": text(form, "issuer")}
    birth = date_of(form, "birth", "Birth date")
    return _filled(
        identifier=_filled(**identifier) if identifier["value"] else None,
        family=text(form, "family"),
        given=text(form, "given"),
        birth_date=birth.isoformat() if birth else None,
        age=None if birth else _age(form),
        sex=text(form, "sex"),
        pregnancy=_pregnancy(form),
    )


def _age(form: Form) -> dict[str, Any] | None:
    value, unit = text(form, "age"), text(form, "age-unit") or "years"
    if not value:
        return None
    if not _NUMBER.fullmatch(value) or unit not in AGE_UNITS:
        raise FieldProblem("age", "Age: write a number, as 54.")
    return {"value": value.replace(",", "."), "unit": unit}


def _pregnancy(form: Form) -> dict[str, Any] | None:
    status = PREGNANCY.get(text(form, "pregnant"))
    if status is None:
        return None
    weeks = text(form, "gestation-weeks")
    if weeks and not (weeks.isascii() and weeks.isdigit() and len(weeks) < 3):  # noqa: PLR2004  (two digits hold every week)
        raise FieldProblem("gestation-weeks", "Weeks of pregnancy: write whole weeks, as 20.")
    return _filled(status=status, gestation_weeks=int(weeks) if weeks else None)


def _collected_at(form: Form) -> str | None:
    day = date_of(form, "sample", "Sample date")
    at = text(form, "sample-time")
    if day is None:
        if at:
            raise FieldProblem("sample-day", "Sample date: a time was given without a date.")
        return None
    try:
        clock = time.fromisoformat(at) if at else NOON
    except ValueError as error:
        raise FieldProblem("sample-time", "Sample time: write it as 08:30.") from error
    try:
        zone = ZoneInfo(text(form, "zone") or "UTC")
    except (ValueError, OSError) as error:
        raise FieldProblem("zone", "Time zone: write it as Europe/London.") from error
    except KeyError as error:
        raise FieldProblem(
            "zone", "Time zone: this one is not known. Write it as Europe/London."
        ) from error
    return datetime.combine(day, clock, zone).isoformat()


def _laboratory(form: Form) -> dict[str, Any]:
    return _filled(name=text(form, "laboratory"))


def _specimen(form: Form) -> dict[str, Any]:
    index = text(form, "haemolysis-index")
    if index and not _NUMBER.fullmatch(index):
        raise FieldProblem("haemolysis-index", "Haemolysis index: write a number, as 12.")
    return _filled(
        type=text(form, "material"),
        haemolysis_index=index.replace(",", ".") if index else None,
        haemolysis=text(form, "haemolysis"),
        site=text(form, "site"),
    )


def _symptoms(form: Form) -> list[str]:
    return [*form.get("symptom", ()), *_listed(text(form, "other-symptoms"))]


def _listed_in(name: str) -> Callable[[Form], list[str]]:
    return lambda form: _listed(text(form, name))


def _listed(written: str) -> list[str]:
    return [item.strip() for item in re.split(r"[\n;,]", written) if item.strip()]


def _filled(**members: Any) -> dict[str, Any]:
    return {name: value for name, value in members.items() if value}


_READERS: Final[tuple[tuple[str, Callable[[Form], Any]], ...]] = (
    ("patient", _patient),
    ("collected_at", _collected_at),
    ("laboratory", _laboratory),
    ("specimen", _specimen),
    ("symptoms", _symptoms),
    *((name, _listed_in(name)) for name in TERM_LISTS),
)
