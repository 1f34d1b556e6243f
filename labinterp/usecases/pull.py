"""A patient's laboratory results, fetched from a registered FHIR server as one Bundle.

The Bundle is then taken as if it had been sent. Whose results, and from which server, the caller
says; where the request goes and with which token, only the organisation's own registration.
"""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from labinterp.access import require
from labinterp.errors import SubmissionError, TemporaryFailure
from labinterp.formats import fhir_pulled
from labinterp.outbound import Unreachable
from labinterp.store.audit import Deed
from labinterp.usecases import fhir_servers
from labinterp.usecases.acting import audited

if TYPE_CHECKING:
    from collections.abc import Iterator

    from labinterp.access import Actor
    from labinterp.outbound import Answer
    from labinterp.store.rows import ServerRecord
    from labinterp.usecases.services import Services

_TOGETHER: Final = 20.0
"""For all requests of one pull [s]; the caller waits for it."""
_MOST_PAGES: Final = 20
_CODES_AT_ONCE: Final = 60
"""LOINC codes in one address, which must stay short enough to be called."""
_REFUSED: Final = (401, 403)
_TRY_AGAIN: Final = (429, 500, 502, 503, 504)
_OK: Final = 200


class _Budget:
    """The time and the pages that are left."""

    def __init__(self, services: Services, server: ServerRecord) -> None:
        self._ends = time.monotonic() + _TOGETHER
        self._pages = 0
        self._outbound = services.outbound
        self._headers = {"Accept": "application/fhir+json"}
        if server.token:
            self._headers["Authorization"] = f"Bearer {server.token}"

    def get(self, url: str) -> Answer:
        """One request.

        Raises:
            SubmissionError: too many pages.
            Unreachable: too late.
        """
        self._pages += 1
        if self._pages > _MOST_PAGES:
            message = f"The server has more than {_MOST_PAGES} pages of results of this patient."
            raise SubmissionError(message, code="pull-failed")
        left = self._ends - time.monotonic()
        if left <= 0:
            raise Unreachable(f"The server did not answer within {_TOGETHER:g} s.")
        return replace(self._outbound, total=min(self._outbound.total, left)).get(
            url, self._headers
        )


def pulled(
    services: Services, actor: Actor, base: str, patient: str, *, request_id: str = ""
) -> bytes:
    """The patient's laboratory results at a registered server, as one Bundle.

    Raises:
        AccessDenied: the actor may not.
        SubmissionError: `server-not-registered`; `pull-failed`: the server refused or answered
            with something else; `another-patient`; `url-refused`: it leads elsewhere.
        TemporaryFailure: the server cannot be reached, has a fault, or too many are asked at once;
            try again.
    """
    require(actor, "panels:write")
    server = fhir_servers.at(services, actor, base)
    if server is None:
        message = "This FHIR server is not registered; an administrator registers it."
        raise SubmissionError(message, code="server-not-registered")
    deed = Deed("E", "results-fetched", entity=f"fhir-server:{server.id}")
    audited(services, actor, deed, request_id)
    with services.turns.taken(actor.organisation_id):
        return _pulled(services, server, patient)


def _pulled(services: Services, server: ServerRecord, patient: str) -> bytes:
    budget = _Budget(services, server)
    who = quote(patient, safe="")
    found = [_patient(budget, server.base, patient, who)]
    for codes in _codes(services):
        url = f"{server.base}/Observation?patient={who}&category=laboratory&code={codes}&_count=100"
        while url:
            page = _answered(budget.get(url))
            found += fhir_pulled.entries(page, patient, server.base)
            url = fhir_pulled.goes_on(page, server.base)
    return fhir_pulled.bundle(found)


def _patient(budget: _Budget, base: str, patient: str, who: str) -> dict[str, object]:
    body = _answered(budget.get(f"{base}/Patient/{who}"))
    found = fhir_pulled.patient_of(body, patient)
    if found is None:
        message = "The server did not answer with the patient that was asked for."
        raise SubmissionError(message, code="another-patient")
    return found


def _answered(answer: Answer) -> bytes:
    if answer.status == _OK:
        return answer.body
    if answer.status in _TRY_AGAIN:
        raise TemporaryFailure("The FHIR server has a fault or is busy; try again later.")
    what = "refused our token" if answer.status in _REFUSED else f"answered {answer.status}"
    raise SubmissionError(f"The FHIR server {what}.", code="pull-failed")


def _codes(services: Services) -> Iterator[str]:
    """The LOINC codes that rules read, in portions that an address can hold."""
    codes = [
        code.code
        for measurand in services.knowledge.measurands.values()
        for code in measurand.codes
        if not code.is_other and code.verified
    ]
    unique = list(dict.fromkeys(codes))
    for start in range(0, len(unique), _CODES_AT_ONCE):
        yield ",".join(unique[start : start + _CODES_AT_ONCE])
