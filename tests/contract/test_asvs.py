"""The security list is whole, names only what exists, and the page is what the list says."""

from __future__ import annotations

from collections import Counter

from tests import asvs


def test_every_requirement_is_answered_once():
    counted = Counter(one.number for one in asvs.items())
    assert [number for number, times in counted.items() if times > 1] == []
    assert set(counted) == {*asvs.numbers(), *asvs.BEYOND}
    assert len(asvs.numbers()) == 253


def test_every_file_and_test_that_is_named_exists():
    assert asvs.missing_proofs() == []


def test_what_is_said_to_be_met_says_by_what():
    assert [one.number for one in asvs.items() if one.state == "met" and not one.by] == []


def test_the_page_is_what_the_list_says():
    assert asvs.PAGE.read_text("utf-8") == asvs.page(), "run: python -m tests.asvs"
