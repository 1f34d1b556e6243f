"""Who may do what: keys, passwords, sign-in links, scopes. No routes, no tables."""

from labinterp.access.actor import SCOPES, SYSTEM, Actor, Scope, require

__all__ = ["SCOPES", "SYSTEM", "Actor", "Scope", "require"]
