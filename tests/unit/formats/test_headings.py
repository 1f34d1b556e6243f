"""What feeds call each member."""

from collections import Counter

import pytest

from labinterp.formats import headings
from labinterp.formats.characters import folded
from labinterp.formats.headings import MEMBER_OF, RESULT_MEMBERS


def test_no_heading_stands_for_two_members():
    names = headings._table(headings._NAMES)
    counted = Counter(
        folded(name) for listed in names.values() for name in set(map(folded, listed))
    )
    assert [name for name, count in counted.items() if count > 1] == []
    assert names.keys() >= RESULT_MEMBERS


@pytest.mark.parametrize(
    ("heading", "member"),
    [
        ("MRN", "identifier"),
        ("NHS No.", "identifier"),
        ("Date of Birth", "birth_date"),
        ("Geburtsdatum", "birth_date"),
        ("Date de naissance", "birth_date"),
        ("Fecha de nacimiento", "birth_date"),
        ("Einheit", "unit"),
        ("Unité", "unit"),
        ("Ref. Range", "interval"),
        ("Referenzbereich", "interval"),
        ("RESULT", "value"),
    ],
)
def test_headings_of_several_languages_are_known(heading, member):
    assert MEMBER_OF[folded(heading)] == member
