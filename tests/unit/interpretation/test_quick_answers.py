"""What is kept between panels, and the conditions laid out, change no letter of any answer."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import fields, is_dataclass, replace
from decimal import Decimal

import pytest

from labinterp.interpretation import conditions, interpret, keeping, pipeline
from labinterp.interpretation.compiled import judges_of
from labinterp.interpretation.facts import before_standing
from labinterp.interpretation.intervals import choose, fits_anyone, person_like
from labinterp.interpretation.reading import read
from labinterp.interpretation.recognise import recognise
from labinterp.interpretation.settings import settle
from labinterp.model.patient import Patient
from labinterp.model.rule import All, AnyOf, AtLeast, NoneOf
from labinterp.model.submission import Choices
from tests.build import a_panel, a_result, interpreted, knowledge, result
from tests.random_panels import submission_of

PANELS = int(os.environ.get("RANDOM_PANELS", "20"))  # noqa: TID251 - `make prove` asks for more


def plainly(submission):
    """By the conditions as they stand, with nothing kept from any other panel."""
    with pytest.MonkeyPatch.context() as patch, keeping.nothing_kept():
        patch.setattr(pipeline, "judges_of", lambda _: None)
        return interpret(submission, knowledge())


@pytest.mark.hazard("changed-answer")
@pytest.mark.timeout(0)
def test_the_quick_way_gives_the_answer_of_the_plain_one_to_the_letter():
    for number in range(PANELS):
        submission = submission_of(number)
        quick = repr(interpret(submission, knowledge()))
        assert quick == repr(plainly(submission)), f"panel {number}"


@pytest.mark.hazard("changed-answer")
def test_a_value_keeps_its_own_digits_after_an_equal_one_was_read():
    numbers = [
        str(result(interpreted(f"potassium {digits} mmol/L (3.5-5.3)"), "potassium").value.number)
        for digits in ("2.9", "2.90", "2.900", "2.9")
    ]
    assert numbers == ["2.9", "2.90", "2.900", "2.9"]


def test_a_place_is_named_as_it_was_sent_after_the_same_result_came_elsewhere():
    for where in ("results[0]", "row 4"):
        answer = interpret(a_panel(a_result("potassium 2.9 mmol/L (x-y)", where)), knowledge())
        assert {one.where for one in answer.problems if one.measurand} == {where}
        assert result(answer, "potassium").where == where


@pytest.mark.hazard("changed-answer")
def test_another_knowledge_is_read_and_not_what_was_kept_of_the_first():
    before = interpreted("potassium 2.9 mmol/L", age="54 years")
    potassium = knowledge().measurands["potassium"]
    rows = tuple(replace(row, low=Decimal("2.0")) for row in potassium.intervals)
    limits = ()
    other = replace(
        knowledge(),
        measurands={
            **knowledge().measurands,
            "potassium": replace(potassium, intervals=rows, critical_limits=limits),
        },
        patterns={},
    )
    answer = interpret(a_panel("potassium 2.9 mmol/L", age="54 years"), other)
    assert result(before, "potassium").standing == "low"
    assert result(answer, "potassium").standing == "within"
    assert not answer.patterns
    assert interpreted("potassium 2.9 mmol/L", age="54 years") == before


def conditions_in(noun):
    """Every whole condition in a noun of the knowledge, wherever it stands."""
    if isinstance(noun, (All, AnyOf, NoneOf, AtLeast, *conditions.LEAVES)):
        yield noun
    elif isinstance(noun, Mapping):
        for one in noun.values():
            yield from conditions_in(one)
    elif isinstance(noun, tuple):
        for one in noun:
            yield from conditions_in(one)
    elif is_dataclass(noun):
        for field in fields(noun):
            yield from conditions_in(getattr(noun, field.name))


def test_every_condition_of_the_knowledge_is_laid_out():
    laid_out = judges_of(knowledge()).by_condition
    missing = [one for one in conditions_in(knowledge()) if id(one) not in laid_out]
    assert missing == []


@pytest.mark.hazard("changed-answer")
def test_what_was_found_changes_no_answer_about_results_and_only_its_own_clauses():
    sent = a_panel("potassium 2.9 mmol/L", "magnesium 0.5 mmol/L", age="54 years")
    panel = read(sent, recognise(sent, knowledge()).patient, knowledge()).panel
    plain = before_standing(panel, knowledge().measurands)
    facts = replace(plain, judges=judges_of(knowledge()))
    found = replace(facts, findings=dict.fromkeys(knowledge().artefacts, True))
    for rules in (knowledge().patterns, knowledge().urgency_rules, knowledge().red_flags):
        for rule in rules.values():
            for quick in (facts, found):
                slow = replace(quick, judges=None)
                assert conditions.weigh(rule.when, quick) == conditions.weigh(rule.when, slow)


@pytest.mark.parametrize(
    "days", ["0", "3", "27.9", "28", "364", "365.25", "6574.5", "6575", "40000"]
)
@pytest.mark.parametrize("sex", ["female", "other"])
def test_who_is_treated_alike_is_fitted_by_the_same_intervals_and_limits(days, sex):
    patient = Patient(sex=sex, age_days=Decimal(days), pregnancy="unknown")
    person = person_like(patient, knowledge())
    settings, _ = settle(Choices(), Choices(), knowledge())
    for measurand in knowledge().measurands.values():
        chosen = (
            choose(measurand, patient, settings, knowledge()),
            choose(measurand, person, settings, knowledge()),
        )
        rows = [[one.interval.id for one in choice.candidates] for choice in chosen]
        assert rows[0] == rows[1]
        for limit in (*measurand.critical_limits, *measurand.decision_limits):
            assert fits_anyone(limit.applies_to, patient) == fits_anyone(limit.applies_to, person)
