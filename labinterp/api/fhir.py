"""`/fhir`: a panel in, its interpretation out, and everything answered read again, in FHIR R4.

Long because FHIR has many addresses: one short function each, as its CapabilityStatement has them.
"""

from __future__ import annotations

from datetime import datetime
from email.utils import format_datetime
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final

from flask import Response, request

from labinterp import formats
from labinterp.api import (
    bodies,
    errors,
    fhir_exchange,
    fhir_metadata,
    fhir_records,
    fhir_search,
    fhir_transaction,
)
from labinterp.api.openapi import content
from labinterp.api.panels import IDEMPOTENCY_KEY
from labinterp.api.resource import FHIR_PREFIX, Resource, actor, operation, request_id, services
from labinterp.errors import Place, SubmissionError
from labinterp.formats import fhir_document, fhir_parameters, fhir_pulled, json_text
from labinterp.formats.fhir_document import bundle_identifier, parameters_of, text
from labinterp.formats.limits import Limits
from labinterp.reporting import fhir_outcome
from labinterp.usecases import fhir_orders, journey, pull
from labinterp.usecases.together import take_together

if TYPE_CHECKING:
    from collections.abc import Mapping

    from labinterp.formats import Reading
    from labinterp.model.submission import Received
    from labinterp.store.rows import PanelRecord

resource = Resource("fhir", "FHIR R4.", prefix=FHIR_PREFIX)
resource.before_request(fhir_exchange.refuse_other_formats)

_DEPTH: Final = 40
_RESOURCE: Final = content({"type": "object"}, fhir_exchange.MEDIA_TYPE)
_PDF: Final = "application/pdf"
_PANEL: Final = {"required": True, **fhir_exchange.taken(fhir_document.ROOTS)}
_BUNDLE: Final = {"required": True, **fhir_exchange.taken(("Bundle",))}
_REFUSALS: Final = (400, 406, 409, 413, 415, 422)
_ANSWERED: Final = {"description": "A FHIR resource", **_RESOURCE}
_DOCUMENT: Final = {
    200: {
        "description": "The PDF; a Binary where only FHIR is accepted",
        "content": {_PDF: {"schema": {"type": "string", "contentMediaType": _PDF}}},
    },
    202: {"description": "It is being drawn", **_RESOURCE},
}


@resource.post("/$interpret-panel")
@operation(
    "Interpret a panel: store it, and answer with a Bundle",
    scope="panels:write",
    body=_PANEL,
    parameters=(IDEMPOTENCY_KEY,),
    answers={200: {"description": "A Bundle, the DiagnosticReport first", **_RESOURCE}},
    refusals=_REFUSALS,
)
def interpret_panel() -> Response:
    """Of several patients, one DiagnosticReport each, stored all or none.

    What was refused is an OperationOutcome in the Bundle.
    """
    return _interpret(fhir_exchange.body())


def _interpret(sent: bytes) -> Response:
    reading = formats.read("fhir", sent, services().now())
    if len(reading.received) > 1:
        records, refused = _together(sent, reading)
    else:
        records, refused = _accepted(sent, reading)
    if not records:
        raise SubmissionError("Nothing of this can be interpreted.", errors=refused)
    return _interpreted(records, refused, _asked(sent))


@resource.post("/DiagnosticReport/$interpret-panel")
@operation(
    "Interpret a panel: the same, asked of the resource type",
    scope="panels:write",
    body=_PANEL,
    parameters=(IDEMPOTENCY_KEY,),
    answers={200: {"description": "A Bundle, the DiagnosticReport first", **_RESOURCE}},
    refusals=_REFUSALS,
)
def interpret_panel_of_type() -> Response:
    """As at the base."""
    return interpret_panel()


