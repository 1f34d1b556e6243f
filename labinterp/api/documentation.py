"""`/api/openapi.json`, `/api/docs`, `/api/problems`: what this API is, from our own files."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from flask import Blueprint, Response, current_app, send_from_directory

from labinterp.api import answers, errors, wire
from labinterp.api.openapi import answered
from labinterp.api.resource import Resource, operation
from labinterp.store.records import to_document

COLLECTOR: Final = "labinterp-openapi"
FILES: Final = Path(__file__).parent / "static"

resource = Resource("documentation", "What this API is.", prefix="/api")
page = Blueprint("documentation_page", __name__, url_prefix="/api/docs")
"""The page and its files: for people, so not part of the document."""


@resource.get("/openapi.json")
@operation(
    "This document",
    scope=None,
    answers={
        200: {
            "description": "OpenAPI 3.1",
            "content": {"application/json": {"schema": {"type": "object"}}},
        }
    },
)
def openapi() -> Response:
    """It is made from the code that answers, so it says what is so."""
    collector = current_app.extensions[COLLECTOR]
    return answers.json(collector.spec.to_dict())


@resource.get("/problems")
@operation(
    "Every kind of refusal",
    scope=None,
    answers={200: answered("Codes, statuses and titles", wire.ProblemKinds)},
)
def problems() -> Response:
    """Each problem document's `type` points here."""
    kinds = tuple(
        wire.ProblemKind(kind.code, kind.status, kind.title) for kind in errors.KINDS.values()
    )
    return answers.json(to_document(wire.ProblemKinds(kinds)))


@page.get("")
def swagger() -> Response:
    """The document as a page, to read and to try."""
    return send_from_directory(FILES, "docs.html")


@page.get("/<path:name>")
def file(name: str) -> Response:
    """One of the page's own files."""
    return send_from_directory(FILES, name, max_age=_DAY)


_DAY: Final = 86_400
