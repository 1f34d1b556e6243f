"""CDS Hooks: a chart is opened or an order is about to be signed, and cards say what matters.

The answer is stateless: of the patient nothing is kept; of each card its rule, so that feedback can
be counted.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final
from urllib.parse import quote
from uuid import uuid4

import simplejson

from labinterp import telemetry
from labinterp.access import Actor, require
from labinterp.errors import LabinterpError, NotFound, Place, SubmissionError
from labinterp.formats import cds_request
from labinterp.formats.limits import Context
from labinterp.interpretation import interpret
from labinterp.reporting import cds as cards_of
from labinterp.reporting import cds_orders
from labinterp.store import cds
from labinterp.store.store import fresh_id
from labinterp.usecases import fhir_servers
from labinterp.usecases.clients import actor_of_client, proved

if TYPE_CHECKING:
    from collections.abc import Iterable

    from labinterp.formats.cds_request import Call
    from labinterp.model.interpretation import Interpretation
    from labinterp.reporting.cds import Card
    from labinterp.store.cds import RuleFeedback
    from labinterp.usecases.services import Services

_LABS: Final = "Observation?patient={{context.patientId}}"
_PATIENT: Final = "Patient/{{context.patientId}}"
_PROBLEMS: Final = "Condition?patient={{context.patientId}}&category=problem-list-item"
_MEDICATIONS: Final = "MedicationRequest?patient={{context.patientId}}&status=active"
_WANTED: Final = (
    "magnesium",
    "calcium",
    "albumin",
    "potassium",
    "sodium",
    "vitamin_b12",
    "vitamin_d_25oh",
    "creatinine",
)
"""The tests that an interpretation of twitching begins with."""
_OK: Final = 200
_LONGEST_WAIT: Final = 3.0
"""For one answer of a client's server [s]; nobody waits longer for a chart to open."""
_MORE_PAGES: Final = 5
_NEEDED: Final = ("patient", "labs")
_log = telemetry.logger("labinterp.cds")


@dataclass(frozen=True, slots=True)
class Service:
    """One service that clients discover."""

    id: str
    hook: str
    title: str
    description: str
    keys: tuple[str, ...]


SERVICES: Final = (
    Service(
        "twitch-labs",
        "patient-view",
        "Twitching: latest laboratory panel",
        "Reads the newest results, none more than 90 days older, and shows what may explain it.",
        ("patient", "labs", "problems", "medications"),
    ),
    Service(
        "twitch-labs-order-sign",
        "order-sign",
        "Twitching: order check",
        "Warns when a draft medicine is known to worsen a result that was already reported.",
        ("patient", "labs"),
    ),
    Service(
        "twitch-labs-order-select",
        "order-select",
        "Twitching: missing tests",
        "Proposes the tests that an interpretation still needs.",
        ("patient", "labs"),
    ),
)


class PrefetchMissing(SubmissionError):
    """What the answer needs was neither sent nor could be fetched."""

    code = "prefetch-missing"


def service(service_id: str) -> Service:
    """A service by its id.

    Raises:
        NotFound: there is none.
    """
    found = next((one for one in SERVICES if one.id == service_id), None)
    if found is None:
        raise NotFound("There is no such CDS service.")
    return found


def templates(services: Services) -> dict[str, str]:
    """Prefetch key to its query: the tests that rules read, and no other."""
    codes = [
        code.code
        for measurand in services.knowledge.measurands.values()
        for code in measurand.codes
        if not code.is_other and code.verified
    ]
    listed = ",".join(dict.fromkeys(codes))
    return {
        "patient": _PATIENT,
        "labs": f"{_LABS}&code={listed}&_sort=-date&_count=100",
        "problems": _PROBLEMS,
        "medications": _MEDICATIONS,
    }


def actor_of_assertion(services: Services, token: str, url: str, *, address: str = "") -> Actor:
    """Who signed this call.

    Raises:
        AccessDenied: code `unauthenticated`.
    """
    client = proved(services, token, (url,), "cds")
    return actor_of_client(client, client.scopes, address=address)


def answer(services: Services, actor: Actor, service_id: str, body: bytes) -> tuple[Card, ...]:
    """The cards for one call.

    Raises:
        NotFound: no such service.
        AccessDenied: the actor may not.
        SubmissionError: it is no call of this hook.
        PrefetchMissing: what is needed is not there.
    """
    asked = service(service_id)
    require(actor, "panels:write")
    call = cds_request.call_of(body)
    if call.hook != asked.hook:
        message = f"is {call.hook[:40]}; this service answers {asked.hook}"
        raise SubmissionError(message, errors=(Place("hook", "not-allowed", message),))
    call = _completed(services, actor, asked, call)
    received, others = cds_request.panel_of(call, Context(services.now()))
    if others:
        _log.warning("cds-other-patient", count=others)
    if received is None:
        return _shown(services, actor, asked, _without_results(services, asked, call))
    found = interpret(received.submission, services.knowledge, actor.choices)
    return _shown(services, actor, asked, _cards(services, asked, call, found))


