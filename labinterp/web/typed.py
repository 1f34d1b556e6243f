"""The rows of "Type it in", read into results; each names its own field when it cannot be."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from labinterp.web.fields import FieldError, Form, text

if TYPE_CHECKING:
    from labinterp.model.knowledge import Knowledge

ROWS: Final = (
    "magnesium", "calcium", "albumin", "potassium", "sodium", "vitamin_b12", "vitamin_d_25oh",
)  # fmt: skip
"""Measurands that have a row of their own, in the order the form shows them."""
FREE_ROWS_AT_MOST: Final = 33


def free_rows(form: Form) -> int:
    """How many rows for other tests the form shows."""
    asked = text(form, "free-rows")
    count = int(asked) if asked.isascii() and asked.isdigit() and len(asked) < 3 else 0  # noqa: PLR2004  (two digits hold every allowed count)
    return min(count + ("add-row" in form), FREE_ROWS_AT_MOST)


def is_filled(form: Form) -> bool:
    """Was anything typed in any row?"""
    return any(text(form, f"{row}-value") for row in _row_names(form))


def results(
    form: Form, knowledge: Knowledge
) -> tuple[list[dict[str, Any]], tuple[FieldError, ...]]:
    """The typed rows as results of a panel, in the form's order, and what is missing in them."""
    found: list[dict[str, Any]] = []
    errors: list[FieldError] = []
    for row in _row_names(form):
        if not text(form, f"{row}-value"):
            continue
        found.append(_result(form, row, knowledge))
        errors.extend(_missing(form, row, str(found[-1].get("test") or "This test")))
    return found, tuple(errors)


def _row_names(form: Form) -> tuple[str, ...]:
    return ROWS + tuple(f"free{number}" for number in range(free_rows(form)))


def _result(form: Form, row: str, knowledge: Knowledge) -> dict[str, Any]:
    measurand = knowledge.measurands.get(row)
    ends = {end: text(form, f"{row}-{end}") for end in ("low", "high")}
    members = {
        "test": measurand.name if measurand else text(form, f"{row}-test"),
        "value": text(form, f"{row}-comparator") + text(form, f"{row}-value"),
        "unit": text(form, f"{row}-unit"),
        "reference_interval": {end: value for end, value in ends.items() if value},
        "flag": text(form, f"{row}-flag"),
    }
    return {name: value for name, value in members.items() if value}


def _missing(form: Form, row: str, name: str) -> list[FieldError]:
    errors = []
    if row.startswith("free") and not text(form, f"{row}-test"):
        errors.append(FieldError(f"{row}-test", "Other test: write its name."))
    if not text(form, f"{row}-unit"):
        errors.append(FieldError(f"{row}-unit", f"{name}: choose the unit the laboratory printed."))
    return errors
