"""What a clause says to a clinician, with the value that was weighed."""

from decimal import Decimal
from fractions import Fraction

import pytest

from labinterp.interpretation.conditions import Clause
from labinterp.interpretation.facts import Fact, Facts
from labinterp.interpretation.sentences import Teller, sentence_case
from labinterp.model.quantity import Extent, Quantity
from labinterp.model.rule import (
    AgeIs,
    Compared,
    Computed,
    ConditionIs,
    DifferenceAtLeast,
    FindingIs,
    HistoryIs,
    MedicationIs,
    SexIs,
    SpecimenAtLeast,
    SpecimenIs,
    StatusIs,
    SymptomIs,
    TextIs,
)
from tests.build import knowledge

KNOWN = knowledge().measurands


def a_fact(measurand, number, standing="unknown", **more):
    unit = KNOWN[measurand].unit
    quantity, extent = Quantity(Decimal(number), unit), Extent(Fraction(number))
    return Fact(KNOWN[measurand], standing, quantity, extent, **more)


POTASSIUM = a_fact("potassium", "5.4", "high", limits="interval 3.5–5.3 mmol/L")
IN_PLASMA = a_fact("potassium_plasma", "4.2")
ANTIBODY = Fact(KNOWN["intrinsic_factor_antibody"], text="negative")


def said(leaf, truth=True, *given, excludes=False, **more):
    facts = Facts(KNOWN, {one.measurand.id: one for one in given}, **more)
    return Teller(knowledge(), facts).sentence(Clause(leaf, truth, excludes))


SERUM_OVER_PLASMA = DifferenceAtLeast("potassium", "potassium_plasma", Decimal("0.4"), "mmol/L")


@pytest.mark.parametrize(
    ("leaf", "truth", "facts", "sentence"),
    [
        (
            AgeIs("ge", Decimal(65)),
            True,
            {"age_years": Fraction(70)},
            "Age 70 years is at or above 65",
        ),
        (
            AgeIs("ge", Decimal(65)),
            False,
            {"age_years": Fraction(129, 2)},
            "Age 64 years is below 65",
        ),
        (AgeIs("lt", Decimal(18)), None, {}, "Age is not known"),
        (SexIs("female"), True, {"sex": "female"}, "Sex: female"),
        (SexIs("female"), False, {"sex": "male"}, "Sex: male"),
        (SexIs("female"), None, {"sex": "unknown"}, "Sex is not known"),
        (HistoryIs("prolonged-qtc"), True, {}, "Recorded: prolonged QTc on ECG"),
        (FindingIs("haemolysis"), False, {}, "Not found: Haemolysed specimen"),
        (
            FindingIs("rf-tetany"),
            True,
            {},
            "Found: Tetany, carpopedal spasm or positive Trousseau sign",
        ),
        (FindingIs("no-such-rule"), True, {}, "Found: no-such-rule"),
        (
            SpecimenIs("draw_site", ("drip-arm",)),
            True,
            {"specimen": {"draw_site": "drip-arm"}},
            "Specimen draw site: drip arm",
        ),
        (SpecimenIs("draw_site", ("drip-arm",)), False, {}, "Specimen draw site: not stated"),
        (
            SpecimenAtLeast("separation_delay_hours", Decimal(6)),
            True,
            {"specimen": {"separation_delay_hours": Decimal(8)}},
            "Specimen separation delay hours 8 is at least 6",
        ),
        (
            SpecimenAtLeast("separation_delay_hours", Decimal(6)),
            False,
            {"specimen": {"separation_delay_hours": Decimal(5)}},
            "Specimen separation delay hours 5 is below 6",
        ),
        (
            SpecimenAtLeast("separation_delay_hours", Decimal(6)),
            None,
            {},
            "Specimen separation delay hours: not stated",
        ),
        (Computed("implausible-value"), True, {}, "A value or unit cannot be right"),
        (Computed("implausible-value"), False, {}, "Every value and unit is plausible"),
        (
            Computed("implausible-value"),
            None,
            {},
            "A value or unit cannot be right: cannot be told",
        ),
        (Computed("some-other-thing"), False, {}, "Not some other thing"),
        (
            Computed("beyond-critical-limit"),
            True,
            {"computed_about": {"beyond_critical_limit": ("sodium", "chloride")}},
            "At or beyond a critical limit of the policy in use: Sodium, Chloride",
        ),
        (SymptomIs(("tetany",)), True, {"symptoms": {"tetany": frozenset()}}, "Recorded: tetany"),
        (SymptomIs(("tetany",)), False, {}, "Not recorded: tetany"),
        (
            SymptomIs(("facial-twitch", "tetany"), ("sudden", "unknown")),
            True,
            {"symptoms": {"facial-twitch": frozenset({"sudden"})}},
            "Recorded: facial twitching (sudden or unknown onset)",
        ),
        (
            SymptomIs(("facial-twitch", "tetany")),
            False,
            {},
            "None recorded: facial twitching, tetany",
        ),
        (
            ConditionIs(("dialysis",)),
            True,
            {"conditions": frozenset({"dialysis"})},
            "Recorded: dialysis",
        ),
        (MedicationIs(("omeprazole",)), False, {}, "Not recorded: omeprazole"),
        (MedicationIs(("no-such-medicine",)), False, {}, "Not recorded: no such medicine"),
    ],
)
def test_a_clause_about_the_patient_says(leaf, truth, facts, sentence):
    assert said(leaf, truth, **facts) == sentence