def keep_feedback(services: Services, actor: Actor, service_id: str, body: bytes) -> int:
    """Keep what became of cards; returns how many words of it were kept.

    Raises:
        NotFound: no such service.
        SubmissionError: nothing of it can be read.
    """
    asked = service(service_id)
    require(actor, "panels:write")
    told = cds_request.feedback_of(body)
    now = services.now()
    rows = [
        cds.NewFeedback(
            fresh_id(now), asked.id, one.card, one.outcome, str(simplejson.dumps(one.details))
        )
        for one in told
    ]
    services.store.write(
        lambda connection: cds.add_feedback(
            connection, services.store.vault, actor.organisation_id, rows, now
        )
    )
    return len(rows)


def feedback(services: Services, actor: Actor) -> tuple[RuleFeedback, ...]:
    """How the cards of each rule fared in this organisation."""
    require(actor, "admin")
    with services.store.reading() as connection:
        return cds.by_rule(connection, actor.organisation_id)


def _completed(services: Services, actor: Actor, asked: Service, call: Call) -> Call:
    """The call with what was missing fetched from the client's own server, if it is listed.

    Raises:
        PrefetchMissing: a needed key stays missing.
        TemporaryFailure: too many calls wait for servers just now.
    """
    queries = templates(services)
    unsent = call.missing(asked.keys)
    server = _server(services, actor, call) if unsent else None
    if server is not None:
        with services.turns.taken(actor.organisation_id):
            for key in unsent:
                fetched = _fetched(services, call, queries[key], server)
                call = call if fetched is None else call.with_fetched(key, fetched)
    missing = call.missing(_NEEDED)
    if missing:
        raise PrefetchMissing(
            "What the answer needs was not sent and cannot be fetched.",
            errors=tuple(
                Place(f"prefetch.{key}", "prefetch-missing", f"was not sent; {queries[key]}")
                for key in missing
            ),
        )
    return call


def _server(services: Services, actor: Actor, call: Call) -> tuple[str, str] | None:
    """The client's server with a token for it, if the operator or the organisation listed it.

    The token that came with the call is its caller's own, so it goes before the one that is kept.
    """
    if call.server is None:
        return None
    base, token = call.server
    if token and base in services.policy.cds_fhir_servers:
        return base, token
    known = fhir_servers.at(services, actor, base)
    return (known.base, token or known.token) if known else None


def _fetched(services: Services, call: Call, query: str, server: tuple[str, str]) -> object | None:
    """One resource from the client's server, which is listed."""
    base, token = server
    url = f"{base}/{query.replace('{{context.patientId}}', quote(call.patient_id, safe=''))}"
    headers = {"Accept": "application/fhir+json"}
    if token:
        headers["Authorization"] = f"Bearer {token}"
    hurried = replace(services.outbound, total=min(services.outbound.total, _LONGEST_WAIT))
    pages: list[object] = []
    try:
        while url and len(pages) <= _MORE_PAGES:
            answered = hurried.get(url, headers)
            if answered.status != _OK:
                break
            pages.append(cds_request.resource_of(answered.body))
            url = cds_request.next_page(pages[-1], base)
    except LabinterpError as error:
        _log.warning("cds-fetch-failed", code=error.code)
    return cds_request.one_of(pages)


def _cards(
    services: Services, asked: Service, call: Call, found: Interpretation
) -> tuple[Card, ...]:
    source = _source(services)
    if asked.hook == "order-sign":
        return cds_orders.worsening(found, _drafts(call), services.knowledge, source, _new_id)
    if asked.hook == "order-select":
        return cds_orders.missing(
            found, _drafts(call), services.knowledge, source, _new_id, wanted=_WANTED
        )
    return cards_of.cards(found, source, _new_id)


def _without_results(services: Services, asked: Service, call: Call) -> tuple[Card, ...]:
    if asked.hook != "order-select":
        return ()
    return cds_orders.missing(
        None, _drafts(call), services.knowledge, _source(services), _new_id, wanted=_WANTED
    )


def _drafts(call: Call) -> tuple[cds_orders.DraftOrder, ...]:
    """The drafts as the card writer takes them."""
    return tuple(cds_orders.DraftOrder(one.kind, one.words, one.codes) for one in call.drafts)


def _shown(
    services: Services, actor: Actor, asked: Service, cards: Iterable[Card]
) -> tuple[Card, ...]:
    shown = tuple(cards)
    rows = [(one.uuid, one.rule, one.indicator) for one in shown]
    if rows:
        now = services.now()
        services.store.write(
            lambda connection: cds.add_cards(connection, actor.organisation_id, asked.id, rows, now)
        )
    return shown


def _source(services: Services) -> cards_of.Source:
    return cards_of.Source("labinterp", services.policy.base_url)


def _new_id() -> str:
    return str(uuid4())
