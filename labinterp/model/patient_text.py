"""What the patient page may say: its sentences in each language, and the rules for using them.

Everything a clinician could argue with stands in `reference_ranges/patient_page.yaml` (what may be
said when) and `reference_ranges/patient_texts/` (how it is said); these nouns hold both.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final, Literal

HelpWhen = Literal["now", "soon"]


@dataclass(frozen=True, slots=True)
class PatientTexts:
    """Everything that can be said in one language.

    Attributes:
        name: of the language, in itself.
        reviewed: whether a health professional who speaks it has checked every sentence.
        sentences: fixed sentences by key, some with names in braces to be filled in.
        measurands: what a test is called.
        standings: `low` to its words, and so on.
        verdicts: whether the results explain the twitching.
        findings: plain sentences for what the results mean.
        causes, foods, warnings: by the ids of the rules.
    """

    language: str
    name: str
    reviewed: bool
    sentences: Mapping[str, str]
    measurands: Mapping[str, str]
    standings: Mapping[str, str]
    verdicts: Mapping[str, str]
    findings: Mapping[str, str]
    causes: Mapping[str, str]
    foods: Mapping[str, str]
    warnings: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class LeastValue:
    """A result that must be known to reach this value.

    Attributes:
        limit: in `unit`, the measurand's own.
    """

    measurand: str
    limit: Decimal
    unit: str


@dataclass(frozen=True, slots=True)
class Unsafe:
    """What makes advice about food unsafe; any one of them is enough.

    Attributes:
        conditions, medications, findings: ids that were recorded or found.
        high: measurands whose result lies above its interval, doubted or not.
        below: results that are, or may be, below a value.
        urgencies: answers as urgent as these are no matter of food.
    """

    conditions: tuple[str, ...] = ()
    medications: tuple[str, ...] = ()
    findings: tuple[str, ...] = ()
    high: tuple[str, ...] = ()
    below: tuple[LeastValue, ...] = ()
    urgencies: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class FoodRule:
    """When the foods of one advice are named.

    Attributes:
        id: of the advice in `advice/`.
        shown_by: findings that show the deficiency; one that is not in doubt is needed.
        unsafe: beside what makes all such advice unsafe.
        needs_known: measurands of which one must have been reported and be within its interval, or
            the food is not named.
        needs_low: measurands of which one result must lie below its interval; any will do if empty.
    """

    id: str
    shown_by: tuple[str, ...]
    unsafe: Unsafe
    needs_known: tuple[str, ...] = ()
    needs_low: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PatientWarning:
    """Something a patient may notice, and when to seek help for it.

    Attributes:
        red_flags: the rules that it puts into plain words.
    """

    id: str
    when: HelpWhen
    red_flags: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PatientRules:
    """What the page says when.

    Attributes:
        finding_texts: id of a rule to the key of its sentence.
        general_texts: folder of a rule to the key of the sentence for those without their own.
        covers: key of a sentence to the keys it makes needless.
        causes: ids of the commoner causes, in the order they are told.
        unsafe: what makes every advice about food unsafe.
        adults_only: no food is named under this age [years], nor where the age is not known.
        most_findings: so many sentences at most, so that the page can be taken in.
    """

    finding_texts: Mapping[str, str]
    general_texts: Mapping[str, str]
    covers: Mapping[str, tuple[str, ...]]
    causes: tuple[str, ...]
    foods: tuple[FoodRule, ...]
    unsafe: Unsafe
    warnings: tuple[PatientWarning, ...]
    adults_only: Decimal
    most_findings: int


@dataclass(frozen=True, slots=True)
class PatientKnowledge:
    """The rules and the languages."""

    rules: PatientRules
    texts: Mapping[str, PatientTexts] = field(default_factory=dict)


NO_PATIENT_PAGE: Final = PatientKnowledge(
    PatientRules({}, {}, {}, (), (), Unsafe(), (), Decimal(0), 0)
)
"""Nothing can be said to patients."""
