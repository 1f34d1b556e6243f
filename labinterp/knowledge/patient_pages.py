"""The sheet for whoever reviews what patients are told: every sentence, its languages side by side.

Each rule stands with the key of its sentence, and each food with what keeps it from being named, so
that nobody has to read the files to say whether a page is right.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from labinterp.model.knowledge import Knowledge
    from labinterp.model.patient_text import FoodRule, PatientTexts, Unsafe

_ORDER: Final = ("en", "es", "fr", "de")
_TITLES: Final = {
    "sentences": "Fixed sentences",
    "verdicts": "Whether the results explain the twitching",
    "standings": "Where a result lies",
    "findings": "What the results mean",
    "causes": "Commoner causes",
    "foods": "Foods",
    "warnings": "When to seek help",
    "measurands": "What tests are called",
}


def page(knowledge: Knowledge) -> Iterator[str]:
    """The page, line by line."""
    told = knowledge.patient
    languages = [told.texts[code] for code in _ORDER if code in told.texts]
    yield "# The page for patients\n"
    yield (
        "What a [page for the patient](../../how-to/release-to-patients.md) can say, and when. "
        "What is in braces is filled in.\n"
    )
    yield from _reviewed(languages)
    yield from _findings(knowledge)
    yield from _foods(knowledge)
    yield from _warnings(knowledge)
    for part, title in _TITLES.items():
        yield f"## {title}\n"
        yield from _table(
            ("Key", *(one.name for one in languages)),
            (
                (f"`{key}`", *(getattr(one, part)[key] for one in languages))
                for key in getattr(languages[0], part)
            ),
        )


def _reviewed(languages: Iterable[PatientTexts]) -> Iterator[str]:
    yield from _table(
        ("Language", "Checked by a health professional"),
        ((one.name, "yes" if one.reviewed else "**no**; each page says so") for one in languages),
    )


def _findings(knowledge: Knowledge) -> Iterator[str]:
    rules = knowledge.patient.rules
    yield "## Which sentence stands for which rule\n"
    yield from _table(
        ("Rule", "Sentence"),
        ((f"`{rule}`", f"`{key}`") for rule, key in rules.finding_texts.items()),
    )
    yield from _table(
        ("Every other rule of", "Sentence"),
        ((folder.replace("_", " "), f"`{key}`") for folder, key in rules.general_texts.items()),
    )
    yield from _table(
        ("This sentence", "makes these needless"),
        ((f"`{key}`", _coded(covered)) for key, covered in rules.covers.items()),
    )
    yield f"At most {rules.most_findings} such sentences stand on a page.\n"


def _foods(knowledge: Knowledge) -> Iterator[str]:
    rules = knowledge.patient.rules
    yield "## When foods are named\n"
    yield from _table(
        ("Foods", "Shown by", "Not where", "Only where one of these is within its interval"),
        (_food(rule) for rule in rules.foods),
    )
    yield (
        f"None is named under {rules.adults_only} years, in pregnancy, or where the age is not "
        f"known; nor where {_told(rules.unsafe)}.\n"
    )


def _food(rule: FoodRule) -> tuple[str, ...]:
    shown = _coded(rule.shown_by)
    return (f"`{rule.id}`", shown, _told(rule.unsafe), _coded(rule.needs_known) or "–")


def _told(unsafe: Unsafe) -> str:
    """What keeps foods from being named, in a line."""
    parts = (
        ("recorded", (*unsafe.conditions, *unsafe.medications)),
        ("found", unsafe.findings),
        ("high", unsafe.high),
        ("urgency", unsafe.urgencies),
    )
    below = tuple(
        f"`{least.measurand}` is or may be below {least.limit} {least.unit}"
        for least in unsafe.below
    )
    return "; ".join((*(f"{word}: {_coded(ids)}" for word, ids in parts if ids), *below))


def _warnings(knowledge: Knowledge) -> Iterator[str]:
    yield "## Which red flag stands in which warning\n"
    yield from _table(
        ("Warning", "Seek help", "Red flags"),
        (
            (f"`{one.id}`", "at once" if one.when == "now" else "soon", _coded(one.red_flags))
            for one in knowledge.patient.rules.warnings
        ),
    )


def _coded(ids: Iterable[str]) -> str:
    return ", ".join(f"`{one}`" for one in ids)


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> Iterator[str]:
    yield f"| {' | '.join(head)} |"
    yield f"|{'---|' * len(head)}"
    yield from (f"| {' | '.join(cell.replace('|', '/') for cell in row)} |" for row in rows)
    yield ""