def test_a_pattern_that_was_found_is_told_by_its_title():
    title = knowledge().patterns["mg-driven-triple"].title
    assert said(FindingIs("mg-driven-triple")) == f"Found: {title}"


@pytest.mark.parametrize(
    ("leaf", "truth", "given", "sentence"),
    [
        (
            SERUM_OVER_PLASMA,
            True,
            (POTASSIUM, IN_PLASMA),
            "Potassium 5.4 mmol/L exceeds heparin plasma potassium 4.2 mmol/L by at least 0.4 mmol/L",
        ),
        (
            SERUM_OVER_PLASMA,
            False,
            (POTASSIUM, IN_PLASMA),
            "Potassium 5.4 mmol/L exceeds heparin plasma potassium 4.2 mmol/L by less than 0.4 mmol/L",
        ),
        (
            SERUM_OVER_PLASMA,
            None,
            (POTASSIUM,),
            "Potassium 5.4 mmol/L and heparin plasma potassium cannot be compared: both are needed",
        ),
        (
            TextIs("intrinsic_factor_antibody", "positive"),
            False,
            (ANTIBODY,),
            "Intrinsic-factor antibody is negative, not positive",
        ),
        (
            TextIs("intrinsic_factor_antibody", "negative"),
            True,
            (ANTIBODY,),
            "Intrinsic-factor antibody is negative",
        ),
        (
            TextIs("intrinsic_factor_antibody", "positive"),
            None,
            (),
            "Intrinsic-factor antibody was not measured",
        ),
        (
            TextIs("potassium", "positive"),
            None,
            (POTASSIUM,),
            "Potassium is not reported in words",
        ),
        (
            Compared("potassium", "ge", Decimal("6.5"), "mmol/L"),
            False,
            (POTASSIUM,),
            "Potassium 5.4 mmol/L is below 6.5 mmol/L",
        ),
        (
            Compared("potassium", "gt", Decimal("6.5"), "mmol/L"),
            False,
            (POTASSIUM,),
            "Potassium 5.4 mmol/L is not above 6.5 mmol/L",
        ),
        (
            Compared("potassium", "le", Decimal("6.5"), "mmol/L"),
            True,
            (POTASSIUM,),
            "Potassium 5.4 mmol/L is at or below 6.5 mmol/L",
        ),
        (
            Compared("potassium", "lt", Decimal("6.5"), "mmol/L"),
            None,
            (POTASSIUM,),
            "Potassium 5.4 mmol/L cannot be compared with 6.5 mmol/L",
        ),
        (
            Compared("sodium", "lt", Decimal(120), "mmol/L"),
            None,
            (),
            "Sodium was not measured (asked: < 120 mmol/L)",
        ),
        (
            StatusIs("potassium", "high"),
            True,
            (POTASSIUM,),
            "Potassium 5.4 mmol/L is above its interval (interval 3.5–5.3 mmol/L)",
        ),
    ],
)
def test_a_clause_about_a_result_says_the_value_and_what_was_asked(leaf, truth, given, sentence):
    assert said(leaf, truth, *given) == sentence


def test_a_difference_is_told_of_the_values_before_any_substitute():
    replaced = a_fact("potassium", "4.2")
    told = said(
        SERUM_OVER_PLASMA,
        "yes",
        replaced,
        IN_PLASMA,
        as_reported={"potassium": POTASSIUM, "potassium_plasma": IN_PLASMA},
    )
    assert told.startswith("Potassium 5.4 mmol/L exceeds")


def test_a_result_that_cannot_be_relied_on_is_told_with_the_reason():
    leaf = Compared("potassium", "ge", Decimal("6.5"), "mmol/L")
    told = said(leaf, None, POTASSIUM, blocked={"potassium": "Haemolysed specimen"})
    assert told == "Potassium 5.4 mmol/L cannot be relied on: haemolysed specimen"


def test_an_open_clause_that_must_not_hold_says_that_it_would_speak_against_the_finding():
    assert said(ConditionIs(("dialysis",)), None, excludes=True).endswith(
        "; it would speak against this"
    )
    assert said(ConditionIs(("dialysis",)), truth=False, excludes=True) == "Not recorded: dialysis"


@pytest.mark.parametrize(
    ("text", "wanted"),
    [("potassium", "Potassium"), ("pH 7.4", "pH 7.4"), ("eGFR", "eGFR"), ("", "")],
)
def test_a_sentence_begins_with_a_capital_unless_it_begins_with_an_abbreviation(text, wanted):
    assert sentence_case(text) == wanted
