"""Builds artefacts, patterns, mechanisms, red flags and urgency rules from their folders."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from labinterp.model.rule import (
    AnyOf,
    Artefact,
    Condition,
    Example,
    Grading,
    Mechanism,
    Pattern,
    RedFlag,
    Review,
    Upgrade,
    UrgencyRule,
)

if TYPE_CHECKING:
    from labinterp.knowledge.entry import Entry


def review(row: Entry) -> Review:
    """Who wrote and checked a piece of knowledge."""
    item = row.inner("review")
    return Review(
        status=cast("Any", item.text("status")),
        authored_by=item.text("authored_by"),
        checked_by=item.optional("checked_by"),
        reviewed_on=item.optional("reviewed_on"),
        next_review=item.optional("next_review"),
    )


def _common(row: Entry, version: str) -> dict[str, Any]:
    """What every rule has; `version` changes when the file does."""
    return {
        "id": row.text("id"),
        "title": row.text("title"),
        "text": row.text("text"),
        "certainty": row.text("certainty"),
        "sources": row.texts("sources"),
        "version": version,
        "review": review(row),
        "why_it_matters": row.text("why_it_matters"),
        "unverified": row.truth("unverified"),
        "unverified_fields": row.texts("unverified_fields"),
        "examples": tuple(map(_example, row.rows("examples"))),
    }


def _example(row: Entry) -> Example:
    return Example(
        given=row.data["given"],
        expect=cast("Any", row.text("expect")),
        caption=row.text("caption", ""),
    )


def artefact(row: Entry, version: str) -> Artefact:
    """One file of `artefacts/`."""
    return Artefact(
        **_common(row, version),
        when=row.condition("when"),
        strength=cast("Any", row.text("strength")),
        effects=cast("Any", row.words("effects")),
        effect_notes=row.words("effect_notes"),
        action=row.text("action"),
        unaffected=row.texts("unaffected"),
        strengthens=row.conditions("strengthens"),
        weakens=row.conditions("weakens"),
        upgrade_when=row.optional_condition("upgrade_when"),
        use_instead=row.words("use_instead"),
        next_steps=row.texts("next_steps"),
    )


def pattern(row: Entry, version: str) -> Pattern:
    """One file of `patterns/`."""
    twitching = row.inner("twitching")
    return Pattern(
        **_common(row, version),
        when=row.condition("when"),
        urgency=cast("Any", row.text("urgency")),
        urgency_upgrades=tuple(
            Upgrade(item.condition("when"), cast("Any", item.text("urgency")))
            for item in row.rows("urgency_upgrades")
        ),
        strengthens=row.conditions("strengthens"),
        weakens=row.conditions("weakens"),
        next_steps=row.texts("next_steps"),
        twitch_strength=cast("Any", twitching.optional("strength")),
        twitch_via=twitching.texts("via"),
        twitch_note=twitching.optional("note"),
    )


def mechanism(row: Entry, version: str) -> Mechanism:
    """One file of `mechanisms/`; it holds as soon as a line of its grading does."""
    grading = tuple(map(_grading, row.rows("grading")))
    return Mechanism(
        **_common(row, version),
        when=_any(tuple(line.when for line in grading)),
        measurand=row.optional("measurand") or "",
        direction=cast("Any", row.text("direction")),
        grading=grading,
        alternatives=row.texts("alternatives"),
        role=row.text("role"),
        steps=row.texts("steps"),
        by_sign=cast("Any", row.words("by_sign")),
        signs=row.texts("signs"),
        associated_symptoms=row.texts("associated_symptoms"),
        threshold_text=row.inner("threshold").optional("text"),
        onset=row.text("onset", ""),
        caveats=row.texts("caveats"),
    )


def _grading(row: Entry) -> Grading:
    return Grading(
        when=row.condition("when"),
        strength=cast("Any", row.optional("strength")),
        inherits_from=row.optional("inherits_from"),
        at_most=cast("Any", row.optional("at_most")),
        note=row.optional("note"),
    )


def _any(parts: tuple[Condition, ...]) -> Condition:
    return parts[0] if len(parts) == 1 else AnyOf(parts)


def red_flag(row: Entry, version: str) -> RedFlag:
    """One file of `red_flags/`."""
    return RedFlag(
        **_common(row, version),
        when=row.condition("when"),
        urgency=cast("Any", row.text("urgency")),
        next_steps=row.texts("next_steps"),
    )


def urgency_rule(row: Entry, version: str) -> UrgencyRule:
    """One file of `urgency/`."""
    return UrgencyRule(
        **_common(row, version),
        when=row.condition("when"),
        urgency=cast("Any", row.text("urgency")),
        next_steps=row.texts("next_steps"),
    )
