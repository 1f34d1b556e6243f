"""`/api/v1/bulk` and `/api/v1/jobs`: a large body of panels, read while its sender goes on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from flask import Response, request

from labinterp.api import answers, bodies, wire
from labinterp.api.openapi import answered, content
from labinterp.api.parameters import SenderParameters
from labinterp.api.resource import VERSION_PREFIX, Resource, actor, operation, request_id, services
from labinterp.reporting.fhir import instant
from labinterp.store.records import to_document
from labinterp.usecases import background, bulk

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from labinterp.usecases.background import JobState

resource = Resource("bulk", "Take in large bodies in the background.")

_NDJSON: Final = "application/x-ndjson"
_TYPES: Final = (_NDJSON, "text/csv")
_CHUNK: Final = 65_536
_BODY: Final = {
    "required": True,
    "content": {one: {"schema": {"type": "string"}} for one in _TYPES},
}


@resource.post("/bulk")
@operation(
    "Send a large body of panels",
    scope="panels:write",
    body=_BODY,
    answers={
        202: answered(
            "It is kept; ask its job how far it is", headers=("Content-Location", "Retry-After")
        )
    },
    refusals=(400, 404, 413, 415, 422),
)
@resource.query(SenderParameters())
def take_in(wanted: dict[str, Any]) -> Response:
    """A Bundle, report, Observation or panel a line; or a table. Each is accepted or refused alone.

    Sending the same body again makes nothing twice. A table is read with what was agreed with the
    `sender` that is named.
    """
    media_type = bodies.one_of(_TYPES)
    request.max_content_length = services().policy.bulk_limit
    job_id = bulk.receive(
        services(),
        actor(),
        _chunks(),
        media_type,
        url=asked_url(),
        sender=wanted["sender"] or "",
        request_id=request_id(),
    )
    return begun(address_of_job(job_id))


@resource.get("/jobs/<job_id>")
@operation(
    "Ask how far a job is",
    scope="panels:write",
    answers={
        200: answered("It is done; its files", wire.JobManifest),
        202: answered("It goes on", headers=("X-Progress", "Retry-After")),
    },
    refusals=(404, 409),
)
def read(job_id: str) -> Response:
    """A job and its files are kept for a day after its end (the setting JOB_KEPT)."""
    state = background.read_job(services(), actor(), "bulk", job_id)
    if state.job.status != "done":
        return unfinished(state)
    files = f"{_base()}/jobs/{job_id}/files"
    output, refused = (
        tuple(
            wire.JobFileDocument(one.name.partition(".")[0], f"{files}/{one.name}", one.lines)
            for one in state.files
            if (one.name == bulk.REFUSED) is is_refused
        )
        for is_refused in (False, True)
    )
    return manifest(state, output, refused)


@resource.delete("/jobs/<job_id>")
@operation(
    "Stop a job and forget its files",
    scope="panels:write",
    answers={202: {"description": "It is gone; panels that it stored stay"}},
    refusals=(404,),
)
def remove(job_id: str) -> Response:
    """Whatever it is doing."""
    background.remove_job(services(), actor(), "bulk", job_id, request_id=request_id())
    return Response(status=202)


@resource.get("/jobs/<job_id>/files/<name>")
@operation(
    "Fetch a file of a finished job",
    scope="panels:read",
    answers={
        200: {
            "description": "One outcome a line",
            **content({"type": "string"}, _NDJSON),
        }
    },
    refusals=(404,),
)
def file(job_id: str, name: str) -> Response:
    """`stored.ndjson` and `refused.ndjson`; each line names its place in what was sent."""
    pieces = background.read_file(
        services(), actor(), "bulk", job_id, name, request_id=request_id()
    )
    return streamed(pieces, _NDJSON)


def address_of_job(job_id: str) -> str:
    """Where a job is asked after."""
    return f"{_base()}/jobs/{job_id}"


def begun(address: str) -> Response:
    """A job was begun; here it is asked after."""
    headers = {"Content-Location": address, "Retry-After": str(services().policy.retry_after)}
    return Response(status=202, headers=headers)


def unfinished(state: JobState) -> Response:
    """It goes on, or it ended without an end."""
    job = state.job
    if job.status == "failed":
        from labinterp.api import errors  # noqa: PLC0415 - beside its one use

        return errors.problem(errors.KINDS["job-failed"], f"The job failed: {job.why}.")
    share = f" of {job.total}" if job.total is not None else ""
    headers = {
        "X-Progress": f"{job.done}{share} done",
        "Retry-After": str(services().policy.retry_after),
    }
    return Response(status=202, headers=headers)


def manifest(
    state: JobState,
    output: tuple[wire.JobFileDocument, ...],
    refused: tuple[wire.JobFileDocument, ...] = (),
    headers: Mapping[str, str] | None = None,
) -> Response:
    """It is done, and this is what it wrote."""
    document: Any = to_document(
        wire.JobManifest(
            transactionTime=instant(state.job.created_at),
            request=state.job.request["url"],
            requiresAccessToken=True,
            output=output,
            error=refused,
        )
    )
    return answers.json(document, headers=dict(headers or {}))


def streamed(pieces: Iterator[bytes], media_type: str) -> Response:
    """A file as it is read, piece by piece."""
    return Response(pieces, content_type=media_type)


def asked_url() -> str:
    """The whole address of this request, at the base address that the operator set."""
    path = request.full_path if request.query_string else request.path
    return f"{services().policy.base_url.rstrip('/')}{path}"


def _base() -> str:
    return f"{services().policy.base_url.rstrip('/')}{VERSION_PREFIX}"


def _chunks() -> Iterator[bytes]:
    while chunk := request.stream.read(_CHUNK):
        yield chunk
