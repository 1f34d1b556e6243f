"""What another FHIR server answered to a search, as the one Bundle that it might have sent.

It is read as nothing but what it is: a page must be a Bundle of resources of the one patient, and
where it goes on must be an address below the very base that was asked.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final
from urllib.parse import unquote, urlsplit

import simplejson

from labinterp.errors import Place, SubmissionError
from labinterp.formats.fhir_document import inner, items, line, text
from labinterp.formats.json_text import parsed
from labinterp.formats.limits import Limits

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_LIMITS: Final = Limits(depth=40)
_PARAMETERS: Final = ("fhirServer", "patient")


class AnotherPatient(SubmissionError):
    """A server was asked for one patient and answered with another's."""

    code = "another-patient"


def asked_of(body: bytes) -> tuple[str, str]:
    """Which server is asked, and for whose results.

    Raises:
        SubmissionError: one of them is not said; each is named.
    """
    root = parsed(body, _LIMITS)
    said = dict.fromkeys(_PARAMETERS, "")
    for one in items(root, "parameter"):
        if text(one, "name") in said:
            said[text(one, "name")] = _value(one)
    said["patient"] = said["patient"].rpartition("/")[2]
    faults = tuple(
        Place(f"Parameters.parameter.where(name='{name}')", "missing-member", "is needed")
        for name, value in said.items()
        if not value or (name == "patient" and is_step(value))
    )
    if faults or text(root, "resourceType") != "Parameters":
        message = "Send Parameters with fhirServer and patient."
        raise SubmissionError(message, errors=faults)
    return said["fhirServer"].rstrip("/"), said["patient"]


def _value(parameter: Mapping[str, Any]) -> str:
    known = ("valueUri", "valueUrl", "valueString", "valueId", "valueCode")
    found = next((text(parameter, name) for name in known if text(parameter, name)), "")
    return line(found or text(inner(parameter, "valueReference"), "reference"), 1_000)


def entries(page: bytes, patient: str, base: str) -> list[dict[str, Any]]:
    """The resources of one page, numbers as they were written.

    Raises:
        AnotherPatient: one is not this patient's.
        SubmissionError: it is no Bundle.
    """
    found = _plain(page)
    if text(found, "resourceType") != "Bundle":
        message = "The server did not answer with a Bundle."
        raise SubmissionError(message, code="pull-failed")
    kept = [inner(entry, "resource") for entry in items(found, "entry")]
    kept = [one for one in kept if text(one, "resourceType") != "OperationOutcome"]
    if not all(_is_of(one, patient, base) for one in kept):
        raise AnotherPatient("The server answered with results of another patient.")
    return kept


def goes_on(page: bytes, base: str) -> str:
    """Where the search goes on; empty where this page was the last.

    Raises:
        SubmissionError: code `url-refused`: it leads away from the server that was asked.
    """
    links = (one for one in items(_plain(page), "link") if text(one, "relation") == "next")
    url = next((text(one, "url") for one in links), "")
    if url and not is_below(url, base):
        message = "The next page is not at the server that was asked."
        raise SubmissionError(
            message, code="url-refused", errors=(Place("Bundle.link", "url-refused", message),)
        )
    return url


def is_below(url: str, base: str) -> bool:
    """Is this an address below a base, also once the steps in its path were taken?"""
    if not url.startswith((f"{base}/", f"{base}?")):
        return False
    words = unquote(urlsplit(url).path).split("/")
    return not any(is_step(word.partition(";")[0]) for word in words)


def is_step(word: str) -> bool:
    """Is this no name in a path, but a step on the spot or upwards?"""
    return word in (".", "..")


def bundle(resources: Iterable[Mapping[str, Any]]) -> bytes:
    """All of them as one Bundle, each once."""
    once = {
        (text(one, "resourceType"), text(one, "id") or str(place)): one
        for place, one in enumerate(resources)
    }
    made = {
        "resourceType": "Bundle",
        "type": "collection",
        "entry": [{"resource": one} for one in once.values()],
    }
    return str(simplejson.dumps(made, use_decimal=True)).encode()


def patient_of(body: bytes, patient: str) -> dict[str, Any] | None:
    """The Patient that a server told; None where it told another or none."""
    found = _plain(body)
    is_it = text(found, "resourceType") == "Patient" and text(found, "id") == patient
    return dict(found) if is_it else None


def _plain(body: bytes) -> Any:
    """The document with numbers that keep their digits.

    Raises:
        SubmissionError: it is no JSON, or more than is read.
    """
    try:
        parsed(body, _LIMITS)
    except SubmissionError as error:
        message = f"The server's answer cannot be read. {error.message}"
        raise SubmissionError(message, code="pull-failed") from error
    return simplejson.loads(body, use_decimal=True)


def _is_of(resource: Mapping[str, Any], patient: str, base: str) -> bool:
    if text(resource, "resourceType") == "Patient":
        return text(resource, "id") == patient
    reference = text(inner(resource, "subject"), "reference").partition("/_history/")[0]
    return reference in (f"Patient/{patient}", f"{base}/Patient/{patient}")
