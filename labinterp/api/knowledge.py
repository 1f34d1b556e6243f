"""`/api/v1/knowledge`: what the answers rest on, down to the source of each number."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from flask import url_for

from labinterp import knowledge
from labinterp.api import answers
from labinterp.api.openapi import answered, content
from labinterp.api.resource import Resource, operation, services
from labinterp.api.wire import KnowledgeDocument
from labinterp.errors import NotFound
from labinterp.store.records import to_document

if TYPE_CHECKING:
    from flask import Response

resource = Resource("knowledge", "The medical knowledge, by version and by piece.")

KINDS: Final = ("analytes", "rules", "sources")
_ONE: Final = {"type": "object", "required": ["id"], "properties": {"id": {"type": "string"}}}
_MANY: Final = {"type": "array", "items": _ONE}


@resource.get("/knowledge")
@operation(
    "Which knowledge is in use",
    scope="knowledge:read",
    answers={200: answered("Version, digest and what is inside", KnowledgeDocument)},
)
def version() -> Response:
    """Every answer carries the same version and digest."""
    known = services().knowledge
    links = {kind: url_for("knowledge.listed", kind=kind) for kind in KINDS}
    return answers.json(to_document(KnowledgeDocument(known.version, known.digest, links)))


@resource.get(f"/knowledge/<any({','.join(KINDS)}):kind>")
@operation(
    "List analytes, rules or sources",
    scope="knowledge:read",
    answers={200: {"description": "All of this kind", **content(_MANY)}},
    refusals=(404,),
)
def listed(kind: str) -> Response:
    """One line each; read one by its id."""
    return answers.json(knowledge.listing(services().knowledge, kind))


@resource.get(f"/knowledge/<any({','.join(KINDS)}):kind>/<piece>")
@operation(
    "Read one analyte, rule or source by its id",
    scope="knowledge:read",
    answers={200: {"description": "Everything known of it, with sources", **content(_ONE)}},
    refusals=(404,),
)
def one(kind: str, piece: str) -> Response:
    """Ids never change."""
    known = services().knowledge
    if piece not in {line["id"] for line in knowledge.listing(known, kind)}:
        raise NotFound(f"There is nothing of this id among the {kind}.")
    found: dict[str, Any] = knowledge.describe(known, piece)
    return answers.json(found)
