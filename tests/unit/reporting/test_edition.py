"""A printed edition is shorter than the record, and loses nothing that a clinician must read."""

import pytest

from labinterp.reporting.edition import BRIEF, BRIEFEST, FULL, printed
from labinterp.reporting.view import build
from tests.unit.reporting.orders import a_plain_answer, a_result, an_order

EDITIONS = (FULL, BRIEF, BRIEFEST)


def block(view, section):
    return view.section(section).blocks[0]


@pytest.mark.parametrize("edition", EDITIONS)
@pytest.mark.hazard("report-loses-text")
def test_every_result_finding_and_step_is_printed(edition):
    whole, short = build(an_order()), printed(build(an_order()), edition)
    names = [row.value_and_unit for row in block(whole, "results").rows]
    titles = [item.title for item in block(whole, "findings").leading]
    steps = [step.text for group in block(whole, "next_steps").groups for step in group.steps]
    assert [row.value_and_unit for row in block(short, "results").rows] == names
    assert [item.title for item in block(short, "findings").leading] == titles
    assert [
        step.text for group in block(short, "next_steps").groups for step in group.steps
    ] == steps


@pytest.mark.parametrize("edition", EDITIONS)
def test_the_sources_listed_are_those_cited(edition):
    short = printed(build(an_order()), edition)
    cited = {number for item in block(short, "findings").leading for number in item.source_numbers}
    listed = {entry.number for entry in block(short, "sources").entries}
    assert cited <= listed


@pytest.mark.parametrize("edition", [BRIEF, BRIEFEST])
def test_in_brief_a_red_flag_is_still_the_first_clinical_statement(edition):
    short = printed(build(an_order()), edition)
    assert [section.id for section in short.sections[:2]] == ["identity", "urgency"]
    first = short.sections[1].blocks[0].items[0]
    assert first[0].text == "Red flag: Tetany. "


def test_in_brief_critical_results_stay_in_the_box_with_their_limits():
    box = printed(build(an_order()), BRIEF).section("urgency").blocks[0]
    lines = ["".join(span.text for span in line) for line in box.items]
    assert any("Magnesium 1.1\u00a0mg/dL: critical low (critical limit" in line for line in lines)


def test_a_quiet_report_keeps_its_sections_in_brief():
    view = build(an_order(a_plain_answer([a_result(value="4.0", standing="within")])))
    assert [section.id for section in printed(view, BRIEF).sections] == [
        section.id for section in view.sections
    ]


def test_what_is_missing_is_said_in_one_line():
    facts = block(printed(build(an_order())), "identity")
    last = facts.rows[-1]
    assert last.value.startswith("Not stated: Laboratory number")


def test_the_owner_most_intervals_share_is_named_once():
    table = block(printed(build(an_order()), BRIEF), "results")
    assert {row.interval_whose for row in table.rows} == {
        "cited",
        "laboratory’s own",
        "decision limit: iom-2011, adults",
    }
    assert "uk-conventional, adults" in table.legend


def test_causes_told_by_name_have_each_frequency_once():
    causes = block(printed(build(an_order()), BRIEF), "other_causes")
    frequencies = [told.split(":")[0] for told in causes.named]
    assert len(frequencies) == len(set(frequencies)) > 0
