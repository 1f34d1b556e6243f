"""Conditions, bounds, ages and quantities in the words of the files."""

from decimal import Decimal

import pytest

from labinterp.knowledge.notation import condition, days, quantity
from labinterp.knowledge.phrases import phrase
from labinterp.knowledge.reader import Fault
from labinterp.model.rule import (
    AgeIs,
    All,
    AnyOf,
    AtLeast,
    Compared,
    Computed,
    ConditionIs,
    DifferenceAtLeast,
    FindingIs,
    HistoryIs,
    MedicationIs,
    Moved,
    NoneOf,
    SexIs,
    SpecimenAtLeast,
    SpecimenIs,
    StatusIs,
    SymptomIs,
    TextIs,
)

LOW = StatusIs("magnesium", "low")
K3 = Compared("potassium", "lt", Decimal("3.0"), "mmol/L")


@pytest.mark.parametrize(
    ("tree", "node"),
    [
        ({"magnesium": "low"}, LOW),
        ({"magnesium": "not low"}, StatusIs("magnesium", "not_low")),
        ({"magnesium": "low or lowest third"}, StatusIs("magnesium", "low_or_lowest_third")),
        ({"potassium": "< 3.0 mmol/L"}, K3),
        (
            {"egfr": ">= 60 mL/min/{1.73_m2}"},
            Compared("egfr", "ge", Decimal(60), "mL/min/{1.73_m2}"),
        ),
        (
            {"potassium": [">= 6.0 mmol/L", "< 6.5 mmol/L"]},
            All(
                (
                    Compared("potassium", "ge", Decimal("6.0"), "mmol/L"),
                    Compared("potassium", "lt", Decimal("6.5"), "mmol/L"),
                )
            ),
        ),
        (
            {"difference": ["potassium", "potassium_plasma"], "at_least": "0.4 mmol/L"},
            DifferenceAtLeast("potassium", "potassium_plasma", Decimal("0.4"), "mmol/L"),
        ),
        (
            {"intrinsic_factor_antibody": "= positive"},
            TextIs("intrinsic_factor_antibody", "positive"),
        ),
        (
            {"moved": "creatinine", "beyond": 5, "within": "7 days"},
            Moved("creatinine", Decimal(5), Decimal(7)),
        ),
        ({"symptom": ["tetany"], "onset": ["sudden"]}, SymptomIs(("tetany",), ("sudden",))),
        ({"symptom": ["tetany"]}, SymptomIs(("tetany",))),
        ({"condition": ["ckd"]}, ConditionIs(("ckd",))),
        ({"medication": ["ssri"]}, MedicationIs(("ssri",))),
        ({"history": "normal-ecg"}, HistoryIs("normal-ecg")),
        ({"specimen": {"haemolysis": ["gross"]}}, SpecimenIs("haemolysis", ("gross",))),
        (
            {"specimen": {"separation_delay_hours": ">= 6"}},
            SpecimenAtLeast("separation_delay_hours", Decimal(6)),
        ),
        ({"age": ">= 50 years"}, AgeIs("ge", Decimal(50))),
        ({"sex": "female"}, SexIs("female")),
        ({"finding": "haemolysis"}, FindingIs("haemolysis")),
        ({"computed": "implausible_value"}, Computed("implausible_value")),
        ({"all": [{"magnesium": "low"}, {"potassium": "< 3.0 mmol/L"}]}, All((LOW, K3))),
        ({"any": [{"magnesium": "low"}]}, AnyOf((LOW,))),
        ({"none": [{"magnesium": "low"}]}, NoneOf((LOW,))),
        ({"at_least": {"n": 1, "of": [{"magnesium": "low"}]}}, AtLeast(1, (LOW,))),
    ],
)
def test_a_condition_is_read_as_its_node(tree, node):
    assert condition(tree, ()) == node
    assert phrase(node)


@pytest.mark.parametrize(
    "tree",
    [
        None,
        {},
        "low",
        {"magnesium": "lowish"},
        {"magnesium": "< 3.0"},
        {"magnesium": "3.0 mmol/L"},
        {"magnesium": "low", "potassium": "low"},
        {"all": []},
        {"all": {"magnesium": "low"}},
        {"all": [{"magnesium": "low"}], "any": [{"magnesium": "low"}]},
        {"at_least": {"n": 2, "of": [{"magnesium": "low"}]}},
        {"at_least": {"n": 1}},
        {"difference": ["potassium"], "at_least": "0.4 mmol/L"},
        {"difference": ["potassium", "sodium"], "at_least": "0.4"},
        {"moved": "creatinine", "beyond": 5},
        {"moved": "creatinine", "within": "7 days"},
        {"moved": ["creatinine", "urea"], "beyond": 5, "within": "7 days"},
        {"symptom": []},
        {"symptom": [3]},
        {"history": ["a", "b"]},
        {"specimen": {}},
        {"specimen": {"a": ["x"], "b": ["y"]}},
        {"age": ">= 50 months"},
        {"age": "old"},
        {"sex": "other"},
    ],
)
def test_what_is_no_condition_is_a_fault(tree):
    with pytest.raises(Fault):
        condition(tree, ())


def test_a_fault_names_the_way_to_it():
    tree = {"all": [{"magnesium": "low"}, {"any": [{"potassium": "much"}]}]}
    with pytest.raises(Fault) as fault:
        condition(tree, ("when",))
    assert fault.value.where == ("when", "all", 1, "any", 0, "potassium")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("12 hours", Decimal("0.5")),
        ("31 days", Decimal(31)),
        ("4 weeks", Decimal(28)),
        ("13 months", Decimal("395.6875")),
        ("18 years", Decimal("6574.5")),
    ],
)
def test_ages_are_counted_in_days(text, expected):
    assert days(text, ()) == expected


@pytest.mark.parametrize("text", ["18", "18y", "-1 days", None, "18 fortnights"])
def test_an_age_without_its_unit_is_a_fault(text):
    with pytest.raises(Fault, match="is not an age"):
        days(text, ())


def test_a_quantity_needs_its_unit():
    assert quantity("0.4 mmol/L", ()) == (Decimal("0.4"), "mmol/L")
    with pytest.raises(Fault):
        quantity("0.4", ())
