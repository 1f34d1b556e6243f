"""What holds of every answer, whatever the panel."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from labinterp.interpretation import interpret
from labinterp.interpretation.measure import canonical_per
from labinterp.model.codes import URGENCIES
from labinterp.model.interpretation import Interpretation
from labinterp.model.submission import EarlierPanel, ReportedResult, ReportedTerm
from labinterp.store.records import from_document, to_document
from tests.build import RECEIVED, a_panel, knowledge, rules, standings
from tests.properties.panels import RULED, hostile_submissions, submissions, values

PLAIN = a_panel("potassium 4.0 mmol/L", age="54 years")
MIX_UP = "specimen-mix-up"
WITHOUT_MIX_UP = replace(
    knowledge(),
    artefacts={name: one for name, one in knowledge().artefacts.items() if name != MIX_UP},
)
HEIGHTS = {"critically_low": 0, "low": 1, "within": 2, "high": 3, "critically_high": 4}


def answer_to(submission):
    return interpret(submission, knowledge())


@given(hostile_submissions())
@pytest.mark.hazard("hostile-input")
def test_no_input_makes_the_pipeline_raise(submission):
    answer = answer_to(submission)
    assert len(answer.results) + len(answer.problems) >= len(submission.results) > -1


@given(hostile_submissions())
@pytest.mark.hazard("changed-answer")
def test_every_answer_survives_the_store(submission):
    answer = answer_to(submission)
    kept = json.loads(json.dumps(to_document(answer), default=str), parse_float=Decimal)
    assert from_document(Interpretation, kept) == answer


@given(hostile_submissions())
@pytest.mark.hazard("invented-normal")
def test_a_result_that_could_not_be_read_is_never_within(submission):
    for one in answer_to(submission).results:
        assert one.value is not None or one.read_in_words or one.standing == "unknown"
        assert one.standing != "unknown" or one.why_unknown


@given(submissions(), st.randoms(use_true_random=False))
def test_the_order_of_results_is_irrelevant(submission, random):
    shuffled = list(submission.results)
    random.shuffle(shuffled)
    assert answer_to(replace(submission, results=tuple(shuffled))) == answer_to(submission)


@given(st.sampled_from(RULED), st.data(), st.sampled_from(["female", "male", "unknown"]))
def test_raising_a_value_never_lowers_its_standing(measurand, data, sex):
    lower, higher = sorted((data.draw(values(measurand)), data.draw(values(measurand))))
    unit = knowledge().measurands[measurand].unit
    found = []
    for number in (lower, higher):
        result = ReportedResult("results[0]", f"{number:f}", unit, measurand)
        submission = replace(PLAIN, results=(result,), sex=sex)
        found.append(standings(answer_to(submission))[measurand])
    assume("unknown" not in found)
    assert HEIGHTS[found[0]] <= HEIGHTS[found[1]]


@given(submissions(), st.data())
@pytest.mark.hazard("invented-normal")
def test_removing_a_result_makes_no_other_within(submission, data):
    assume(len(submission.results) > 1)
    gone = data.draw(st.sampled_from(submission.results))
    before = answer_to(submission)
    after = answer_to(
        replace(submission, results=tuple(one for one in submission.results if one != gone))
    )
    measured = {one.measurand: one.standing for one in before.results if not one.derived_from}
    for one in after.results:
        if not one.derived_from:
            assert one.standing == measured[one.measurand]


@given(submissions(), submissions(), st.integers(-2, 12))
def test_a_suspected_mix_up_needs_an_earlier_result_and_changes_no_urgency(now, before, days_ago):
    when = RECEIVED - timedelta(days=days_ago)
    both = replace(now, previous=(EarlierPanel(when, before.results, "previous[0]"),))
    assert MIX_UP not in rules(answer_to(now).artefacts)
    assert answer_to(both).urgency == interpret(both, WITHOUT_MIX_UP).urgency


@given(submissions(), st.sampled_from(sorted(knowledge().terms["symptom"])))
@pytest.mark.hazard("lost-critical")
def test_adding_a_symptom_never_lowers_the_urgency(submission, symptom):
    more = (*submission.symptoms, ReportedTerm("symptoms[9]", symptom))
    before, after = answer_to(submission), answer_to(replace(submission, symptoms=more))
    assert URGENCIES.index(before.urgency) <= URGENCIES.index(after.urgency)


@given(submissions(comparators=False))
@pytest.mark.hazard("wrong-unit")
def test_the_same_panel_in_conventional_units_reads_the_same(submission):
    known = knowledge().measurands
    converted = []
    for one in submission.results:
        measurand = known[one.name]
        row = next(iter(answer_to(replace(submission, results=(one,))).results), None)
        unit = measurand.conventional_unit
        assume(row is not None)
        if unit is None or row.value is None:
            converted.append(one)
            continue
        exact = in_unit(Decimal(one.value), measurand, unit)
        assume(exact is not None)
        converted.append(replace(one, value=f"{exact:f}", unit=unit))
    before = answer_to(submission)
    after = answer_to(replace(submission, results=tuple(converted)))
    assume(not any(one.at_the_limit for one in (*before.results, *after.results)))
    assert standings(after) == standings(before)
    assert after.urgency == before.urgency
    assert after.twitching.verdict == before.twitching.verdict
    for group in ("artefacts", "patterns", "mechanisms"):
        made = [
            [(one.rule, one.strength) for one in getattr(answer, group)]
            for answer in (before, after)
        ]
        assert made[0] == made[1]


@given(submissions())
@pytest.mark.hazard("artefact-believed")
def test_doubt_is_never_lost_along_a_chain(submission):
    answer = answer_to(submission)
    doubted = {one.measurand for one in answer.results if one.doubts}
    for one in answer.results:
        if doubted & set(one.derived_from):
            assert one.doubts
    for finding in answer.patterns:
        if any(set(piece.about) & doubted and piece.truth == "yes" for piece in finding.evidence):
            assert finding.doubts or any("(by " in piece.sentence for piece in finding.evidence)
    for finding in answer.mechanisms:
        if any(set(piece.about) & doubted and piece.truth == "yes" for piece in finding.evidence):
            assert finding.doubts or finding.strength


@given(submissions())
@pytest.mark.hazard("artefact-believed")
def test_an_artefact_always_carries_a_repeat_or_a_confirmation(submission):
    for one in answer_to(submission).artefacts:
        assert one.action
        assert one.steps


@given(submissions())
@pytest.mark.hazard("false-cause")
def test_what_opposes_excitability_never_drives_a_verdict(submission):
    drivers = set(answer_to(submission).twitching.drivers)
    assert not drivers & {"calcium-high", "magnesium-high", "potassium-high", "acidosis"}


@given(submissions())
@pytest.mark.hazard("lost-critical")
def test_a_critical_result_is_at_least_same_day(submission):
    answer = answer_to(submission)
    if any(one.standing.startswith("critically") for one in answer.results):
        assert URGENCIES.index(answer.urgency) >= URGENCIES.index("same_day")


@given(submissions())
@pytest.mark.hazard("unproven-number")
def test_every_sentence_has_a_source_or_says_that_it_has_none(submission):
    answer = answer_to(submission)
    cited = {one.id for one in answer.sources}
    for one in (
        *answer.artefacts,
        *answer.patterns,
        *answer.mechanisms,
        *answer.twitching.red_flags,
    ):
        assert set(one.sources) <= cited
        assert one.sources or one.unverified
    assert [one.number for one in answer.sources] == list(range(1, len(answer.sources) + 1))


@given(submissions())
def test_at_most_five_findings_lead(submission):
    leading = [one for one in answer_to(submission).patterns if one.leading]
    assert len(leading) <= 5


def in_unit(number, measurand, unit):
    """The same quantity in another unit, in as many digits as can be sent."""
    exact = Fraction(number) / canonical_per(measurand, unit)
    for places in range(16):
        if (exact * 10**places).denominator == 1:
            return Decimal(int(exact * 10**places)).scaleb(-places)
    return round(Decimal(exact.numerator) / Decimal(exact.denominator), 12)
