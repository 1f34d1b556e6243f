"""What a system may be granted: our own scopes, and those of SMART (`system/Observation.rs`).

SMART's say which resource and which of c r u d s (create, read, update, delete, search); ours say
which work. Each is told in the other's terms, so that one client may ask in either:

| ours | SMART |
|---|---|
| `panels:read` | `rs` of DiagnosticReport and Observation together, and of what goes with them |
| `panels:write` | `c` of Bundle, DiagnosticReport or Observation |
| `deliveries:write` | more than `Subscription.cruds`, so it follows from no SMART scope |
| `admin` | `system/*.cruds`, and more |

The older forms `.read`, `.write` and `.*` mean rs, cud and cruds. Of the filters only
`?category=laboratory` is known, since nothing else is kept here; a scope with another is not
granted, because it could not be held.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from labinterp.access.actor import SCOPES, Actor, Scope
from labinterp.errors import AccessDenied

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_LETTERS: Final = "cruds"
_OLDER: Final[Mapping[str, str]] = {"read": "rs", "write": "cud", "*": "cruds"}
_SMART: Final = re.compile(
    r"system/(?P<resource>\*|[A-Z][A-Za-z]{1,63})\.(?P<may>c?r?u?d?s?|read|write|\*)"
    r"(?P<filter>\?\S{1,200})?"
)
_FILTERS: Final = frozenset(
    {
        "?category=laboratory",
        "?category=http://terminology.hl7.org/CodeSystem/observation-category|laboratory",
    }
)
_ANY: Final = "*"
_READ: Final = (
    *("DiagnosticReport", "Observation", "Provenance", "Bundle", "Binary"),
    *("DetectedIssue", "Device", "Specimen", "Patient"),
)
_MADE: Final = ("Bundle", "DiagnosticReport", "Observation")
ACCEPTED: Final = ("Bundle.c", "DiagnosticReport.c")
"""Either of them lets a caller send a panel."""
SUPPORTED: Final = (
    *SCOPES,
    *("system/Bundle.c", "system/DiagnosticReport.c", "system/DiagnosticReport.rs"),
    *("system/Observation.rs", "system/Provenance.rs", "system/Subscription.cruds", "system/*.rs"),
)
_LONGEST: Final = 4_000
_MOST: Final = 200


@dataclass(frozen=True, slots=True)
class _Smart:
    """One SMART scope, taken apart."""

    resource: str
    letters: str
    filter: str
    text: str


def parted(text: str) -> tuple[str, ...]:
    """The scopes of a text with blanks between them, each once, in their order.

    Raises:
        ValueError: there are more than anybody needs.
    """
    words = tuple(dict.fromkeys(text.split()))
    if len(text) > _LONGEST or len(words) > _MOST:
        raise ValueError("too many scopes")
    return words


def is_known(scope: str) -> bool:
    """Could this be granted to anyone?"""
    return scope in SCOPES or _smart(scope) is not None


def granted(asked: Iterable[str], allowed: Iterable[str]) -> tuple[str, ...]:
    """What of the asked is allowed, in the asker's own words where they hold as they are.

    A wider scope than is allowed is cut down to what is; what is not allowed at all is left out.
    """
    may = tuple(allowed)
    found: list[str] = []
    for scope in asked:
        found.extend(_ours(scope, may) if scope in SCOPES else _theirs(scope, may))
    return tuple(dict.fromkeys(found))


def of_token(scopes: Iterable[str]) -> tuple[frozenset[str], frozenset[str] | None]:
    """What granted scopes let a caller do: our scopes, and letters of resources (`Bundle.c`).

    The second is None where nothing is held back (`admin`).
    """
    held = tuple(scopes)
    if "admin" in held:
        return frozenset(held) & frozenset(SCOPES), None
    return frozenset(scope for scope in SCOPES if _holds(scope, held)), _fine(held)


def require_resource(actor: Actor, method: str, path: str) -> None:
    """Refuse a call under `/fhir` unless the token's own SMART scopes hold it.

    Args:
        actor: with a token; `actor.resources` is set.
        method: of HTTP.
        path: below the base, such as `/Observation/abc`.

    Raises:
        AccessDenied: code `forbidden`, naming the scope that is missing.
    """
    needed = _needed(method, path)
    held = actor.resources or frozenset()
    if not any({need, f"{_ANY}.{need.partition('.')[2]}"} & held for need in needed):
        named = " or ".join(f"system/{need}" for need in needed)
        raise AccessDenied(f"This needs the scope {named}, which this token lacks.")


def _smart(scope: str) -> _Smart | None:
    found = _SMART.fullmatch(scope)
    if found is None or not found["may"]:
        return None
    wanted = found["filter"] or ""
    if wanted and wanted not in _FILTERS:
        return None
    return _Smart(found["resource"], _OLDER.get(found["may"], found["may"]), wanted, scope)


def _ours(scope: str, allowed: tuple[str, ...]) -> tuple[str, ...]:
    return (scope,) if "admin" in allowed or _holds(scope, allowed) else ()


def _theirs(scope: str, allowed: tuple[str, ...]) -> tuple[str, ...]:
    asked = _smart(scope)
    if asked is None:
        return ()
    held = [one for text in allowed for one in _as_smart(text)]
    if asked.resource != _ANY:
        return _cut(asked, held)
    everywhere = {letter for one in held if one.resource == _ANY for letter in one.letters}
    left = "".join(letter for letter in asked.letters if letter not in everywhere)
    named = dict.fromkeys(one.resource for one in held if one.resource != _ANY)
    parts = (_cut(_Smart(resource, left, asked.filter, ""), held) for resource in named)
    return (*_cut(asked, held), *(part for cut in parts for part in cut))


def _cut(asked: _Smart, held: list[_Smart]) -> tuple[str, ...]:
    """One resource's letters that are held; `*` on the holding side holds all."""
    may = {
        letter for one in held if one.resource in (asked.resource, _ANY) for letter in one.letters
    }
    letters = "".join(letter for letter in asked.letters if letter in may)
    if not letters:
        return ()
    if letters == asked.letters and asked.text:
        return (asked.text,)
    return (f"system/{asked.resource}.{letters}{asked.filter}",)


