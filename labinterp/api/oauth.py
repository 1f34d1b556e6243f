"""SMART Backend Services: where a client learns what is offered, and gets its access token."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from flask import request

from labinterp import telemetry
from labinterp.access import assertions, scopes
from labinterp.api import answers, limits, wire
from labinterp.api.openapi import answered, content
from labinterp.api.resource import Resource, operation, request_id, services
from labinterp.errors import AccessDenied, SubmissionError
from labinterp.store.records import to_document
from labinterp.usecases import smart

if TYPE_CHECKING:
    from flask import Response

resource = Resource("oauth", "SMART Backend Services: a signed token for a short one.", prefix="")

GRANT: Final = "client_credentials"
ASSERTION_TYPE: Final = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
FORM: Final = "application/x-www-form-urlencoded"
_WORDS: Final = ("grant_type", "scope", "client_assertion_type", "client_assertion")
_NO_STORE: Final = {"Cache-Control": "no-store", "Pragma": "no-cache"}
_OPEN: Final = {"Access-Control-Allow-Origin": "*"}
_REFUSED: Final = "Why no token was given, as OAuth 2.0 has it"
_log = telemetry.logger(__name__)


@resource.get("/.well-known/smart-configuration")
@operation(
    "What SMART clients find here",
    scope=None,
    answers={200: answered("Addresses, algorithms and scopes", wire.SmartConfiguration)},
)
def at_root() -> Response:
    """Open to all; the same document stands below the FHIR base."""
    return _configuration()


@resource.get("/fhir/.well-known/smart-configuration")
@operation(
    "What SMART clients find here, below the FHIR base",
    scope=None,
    answers={200: answered("Addresses, algorithms and scopes", wire.SmartConfiguration)},
)
def at_fhir() -> Response:
    """Open to all."""
    return _configuration()


@resource.post("/oauth/token")
@operation(
    "Exchange a signed token for an access token",
    scope=None,
    body={
        "required": True,
        **content(
            {
                "type": "object",
                "required": list(_WORDS),
                "properties": {
                    "grant_type": {"type": "string", "enum": [GRANT]},
                    "scope": {"type": "string", "description": "blanks between them"},
                    "client_assertion_type": {"type": "string", "enum": [ASSERTION_TYPE]},
                    "client_assertion": {
                        "type": "string",
                        "description": "a JWT signed with a registered key of the client",
                    },
                },
            },
            FORM,
        ),
    },
    answers={
        200: answered("A token, good for a few minutes", wire.TokenAnswer),
        400: answered(_REFUSED, wire.TokenRefusal),
        401: answered(_REFUSED, wire.TokenRefusal),
    },
    refusals=(413, 429, 503),
)
def token() -> Response:
    """`scope` in the answer is what was granted: asked for and allowed."""
    try:
        sent = _form()
        made = smart.exchange(
            services(),
            sent["client_assertion"],
            sent["scope"],
            address=request.remote_addr or "",
            request_id=request_id(),
        )
    except _Refusal as refusal:
        return _refused(400, refusal.code, refusal.message)
    except AccessDenied as error:
        limits.spend("stranger")
        _log.warning("token-refused", code="invalid_client", request_id=request_id())
        return _refused(401, "invalid_client", error.message)
    except SubmissionError as error:
        return _refused(400, error.code.replace("-", "_"), error.message)
    document = wire.TokenAnswer(
        access_token=made.token,
        token_type="bearer",  # noqa: S106 - a word of OAuth, no secret  # nosec B106
        expires_in=int(made.lifetime.total_seconds()),
        scope=" ".join(made.scopes),
    )
    return answers.json(to_document(document), headers=dict(_NO_STORE))


class _Refusal(SubmissionError):
    """A request for a token that is none."""


def _form() -> dict[str, str]:
    """The four words of the form.

    Raises:
        _Refusal: `unsupported_grant_type`, `invalid_request`.
        AccessDenied: the client does not say who it is as is agreed.
    """
    if request.mimetype != FORM:
        raise _Refusal(f"Send the request as {FORM}.", code="invalid_request")
    sent = {name: request.form.getlist(name) for name in _WORDS}
    if any(len(values) > 1 for values in sent.values()):
        raise _Refusal("A parameter was sent twice.", code="invalid_request")
    found = {name: values[0] if values else "" for name, values in sent.items()}
    if not found["grant_type"]:
        raise _Refusal("The parameter grant_type is missing.", code="invalid_request")
    if found["grant_type"] != GRANT:
        raise _Refusal(f"Only {GRANT} is granted.", code="unsupported_grant_type")
    if found["client_assertion_type"] != ASSERTION_TYPE or not found["client_assertion"]:
        raise AccessDenied(
            f"Send a client_assertion of the type {ASSERTION_TYPE}.", code="unauthenticated"
        )
    return found


def _refused(status: int, code: str, description: str) -> Response:
    document = wire.TokenRefusal(code, description)
    return answers.json(to_document(document), status, headers=dict(_NO_STORE))


def _configuration() -> Response:
    base = services().policy.base_url.rstrip("/")
    document: dict[str, Any] = to_document(
        wire.SmartConfiguration(
            token_endpoint=smart.token_url(base),
            grant_types_supported=(GRANT,),
            token_endpoint_auth_methods_supported=("private_key_jwt",),
            token_endpoint_auth_signing_alg_values_supported=assertions.ALGORITHMS,
            scopes_supported=scopes.SUPPORTED,
            capabilities=("client-confidential-asymmetric", "permission-v2", "permission-v1"),
        )
    )
    return answers.json(document, headers=dict(_OPEN))
