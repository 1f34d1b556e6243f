"""What every resource shares: who asks, what for, and how an operation is described."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from inspect import cleandoc
from typing import TYPE_CHECKING, Any, Final, cast

import flask_smorest
from flask import Response, current_app, g, request
from marshmallow import RAISE

from labinterp import access
from labinterp.api import errors, limits
from labinterp.errors import AccessDenied
from labinterp.usecases import administer, smart

if TYPE_CHECKING:
    from marshmallow import Schema

    from labinterp.access import Actor, Scope
    from labinterp.usecases.services import Services

VERSION_PREFIX: Final = "/api/v1"
FHIR_PREFIX: Final = "/fhir"
SERVICES: Final = "labinterp-services"

View = Callable[..., Response]
Decorator = Callable[[View], View]
Documentation = dict[str, Any]

_SECURITY: Final[list[dict[str, list[str]]]] = [{"bearer": []}, {"apiKey": []}]
_HOW_TO_SEND_A_KEY: Final = "Send it as `Authorization: Bearer <key>` or as `X-API-Key: <key>`."


class Resource(flask_smorest.Blueprint):  # type: ignore[misc]  # flask-smorest ships no types
    """A blueprint that lets in only who may, and tells every refusal as a problem document."""

    def __init__(
        self,
        name: str,
        description: str,
        *,
        prefix: str = VERSION_PREFIX,
        gate: Callable[[], None] | None = None,
    ) -> None:
        super().__init__(name, __name__, url_prefix=prefix, description=description)
        self.before_request(gate or let_in)
        errors.register_on(self)

    def get(self, rule: str, **options: Any) -> Decorator:
        """Answer GET (and HEAD) at this address."""
        return cast("Decorator", super().get(rule, **options))

    def post(self, rule: str, **options: Any) -> Decorator:
        """Answer POST at this address."""
        return cast("Decorator", super().post(rule, **options))

    def delete(self, rule: str, **options: Any) -> Decorator:
        """Answer DELETE at this address."""
        return cast("Decorator", super().delete(rule, **options))

    def query(self, schema: Schema) -> Decorator:
        """Hand the query parameters over, loaded, as the view's first argument."""
        return cast("Decorator", super().arguments(schema, location="query", unknown=RAISE))


def services() -> Services:
    """What the use cases need; the same for every request of this process."""
    return cast("Services", current_app.extensions[SERVICES])


def actor() -> Actor:
    """Who asks; only an operation with a scope has one."""
    return cast("Actor", g.actor)


def request_id() -> str:
    """The id of this request, as sent or made."""
    return cast("str", g.get("request_id", ""))


def operation(
    summary: str,
    *,
    scope: Scope | None,
    answers: Mapping[int, Documentation],
    refusals: tuple[int, ...] = (),
    body: Documentation | None = None,
    parameters: tuple[Documentation, ...] = (),
) -> Decorator:
    """Say who may call a view, and describe it.

    Args:
        summary: one line for the document.
        scope: what the key needs; None for an operation open to all.
        answers: status to what is answered.
        refusals: statuses of problem documents, beside those of every operation with a scope.
        body: the request body, as OpenAPI has it.
        parameters: headers and query parameters, as OpenAPI has them.
    """
    documentation: Documentation = {
        "summary": summary,
        "responses": _responses(answers, refusals, scope),
        "security": _SECURITY if scope else [],
    }
    if parameters:
        documentation["parameters"] = list(parameters)
    if body:
        documentation["requestBody"] = body
    if scope:
        documentation["x-scope"] = scope

    def decorate(view: View) -> View:
        cast("Any", view).scope = scope
        named = {"operationId": _operation_id(view), "description": cleandoc(view.__doc__ or "")}
        return cast("View", flask_smorest.Blueprint.doc(**documentation, **named)(view))

    return decorate


def let_in() -> None:
    """Know who asks before anything of the body is read.

    Raises:
        AccessDenied: no key, an unknown one, or one without the operation's scope.
        RateLimitExceeded: too many requests.
    """
    scope = _scope_asked()
    if request.method == "OPTIONS":
        return
    if scope is None:
        limits.spend("open")
        return
    g.actor = authenticated()
    limits.spend("request")
    _require(g.actor, scope)


def _require(who: Actor, scope: Scope) -> None:
    """A client's token is held to its own FHIR scopes under `/fhir`, everyone else to ours."""
    below = request.path.removeprefix(FHIR_PREFIX)
    if who.resources is not None and below != request.path:
        access.require_resource(who, request.method, below)
    else:
        access.require(who, scope)


def _operation_id(view: View) -> str:
    return f"{view.__module__.rpartition('.')[2]}_{view.__name__}"


def _responses(
    answers: Mapping[int, Documentation], refusals: tuple[int, ...], scope: Scope | None
) -> Documentation:
    always = (401, 403, 429, 503) if scope else (429,)
    problems = {
        str(status): {"$ref": f"#/components/responses/Problem{status}"}
        for status in (*refusals, *always)
    }
    return {**{str(status): answer for status, answer in answers.items()}, **problems}


def _scope_asked() -> Scope | None:
    """The scope of the view asked for; a view that never named one is closed, not open."""
    view = current_app.view_functions[cast("str", request.endpoint)]
    return cast("Scope | None", getattr(view, "scope", "admin"))


def authenticated() -> Actor:
    """Who presents a key or an access token.

    Raises:
        AccessDenied: none was presented, or nobody knows it.
    """
    presented, address = _presented(), request.remote_addr or ""
    known = smart.actor_of_token if presented.startswith(smart.MARK) else administer.actor_of_key
    try:
        return known(services(), presented, address=address)
    except AccessDenied:
        limits.spend("stranger")
        raise


def _presented() -> str:
    """The key as sent, in either header; never from the address, which is logged everywhere."""
    plain = request.headers.get("X-API-Key", "").strip()
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    token = token.strip()
    if scheme and scheme.lower() != "bearer":
        raise _unknown(f"Only Bearer keys are taken. {_HOW_TO_SEND_A_KEY}")
    if plain and token and plain != token:
        raise _unknown("Two different keys were sent; send one.")
    if not (plain or token):
        raise _unknown(f"No API key was sent. {_HOW_TO_SEND_A_KEY}")
    return plain or token


def _unknown(message: str) -> AccessDenied:
    return AccessDenied(message, code="unauthenticated")
