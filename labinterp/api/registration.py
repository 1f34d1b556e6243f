"""Hangs the API on an app: its resources, its document, its limits and its problem documents."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from labinterp.api import (
    bulk,
    cds,
    deliveries,
    documentation,
    fhir,
    fhir_audit,
    fhir_export,
    fhir_servers,
    health,
    hl7v2,
    imports,
    interpretations,
    knowledge,
    limits,
    messages,
    metrics,
    oauth,
    openapi,
    panels,
    patient_pages,
    patients,
    receivers,
    reports,
    senders,
    subscriptions,
    webhooks,
)
from labinterp.api.resource import SERVICES

if TYPE_CHECKING:
    from flask import Flask

    from labinterp.usecases.services import Services

RESOURCES: Final = (
    interpretations.resource,
    panels.resource,
    imports.resource,
    bulk.resource,
    hl7v2.resource,
    reports.resource,
    patient_pages.resource,
    deliveries.resource,
    knowledge.resource,
    oauth.resource,
    cds.resource,
    cds.counts,
    webhooks.resource,
    patients.resource,
    senders.resource,
    messages.resource,
    receivers.resource,
    subscriptions.resource,
    fhir.resource,
    fhir_export.resource,
    fhir_servers.resource,
    fhir_audit.resource,
    health.resource,
    metrics.resource,
    documentation.resource,
)
_PATHS: Final = ("/healthz", "/readyz", "/metrics", "/fhir", "/cds-services")
_PREFIXES: Final = ("/fhir/", "/cds-services/", "/oauth/", "/.well-known/")


def register(app: Flask, services: Services) -> None:
    """Hang the API on the app."""
    app.extensions[SERVICES] = services
    limits.attach(app, services.policy)
    describe(app)
    # Clients that put a slash behind the base address of FHIR are sent nowhere else.
    app.add_url_rule("/fhir/", endpoint="fhir.transaction", methods=["POST"])
    app.register_blueprint(documentation.page)


def describe(app: Flask) -> openapi.Api:
    """Register every resource and collect the OpenAPI document of them."""
    collector = openapi.collector(app)
    for resource in RESOURCES:
        collector.register_blueprint(resource)
    app.extensions[documentation.COLLECTOR] = collector
    return collector


def answers_machines(path: str) -> bool:
    """Does this address belong to the API, so that a refusal is a problem document?"""
    return (
        path in _PATHS
        or path.startswith(_PREFIXES)
        or (path.startswith("/api/") and not path.startswith("/api/docs"))
    )
