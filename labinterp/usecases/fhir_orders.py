"""What a stored panel's FHIR resources are made from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from labinterp.reporting.fhir import FhirOrder

if TYPE_CHECKING:
    from labinterp.store.rows import PanelRecord
    from labinterp.usecases.services import Services

_STAGES: Final = ("ready", "queued", "drawing")


def fhir_base(services: Services) -> str:
    """Where our FHIR server is."""
    return f"{services.policy.base_url.rstrip('/')}/fhir"


def fhir_order(record: PanelRecord, base: str, document: dict[str, Any] | None = None) -> FhirOrder:
    """What a record's resources are made from."""
    return FhirOrder(
        base=base,
        id=record.id,
        version=record.version,
        status=record.status,
        interpretation=record.interpretation,
        identity=record.identity,
        panel=record.panel,
        received_at=record.received_at,
        title=f"Laboratory interpretation {record.report.number or ''}".strip(),
        has_document=record.report.status in _STAGES,
        document=document,
    )
