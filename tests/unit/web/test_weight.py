"""What a page weighs where it has most to show: a slow line and an old machine get it as well."""

from statistics import median

import pytest

from tests.e2e.states import Shelf

_KB = 1000
MOST = 60 * _KB
HEAVIEST = {"severe": 75 * _KB, "forty": 85 * _KB, "/knowledge/potassium": 70 * _KB}
"""The answer with most findings, the one with most results, the analyte with most rules."""
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
    assert f'href="{path}#source-' in reasons
