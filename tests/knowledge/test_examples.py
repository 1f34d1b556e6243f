"""Every example of every rule gives, through the whole engine, what its file expects."""

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


@pytest.mark.parametrize(("rule", "example"), EXAMPLES)
def test_an_example_is_what_its_file_says(rule, example):
    answer = interpret(submission_of_example(example.given), knowledge())
    assert outcome_of(rule.id, answer) == example.expect
