"""A system that signs: its keys, and the tokens it writes."""

from __future__ import annotations

import itertools

from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey

from labinterp.api.oauth import ASSERTION_TYPE, GRANT

RSA = RSAKey.generate_key(2048, {"kid": "rsa-1", "alg": "RS384", "use": "sig"})
EC = ECKey.generate_key("P-384", {"kid": "ec-1", "alg": "ES384", "use": "sig"})
_COUNT = itertools.count()


def key_set(*keys):
    return {"keys": [key.as_dict(private=False) for key in keys]}


def signed(issuer, audience, now, *, key=EC, header=None, **changed):
    """A token of this issuer; a claim given as None is left out."""
    algorithm = "RS384" if key.key_type == "RSA" else "ES384"
    claims = {
        "iss": issuer,
        "sub": issuer,
        "aud": audience,
        "exp": int(now.timestamp()) + 240,
        "jti": f"jti-{next(_COUNT)}",
        **changed,
    }
    head = {"alg": algorithm, "kid": key.kid, "typ": "JWT", **(header or {})}
    kept = {name: value for name, value in claims.items() if value is not None}
    return jwt.encode(head, kept, key, algorithms=[algorithm])


def form(assertion, scope, /, **changed):
    """What a client posts to the token endpoint."""
    sent = {
        "grant_type": GRANT,
        "scope": scope,
        "client_assertion_type": ASSERTION_TYPE,
        "client_assertion": assertion,
        **changed,
    }
    return {name: value for name, value in sent.items() if value is not None}
