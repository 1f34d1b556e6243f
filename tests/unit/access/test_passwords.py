"""Passwords: argon2id, neither too short nor so long that hashing them becomes an attack."""

from __future__ import annotations

import hashlib

import pytest

from labinterp.access import passwords
from labinterp.access.stolen import is_stolen
from labinterp.errors import SubmissionError, TemporaryFailure


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
    "password",
    ["manchesterunited", "CorrectHorseBatteryStaple", "leavemealone1"],
)
def test_what_was_stolen_elsewhere_is_refused_in_whatever_capitals(password):
    with pytest.raises(SubmissionError, match="stolen"):
        passwords.chosen(password)


@pytest.fixture(params=["\r\n", "\n"])
def listed(request, tmp_path):
    """A list as Have I Been Pwned hands it out: hashes in their order, each with its count."""
    words = [f"stolen words number {number}" for number in range(57)]
    hashes = sorted(hashlib.sha1(word.encode()).hexdigest().upper() for word in words)  # noqa: S324
    path = tmp_path / "pwned.txt"
    path.write_text(
        request.param.join(f"{one}:{7 * at}" for at, one in enumerate(hashes)), "utf-8", newline=""
    )
    return words, str(path)


def test_an_operators_own_list_is_searched_from_its_first_line_to_its_last(listed):
    words, path = listed
    assert all(is_stolen(word, path) for word in words)
    assert not any(is_stolen(f"{word}!", path) for word in words)
    assert not is_stolen(words[0])


def test_without_its_list_no_password_is_taken(tmp_path):
    with pytest.raises(TemporaryFailure):
        passwords.chosen("correct horse battery", listed=str(tmp_path / "gone"))


@pytest.mark.parametrize(
    "password", ["correct horse battery", "Zwölf Boxkämpfer", "k3#Vn9!qLx2@", "x" * 11 + "yzabwv"]
)
def test_words_of_ones_own_and_any_characters_may_be_chosen(password):
    assert passwords.matches(passwords.chosen(password, ("ann@example.org",)), password)