def _as_smart(scope: str) -> tuple[_Smart, ...]:
    """What a scope of either kind holds, in SMART's terms."""
    if scope == "panels:read":
        return tuple(_Smart(name, "rs", "", scope) for name in _READ)
    if scope == "panels:write":
        return tuple(_Smart(name, "c", "", scope) for name in _MADE)
    if scope == "deliveries:write":
        return (_Smart("Subscription", _LETTERS, "", scope),)
    if scope == "admin":
        return (_Smart(_ANY, _LETTERS, "", scope),)
    one = _smart(scope)
    return (one,) if one else ()


def _fine(held: Iterable[str]) -> frozenset[str]:
    return frozenset(
        f"{one.resource}.{letter}"
        for scope in held
        for one in _as_smart(scope)
        for letter in one.letters
    )


def _holds(scope: Scope | str, held: tuple[str, ...]) -> bool:
    """Do these scopes, of either kind, hold one of ours?"""
    if scope in held:
        return True
    fine = _fine(held)

    def may(need: str) -> bool:
        return bool({need, f"{_ANY}.{need.partition('.')[2]}"} & fine)

    if scope == "panels:read":
        return may("DiagnosticReport.r") and may("Observation.r")
    return scope == "panels:write" and any(map(may, ACCEPTED))


def _needed(method: str, path: str) -> tuple[str, ...]:
    """The letters of resources that a call needs; any one of them is enough."""
    parts = [part for part in path.split("/") if part]
    if not parts or parts[0] in ("$interpret-panel", "$pull-panel"):
        return ACCEPTED
    if any(part.startswith("$") for part in parts):
        return ("DiagnosticReport.r", "Observation.r")
    resource, rest = parts[0], parts[1:]
    if method in {"GET", "HEAD"}:
        return (f"{resource}.{'r' if rest else 's'}",)
    if method == "POST":
        return (f"{resource}.{'s' if rest[:1] == ['_search'] else 'c'}",)
    return (f"{resource}.{'d' if method == 'DELETE' else 'u'}",)
