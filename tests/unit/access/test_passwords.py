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


def test_a_longer_password_is_not_the_one_it_begins_with():
    stored = passwords.hashed("correct horse " * 14)
    assert passwords.matches(stored, "correct horse " * 14)
    long = "x" * passwords.LONGEST
    assert not passwords.matches(passwords.hashed(long), f"{long}x")


@pytest.mark.parametrize(
    "password",
    [
        "aaaaaaaaaaaa",
        "abcabcabcabcabc",
        "123456789012",
        "qwertyuiop12",
        "Password12345",
        "labinterp2026",
        "ann.example1!",
        "Example Trust!",
        "hospital-admin",
        "lkjhgfdsa321",
    ],
)
def test_what_is_guessed_first_is_refused(password):
    with pytest.raises(SubmissionError) as refused:
        passwords.chosen(password, ("ann@example.org", "Ann Example", "Example Trust"))
    assert refused.value.code == "password-unsuitable"
    assert password not in refused.value.message


@pytest.mark.parametrize(
    "password", ["correct horse battery", "Zwölf Boxkämpfer", "k3#Vn9!qLx2@", "x" * 11 + "yzabwv"]
)
def test_words_of_ones_own_and_any_characters_may_be_chosen(password):
    assert passwords.matches(passwords.chosen(password, ("ann@example.org",)), password)
