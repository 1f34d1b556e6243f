"""The answer for machines that is kept inside its report: the same FHIR Bundle as `/fhir` gives."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import simplejson

from labinterp.reporting import fhir
from labinterp.reporting.archive import Attached

if TYPE_CHECKING:
    from labinterp.model.knowledge import Knowledge
    from labinterp.model.report import ReportOrder

NAME: Final = "report.fhir.json"
MEDIA_TYPE: Final = "application/fhir+json"
ABOUT: Final = "The same answer as a FHIR R4 Bundle"


def bundle_inside(
    order: ReportOrder, knowledge: Knowledge, base: str, *, snomed: bool = False
) -> Attached:
    """The Bundle of one report; it names no document, for it lies in it.

    Args:
        order: what the report is drawn from.
        knowledge: for codes and units.
        base: address of the FHIR server, without a slash at its end.
        snomed: whether conclusions are also said in SNOMED CT.
    """
    made = fhir.bundle(
        fhir.FhirOrder(
            base=base,
            id=order.panel_id,
            version=order.version,
            status=order.interpretation.status,
            interpretation=order.interpretation,
            identity=order.identity,
            panel=order.panel,
            received_at=order.received_at,
            title=f"Laboratory interpretation {order.number}",
            has_document=False,
            superseded=order.status == "superseded",
            language=order.language,
            snomed=snomed,
        ),
        knowledge,
    )
    body = simplejson.dumps(made, use_decimal=True, ensure_ascii=False, separators=(",", ":"))
    return Attached(NAME, body.encode(), MEDIA_TYPE, ABOUT)
