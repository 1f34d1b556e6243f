"""Builds vocabularies, next steps, causes, advice and formulas."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, cast

from labinterp.knowledge.rules import review
from labinterp.model.codes import HPO, SNOMED
from labinterp.model.knowledge import Advice, Cause, Equation, Formula, Step, Term

if TYPE_CHECKING:
    from labinterp.knowledge.entry import Entry

_SYSTEMS: Final = {"hpo": HPO, "snomed": SNOMED}


def term(kind: str, row: Entry) -> Term:
    """One entry of a vocabulary."""
    return Term(
        id=row.text("id"),
        kind=kind,
        label=row.text("label"),
        synonyms=row.texts("synonyms"),
        domain=row.optional("domain"),
        codes=tuple((_SYSTEMS[name], code) for name, code in row.words("codes").items()),
        effects=row.words("effects"),
        twitch_effect=row.optional("twitch_effect"),
        note=row.text("note", ""),
        certainty=cast("Any", row.text("certainty", "moderate")),
        sources=row.texts("sources"),
        unverified=row.truth("unverified"),
        longer_than_days=row.whole("longer_than_days"),
    )


def step(row: Entry) -> Step:
    """One file of `next_steps/`."""
    return Step(
        id=row.text("id"),
        label=row.text("label"),
        detail=row.text("detail"),
        urgency=cast("Any", row.text("urgency")),
        certainty=cast("Any", row.text("certainty")),
        sources=row.texts("sources"),
        unverified=row.truth("unverified"),
        offered_unless=row.optional_condition("offered_unless"),
    )


def cause(row: Entry) -> Cause:
    """One file of `causes/`."""
    return Cause(
        id=row.text("id"),
        label=row.text("label"),
        typical=row.text("typical"),
        clue=row.text("clue"),
        frequency=row.text("frequency").replace("_", "-"),
        next_steps=row.texts("next_steps"),
        certainty=cast("Any", row.text("certainty")),
        sources=row.texts("sources"),
        unverified=row.truth("unverified"),
        suggested_by=row.texts("suggested_by"),
    )


def advice(row: Entry) -> Advice:
    """One file of `advice/`."""
    return Advice(
        id=row.text("id"),
        measurand=row.optional("measurand"),
        foods=row.texts("foods"),
        text=row.text("text"),
        prevention=row.text("prevention"),
        cautions=row.texts("cautions"),
        certainty=cast("Any", row.text("certainty")),
        sources=row.texts("sources"),
    )


def formula(row: Entry, version: str) -> Formula:
    """One file of `formulas/`."""
    constants = row.inner("constants")
    return Formula(
        id=row.text("id"),
        title=row.text("title"),
        inputs=row.texts("inputs"),
        units=row.texts("units"),
        unit=row.text("unit"),
        expression=row.text("expression"),
        sources=row.texts("sources"),
        constants={name: constants.needed_number(name) for name in constants.data},
        valid_when=row.optional_condition("valid_when"),
        invalid_note=row.text("invalid_note", ""),
        cautions=tuple(
            (item.optional_condition("when"), item.text("text")) for item in row.rows("cautions")
        ),
        examples=tuple(_worked(item) for item in row.rows("examples")),
        enabled=row.truth("enabled", default=True),
        unverified=row.truth("unverified"),
        review=review(row),
        version=version,
        equations={name: _equation(name, item) for name, item in row.members("equations")},
    )


def _equation(name: str, row: Entry) -> Equation:
    constants = row.inner("constants")
    return Equation(
        id=name,
        title=row.text("title"),
        constants={one: constants.needed_number(one) for one in constants.data},
        caution=row.text("caution"),
        sources=row.texts("sources"),
        unverified=row.truth("unverified"),
    )


def _worked(row: Entry) -> dict[str, str]:
    """A worked example, flat: each input's text, and `gives`."""
    return {**row.words("given"), "gives": row.text("gives")}
