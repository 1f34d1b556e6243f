"""What is said for each rule where its examples find it, or cannot tell: in evidence.txt, word for word.

Rewritten only by --update-golden and then read.
"""

from __future__ import annotations

from pathlib import Path

from labinterp.interpretation import interpret
from tests.build import knowledge, submission_of_example

EXPECTED = Path(__file__).parent / "evidence.txt"


def told():
    known = knowledge()
    strata = (
        known.artefacts,
        known.patterns,
        known.mechanisms,
        known.red_flags,
        known.urgency_rules,
    )
    for rule in (rule for stratum in strata for rule in stratum.values()):
        yield f"{rule.id}: {rule.title}"
        lines = [line for example in rule.examples for line in lines_of(rule.id, example)]
        yield from dict.fromkeys(lines)


def lines_of(rule_id, example):
    answer = interpret(submission_of_example(example.given), knowledge())
    twitching = answer.twitching
    for finding in (
        *answer.artefacts,
        *answer.patterns,
        *answer.mechanisms,
        *twitching.red_flags,
        *answer.urgency_findings,
    ):
        if finding.rule == rule_id:
            yield from (f"    {one.truth}: {one.sentence}" for one in finding.evidence)
            yield from (f"    {note}" for note in (*finding.caveats, *finding.doubts))
    for one in answer.undecided:
        if one.rule == rule_id:
            yield f"    open: {one.text}"


def test_each_rule_says_what_it_said_word_for_word(request):
    found = "\n".join(told()) + "\n"
    if request.config.getoption("--update-golden"):
        EXPECTED.write_text(found, "utf-8")
    assert found == EXPECTED.read_text("utf-8")
