"""The hazard log says no more than the tests prove."""

from __future__ import annotations

from tests import hazards

PAGE = hazards.TESTS.parent / "docs" / "explanation" / "hazards.md"


def test_the_page_is_what_the_file_and_the_tests_say():
    assert PAGE.read_text("utf-8") == hazards.page()


def test_every_hazard_has_a_test_and_every_mark_a_hazard():
    known = {one["id"] for one in hazards.hazards()}
    assert known == {hazard for hazard, tests in hazards.proofs().items() if tests}


def test_every_hazard_says_what_a_hazard_log_has_to_say():
    members = {"id", "hazard", "cause", "harm", "severity", "control", "residual"}
    assert all(set(one) == members and all(one.values()) for one in hazards.hazards())