@resource.post("/$pull-panel")
@operation(
    "Fetch a patient's results from a registered FHIR server, and interpret them",
    scope="panels:write",
    body={"required": True, **fhir_exchange.taken(("Parameters",))},
    parameters=(IDEMPOTENCY_KEY,),
    answers={200: {"description": "A Bundle, the DiagnosticReport first", **_RESOURCE}},
    refusals=_REFUSALS,
)
def pull_panel() -> Response:
    """Parameters: `fhirServer`, which `/api/v1/fhir-servers` has, and `patient`, its id there.

    What is found is taken as if it had been sent to `$interpret-panel`.
    """
    base, patient = fhir_pulled.asked_of(fhir_exchange.body())
    return _interpret(pull.pulled(services(), actor(), base, patient, request_id=request_id()))


@resource.get(
    "/<any(DiagnosticReport,Observation,Provenance,Bundle,Patient,Device,DetectedIssue):kind>/<resource:resource_id>"
)
@operation(
    "Read a resource of an answer",
    scope="panels:read",
    answers={200: _ANSWERED, 304: {"description": "It is as you have it"}},
    refusals=(404, 406),
)
def read(kind: str, resource_id: str) -> Response:
    """The newest version; `If-None-Match` with its ETag saves sending it again."""
    return _resource(fhir_records.resource(kind, resource_id))


@resource.get(
    "/<any(DiagnosticReport,Observation,Provenance,Bundle,Patient,Device,DetectedIssue):kind>/<resource:resource_id>/_history/<int:version>"
)
@operation(
    "Read one version of a resource",
    scope="panels:read",
    answers={200: _ANSWERED, 304: {"description": "It is as you have it"}},
    refusals=(404, 406),
)
def read_version(kind: str, resource_id: str, version: int) -> Response:
    """A stored answer is never rewritten: each version stays readable."""
    return _resource(fhir_records.resource(kind, resource_id, version))


@resource.get(
    "/<any(DiagnosticReport,Observation,Provenance,Bundle,Patient,Device,DetectedIssue):kind>/<resource:resource_id>/_history"
)
@operation(
    "List the versions of a resource",
    scope="panels:read",
    answers={200: {"description": "A Bundle of type history, newest first", **_RESOURCE}},
    refusals=(404, 406),
)
def history(kind: str, resource_id: str) -> Response:
    """All of them; a version that did not hold this resource is not among them."""
    return fhir_exchange.answer(fhir_records.history(kind, resource_id))


@resource.get("/<any(DiagnosticReport,Observation,Provenance):kind>")
@operation(
    "Search answers, newest first",
    scope="panels:read",
    answers={200: {"description": "A searchset Bundle; follow its link `next`", **_RESOURCE}},
    refusals=(400, 404, 406, 422),
)
def search(kind: str) -> Response:
    """By patient, identifier, date, _lastUpdated, code of an Observation, target of a Provenance.

    _count panels a page; of Observations by code a page may hold none and still have a next one.
    """
    return fhir_exchange.answer(fhir_search.searchset(kind))


@resource.post("/<any(DiagnosticReport,Observation,Provenance):kind>/_search")
@operation(
    "Search answers, the parameters as a form",
    scope="panels:read",
    body=content({"type": "object"}, "application/x-www-form-urlencoded"),
    answers={200: {"description": "A searchset Bundle; follow its link `next`", **_RESOURCE}},
    refusals=(400, 404, 406, 422),
)
def search_by_form(kind: str) -> Response:
    """So that no patient's identifier stands in an address."""
    return fhir_exchange.answer(fhir_search.searchset(kind))


@resource.get("/Binary/<panel_id>")
@operation(
    "Read the PDF of a DiagnosticReport",
    scope="panels:read",
    answers=_DOCUMENT,
    refusals=(404, 406, 409),
)
def binary(panel_id: str) -> Response:
    """Ask again after Retry-After while it is drawn."""
    return _binary(panel_id)


