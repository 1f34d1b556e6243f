"""Signed tokens that a system proves itself with (JWT): SMART Backend Services and CDS Hooks alike.

A token is checked in two steps, because the first says whose keys the second needs:

    claimed = assertions.claimed(token)                  # nothing is believed yet
    client = …                                           # the registered one named claimed.issuer
    assertions.check_address(claimed, client.key_set_url)   # a `jku` other than the registered one
    key_set = …                                          # its keys (`usecases.key_sets`)
    proved = assertions.verified(token, key_set, Expected(audiences=…, now=…))

`verified` checks, in this order: exactly one key of this `kid` that fits the algorithm; signature;
audience; end; issue and beginning; the token's id. It is pure: keys and the time are arguments, and
nothing a token names is ever fetched. That an id is used once only is the store's to say, by one
insert (`store.tokens.first_use`), after everything here held.

Every refusal is an `AccessDenied` of code `unauthenticated` whose message names what failed and
repeats nothing of the token. For a CDS client: `longest` None, `same_subject` False.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from joserfc import jws, jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, RSAKey

from labinterp.errors import AccessDenied

if TYPE_CHECKING:
    from collections.abc import Collection

ALGORITHMS: Final = ("RS384", "ES384")
SKEW: Final = timedelta(seconds=60)
LONGEST: Final = timedelta(minutes=5)
_MOST_CHARACTERS: Final = 8_000
_MOST_OF_AN_ID: Final = 200
_LEAST_RSA_BITS: Final = 2048
_KEY_TYPES: Final[Mapping[str, str]] = {"RS384": "RSA", "ES384": "EC"}
_CURVE: Final = "P-384"


@dataclass(frozen=True, slots=True)
class Claimed:
    """What a token says of itself before anything was checked: for finding its client and keys.

    Attributes:
        key_id: the `kid` of its header.
        key_set_url: the `jku` of its header; compared, never followed.
    """

    issuer: str
    algorithm: str
    key_id: str
    key_set_url: str | None


@dataclass(frozen=True, slots=True)
class Expected:
    """What a token must say to be believed.

    Attributes:
        audiences: our own address, as configured; the token names one of them exactly.
        longest: how far ahead of now its end may lie; None where the profile sets no limit.
        same_subject: whether `sub` must be `iss` (SMART Backend Services).
    """

    audiences: Collection[str]
    now: datetime
    longest: timedelta | None = LONGEST
    same_subject: bool = True


@dataclass(frozen=True, slots=True)
class Proved:
    """A token that held.

    Attributes:
        token_id: its `jti`; to be used once only.
        expires_at: until when its id must be remembered (the allowed skew included).
        claims: all of them.
    """

    issuer: str
    token_id: str
    expires_at: datetime
    claims: Mapping[str, Any]


def claimed(token: str) -> Claimed:
    """Whose token this says it is.

    Raises:
        AccessDenied: it is no signed token, or not signed as is allowed here.
    """
    header, claims = _parts(token)
    algorithm = header.get("alg")
    if algorithm not in ALGORITHMS:
        raise _refused(f"The token must be signed with {' or '.join(ALGORITHMS)}.")
    if "crit" in header or "b64" in header:
        raise _refused("The token's header asks for an extension that is not known here.")
    issuer, key_id, url = claims.get("iss"), header.get("kid"), header.get("jku")
    if not isinstance(issuer, str) or not issuer:
        raise _refused("The token does not say who issued it (iss).")
    if not isinstance(key_id, str) or not key_id:
        raise _refused("The token's header does not name its key (kid).")
    if url is not None and not isinstance(url, str):
        raise _refused("The token's header has a jku that is no address.")
    return Claimed(issuer, str(algorithm), key_id, url)


def check_address(claim: Claimed, registered: str | None) -> None:
    """A token may repeat the registered address of its keys, and name no other.

    Raises:
        AccessDenied: its `jku` is another one, or none is registered.
    """
    if claim.key_set_url is not None and claim.key_set_url != registered:
        raise _refused("The token's jku is not the address registered for its keys.")


def has_key(key_set: Mapping[str, Any], claim: Claimed) -> bool:
    """Whether a set holds a key of this name at all; if not, the set may have changed since."""
    return any(key.get("kid") == claim.key_id for key in _keys(key_set))


def verified(token: str, key_set: Mapping[str, Any], expected: Expected) -> Proved:
    """Believe a token, or say why not.

    Args:
        token: the compact form, as sent.
        key_set: the registered public keys of its issuer, a JWKS as plain data.
        expected: what it must say.

    Raises:
        AccessDenied: anything does not hold.
    """
    claim = claimed(token)
    claims = _signed_claims(token, claim, _key(key_set, claim))
    if expected.same_subject and claims.get("sub") != claim.issuer:
        raise _refused("The token's sub must be its iss.")
    _check_audience(claims.get("aud"), expected.audiences)
    ends = _check_times(claims, expected)
    token_id = claims.get("jti")
    if not isinstance(token_id, str) or not 0 < len(token_id) <= _MOST_OF_AN_ID:
        raise _refused(f"The token needs an id (jti) of at most {_MOST_OF_AN_ID} characters.")
    return Proved(claim.issuer, token_id, ends, claims)


def usable_keys(key_set: object) -> int:
    """How many keys of a set could verify a token here: for whoever registers it.

    Raises:
        AccessDenied: it is no key set, or it holds a private key.
    """
    if not isinstance(key_set, Mapping) or not isinstance(key_set.get("keys"), list):
        raise _refused('A key set is a JSON object with a list "keys".')
    if any({"d", "k"} & set(key) for key in _keys(key_set)):
        raise _refused("The key set holds a private or a shared key; send the public ones only.")
    return sum(_is_usable(key) for key in _keys(key_set))


def _parts(token: str) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    """Header and claims, unverified; whatever a parser raises, the token is at fault."""
    if len(token) > _MOST_CHARACTERS or not token.isascii():
        raise _refused(f"A token has at most {_MOST_CHARACTERS} characters, all of them ASCII.")
    try:
        found = jws.extract_compact(token.encode(), registry=_registry())
        claims = json.loads(found.payload)
        header = found.headers()
    except Exception as error:  # the gate: any exception of a parser is the sender's
        raise _refused("The token cannot be read as a signed JWT.") from error
    if not isinstance(claims, Mapping) or not isinstance(header, Mapping):
        raise _refused("The token cannot be read as a signed JWT.")
    return header, claims


def _registry() -> jws.JWSRegistry:
    registry = jws.JWSRegistry(algorithms=list(ALGORITHMS), strict_check_header=False)
    registry.max_header_length = _MOST_CHARACTERS
    return registry


def _keys(key_set: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    keys = key_set.get("keys")
    return [key for key in keys if isinstance(key, Mapping)] if isinstance(keys, list) else []


def _key(key_set: Mapping[str, Any], claim: Claimed) -> RSAKey | ECKey:
    """The one key of this name that fits the algorithm; two would leave open which one signed."""
    fitting = [
        key
        for key in _keys(key_set)
        if key.get("kid") == claim.key_id and _fits(key, claim.algorithm)
    ]
    if len(fitting) != 1:
        held = "no key" if not fitting else "more than one key"
        raise _refused(f"The registered keys hold {held} of this kid that fits the algorithm.")
    try:
        return _imported(fitting[0])
    except Exception as error:
        raise _refused("The registered key of this kid cannot be used.") from error


def _fits(key: Mapping[str, Any], algorithm: str) -> bool:
    return (
        key.get("kty") == _KEY_TYPES[algorithm]
        and key.get("use", "sig") == "sig"
        and key.get("alg", algorithm) == algorithm
        and (algorithm != "ES384" or key.get("crv") == _CURVE)
    )


def _imported(key: Mapping[str, Any]) -> RSAKey | ECKey:
    """The public part of a key.

    Raises:
        JoseError, ValueError, …: it is none, or too weak.
    """
    names = ("kty", "n", "e", "crv", "x", "y")
    public: dict[str, str | list[str]] = {name: str(key[name]) for name in names if name in key}
    if key.get("kty") == "EC":
        return ECKey.import_key(public)
    modulus = int.from_bytes(_decoded(str(key["n"])), "big")
    if modulus.bit_length() < _LEAST_RSA_BITS:
        raise ValueError("an RSA key of fewer than 2048 bits")
    return RSAKey.import_key(public)


def _decoded(text: str) -> bytes:
    from joserfc.util import urlsafe_b64decode  # noqa: PLC0415 - beside its one use

    return urlsafe_b64decode(text.encode())


def _is_usable(key: Mapping[str, Any]) -> bool:
    if not isinstance(key.get("kid"), str) or not any(_fits(key, name) for name in ALGORITHMS):
        return False
    try:
        _imported(key)
    except Exception:  # noqa: BLE001 - whatever a key set holds, it is an answer here
        return False
    return True


def _signed_claims(token: str, claim: Claimed, key: RSAKey | ECKey) -> Mapping[str, Any]:
    try:
        read = jwt.decode(token, key, algorithms=[claim.algorithm], registry=_registry())
    except JoseError as error:
        raise _refused("The token's signature does not hold.") from error
    except Exception as error:
        raise _refused("The token cannot be read as a signed JWT.") from error
    return read.claims


def _check_audience(audience: object, expected: Collection[str]) -> None:
    named = audience if isinstance(audience, list) else [audience]
    if not any(isinstance(one, str) and one in expected for one in named):
        raise _refused("The token is not meant for this address (aud).")


def _check_times(claims: Mapping[str, Any], expected: Expected) -> datetime:
    """Until when the token would still be believed."""
    now, skew = expected.now.timestamp(), SKEW.total_seconds()
    ends = _seconds(claims, "exp")
    if ends is None:
        raise _refused("The token does not say when it ends (exp).")
    if ends + skew <= now:
        raise _refused("The token has ended (exp).")
    if expected.longest is not None and ends > now + expected.longest.total_seconds() + skew:
        raise _refused("The token ends too far ahead (exp).")
    for name in ("iat", "nbf"):
        begins = _seconds(claims, name)
        if begins is not None and begins > now + skew:
            raise _refused(f"The token is not valid yet ({name}).")
    try:
        return datetime.fromtimestamp(ends + skew, UTC)
    except (OverflowError, ValueError, OSError) as error:
        raise _refused("The token ends too far ahead (exp).") from error


def _seconds(claims: Mapping[str, Any], name: str) -> float | None:
    """A moment of a token, in seconds since 1970."""
    value = claims.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _refused(f"The token's {name} is no number of seconds.")
    try:
        seconds = float(value)
    except OverflowError as error:
        raise _refused(f"The token's {name} is no number of seconds.") from error
    if not math.isfinite(seconds):
        raise _refused(f"The token's {name} is no number of seconds.")
    return seconds


def _refused(message: str) -> AccessDenied:
    return AccessDenied(message, code="unauthenticated")
