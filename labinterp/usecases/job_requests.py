"""What a background job keeps of the request that began it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from labinterp.access import Actor


def asked_by(actor: Actor, url: str, request_id: str, **more: Any) -> dict[str, Any]:
    """The request as a document: its address, who made it and with which rights."""
    return {
        "url": url,
        "request_id": request_id,
        "actor": {
            "kind": actor.kind,
            "id": actor.id,
            "name": actor.name,
            "scopes": sorted(actor.scopes),
            "address": actor.address,
            "resources": None if actor.resources is None else sorted(actor.resources),
        },
        **more,
    }
