"""What a CDS Hooks client sends: the hook, whose chart it is, prefetched resources, draft orders.

Resources of another patient are left out and counted; a key that is absent, or for which the client
sends its own failure, counts as missing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from labinterp.errors import Place, SubmissionError
from labinterp.formats import fhir
from labinterp.formats.faults import refusal
from labinterp.formats.fhir_document import Located, codings, inner, items, line, text, words
from labinterp.formats.fhir_pulled import is_below, is_step
from labinterp.formats.json_text import parsed
from labinterp.formats.limits import Context, Limits

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from labinterp.model.submission import Received

_LIMITS: Final = Limits(depth=40)
_MOST_DRAFTS: Final = 100
_MOST_FEEDBACK: Final = 100


@dataclass(frozen=True, slots=True)
class Draft:
    """An order that is not signed yet: what it is of, and the codes it came with."""

    kind: str
    words: str
    codes: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Call:
    """One call of a service.

    Attributes:
        prefetch: key to what the client sent under it; None where it looked and has nothing.
        failed: keys for which the client sent its own failure.
        server: the client's FHIR server and the token for it, empty where none was sent.
        drafts: the orders in hand (`order-sign`, `order-select`).
    """

    hook: str
    patient_id: str
    prefetch: Mapping[str, Any]
    failed: frozenset[str] = frozenset()
    server: tuple[str, str] | None = None
    drafts: tuple[Draft, ...] = ()

    def missing(self, keys: Iterable[str]) -> tuple[str, ...]:
        """Which of these keys the client sent nothing under."""
        return tuple(key for key in keys if key not in self.prefetch)

    def with_fetched(self, key: str, resource: object) -> Call:
        """The same with what was fetched for a missing key."""
        return Call(
            self.hook,
            self.patient_id,
            {**self.prefetch, key: resource},
            self.failed - {key},
            self.server,
            self.drafts,
        )


@dataclass(frozen=True, slots=True)
class Feedback:
    """What became of one card."""

    card: str
    outcome: str
    details: Mapping[str, Any]


def call_of(body: bytes) -> Call:
    """A call as it was sent.

    Raises:
        SubmissionError: no JSON object, or without `hook`, `hookInstance`, `context.patientId`.
    """
    sent = _object(body)
    context = inner(sent, "context")
    wanted = {
        "hook": text(sent, "hook"),
        "hookInstance": text(sent, "hookInstance"),
        "context.patientId": text(context, "patientId").removeprefix("Patient/"),
    }
    faults = tuple(
        Place(name, "missing-member", "is needed")
        for name, said in wanted.items()
        if not said or is_step(said)
    )
    if faults:
        raise refusal(faults, most=len(wanted))
    prefetch = inner(sent, "prefetch")
    failed = frozenset(key for key, one in prefetch.items() if _is_failure(one))
    token = text(inner(sent, "fhirAuthorization"), "access_token")
    address = text(sent, "fhirServer").rstrip("/")
    return Call(
        hook=wanted["hook"],
        patient_id=wanted["context.patientId"],
        prefetch={key: one for key, one in prefetch.items() if key not in failed},
        failed=failed,
        server=(address, token) if address else None,
        drafts=tuple(_drafts(context))[:_MOST_DRAFTS],
    )


def resource_of(body: bytes) -> Any:
    """A resource that was fetched.

    Raises:
        SubmissionError: no JSON.
    """
    return parsed(body, _LIMITS)


def next_page(page: object, base: str) -> str:
    """Where a search goes on, on the same server; empty where it does not."""
    links = items(page, "link") if isinstance(page, dict) else []
    found = (text(one, "url") for one in links if text(one, "relation") == "next")
    return next((url for url in found if is_below(url, base)), "")


def one_of(pages: Sequence[object]) -> object | None:
    """The pages of one search as one Bundle; None where there is none, or the server failed."""
    if pages and _is_failure(pages[0]):
        return None
    if not pages or not isinstance(pages[0], dict):
        return pages[0] if pages else None
    entries = [entry for page in pages for entry in items(page, "entry")]
    return {**pages[0], "entry": entries} if entries else pages[0]


def panel_of(call: Call, context: Context) -> tuple[Received | None, int]:
    """The patient's panel, and how many resources were left out as another patient's.

    All results are one panel, whenever they were taken: of each test the newest is interpreted.
    None where the client has no result of this patient, or none that can be read at all.
    """
    mine, others = [], 0
    for one in _resources(call.prefetch):
        if _is_of(one.resource, call.patient_id):
            mine.append(one)
        else:
            others += 1
    observations = [one for one in mine if one.kind == "Observation"]
    patient = next((one for one in mine if one.kind == "Patient"), None)
    beside = [one for one in mine if one.kind not in ("Observation", "Patient")]
    if not observations:
        return None, others
    try:
        received = fhir.received_of_observations(
            observations, context, patient=patient, specimens=beside
        )
    except SubmissionError:
        return None, others
    return received, others


def feedback_of(body: bytes) -> tuple[Feedback, ...]:
    """What became of cards, as it was sent.

    Raises:
        SubmissionError: no JSON object, or no item that names card and outcome.
    """
    sent = _object(body)
    found = tuple(
        Feedback(line(text(one, "card"), 100), text(one, "outcome"), _plain(one))
        for one in items(sent, "feedback")[:_MOST_FEEDBACK]
        if text(one, "card") and text(one, "outcome") in ("accepted", "overridden")
    )
    if not found:
        message = "a list of {card, outcome: accepted or overridden} is needed"
        raise refusal((Place("feedback", "missing-member", message),), most=1)
    return found


def _object(body: bytes) -> dict[str, Any]:
    sent = parsed(body, _LIMITS)
    if not isinstance(sent, dict):
        message = "a call is one JSON object"
        raise SubmissionError(message, errors=(Place("body", "wrong-type", message),))
    return sent


def _is_failure(sent: object) -> bool:
    return text(sent, "resourceType") == "OperationOutcome"


def _resources(prefetch: Mapping[str, Any]) -> Iterator[Located]:
    for key, sent in prefetch.items():
        if text(sent, "resourceType") == "Bundle":
            for index, entry in enumerate(items(sent, "entry")):
                resource = inner(entry, "resource")
                path = f"prefetch.{line(key, 40)}.entry[{index}].resource"
                if text(resource, "resourceType") not in ("", "OperationOutcome"):
                    yield Located(resource, path, text(entry, "fullUrl"))
        elif text(sent, "resourceType"):
            yield Located(sent, f"prefetch.{line(key, 40)}")


def _is_of(resource: Mapping[str, Any], patient_id: str) -> bool:
    if text(resource, "resourceType") == "Patient":
        return text(resource, "id") in ("", patient_id)
    subject = inner(resource, "subject") or inner(resource, "patient")
    reference = text(subject, "reference").split("/_history/")[0]
    return not reference or reference.rpartition("/")[2] == patient_id


def _drafts(context: Mapping[str, Any]) -> Iterator[Draft]:
    selected = context.get("selections")
    chosen = {one for one in selected if isinstance(one, str)} if isinstance(selected, list) else ()
    for entry in items(inner(context, "draftOrders"), "entry"):
        resource = inner(entry, "resource")
        kind = text(resource, "resourceType")
        if chosen and f"{kind}/{text(resource, 'id')}" not in chosen:
            continue
        concept = inner(resource, "medicationCodeableConcept") or inner(resource, "code")
        codes = tuple((system, code) for system, code, _ in codings(concept))
        displays = [display for _, _, display in codings(concept) if display]
        said = line(displays[0] if displays else words(concept))
        if kind and (said or codes):
            yield Draft(kind, said, codes)


def _plain(node: Any) -> Any:
    """The same with numbers as text, to be kept."""
    if isinstance(node, dict):
        return {name: _plain(inner) for name, inner in node.items()}
    if isinstance(node, list):
        return [_plain(one) for one in node]
    return node.text if hasattr(node, "text") else node
