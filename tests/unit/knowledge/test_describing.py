"""Everything known can be shown, with conditions in words and sources spelled out."""

import json
from datetime import date

import pytest
import simplejson

from labinterp import knowledge

KNOWN = knowledge.load()


@pytest.mark.parametrize("kind", knowledge.KINDS)
def test_each_kind_lists_something_and_each_item_can_be_described(kind):
    lines = knowledge.listing(KNOWN, kind)
    assert lines
    for line in lines:
        described = knowledge.describe(KNOWN, line["id"])
        assert json.loads(simplejson.dumps(described, use_decimal=True))


def test_a_rule_is_shown_with_its_condition_in_words_and_its_sources():
    shown = knowledge.describe(KNOWN, "mg-driven-hypokalaemia")
    assert shown["kind"] == "pattern"
    assert shown["when"] == "magnesium low and potassium low"
    assert [one["id"] for one in shown["bibliography"]] == sorted(shown["sources"])
    assert shown["review"]["status"] == "draft"


def test_an_id_of_two_kinds_shows_both():
    shown = knowledge.describe(KNOWN, "neuromyotonia")
    assert {shown["kind"], *(other["kind"] for other in shown["also"])} == {"cause", "symptom"}


def test_a_measurand_cites_the_sources_of_its_limits():
    shown = knowledge.describe(KNOWN, "potassium")
    assert "swlp" in {one["id"] for one in shown["bibliography"]}


def test_reviews_are_overdue_from_the_day_after_they_were_due():
    assert knowledge.overdue(KNOWN, date(2027, 5, 31)) == ()
    assert "map.yaml" not in knowledge.overdue(KNOWN, date(2027, 6, 1))
    assert "patterns/mg-driven-triple.yaml" in knowledge.overdue(KNOWN, date(2027, 6, 1))


@pytest.mark.parametrize(
    ("word", "meant"),
    [
        ("omeprazole", "proton-pump-inhibitor"),
        ("Eyelid Twitching", "eyelid-twitch"),
        ("2823-3", "potassium"),
        ("S. Mg", "magnesium"),
        ("HP:0031166", "eyelid-twitch"),
    ],
)
def test_what_is_no_id_is_found_by_label_synonym_spelling_or_code(word, meant):
    assert knowledge.describe(KNOWN, word)["id"] == meant


def test_a_scheme_is_shown_with_its_regions_and_what_it_can_be_chosen_for():
    shown = knowledge.describe(KNOWN, "hyperkalaemia-ukka-2023")
    assert shown["title"] == "UK Kidney Association, hyperkalaemia, 2023"
    assert shown["selectable"] == ["potassium"]
    assert [one["label"] for one in shown["limits"]["potassium"]] == ["mild", "moderate", "severe"]
    assert shown["bibliography"]


def test_a_policy_goes_before_the_page_it_was_read_on():
    shown = knowledge.describe(KNOWN, "swlp")
    assert (shown["kind"], shown["also"][0]["kind"]) == ("critical policy", "source")
    assert "potassium" in shown["limits"]
