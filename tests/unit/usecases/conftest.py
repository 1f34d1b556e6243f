"""Use cases over both databases, with a small stand-in for medicine and drawing: neither is tested here."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from labinterp import interpretation
from labinterp.access import SCOPES, Actor
from labinterp.model.interpretation import (
    Amount,
    EngineVersion,
    Interpretation,
    InterpretedPatient,
    InterpretedResult,
    KnowledgeVersion,
    ProblemRecord,
    ReportedValue,
    Twitching,
)
from labinterp.model.report import Report
from labinterp.model.submission import (
    Identity,
    Received,
    Recipients,
    ReportedResult,
    Submission,
)
from labinterp.usecases import administer
from tests.conftest import wired

COLLECTED = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)


def _result(sent):
    numeric = sent.value is not None and sent.value.replace(".", "", 1).isdigit()
    standing = {"L": "low", "H": "high", "LL": "critically_low"}.get(sent.flag or "", "within")
    return InterpretedResult(
        measurand=(sent.name or "").lower(),
        name=sent.name or "",
        loinc=None,
        group="",
        where=sent.where,
        reported=ReportedValue(sent.value, sent.comparator, sent.unit, name=sent.name),
        value=Amount(Decimal(sent.value), sent.unit or "") if numeric else None,
        conventional=None,
        conversion=None,
        interval=None,
        standing=standing if numeric else "unknown",
        why_unknown=None,
        at_the_limit=False,
        at_the_limit_note=None,
        flag=sent.flag,
        decisions=(),
        change=None,
        doubts=(),
        derived_from=(),
    )


def interpreted(submission, knowledge, *_):
    """What a reader of flags would say; earlier panels are named in the notices."""
    results = tuple(_result(sent) for sent in submission.results)
    critical = any(result.standing == "critically_low" for result in results)
    return Interpretation(
        knowledge=KnowledgeVersion("2026.11.0", "d" * 64),
        engine=EngineVersion("0"),
        range_set="test",
        critical_policy="test",
        schemes=(),
        urgency="emergency" if critical else "none",
        urgency_because=(),
        patient=InterpretedPatient(submission.sex, None),
        status=submission.status,
        collected_at=None,
        results=results,
        artefacts=(),
        patterns=(),
        mechanisms=(),
        undecided=(),
        next_steps=(),
        twitching=Twitching("cannot_tell", "", (), (), (), (), (), ()),
        problems=tuple(
            ProblemRecord("value-unreadable", "This is no number.", result.where)
            for result in results
            if result.value is None
        ),
        completeness=(),
        sources=(),
        rules_looked_at=0,
        notices=tuple(f"earlier {one.reference}" for one in submission.previous),
    )


def readable(found):
    return any(result.value is not None for result in found.results)


def drawn(order):
    """A document whose bytes say what it was drawn from."""
    words = (
        f"%PDF {order.number} v{order.version} {order.status} {order.identity.family}"
        f" {' '.join(order.changes)} {' '.join(order.acknowledgements)}"
    )
    pdf = words.encode()
    return Report(pdf, words, hashlib.sha256(pdf).hexdigest(), 1, f"report-{order.number}.pdf")


@pytest.fixture(autouse=True)
def small_medicine(monkeypatch):
    monkeypatch.setattr(interpretation, "interpret", interpreted, raising=False)
    monkeypatch.setattr(interpretation, "readable", readable, raising=False)


@pytest.fixture
def services(either_store, clock, outbox, queue):
    return wired(
        either_store, clock=clock, outbox=outbox, queue=queue, knowledge="none", draw=drawn
    )


@pytest.fixture
def sqlite_services(sqlite_store, clock, outbox, queue):
    return wired(
        sqlite_store, clock=clock, outbox=outbox, queue=queue, knowledge="none", draw=drawn
    )


def an_actor(services, name="Ward 7"):
    organisation = administer.create_organisation(services, name)
    return Actor(
        organisation.id,
        name,
        "key",
        "key-1",
        "test key",
        frozenset(SCOPES) - {"admin"},
        "192.0.2.1",
    )


@pytest.fixture
def ward(services):
    return an_actor(services)


@pytest.fixture
def neighbour(services):
    return an_actor(services, "Another hospital")


def a_panel(
    *results,
    identifier="MRN-1",
    issuer="urn:example:mrn",
    email=(),
    attachment=False,
    collected_at=COLLECTED,
    status="final",
):
    """A received panel: `a_panel("Potassium 2.9 mmol/L L")`."""
    rows = results or ("Potassium 2.9 mmol/L L", "Sodium 139 mmol/L")
    parts = [row.split() for row in rows]
    sent = tuple(
        ReportedResult(
            where=f"results[{number}]",
            name=part[0],
            value=part[1],
            unit=part[2],
            flag=part[3] if len(part) > 3 else None,
        )
        for number, part in enumerate(parts)
    )
    panel = {
        "patient": {
            **({"identifier": {"value": identifier, "system": issuer}} if identifier else {}),
            "family": "Testcase",
        },
        "status": status,
        "results": [{"test": one.name, "value": one.value, "unit": one.unit} for one in sent],
    }
    if collected_at:
        panel["collected_at"] = collected_at.isoformat()
    return Received(
        submission=Submission(
            format="json",
            results=sent,
            received_at=datetime(2026, 11, 24, 9, 0, tzinfo=UTC),
            collected_at=collected_at,
            status=status,
        ),
        identity=Identity(
            identifier=identifier, issuer=issuer if identifier else None, family="Testcase"
        ),
        recipients=Recipients(tuple(email), attachment),
        panel=panel,
    )


def with_policy(services, **more):
    return replace(services, policy=replace(services.policy, **more))
