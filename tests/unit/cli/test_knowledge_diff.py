"""What other knowledge would say of stored panels: told panel by panel, and nothing is changed."""

from dataclasses import replace
from decimal import Decimal

import pytest

from labinterp import bootstrap, cli, interpretation, knowledge
from labinterp.formats import json_panel
from labinterp.store import walk
from labinterp.usecases import accept, administer, rereading

LOW, WELL = "3.45", "4.10"


def a_panel(potassium):
    return {
        "patient": {"age": {"value": 54, "unit": "years"}, "sex": "female"},
        "collected_at": "2026-11-24T08:00:00Z",
        "results": [{"test": "Potassium", "value": potassium, "unit": "mmol/L"}],
    }


@pytest.fixture
def other():
    """The knowledge with a lower limit of potassium in every set."""
    known = knowledge.load()
    potassium = known.measurands["potassium"]
    lower = tuple(
        replace(row, low=Decimal("3.0")) if row.low and row.low > 3 else row
        for row in potassium.intervals
    )
    changed = {**known.measurands, "potassium": replace(potassium, intervals=lower)}
    return replace(known, measurands=changed, digest="0" * 64)


@pytest.fixture
def stored(services):
    actor = administer.system_actor(administer.create_organisation(services, "A"))
    return actor, [
        accept.accept_once(
            services,
            actor,
            json_panel.received_of(a_panel(value), services.now()),
            None,
            accept.Origin("api", "r"),
        ).panel_id
        for value in (LOW, WELL)
    ]


def test_only_what_reads_differently_is_told_and_how(services, other, stored, monkeypatch):
    actor, (low, well) = stored
    before = list(walk.panels(services.store, actor.organisation_id))
    monkeypatch.setattr(walk, "_PAGE", 1)
    found = rereading.reread(services, actor, knowledge.load(), other)
    told = {one.panel_id: one.differences for one in found}
    assert set(told) == {low, well}
    assert told[well] == (rereading.WORDS_ONLY,)
    assert "potassium: low before, within now" in told[low]
    assert "potassium-low: no longer found" in told[low]
    assert list(walk.panels(services.store, actor.organisation_id)) == before


def test_the_same_knowledge_reads_nothing_differently(services, stored):
    actor, _ = stored
    found = rereading.reread(services, actor, knowledge.load(), knowledge.load())
    assert [one.differences for one in found] == [(), ()]


def test_a_change_of_words_is_told_as_one():
    received = json_panel.received_of(a_panel(LOW), bootstrap.now())
    found = interpretation.interpret(received.submission, knowledge.load())
    said = replace(found, twitching=replace(found.twitching, text="In other words."))
    assert rereading.differences(found, said) == (rereading.WORDS_ONLY,)


def test_the_command_lists_the_panels_and_counts_them(run, stored, other, monkeypatch):
    folders = {None: knowledge.load(), knowledge.FOLDER: other}
    monkeypatch.setattr(knowledge, "load", folders.__getitem__)
    monkeypatch.setattr(knowledge, "differences", lambda *_: ("changed: a.yaml",))
    code, said, _ = run("knowledge", "diff", str(knowledge.FOLDER), "--against-store")
    assert code == cli.DONE
    assert "1 differences." in said
    assert "2 of 2 stored panels would read differently; none was changed." in said
    assert f"A {stored[1][0]}: " in said
    assert "  1: potassium: low before, within now" in said
