"""Every example of every rule and formula gives, through the whole engine, what its file expects."""

from decimal import ROUND_HALF_UP, Decimal

import pytest

from labinterp.interpretation import interpret
from tests.build import knowledge, outcome_of, submission_of_example

EXAMPLES = [
    pytest.param(rule, example, id=f"{rule.id}-{n}-{example.expect.replace(' ', '_')}")
    for stratum in (
        knowledge().artefacts,
        knowledge().patterns,
        knowledge().mechanisms,
        knowledge().red_flags,
        knowledge().urgency_rules,
    )
    for rule in stratum.values()
    for n, example in enumerate(rule.examples, 1)
]
WORKED = [
    pytest.param(formula, example, id=f"{formula.id}-{n}")
    for formula in knowledge().formulas.values()
    if formula.enabled
    for n, example in enumerate(formula.examples, 1)
]


@pytest.mark.parametrize(("rule", "example"), EXAMPLES)
def test_an_example_is_what_its_file_says(rule, example):
    answer = interpret(submission_of_example(example.given), knowledge())
    assert outcome_of(rule.id, answer) == example.expect


@pytest.mark.parametrize(("formula", "example"), WORKED)
def test_the_engine_computes_what_a_worked_example_says(formula, example):
    given = {name: value for name, value in example.items() if name != "gives"}
    answer = interpret(submission_of_example(given), knowledge())
    made = [
        one
        for one in answer.results
        if one.measurand == formula.id and one.derived_from == formula.inputs
    ]
    if example["gives"] == "not computed":
        assert made == []
        return
    wanted, unit = example["gives"].split(" ")
    (one,) = made
    assert one.value.unit == unit
    places = Decimal(1).scaleb(Decimal(wanted).as_tuple().exponent)
    assert one.value.number.quantize(places, ROUND_HALF_UP) == Decimal(wanted)


@pytest.mark.parametrize("name", ["effective_osmolality", "fe_potassium", "urea_creatinine_ratio"])
def test_a_value_of_an_unconfirmed_formula_says_so(name):
    formula = knowledge().formulas[name]
    given = {key: value for key, value in formula.examples[0].items() if key != "gives"}
    answer = interpret(submission_of_example(given), knowledge())
    (one,) = [one for one in answer.results if one.measurand == name]
    assert "not confirmed in a source" in one.notes[0]