@resource.get("/Binary/<panel_id>/_history/<int:version>")
@operation(
    "Read the PDF of one version of a DiagnosticReport",
    scope="panels:read",
    answers=_DOCUMENT,
    refusals=(404, 406, 409),
)
def binary_version(panel_id: str, version: int) -> Response:
    """That of a superseded version says so on each page."""
    return _binary(panel_id, version)


@resource.post("")
@operation(
    "Store the panels of a transaction or batch Bundle",
    scope="panels:write",
    body=_BUNDLE,
    parameters=(IDEMPOTENCY_KEY,),
    answers={200: {"description": "A response for each entry, in their order", **_RESOURCE}},
    refusals=_REFUSALS,
)
def transaction() -> Response:
    """A transaction is stored whole or not at all; of a batch, each patient's panel by itself."""
    sent = fhir_exchange.body()
    root = json_text.parsed(sent, Limits(depth=_DEPTH))
    reading = fhir_transaction.read(sent, root, services().now())
    if text(root, "type") == "transaction":
        taken = journey.take_all(
            services(),
            actor(),
            reading.received,
            idempotency_key=_key(sent),
            origin="fhir",
            request_id=request_id(),
        )
        records = [journey.accepted_record(services(), actor(), one) for one in taken]
        refused: tuple[Place, ...] = ()
    else:
        made, refused = _accepted(sent, reading)
        records = list(made)
    told = fhir_transaction.response(root, reading, records, refused)
    return fhir_exchange.answer(told)


@resource.get("/metadata")
@operation(
    "What this FHIR server can do",
    scope=None,
    answers={200: {"description": "The CapabilityStatement", **_RESOURCE}},
    refusals=(406,),
)
def metadata() -> Response:
    """Open to all; a client reads it before anything else."""
    return fhir_exchange.answer(fhir_metadata.capability_statement(fhir_records.base()))


@resource.get("/OperationDefinition/interpret-panel")
@operation(
    "What $interpret-panel takes and gives",
    scope=None,
    answers={200: {"description": "The OperationDefinition", **_RESOURCE}},
    refusals=(406,),
)
def operation_definition() -> Response:
    """Open to all."""
    return fhir_exchange.answer(fhir_metadata.operation_definition(fhir_records.base()))


@resource.get("/OperationDefinition/pull-panel")
@operation(
    "What $pull-panel takes and gives",
    scope=None,
    answers={200: {"description": "The OperationDefinition", **_RESOURCE}},
    refusals=(406,),
)
def definition_of_pulling() -> Response:
    """Open to all."""
    return fhir_exchange.answer(fhir_metadata.definition_of_pulling(fhir_records.base()))


def _together(sent: bytes, reading: Reading) -> tuple[tuple[PanelRecord, ...], tuple[Place, ...]]:
    """All patients' panels stored at once, and what was refused of them."""
    made = take_together(
        services(),
        actor(),
        reading.received,
        idempotency_key=_key(sent),
        origin="fhir",
        request_id=request_id(),
    )
    records = tuple(journey.accepted_record(services(), actor(), one) for one in made.accepted)
    return records, (*reading.refused, *made.refused)


def _accepted(sent: bytes, reading: Reading) -> tuple[tuple[PanelRecord, ...], tuple[Place, ...]]:
    """Each patient's panel stored, and what was refused; one alone is refused as a whole."""
    key = _key(sent)
    records: list[PanelRecord] = []
    refused = list(reading.refused)
    for place, received in enumerate(reading.received):
        own = f"{key}.{place}" if key and place else key
        try:
            records.append(_stored(received, own))
        except SubmissionError as error:
            if len(reading.received) == 1:
                raise
            refused += error.errors or (Place(received.where, error.code, error.message),)
    return tuple(records), tuple(refused)


def _stored(received: Received, key: str | None) -> PanelRecord:
    accepted = journey.take(
        services(),
        actor(),
        received,
        idempotency_key=key,
        origin="fhir",
        request_id=request_id(),
    )
    return journey.accepted_record(services(), actor(), accepted)


