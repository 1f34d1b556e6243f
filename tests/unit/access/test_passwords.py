"""Passwords: argon2id, neither too short nor so long that hashing them becomes an attack."""

from __future__ import annotations

import pytest

from labinterp.access import passwords
from labinterp.errors import SubmissionError


def test_the_right_password_matches_and_another_does_not():
    stored = passwords.hashed("correct horse battery")
    assert stored.startswith("$argon2id$")
    assert passwords.matches(stored, "correct horse battery")
    assert not passwords.matches(stored, "correct horse batterx")
    assert not passwords.is_outdated(stored)


@pytest.mark.parametrize("password", ["", "short", "x" * 201])
def test_unsuitable_passwords_are_refused_with_the_rule(password):
    with pytest.raises(SubmissionError) as refused:
        passwords.hashed(password)
    assert refused.value.code == "password-unsuitable"
    assert "12" in refused.value.message


@pytest.mark.parametrize("stored", [None, "", "no hash", "$argon2id$v=19$m=1"])
def test_without_a_usable_hash_nothing_matches(stored):
    assert not passwords.matches(stored, "nobody has this password")
    assert not passwords.matches(stored, "x" * 1_000_000)
