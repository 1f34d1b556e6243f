"""A page says what its abbreviations stand for; none that the knowledge uses is left out."""

import re

from labinterp.reporting import abbreviations
from tests.e2e.states import Shelf
from tests.unit.web.browsing import said

SAID = ("title", "comment", "advice", "text", "detail", "label", "clue", "typical", "caveats")
KNOWN_TO_ALL = {"DNA", "LC", "NCC", "NG239", "QT", "UK", "US"}
"""Names and words of everyday; LC-MS and NCC stand beside what they mean."""


def texts(noun):
    for name in SAID:
        value = getattr(noun, name, None) or getattr(getattr(noun, "conclude", None), name, None)
        yield from (value,) if isinstance(value, str) else (value or ())


def test_every_abbreviation_of_the_knowledge_is_explained(services):
    held = services.knowledge
    kinds = ("artefacts", "patterns", "mechanisms", "red_flags", "urgency_rules")
    nouns = [
        one for kind in (*kinds, "next_steps", "causes") for one in getattr(held, kind).values()
    ]
    words = " ".join(str(text) for noun in nouns for text in texts(noun))
    assert "PTH" in words
    used = set(re.findall(r"(?<![\w/-])[a-z]*[A-Z][A-Za-z0-9]*[A-Z][A-Za-z0-9]*(?![\w/-])", words))
    explained = set(abbreviations.MEANING) | KNOWN_TO_ALL
    assert {word for word in used if word.removesuffix("s") not in explained} == set()


def test_a_result_says_what_its_own_abbreviations_stand_for_and_help_all(person, services):
    path = Shelf(services).severe()
    for page in (person.get(path), person.get(f"{path}/reasons")):
        (told,) = re.findall(r"Abbreviations: ([^.]*)\.", said(page))
        assert "PTH, parathyroid hormone" in told
        assert "RAAS" not in told
    assert "Renin-angiotensin-aldosterone system" in person.get("/help")


def test_a_plural_is_known_and_a_part_of_a_word_is_not_one():
    assert list(abbreviations.used_in("SSRIs; LC-MS/MS; CKDx")) == ["SSRI"]
