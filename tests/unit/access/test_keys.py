"""API keys: random, shown once, stored hashed, looked up by a prefix, one answer for every refusal."""

from __future__ import annotations

import hmac
from datetime import UTC, datetime

import pytest

from labinterp.access import Actor, authenticate_key, new_key, require
from labinterp.access import keys as module
from labinterp.access.links import new_token, token_digest
from labinterp.errors import AccessDenied
from labinterp.store.rows import KeyRecord

SECRET = b"the server's secret"
NOW = datetime(2026, 11, 24, tzinfo=UTC)


def stored(made, **more):
    record = {
        "id": "1",
        "organisation_id": "o",
        "organisation": "Ward 7",
        "prefix": made.prefix,
        "name": "feed",
        "scopes": ("panels:read",),
        "created_at": NOW,
        "secret_digest": made.secret_digest,
    }
    known = KeyRecord(**{**record, **more})
    return {known.prefix: known}.get


def test_a_key_has_256_random_bits_behind_a_public_prefix():
    first, second = new_key(SECRET), new_key(SECRET)
    assert first.presented.startswith(first.prefix + "_")
    assert len(first.presented) - len(first.prefix) - 1 >= 43
    assert first.presented != second.presented
    assert first.presented.removeprefix(first.prefix) not in first.secret_digest


def test_the_right_key_says_who_it_is():
    made = new_key(SECRET)
    actor = authenticate_key(stored(made), made.presented, SECRET, address="192.0.2.1")
    assert actor == Actor(
        "o", "Ward 7", "key", "1", "feed", frozenset({"panels:read"}), "192.0.2.1"
    )


def test_every_refusal_reads_the_same():
    made, other = new_key(SECRET), new_key(SECRET)
    find = stored(made)
    presented = [
        "",
        "x",
        "li_",
        "li__",
        made.prefix,
        made.prefix + "_",
        made.presented[:-1],
        made.presented + "x",
        other.presented,
        made.presented.upper(),
        "é" * 50,
        "\ud800",
        "li_" + "a" * 10_000_000,
    ]
    said = set()
    for text in presented:
        with pytest.raises(AccessDenied) as refused:
            authenticate_key(find, text, SECRET)
        said.add((refused.value.code, refused.value.message))
    with pytest.raises(AccessDenied) as refused:
        authenticate_key(stored(made, revoked_at=NOW), made.presented, SECRET)
    said.add((refused.value.code, refused.value.message))
    with pytest.raises(AccessDenied) as refused:
        authenticate_key(find, made.presented, b"another server's secret")
    said.add((refused.value.code, refused.value.message))
    assert len(said) == 1
    assert said.pop()[0] == "unauthenticated"


def test_hashes_are_compared_in_constant_time_even_for_an_unknown_prefix(monkeypatch):
    compared = []
    real = hmac.compare_digest

    def watched(first, second):
        compared.append(1)
        return real(first, second)

    monkeypatch.setattr(module.hmac, "compare_digest", watched, raising=True)
    with pytest.raises(AccessDenied):
        authenticate_key(lambda _: None, new_key(SECRET).presented, SECRET)
    assert compared == [1]


def test_admin_has_every_scope_and_others_have_their_own():
    reader = Actor("o", "Ward 7", "key", "1", "feed", frozenset({"panels:read"}))
    require(reader, "panels:read")
    with pytest.raises(AccessDenied) as refused:
        require(reader, "panels:write")
    assert refused.value.code == "forbidden"
    assert "panels:write" in refused.value.message
    require(Actor("o", "Ward 7", "key", "1", "a", frozenset({"admin"})), "panels:write")


def test_a_link_of_one_purpose_opens_nothing_of_another():
    made = new_token(SECRET, "sign-in link")
    assert made.digest == token_digest(SECRET, "sign-in link", made.token)
    assert made.digest != token_digest(SECRET, "mail link", made.token)
    assert made.token not in made.digest
    assert len(made.token) >= 43
