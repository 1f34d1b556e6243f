"""What conditions may ask.

Each measurand's value and standing, and everything recorded about patient and specimen.

Conditions never see results directly. The same panel gives several sets of facts: as reported (for
artefacts and
urgency), and as assessed, where a probable artefact has made some results unanswerable or a
substitute has taken their
place. A predicate on what is not there is "cannot tell", never false.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Final, cast

from labinterp.model.quantity import Extent

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Mapping
    from decimal import Decimal

    from labinterp.interpretation.compiled import Judges
    from labinterp.model.codes import Standing
    from labinterp.model.interpretation import Evidence
    from labinterp.model.measurand import Measurand
    from labinterp.model.panel import Classification, Move, Panel, Result
    from labinterp.model.quantity import Quantity
    from labinterp.model.rule import Leaf
    from labinterp.model.specimen import Specimen
    from labinterp.model.truth import Truth

TOTAL_CALCIUM: Final = "calcium"
ADJUSTED_CALCIUM: Final = "adjusted_calcium"
IONISED_CALCIUM: Final = "ionized_calcium"
DAYS_IN_YEAR: Final = Fraction(1461, 4)
"""365.25, as the age bands of the knowledge count."""
ADULT_FROM_YEARS: Final = 18
LOW: Final = frozenset({"low", "critically_low"})
HIGH: Final = frozenset({"high", "critically_high"})


@dataclass(frozen=True, slots=True)
class Fact:
    """One measurand as conditions see it.

    Attributes:
        quantity: number and unit as reported (or as derived).
        extent: the values it allows, in the canonical unit; None for a result in words.
        factor: canonical units in one reported unit.
        position: where in its interval a value within lies: 0 at the lower end, 1 at the upper.
        limits: interval ends in words, for sentences.
        why_unknown: why it has no standing.
        doubts: artefacts that could have produced it.
        substitute: the measurand this value was taken from instead, if any.
    """

    measurand: Measurand
    standing: Standing = "unknown"
    quantity: Quantity | None = None
    extent: Extent | None = None
    factor: Fraction = Fraction(1)
    text: str | None = None
    position: Fraction | None = None
    limits: str = ""
    why_unknown: str | None = None
    doubts: tuple[str, ...] = ()
    provisional: bool = False
    substitute: Measurand | None = None
    band: str | None = None
    cannot_be_right: bool = False
    told: dict[object, list[tuple[int, Truth]]] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )
    """What conditions asked of this result; `replace` begins anew."""
    said: dict[object, tuple[Leaf, Evidence]] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )
    """How clauses about this result were put into words; `replace` begins anew."""


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything conditions may ask about one panel.

    Attributes:
        symptoms: symptom id to the onsets recorded for it.
        blocked: measurands that a probable artefact made unanswerable, with the artefact's title.
        ionised_settles: a measured ionised calcium is within its interval, so that nothing may be
            asserted from an adjusted calcium that is not.
        findings: rules of earlier strata to whether they were found.
        computed: answers that data cannot express, by name; `computed_about`: the measurands
            behind them.
    """

    measurands: Mapping[str, Measurand]
    results: Mapping[str, Fact]
    symptoms: Mapping[str, frozenset[str]] = field(default_factory=dict)
    conditions: frozenset[str] = frozenset()
    medications: frozenset[str] = frozenset()
    history: frozenset[str] = frozenset()
    specimen: Mapping[str, str | Decimal] = field(default_factory=dict)
    age_years: Fraction | None = None
    sex: str = "unknown"
    blocked: Mapping[str, str] = field(default_factory=dict)
    ionised_settles: bool = False
    findings: Mapping[str, Truth] = field(default_factory=dict)
    computed: Mapping[str, Truth] = field(default_factory=dict)
    computed_about: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    as_reported: Mapping[str, Fact] | None = None
    """Results before any substitute took their place: a comparison of two results reads these."""
    moves: Mapping[str, Move] = field(default_factory=dict)
    """How far results moved since earlier ones, where that can be reckoned."""
    judges: Judges | None = field(default=None, repr=False, compare=False)
    """The knowledge's conditions laid out; without them each is weighed as it stands."""
    answered: dict[object, Any] = field(default_factory=dict, repr=False, compare=False)
    """What the judges asked of results alone; `replace` hands it on to all facts of a panel."""
    told: dict[object, Any] = field(default_factory=dict, init=False, repr=False, compare=False)
    """What the judges asked of these facts; `replace` begins anew."""

    def name(self, measurand: str) -> str:
        """The measurand's name in plain words."""
        known = self.measurands.get(measurand)
        return known.spoken if known else measurand.replace("_", " ")


