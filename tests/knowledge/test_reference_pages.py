"""The pages of the reference say what the engine knows, all of it, and mark what is not fact."""

from pathlib import Path

import pytest

from labinterp.knowledge.reference_pages import pages
from tests.build import knowledge

FOLDER = Path(__file__).parents[2] / "docs" / "reference" / "knowledge"
MADE = pages(knowledge())


@pytest.mark.parametrize("name", MADE)
def test_the_page_on_file_is_what_is_known_now(name):
    on_file = (FOLDER / name).read_text(encoding="utf-8")
    assert on_file == MADE[name], "write it anew: make reference"


def test_no_other_page_lies_there():
    assert {path.name for path in FOLDER.iterdir()} == set(MADE)


def test_every_measurand_rule_step_and_source_has_its_place():
    known, text = knowledge(), "".join(MADE.values())
    kinds = (known.measurands, known.patterns, known.artefacts, known.mechanisms, known.red_flags)
    for kind in (
        *kinds,
        known.range_sets,
        known.urgency_rules,
        known.formulas,
        known.next_steps,
        known.sources,
    ):
        for identifier in kind:
            assert f"{{: #{identifier} }}" in text


@pytest.mark.hazard("unproven-number")
def test_what_is_unverified_is_marked():
    known = knowledge()
    rows = [row for one in known.measurands.values() for row in one.intervals if row.unverified]
    assert MADE["analytes.md"].count("**unverified") >= len(rows) > 0


def test_conditions_read_as_people_write_them():
    assert "- When: total magnesium < 0.50 mmol/L and (" in MADE["urgency-rules.md"]
    assert "eGFR < 60 mL/min/1.73 m²" in MADE["patterns.md"].replace(
        knowledge().measurands["egfr"].spoken, "eGFR"
    )


def test_a_set_that_cannot_be_chosen_says_so():
    entry = MADE["range-sets.md"].split("{: #pediatric-caliper }")[1].split("\n## ")[0]
    assert "Cannot be chosen" in entry
    assert (
        "Cannot be chosen" not in MADE["range-sets.md"].split("{: #uk-nbt }")[1].split("\n## ")[0]
    )


def test_every_example_is_printed():
    known = knowledge()
    count = sum(len(one.examples) for one in known.patterns.values())
    lines = MADE["patterns.md"].splitlines()
    said = [one for one in lines if one.endswith(("| found |", "| not found |", "| cannot tell |"))]
    assert len(said) == count


def test_a_next_step_is_linked_by_its_label():
    page = MADE["patterns.md"]
    assert "[Consider a 12-lead ECG now](next-steps.md#check-ecg)" in page
    assert "[check-ecg]" not in page