def _key(sent: bytes) -> str | None:
    """By what the same request is known: the header, else the Bundle's own identifier."""
    told = bodies.idempotency_key()
    if told:
        return told
    identifier = bundle_identifier(json_text.parsed(sent, Limits(depth=_DEPTH)))
    if identifier is None:
        return None
    return f"bundle-{sha256(identifier.encode('utf-8', 'surrogatepass')).hexdigest()}"


def _asked(sent: bytes) -> fhir_parameters.Asked:
    """What the parameters beside the panel ask of the answer."""
    _, others = parameters_of(json_text.parsed(sent, Limits(depth=_DEPTH)))
    return fhir_parameters.asked_of(others)


def _answer_of(record: PanelRecord, asked: fhir_parameters.Asked) -> dict[str, Any]:
    document = None
    if asked.wants_document:
        document = fhir_orders.document_at_once(
            services(), actor(), record, request_id=request_id()
        )
    return fhir_records.bundle(record, document, asked.panel.get("unit_system", ""))


def _binary(panel_id: str, version: int | None = None) -> Response:
    state = journey.read_report(services(), actor(), panel_id, version, request_id=request_id())
    if state.pdf is not None:
        record = journey.read_panel(
            services(), actor(), panel_id, state.version, request_id=request_id()
        )
        made = fhir_records.binary(record, state.pdf)
        if fhir_exchange.takes_pdf():
            return Response(state.pdf, mimetype=_PDF, headers=_version(made))
        return fhir_exchange.answer(made, headers=_version(made))
    if state.retry_after is None:
        why = state.why or "No report is made of this panel."
        return errors.problem(errors.KINDS["report-not-available"], why)
    told = fhir_outcome.issue(
        "report-being-drawn", "The document is being drawn.", severity="information"
    )
    wait = {"Retry-After": str(state.retry_after)}
    return fhir_exchange.answer(fhir_outcome.outcome((told,)), 202, wait)


def _interpreted(
    records: tuple[PanelRecord, ...], refused: tuple[Place, ...], asked: fhir_parameters.Asked
) -> Response:
    bundles = [_answer_of(record, asked) for record in records]
    entries = [entry for one in bundles for entry in one["entry"]]
    entries.sort(key=lambda entry: entry["resource"]["resourceType"] != "DiagnosticReport")
    issues = [fhir_outcome.issue(one.code, one.message, one.where) for one in refused]
    if issues:
        entries.append({"resource": fhir_outcome.outcome(issues)})
    first = entries[0]["resource"]
    headers = {**_version(first), "Location": fhir_records.address(first)}
    wanted = fhir_exchange.preference("return")
    if wanted == "minimal":
        return Response(status=200, headers=headers)
    if wanted == "OperationOutcome":
        told = [
            issue
            for entry in entries
            if entry["resource"]["resourceType"] == "OperationOutcome"
            for issue in entry["resource"]["issue"]
        ] or [fhir_outcome.issue("stored", "Stored and interpreted.", severity="information")]
        return fhir_exchange.answer(fhir_outcome.outcome(told), headers=headers)
    whole = {**bundles[0], "entry": entries}
    if len(bundles) > 1:  # no Bundle is stored that holds them all
        whole = {name: whole[name] for name in ("resourceType", "type", "timestamp", "entry")}
    return fhir_exchange.answer(whole, headers=headers)


def _resource(found: dict[str, Any]) -> Response:
    headers = _version(found)
    if request.headers.get("If-None-Match", "").strip() == headers["ETag"]:
        return Response(status=304, headers=headers)
    return fhir_exchange.answer(found, headers=headers)


def _version(found: Mapping[str, Any]) -> dict[str, str]:
    updated = datetime.fromisoformat(found["meta"]["lastUpdated"])
    return {
        "ETag": f'W/"{found["meta"]["versionId"]}"',
        "Last-Modified": format_datetime(updated, usegmt=True),
    }
