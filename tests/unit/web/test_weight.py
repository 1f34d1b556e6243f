"""What a page weighs where it has most to show: a slow line and an old machine get it as well."""

import re
from statistics import median

import pytest

from labinterp.web import words
from tests.e2e.states import Shelf
from tests.unit.web.browsing import said

_KB = 1000
MOST = 60 * _KB
HEAVIEST = {"severe": 67 * _KB, "forty": 78 * _KB}
"""The answer with most findings (a fifth of it the titles of 85 sources), the one with most results."""
RESULTS = (
    "severe",
    "forty",
    "quiet",
    "doubtful",
    "all_unknown",
    "long_names",
    "corrected",
    "superseded",
    "withdrawn",
)
OTHERS = (
    "/",
    "/panels",
    "/panels/new",
    "/deliveries",
    "/knowledge",
    "/knowledge?kind=rules",
    "/knowledge?kind=sources",
    "/knowledge/potassium",
    "/help",
    "/accessibility",
    "/privacy",
    "/account",
)


@pytest.fixture
def shelf(services, clock):
    made = Shelf(services)
    clock.move(1)
    return made


def test_every_page_is_light_where_it_has_most_to_show(person, shelf):
    weights = {"history": _weight(person, shelf.many_samples())}
    for state in RESULTS:
        path = getattr(shelf, state)()
        weights[state] = _weight(person, path)
        if state in HEAVIEST:
            weights[f"{state}, reasons"] = _weight(person, f"{path}/reasons")
    for _ in range(20):
        shelf.quiet()
    weights |= {path: _weight(person, path) for path in OTHERS}
    heavy = {page: size for page, size in weights.items() if size > HEAVIEST.get(page, MOST)}
    assert heavy == {}
    assert median(weights.values()) < MOST / 2


def _weight(person, path):
    return len(person.get(path).encode())


def test_what_is_not_on_the_page_of_the_answer_is_one_link_away(person, shelf):
    path = shelf.severe()
    page = person.get(path)
    reasons = person.get(f"{path}/reasons")
    whole = person.get(f"{path}?open=all")
    assert f'href="{path}/reasons#read"' in page
    assert "Recognised by" not in page
    for told in ("recognised by", "interval chosen", "low potassium", "nerve fires spontaneously"):
        assert told in reasons.casefold()
        assert told in whole.casefold()
    assert f'href="{path}#s' in reasons


def test_what_a_thing_to_consider_rests_on_is_told_in_two_and_in_full_one_link_away(person, shelf):
    path = shelf.severe()
    (link,) = re.findall(rf'<a href="({path}/reasons#steps)">8 more', person.get(path))
    assert link
    told = person.get(f"{path}/reasons").partition('id="steps"')[2].partition("</section>")[0]
    (ecg,) = re.findall(r"<li><strong>Consider a 12-lead ECG now</strong>: (.*?)</li>", told)
    assert ecg.count(";") == 9


def test_neighbouring_sources_are_told_from_first_to_last():
    assert words.runs((7, 3, 5, 4, 10, 11)) == [(3, 5), (7,), (10,), (11,)]
    assert words.runs(()) == []


def test_a_footnote_has_the_number_that_its_result_bears(person, shelf):
    page = said(person.get(shelf.severe()))
    assert "adjusted (calculated) 1 " in page
    assert re.search(r"1 Calcium, albumin-adjusted: calcium \+ slope", page)
