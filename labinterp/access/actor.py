"""Who is asking: one credential's organisation, name and scopes; every use case is given one."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, Literal, get_args

from labinterp.errors import AccessDenied
from labinterp.model.submission import Choices

Scope = Literal["panels:write", "panels:read", "deliveries:write", "knowledge:read", "admin"]
SCOPES: Final[tuple[Scope, ...]] = get_args(Scope)


@dataclass(frozen=True, slots=True)
class Actor:
    """Whoever does something; the organisation comes from the credential, never from the request.

    Attributes:
        organisation: its name, for people.
        kind: an API key, a person, a registered client, or the service itself.
        id: of the key or the user; it is what the audit names.
        choices: what the organisation's interpretations use where a request does not say.
        address: where the request came from, for the audit; empty when not known.
        resources: of a client's token, the letters it holds of each FHIR resource (`Bundle.c`), by
            which it is let in under `/fhir`; None where `scopes` alone decide.
    """

    organisation_id: str
    organisation: str
    kind: Literal["key", "user", "client", "system"]
    id: str
    name: str
    scopes: frozenset[str]
    address: str = ""
    choices: Choices = field(default_factory=Choices)
    resources: frozenset[str] | None = None


SYSTEM: Final = "system"
"""The id under which the worker, the relay and the command line act."""


def require(actor: Actor, scope: Scope) -> None:
    """Refuse unless the actor has this scope (`admin` has them all).

    Raises:
        AccessDenied: code `forbidden`, naming the scope that is missing.
    """
    if scope not in actor.scopes and "admin" not in actor.scopes:
        raise AccessDenied(f"This needs the scope {scope}, which this credential lacks.")
