"""`/api/v1/patients/…`: hand over, or erase, everything that is stored of one patient.

The patient is named in the body: an identifier does not belong in an address.
"""

from __future__ import annotations

import io
import zipfile
from typing import TYPE_CHECKING, Any, Final

from flask import Response

from labinterp.api import answers, bodies, wire
from labinterp.api.openapi import answered, content
from labinterp.api.resource import Resource, actor, operation, services
from labinterp.formats.fields import Base, Text
from labinterp.store.records import to_document
from labinterp.usecases import patients

if TYPE_CHECKING:
    from collections.abc import Iterator

    from labinterp.usecases.patients import Patient

resource = Resource("patients", "Hand over, or erase, all that is stored of a patient.")

ZIP: Final = "application/zip"
_OLDEST: Final = (1980, 1, 1, 0, 0, 0)
_IDENTIFIER: Final = {"description": "Of the patient, as the panels have it", "example": "MRN-1"}
_SYSTEM: Final = {
    "description": 'Who issued it, where several did; "" for nobody',
    "example": "urn:example:mrn",
}


class PatientSchema(Base):
    """Whom it is about."""

    identifier = Text(required=True, metadata=_IDENTIFIER)
    system = Text(metadata=_SYSTEM)


class ErasureSchema(Base):
    """Whom it is about, and why."""

    identifier = Text(required=True, metadata=_IDENTIFIER)
    system = Text(metadata=_SYSTEM)
    reason = Text(
        required=True,
        metadata={
            "minLength": 1,
            "description": "One line without the patient's name; it stands in the audit",
        },
    )


_PATIENT: Final = PatientSchema()
_ERASURE: Final = ErasureSchema()


@resource.post("/patients/export")
@operation(
    "Hand over everything that is stored of a patient",
    scope="admin",
    body={"required": True, **content(PatientSchema)},
    answers={
        200: {
            "description": "A ZIP file; `index.json`, its last, names all others",
            **content({"type": "string", "contentMediaType": ZIP}, ZIP),
        }
    },
    refusals=(400, 404, 409, 413, 415, 422),
)
def export() -> Response:
    """Each version of each panel as record, FHIR Bundle and PDF; messages; the audit."""
    asker, parts = actor(), services()
    found = _patient(bodies.loaded(_PATIENT))
    answer = Response(_packed(patients.exported(parts, asker, found)), mimetype=ZIP)
    answer.headers.set("Content-Disposition", "attachment", filename="patient.zip")
    return answer


@resource.post("/patients/erase")
@operation(
    "Erase everything that is stored of a patient, for good",
    scope="admin",
    body={"required": True, **content(ErasureSchema)},
    answers={200: answered("It is gone; the audit stays", wire.ErasedDocument)},
    refusals=(400, 404, 409, 413, 415, 422),
)
def erase() -> Response:
    """Copies of the database that were made before still hold it."""
    wanted = bodies.loaded(_ERASURE)
    done = patients.erase(services(), actor(), _patient(wanted), wanted["reason"] or "")
    document = wire.ErasedDocument(done.panels, done.messages, done.exports)
    return answers.json(to_document(document))


def _patient(wanted: dict[str, Any]) -> Patient:
    identifier, system = wanted["identifier"] or "", wanted.get("system")
    return patients.patient_of(services(), actor(), identifier, system)


class _Line(io.RawIOBase):
    """Takes what is written, to be sent on: no whole archive is held, on a disk least of all."""

    def __init__(self) -> None:
        self._written = bytearray()

    def writable(self) -> bool:
        """It is."""
        return True

    def write(self, data: Any) -> int:
        """Keep it until it is taken."""
        self._written += data
        return len(data)

    def taken(self) -> bytes:
        """What was written since the last time."""
        written = bytes(self._written)
        self._written.clear()
        return written


def _packed(files: Iterator[tuple[str, bytes]]) -> Iterator[bytes]:
    line = _Line()
    with zipfile.ZipFile(line, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, body in files:
            entry = zipfile.ZipInfo(name, _OLDEST)
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, body)
            yield line.taken()
    yield line.taken()
