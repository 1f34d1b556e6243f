"""Few requests wait for the servers of others, so that the rest are answered meanwhile."""

from __future__ import annotations

import pytest

from labinterp.errors import TemporaryFailure
from labinterp.usecases.turns import Turns


def test_one_organisation_never_has_all_turns_and_all_together_no_more_than_there_are():
    turns = Turns(4)
    with turns.taken("one"), turns.taken("one"):
        with pytest.raises(TemporaryFailure), turns.taken("one"):
            pass
        with (
            turns.taken("two"),
            turns.taken("three"),
            pytest.raises(TemporaryFailure),
            turns.taken("four"),
        ):
            pass
        with turns.taken("four"):
            pass


def test_a_turn_is_given_back_whatever_becomes_of_the_request():
    turns = Turns(1)
    with pytest.raises(ZeroDivisionError), turns.taken("one"):
        raise ZeroDivisionError
    with turns.taken("one"):
        pass
