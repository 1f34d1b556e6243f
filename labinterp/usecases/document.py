"""A stored panel as the contract prints it (§4): plain data, digits kept."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from labinterp.store.records import to_document

if TYPE_CHECKING:
    from datetime import datetime

    from labinterp.store.rows import DeliveryRecord, PanelRecord

API: Final = "/api/v1"


def panel_document(record: PanelRecord) -> dict[str, Any]:
    """The Panel record of the contract; addresses are paths on this host."""
    here = f"{API}/panels/{record.id}"
    version = f"?version={record.version}" if record.superseded else ""
    made = record.report.status != "not_made"
    return {
        "id": record.id,
        "version": record.version,
        "status": record.status,
        "superseded": record.superseded,
        "newest_version": record.newest_version,
        "received_at": text_of(record.received_at),
        "changes": [to_document(change) for change in record.changes],
        "panel": record.panel,
        "interpretation": to_document(record.interpretation),
        "report": {
            "status": record.report.status,
            "number": record.report.number,
            "url": f"{here}/report.pdf{version}" if made else None,
            "why": record.report.why,
        },
        "deliveries": [delivery_document(item) for item in record.deliveries],
        "acknowledgements": [
            {
                "at": text_of(entry.at),
                "by": entry.by,
                "told": entry.told,
                "how": entry.how,
                "read_back": entry.read_back,
                "version": entry.version,
            }
            for entry in record.acknowledgements
        ],
        "links": {
            "self": f"{here}{version}",
            "newest": here,
            "report": f"{here}/report.pdf{version}" if made else None,
            "page": f"/panels/{record.id}{version}",
            "corrections": f"{here}/corrections",
            "deliveries": f"{here}/deliveries",
        },
    }


def delivery_document(item: DeliveryRecord) -> dict[str, Any]:
    """One message of the record."""
    return {
        "id": item.id,
        "to": item.to,
        "as": "attachment" if item.as_attachment else "link",
        "status": item.status,
        "attempts": item.attempts,
        "last_answer": item.last_answer,
        "next_try": text_of(item.next_try),
        "sent_at": text_of(item.sent_at),
        "note": item.note,
    }


def text_of(moment: datetime | None) -> str | None:
    """RFC 3339 with offset."""
    return moment.isoformat().replace("+00:00", "Z") if moment else None
