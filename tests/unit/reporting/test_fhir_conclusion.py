"""A conclusion in codes: our own always, SNOMED CT only where the operator may use it."""

from __future__ import annotations

import pytest

from labinterp.interpretation import interpret
from labinterp.reporting import fhir_conclusion
from tests.build import a_panel, knowledge

BASE = "https://labinterp.example.org/fhir"
SNOMED = "http://snomed.info/sct"


def codes(panel, *, snomed, **more):
    answer = interpret(a_panel(*panel.split(", "), **more), knowledge())
    found = fhir_conclusion.codes(answer, BASE, snomed=snomed)
    return [(one["coding"][0]["system"], one["coding"][0]["code"]) for one in found]


def said(panel, **more):
    return {code for system, code in codes(panel, snomed=True, **more) if system == SNOMED}


LOW = "magnesium 0.45 mmol/L, potassium 2.9 mmol/L"


def test_no_snomed_code_is_sent_unless_it_may_be():
    found = codes(LOW, snomed=False)
    assert found
    assert all(system.startswith(f"{BASE}/CodeSystem/") for system, _ in found)


def test_our_own_codes_stay_beside_those_of_snomed():
    ours = codes(LOW, snomed=False)
    assert codes(LOW, snomed=True)[-len(ours) :] == ours


def test_the_verdict_is_a_code_even_where_nothing_was_found():
    ((system, code),) = codes("potassium 4.1 mmol/L", snomed=False)
    assert (system, code) == (f"{BASE}/CodeSystem/twitching", code)


@pytest.mark.parametrize(
    ("panel", "expected"),
    [
        (LOW, {"190855004", "43339004"}),
        ("sodium 120 mmol/L", {"89627008"}),
        ("sodium 155 mmol/L", {"39355002"}),
        ("25-OH vitamin D 15 nmol/L", {"34713006"}),
        ("vitamin B12 100 ng/L", {"190634004"}),
        ("potassium 4.1 mmol/L, sodium 140 mmol/L", set()),
        ("magnesium 3.0 mmol/L", set()),
    ],
)
def test_each_state_has_the_code_that_was_checked_and_no_other(panel, expected):
    assert said(panel, age="54 years") == expected


def test_total_calcium_says_nothing_where_the_adjusted_one_is_within():
    assert said("calcium 2.00 mmol/L, albumin 25 g/L", age="54 years") == set()
    assert said("calcium 1.80 mmol/L, albumin 40 g/L", age="54 years") == {"5291005"}
