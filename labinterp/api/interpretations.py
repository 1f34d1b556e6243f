"""`POST /api/v1/interpretations`: a panel is read and explained, and nothing is kept."""

from __future__ import annotations

from typing import TYPE_CHECKING

from labinterp.api import answers, bodies
from labinterp.api.openapi import answered, content
from labinterp.api.resource import Resource, actor, operation, services
from labinterp.formats.panel_schema import PanelSchema
from labinterp.model.interpretation import Interpretation
from labinterp.store.records import to_document
from labinterp.usecases import journey

if TYPE_CHECKING:
    from flask import Response

resource = Resource("interpretations", "Explain a panel and keep nothing of it.")


@resource.post("/interpretations")
@operation(
    "Interpret a panel; nothing is stored",
    scope="panels:write",
    body={"required": True, **content(PanelSchema)},
    answers={200: answered("The whole answer", Interpretation)},
    refusals=(400, 413, 415, 422),
)
def interpret() -> Response:
    """Problems of single results stand in the answer; a panel without a readable one is refused."""
    found = journey.interpret_only(services(), bodies.panel().received, actor())
    return answers.json(to_document(found))
