"""A signed token is believed only if everything about it holds."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime, timedelta

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, OctKey, RSAKey

from labinterp.access import assertions
from labinterp.errors import AccessDenied

NOW = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)
TOKEN_URL = "https://lab.example.org/oauth/token"
CLIENT = "client-1"
RSA = RSAKey.generate_key(2048, {"kid": "rsa-1", "alg": "RS384"})
EC = ECKey.generate_key("P-384", {"kid": "ec-1"})
OTHER = ECKey.generate_key("P-384", {"kid": "ec-1"})
KEY_SET = {"keys": [RSA.as_dict(private=False), EC.as_dict(private=False)]}
EXPECTED = assertions.Expected(audiences=(TOKEN_URL,), now=NOW)


def _claims(**changed):
    claims = {
        "iss": CLIENT,
        "sub": CLIENT,
        "aud": TOKEN_URL,
        "exp": int(NOW.timestamp()) + 240,
        "jti": "one",
    }
    return {name: value for name, value in {**claims, **changed}.items() if value is not None}


def _token(key=EC, algorithm="ES384", header=None, **changed):
    head = {"alg": algorithm, "kid": key.kid, "typ": "JWT", **(header or {})}
    return jwt.encode(head, _claims(**changed), key, algorithms=[algorithm])


def _refused(token, key_set=KEY_SET, expected=EXPECTED):
    with pytest.raises(AccessDenied) as caught:
        assertions.verified(token, key_set, expected)
    assert caught.value.code == "unauthenticated"
    return caught.value.message


@pytest.mark.parametrize(("key", "algorithm"), [(RSA, "RS384"), (EC, "ES384")])
def test_a_token_of_a_registered_key_is_believed(key, algorithm):
    proved = assertions.verified(_token(key, algorithm), KEY_SET, EXPECTED)
    assert (proved.issuer, proved.token_id) == (CLIENT, "one")
    assert proved.expires_at == NOW + timedelta(seconds=240) + assertions.SKEW


def test_an_audience_may_stand_in_a_list():
    token = _token(aud=["https://elsewhere.example.org", TOKEN_URL])
    assert assertions.verified(token, KEY_SET, EXPECTED).issuer == CLIENT


@pytest.mark.parametrize(
    "algorithm", ["none", "HS256", "HS384", "RS256", "ES256", "PS384", 7, None]
)
def test_no_other_algorithm_is_taken(algorithm):
    head = json.dumps({"alg": algorithm, "kid": "ec-1", "typ": "JWT"}).encode()
    parts = (head, json.dumps(_claims()).encode(), b"signature")
    token = ".".join(base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in parts)
    assert _refused(token)


def test_a_public_key_is_no_shared_secret():
    """The known trick: sign with HS384 and the text of the public key."""
    secret = OctKey.import_key(json.dumps(RSA.as_dict(private=False)), {"kid": "rsa-1"})
    token = jwt.encode({"alg": "HS384", "kid": "rsa-1"}, _claims(), secret, algorithms=["HS384"])
    assert "RS384" in _refused(token)


@pytest.mark.hazard("stranger-writes")
def test_the_signature_is_checked():
    assert "signature" in _refused(_token(OTHER))


def test_a_changed_claim_breaks_the_signature():
    head, _, signature = _token().split(".")
    other = base64.urlsafe_b64encode(json.dumps(_claims(jti="two")).encode()).rstrip(b"=")
    assert "signature" in _refused(f"{head}.{other.decode()}.{signature}")


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ([], "no key"),
        ([RSA.as_dict(private=False)], "no key"),
        ([{**EC.as_dict(private=False), "kid": "another"}], "no key"),
        ([{**EC.as_dict(private=False), "use": "enc"}], "no key"),
        ([{**EC.as_dict(private=False), "crv": "P-256"}], "no key"),
        ([EC.as_dict(private=False), OTHER.as_dict(private=False)], "more than one key"),
        ([{"kty": "EC", "crv": "P-384", "kid": "ec-1", "x": "!", "y": ""}], "cannot be used"),
        ("keys", "no key"),
        ([None, 5, "text"], "no key"),
    ],
)
def test_exactly_one_fitting_key_must_have_the_kid(keys, said):
    assert said in _refused(_token(), {"keys": keys})


def test_a_kid_shared_by_keys_of_different_kinds_is_told_apart_by_kind():
    rsa = {**RSA.as_dict(private=False), "kid": "ec-1"}
    key_set = {"keys": [rsa, EC.as_dict(private=False)]}
    assert assertions.verified(_token(), key_set, EXPECTED).issuer == CLIENT


@pytest.mark.parametrize(
    "wrong",
    [
        {"sub": "another"},
        {"sub": None},
        {"aud": TOKEN_URL + "/"},
        {"aud": ["https://elsewhere.example.org"]},
        {"aud": None},
        {"exp": None},
        {"exp": "soon"},
        {"exp": True},
        {"exp": 1e300},
        {"exp": float("nan")},
        {"exp": 10**400},
        {"exp": int(NOW.timestamp()) - 60},
        {"exp": int(NOW.timestamp()) + 361},
        {"iat": int(NOW.timestamp()) + 61},
        {"nbf": int(NOW.timestamp()) + 61},
        {"nbf": "later"},
        {"jti": None},
        {"jti": ""},
        {"jti": 5},
        {"jti": "x" * 201},
        {"iss": None},
        {"iss": 5},
    ],
)
def test_every_claim_must_hold(wrong):
    assert _refused(_token(**wrong))


@pytest.mark.parametrize("seconds", [-59, 0, 300, 360])
def test_clocks_may_differ_by_a_minute(seconds):
    token = _token(exp=int(NOW.timestamp()) + seconds, iat=int(NOW.timestamp()) + 60)
    assert assertions.verified(token, KEY_SET, EXPECTED).issuer == CLIENT


def test_a_profile_without_a_limit_takes_a_longer_token_and_another_subject():
    expected = assertions.Expected(
        audiences=(TOKEN_URL,), now=NOW, longest=None, same_subject=False
    )
    token = _token(exp=int(NOW.timestamp()) + 3600, sub=None)
    assert assertions.verified(token, KEY_SET, expected).issuer == CLIENT
    last_of_all = _token(exp=253402300799, sub=None)
    assert "too far ahead" in _refused(last_of_all, expected=expected)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a",
        "a.b",
        "a.b.c",
        "....",
        "é.é.é",
        "x" * 9000,
        "e30.e30.",
        "W10.W10.W10",
        "bnVsbA.e30.eA",
    ],
)
def test_what_is_no_token_is_refused_in_words(text):
    assert _refused(text)


def test_deeply_nested_claims_are_refused_not_followed():
    head = base64.urlsafe_b64encode(b'{"alg":"ES384","kid":"ec-1"}').rstrip(b"=").decode()
    nested = base64.urlsafe_b64encode(b"[" * 5000).rstrip(b"=").decode()
    assert _refused(f"{head}.{nested}.eA")


def test_an_extension_that_is_not_known_is_refused():
    head = base64.urlsafe_b64encode(
        json.dumps({"alg": "ES384", "kid": "ec-1", "crit": ["b64"], "b64": False}).encode()
    )
    assert _refused(f"{head.rstrip(b'=').decode()}.e30.eA")


def test_a_long_header_is_read_and_what_it_carries_is_not_trusted():
    """A certificate in the header is neither refused nor believed."""
    token = _token(OTHER, header={"x5c": ["A" * 900], "jwk": OTHER.as_dict(private=False)})
    assert "signature" in _refused(token)


def test_a_jku_may_only_repeat_the_registered_address():
    url = "https://ehr.example.org/jwks.json"
    claim = assertions.claimed(_token(header={"jku": url}))
    assertions.check_address(claim, url)
    assertions.check_address(assertions.claimed(_token()), None)
    for registered in (None, "https://ehr.example.org/other.json"):
        with pytest.raises(AccessDenied, match="jku"):
            assertions.check_address(claim, registered)


def test_it_is_told_whether_a_set_may_have_changed_since():
    claim = assertions.claimed(_token())
    assert assertions.has_key(KEY_SET, claim)
    assert not assertions.has_key({"keys": [RSA.as_dict(private=False)]}, claim)


def test_a_key_set_is_looked_at_before_it_is_registered():
    small = {"kty": "RSA", "kid": "small", "n": "_" * 170, "e": "AQAB"}
    mixed = {"keys": [*KEY_SET["keys"], small, {"kty": "AKP", "kid": "later"}]}
    assert assertions.usable_keys(mixed) == 2
    assert assertions.usable_keys({"keys": []}) == 0
    for wrong in ({"keys": [EC.as_dict(private=True)]}, {"keys": {}}, [], "text"):
        with pytest.raises(AccessDenied):
            assertions.usable_keys(wrong)