def before_standing(panel: Panel, measurands: Mapping[str, Measurand]) -> Facts:
    """Facts from values alone, for what must be settled before anything has a standing."""
    usable = (one for one in panel.results if one.usable)
    results = with_stand_ins({one.measurand.id: of_result(one) for one in usable})
    return _with_patient(panel, measurands, results)


def of_panel(
    panel: Panel,
    classifications: Iterable[Classification],
    measurands: Mapping[str, Measurand],
    judges: Judges | None = None,
) -> Facts:
    """Facts as reported, with standings."""
    results = results_of(classifications)
    ionised = results.get(IONISED_CALCIUM)
    settles = ionised is not None and ionised.standing == "within"
    return _with_patient(panel, measurands, results, settles, judges)


def results_of(classifications: Iterable[Classification]) -> dict[str, Fact]:
    """What can be used, by measurand, and what stands in for what was not reported."""
    return with_stand_ins(
        {
            one.result.measurand.id: of_classification(one)
            for one in classifications
            if one.result.usable
        }
    )


def of_result(result: Result) -> Fact:
    """A result as a fact without a standing."""
    return Fact(
        result.measurand,
        quantity=result.quantity,
        extent=result.extent,
        factor=result.conversion.factor if result.conversion else Fraction(1),
        text=result.text,
        provisional=result.provisional,
    )


def of_rejected(results: Iterable[Result], names: Container[str]) -> dict[str, Fact]:
    """Values that cannot be right, as they were reported: for artefacts and the critical floor."""
    return {
        one.measurand.id: replace(
            of_result(one),
            cannot_be_right=True,
            extent=Extent(
                Fraction(one.quantity.number) * one.conversion.factor, one.quantity.comparator
            ),
        )
        for one in results
        if not one.usable
        and one.measurand.id in names
        and one.quantity is not None
        and one.conversion is not None
    }


def of_classification(classification: Classification) -> Fact:
    """A classified result as a fact; one object for all results that are alike."""
    if classification.alike is None:
        return _of_classification(classification)
    key = ("fact", classification.band and classification.band.name)
    made = classification.alike.get(key)
    if made is None:
        made = classification.alike[key] = _of_classification(classification)
    return cast("Fact", made)


def _of_classification(classification: Classification) -> Fact:
    interval = classification.interval
    return replace(
        of_result(classification.result),
        standing=classification.known_side or classification.standing,
        position=classification.position,
        limits=interval.text if interval else "",
        why_unknown=classification.why_unknown,
        band=classification.band.name if classification.band else None,
    )


def years(days: Decimal | None) -> Fraction | None:
    """Age in years, exact."""
    return None if days is None else Fraction(days) / DAYS_IN_YEAR


def _with_patient(
    panel: Panel,
    measurands: Mapping[str, Measurand],
    results: Mapping[str, Fact],
    ionised_settles: bool = False,
    judges: Judges | None = None,
) -> Facts:
    patient = panel.patient
    onsets: dict[str, frozenset[str]] = {sign: frozenset({"unknown"}) for sign in patient.history}
    for symptom in patient.symptoms:
        onsets[symptom.id] = onsets.get(symptom.id, frozenset()) | {symptom.onset}
    return Facts(
        measurands,
        results,
        onsets,
        frozenset(patient.conditions),
        frozenset(patient.medications),
        frozenset(patient.history) | {symptom.id for symptom in patient.symptoms},
        specimen_fields(panel.specimen),
        years(patient.age_days),
        patient.sex,
        ionised_settles=ionised_settles,
        judges=judges,
    )


def with_stand_ins(results: Mapping[str, Fact]) -> dict[str, Fact]:
    """What was not reported is read from what stands in for it: a lone plasma potassium."""
    stand_ins = {
        fact.measurand.stands_in_for: fact
        for fact in results.values()
        if fact.measurand.stands_in_for is not None
    }
    return {**stand_ins, **results} if stand_ins else dict(results)


def specimen_fields(specimen: Specimen) -> dict[str, str | Decimal]:
    """The specimen's stated fields; the material stands in for a type that was not stated."""
    fields = dict(specimen.fields)
    if specimen.material and "type" not in fields:
        fields["type"] = specimen.material.strip().casefold().replace(" ", "-")
    return fields
