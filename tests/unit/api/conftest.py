"""The whole application over a real database: a client, and keys with scopes."""

from __future__ import annotations

import dataclasses
import json

import pytest

from app import create_app
from labinterp.access import SCOPES
from labinterp.usecases import administer

LIMITS_OUT_OF_THE_WAY = {
    "request_rate": "1000000 per minute",
    "stranger_rate": "1000000 per minute",
}


class Caller:
    """A client of the API with one key."""

    def __init__(self, app, key=None):
        self._client = app.test_client()
        self._key = {"Authorization": f"Bearer {key}"} if key else {}

    def open(self, method, path, *, headers=None, **more):
        return self._client.open(
            path,
            method=method,
            headers={**self._key, **(headers or {})},
            buffered=True,  # files that are served are closed at once
            **more,
        )

    def get(self, path, **more):
        return self.open("GET", path, **more)

    def post(self, path, document=None, *, body=None, content_type="application/json", **more):
        data = json.dumps(document).encode() if body is None else body
        return self.open("POST", path, data=data, content_type=content_type, **more)


@pytest.fixture
def app(services):
    policy = dataclasses.replace(services.policy, **LIMITS_OUT_OF_THE_WAY)
    return create_app(dataclasses.replace(services, policy=policy))


@pytest.fixture
def organisation(services):
    return administer.create_organisation(services, "Ward 7")


@pytest.fixture
def caller(app, services, organisation):
    """A key with every scope but admin."""
    return new_caller(app, services, organisation, *(set(SCOPES) - {"admin"}))


@pytest.fixture
def stranger(app):
    """Nobody: no key at all."""
    return Caller(app)


@pytest.fixture
def neighbour(app, services):
    """A key of another organisation."""
    other = administer.create_organisation(services, "Another hospital")
    return new_caller(app, services, other, *SCOPES)


def new_caller(app, services, organisation, *scopes):
    _, key = administer.create_key(services, organisation.id, name="test", scopes=tuple(scopes))
    return Caller(app, key)


@pytest.fixture
def caller_with(app, services, organisation):
    """Makes a caller with just these scopes."""
    return lambda *scopes: new_caller(app, services, organisation, *scopes)


@pytest.fixture
def panel():
    """A panel that reads without a problem, for a patient who can have a report."""
    return {
        "patient": {
            "identifier": {"value": "MRN-1", "system": "urn:example:mrn"},
            "birth_date": "1971-05-04",
            "sex": "female",
        },
        "collected_at": "2026-01-02T08:00:00Z",
        "results": [
            {"test": "Potassium", "value": "2.90", "unit": "mmol/L"},
            {"test": "Magnesium", "value": "0.80", "unit": "mmol/L"},
        ],
    }
