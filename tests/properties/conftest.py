"""One running service for all the spoilt inputs of a module."""

from __future__ import annotations

import shutil
import time

import pytest

from app import create_app
from labinterp.jobs import InlineQueue
from labinterp.store.store import open_store
from labinterp.usecases import administer
from tests.conftest import OPENING, VAULT, Clock, Outbox, wired
from tests.unit.api.conftest import LIMITS_OUT_OF_THE_WAY, new_caller

LONGEST = 20.0
"""For one answer [s]; above what a PDF takes on a busy machine, below what a person calls a hang."""


@pytest.fixture(scope="module")
def post(module_services):
    organisation = administer.create_organisation(module_services, "Ward 7")
    caller = new_caller(
        create_app(module_services), module_services, organisation, "panels:write", "panels:read"
    )

    def send(path, body, **more):
        began = time.monotonic()
        answer = caller.post(path, body=body, **more)
        assert time.monotonic() - began < LONGEST
        assert answer.status_code < 500, (answer.status_code, answer.json)
        return answer

    send.get = caller.get
    return send


@pytest.fixture(scope="module")
def module_services(sqlite_template, tmp_path_factory):
    """One service for all examples: what one leaves behind, the next must bear."""
    path = tmp_path_factory.mktemp("dirty") / "labinterp.db"
    shutil.copyfile(sqlite_template, path)
    store = open_store(f"sqlite:///{path}", VAULT, OPENING)
    yield wired(store, clock=Clock(), outbox=Outbox(), queue=InlineQueue(), **LIMITS_OUT_OF_THE_WAY)
    store.close()
