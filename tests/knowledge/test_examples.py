"""Every example of every rule says of its panel what the file expects: found, not found, cannot tell."""

import pytest

from labinterp import knowledge
from labinterp.interpretation import conditions
from labinterp.model.rule import Computed
from tests.knowledge.panels import facts_of, panel_of, submission_of

KNOWN = knowledge.load()
RULES = {
    rule.id: rule
    for stratum in (
        KNOWN.artefacts,
        KNOWN.patterns,
        KNOWN.mechanisms,
        KNOWN.red_flags,
        KNOWN.urgency_rules,
    )
    for rule in stratum.values()
}
WORD = {True: "found", False: "not found", None: "cannot tell"}
COMPUTED_LAST = "other_result_outside"
"""Answered only after every other rule; the whole answer is asked for it elsewhere."""


def examples():
    for rule in RULES.values():
        for n, example in enumerate(rule.examples, 1):
            if rule.when != Computed(COMPUTED_LAST):
                yield pytest.param(
                    rule, example, id=f"{rule.id}-{n}-{example.expect.replace(' ', '_')}"
                )


@pytest.mark.parametrize(("rule", "example"), list(examples()))
def test_an_example_is_what_its_file_says(rule, example):
    facts = facts_of(submission_of(panel_of(example.given, KNOWN)), KNOWN)
    assert WORD[conditions.holds(rule.when, facts)] == example.expect
