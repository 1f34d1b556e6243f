"""Who may do what: keys, passwords, sign-in links, scopes. No routes, no tables."""

from labinterp.access.actor import SCOPES, SYSTEM, Actor, Scope, require
from labinterp.access.keys import authenticate_key, new_key
from labinterp.access.scopes import require_resource

__all__ = [
    "SCOPES",
    "SYSTEM",
    "Actor",
    "Scope",
    "authenticate_key",
    "new_key",
    "require",
    "require_resource",
]
