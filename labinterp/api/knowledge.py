"""`/api/v1/knowledge`: what the answers rest on, down to the source of each number."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from flask import url_for

from labinterp import knowledge
from labinterp.api import answers
from labinterp.api.openapi import PIECES, answered, content
from labinterp.api.resource import Resource, operation, services
from labinterp.api.schemas import reference
from labinterp.api.wire import KnowledgeDocument
from labinterp.errors import NotFound
from labinterp.store.records import to_document

if TYPE_CHECKING:
    from flask import Response

resource = Resource("knowledge", "The medical knowledge, by version and by piece.")

KINDS: Final = knowledge.KINDS
_ONE: Final = {"anyOf": [reference(noun.__name__) for noun in PIECES]}
_LINE: Final = {
    "type": "object",
    "required": ["id", "kind"],
    "properties": {
        **{name: {"type": "string"} for name in ("id", "kind", "name", "title", "label")},
        "unit": {"type": "string"},
        "urgency": {"type": "string"},
        "year": {"type": ["integer", "null"]},
        "unverified": {"type": "boolean"},
        "review": reference("Review"),
    },
}
_MANY: Final = {"type": "array", "items": _LINE}


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
    "List the analytes, the rules, the sources or another kind",
    scope="knowledge:read",
    answers={200: {"description": "All of this kind", **content(_MANY)}},
    refusals=(404,),
)
def listed(kind: str) -> Response:
    """One line each; read one by its id."""
    return answers.json(knowledge.listing(services().knowledge, kind))


@resource.get(f"/knowledge/<any({','.join(KINDS)}):kind>/<piece>")
@operation(
    "Read one piece by its id",
    scope="knowledge:read",
    answers={200: {"description": "Everything known of it, with sources", **content(_ONE)}},
    refusals=(404,),
)
def one(kind: str, piece: str) -> Response:
    """Ids never change."""
    known = services().knowledge
    words = {line["kind"] for line in knowledge.listing(known, kind) if line["id"] == piece}
    if not words:
        raise NotFound(f"There is nothing of this id among the {kind}.")
    return answers.json(_of_kind(knowledge.describe(known, piece), words))


def _of_kind(found: dict[str, Any], words: set[str]) -> dict[str, Any]:
    """An id may stand for things of several kinds; the one that was asked for."""
    every = [found, *found.pop("also", [])]
    return next(item for item in every if item["kind"] in words)
