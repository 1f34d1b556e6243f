"""What is granted is what was asked and is allowed, in either vocabulary, and never more."""

from __future__ import annotations

import pytest

from labinterp.access import Actor, scopes
from labinterp.errors import AccessDenied

READ = ("system/*.rs",)


@pytest.mark.parametrize(
    ("asked", "allowed", "granted"),
    [
        # as asked, where all of it is held
        ("system/Observation.rs", "system/*.rs", "system/Observation.rs"),
        ("system/Observation.read", "system/*.rs", "system/Observation.read"),
        ("system/Observation.r", "system/Observation.cruds", "system/Observation.r"),
        ("system/*.rs", "system/*.rs", "system/*.rs"),
        ("system/*.rs", "admin", "system/*.rs"),
        # cut down to what is held
        ("system/Observation.cruds", "system/Observation.rs", "system/Observation.rs"),
        ("system/Observation.*", "system/*.rs", "system/Observation.rs"),
        ("system/Bundle.write", "system/Bundle.c", "system/Bundle.c"),
        (
            "system/*.read",
            "system/Observation.rs system/DiagnosticReport.r",
            "system/Observation.rs system/DiagnosticReport.r",
        ),
        ("system/*.cruds", "system/*.rs system/Bundle.c", "system/*.rs system/Bundle.c"),
        # not at all
        ("system/Observation.c", "system/*.rs", ""),
        ("system/Patient.rs", "system/Observation.rs", ""),
        ("patient/Observation.rs user/*.rs launch openid", "system/*.cruds", ""),
        ("system/Observation.sr system/Observation. system/.rs system/observation.rs", "admin", ""),
        # filters
        (
            "system/Observation.rs?category=laboratory",
            "system/*.rs",
            "system/Observation.rs?category=laboratory",
        ),
        ("system/Observation.rs?category=vital-signs", "admin", ""),
        # ours, and one told in the other's terms
        ("panels:read", "panels:read panels:write", "panels:read"),
        ("admin", "panels:read", ""),
        ("panels:read", "system/*.rs", "panels:read"),
        ("panels:read", "system/Observation.rs", ""),
        ("panels:write", "system/Bundle.c", "panels:write"),
        ("deliveries:write", "system/Subscription.cruds", ""),
        ("system/DiagnosticReport.rs", "panels:read", "system/DiagnosticReport.rs"),
        ("system/Bundle.c", "panels:write", "system/Bundle.c"),
        ("system/Subscription.cruds", "deliveries:write", "system/Subscription.cruds"),
        ("system/AuditEvent.rs", "panels:read panels:write deliveries:write", ""),
        ("knowledge:read knowledge:read", "admin", "knowledge:read"),
        ("nonsense", "admin", ""),
        ("", "admin", ""),
    ],
)
def test_what_is_granted_is_asked_and_allowed(asked, allowed, granted):
    found = scopes.granted(scopes.parted(asked), scopes.parted(allowed))
    assert found == tuple(granted.split())


def test_nothing_is_granted_that_was_not_allowed_whatever_is_asked():
    every = (*scopes.SUPPORTED, "system/*.cruds", "system/*.*", "system/Subscription.cruds")
    _, resources = scopes.of_token(scopes.granted(every, ("system/Observation.rs",)))
    assert resources == {"Observation.r", "Observation.s"}


def _with(*held):
    ours, resources = scopes.of_token(held)
    return Actor("o", "O", "client", "c", "C", ours, resources=resources)


@pytest.mark.parametrize(
    ("held", "ours"),
    [
        (("system/*.rs",), {"panels:read"}),
        (("system/DiagnosticReport.rs",), set()),
        (("system/DiagnosticReport.rs", "system/Observation.read"), {"panels:read"}),
        (("system/Bundle.c",), {"panels:write"}),
        (("system/*.cruds",), {"panels:read", "panels:write"}),
        (("admin",), {"admin"}),
        (("knowledge:read", "deliveries:write"), {"knowledge:read", "deliveries:write"}),
    ],
)
def test_a_token_does_our_work_only_if_it_holds_all_of_it(held, ours):
    assert _with(*held).scopes == ours


@pytest.mark.parametrize(
    ("method", "path", "scope"),
    [
        ("GET", "/DiagnosticReport/1", "system/DiagnosticReport.r"),
        ("HEAD", "/DiagnosticReport/1", "system/DiagnosticReport.r"),
        ("GET", "/DiagnosticReport", "system/DiagnosticReport.s"),
        ("POST", "/Observation/_search", "system/Observation.s"),
        ("POST", "", "system/Bundle.c"),
        ("POST", "/", "system/DiagnosticReport.c"),
        ("POST", "/$interpret-panel", "system/Bundle.c"),
        ("GET", "/$export", "system/Observation.r"),
        ("POST", "/Patient/$export", "system/DiagnosticReport.r"),
        ("POST", "/Subscription", "system/Subscription.c"),
        ("PUT", "/Subscription/1", "system/Subscription.u"),
        ("DELETE", "/Subscription/1", "system/Subscription.d"),
    ],
)
def test_under_fhir_each_call_needs_its_letter_of_its_resource(method, path, scope):
    scopes.require_resource(_with(scope), method, path)
    letter = scope.rpartition(".")[2]
    scopes.require_resource(_with(f"system/*.{letter}"), method, path)
    others = "".join(one for one in "cruds" if one != letter)
    with pytest.raises(AccessDenied, match=r"system/"):
        scopes.require_resource(
            _with(f"system/Device.{letter}", f"system/*.{others}"), method, path
        )


def test_more_scopes_than_anybody_needs_are_not_read():
    with pytest.raises(ValueError, match="too many"):
        scopes.parted("a " * 3_000)
    with pytest.raises(ValueError, match="too many"):
        scopes.parted(" ".join(map(str, range(201))))


def test_every_scope_we_announce_can_be_granted():
    assert all(scopes.is_known(scope) for scope in scopes.SUPPORTED)
    assert not scopes.is_known("system/Observation.")
