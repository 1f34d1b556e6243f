"""Alive is not ready, and ready names what is down."""

from __future__ import annotations

import dataclasses
from datetime import timedelta

import pytest
from sqlalchemy import text

from app import create_app
from labinterp.api import health
from labinterp.errors import TemporaryFailure
from labinterp.store import condition


def checks(answer):
    return {check["name"]: check["ok"] for check in answer.json["checks"]}


def test_alive_touches_nothing(stranger, services, monkeypatch):
    monkeypatch.setattr(type(services.store), "reading", None)
    monkeypatch.setattr(type(services.store), "writing", None)

    assert stranger.get("/healthz").json == {"status": "alive"}


def test_with_everything_in_place_it_is_ready(stranger):
    answer = stranger.get("/readyz")

    assert (answer.status_code, answer.json["status"]) == (200, "ready")
    assert set(checks(answer)) == {
        *("database", "migration", "disk", "broker", "work", "mail", "webhooks"),
    }
    assert answer.json["down"] == []


@pytest.mark.parametrize(
    ("name", "function"),
    [("database", "write_and_take_back"), ("migration", "migrations"), ("disk", "free_bytes")],
)
def test_without_what_accepting_needs_it_is_down_and_says_what(
    stranger, monkeypatch, name, function
):
    def gone(_store):
        raise TemporaryFailure("The database did not answer in time.")

    monkeypatch.setattr(condition, function, gone)

    answer = stranger.get("/readyz")

    assert (answer.status_code, answer.json["status"]) == (503, "down")
    assert answer.json["down"] == [name]
    assert int(answer.headers["Retry-After"]) >= 1


def test_a_process_of_the_release_before_stays_ready_when_a_later_one_upgraded(stranger, services):
    with services.store.writing() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    answer = stranger.get("/readyz")
    assert answer.status_code == 200
    assert checks(answer)["migration"]
    with services.store.writing() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '0002'"))
    answer = stranger.get("/readyz")
    assert answer.json["down"] == ["migration"]
    newest = condition.migrations(services.store)[1]
    with services.store.writing() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = :it"), {"it": newest})


def test_a_fault_of_any_kind_is_an_answer_and_quotes_nothing(stranger, monkeypatch):
    def broken(_store):
        raise ValueError("password=secret")

    monkeypatch.setattr(condition, "free_bytes", broken)

    answer = stranger.get("/readyz")

    assert answer.json["down"] == ["disk"]
    assert "secret" not in answer.get_data(as_text=True)


def test_without_a_broker_it_is_degraded_and_still_accepts(services, caller, panel, monkeypatch):
    monkeypatch.setattr(type(services.queue), "waiting", lambda *_: None)

    answer = caller.get("/readyz")

    assert (answer.status_code, answer.json["status"]) == (200, "degraded")
    assert answer.json["down"] == ["broker"]
    assert caller.post("/api/v1/panels", panel).status_code == 201


def test_work_that_nobody_takes_degrades(services, caller, panel):
    caller.post("/api/v1/panels", panel)
    impatient = dataclasses.replace(services.policy, broker_delay_alarm=timedelta(seconds=-1))
    parts = dataclasses.replace(services, policy=impatient)

    answer = create_app(parts).test_client().get("/readyz")

    assert answer.json["down"] == ["work"]
    assert answer.json["status"] == "degraded"


def test_a_full_disk_is_down_before_the_database_finds_out(services):
    greedy = dataclasses.replace(services.policy, free_disk=10**18)
    parts = dataclasses.replace(services, policy=greedy)

    answer = create_app(parts).test_client().get("/readyz")

    if condition.free_bytes(services.store) is not None:
        assert answer.json["down"] == ["disk"]


def test_a_database_behind_its_program_is_down(services, monkeypatch, stranger):
    monkeypatch.setattr(condition, "migrations", lambda _store: ("0001", "0002"))

    answer = stranger.get("/readyz")

    assert answer.json["down"] == ["migration"]
    assert "db upgrade" in answer.get_data(as_text=True)


def test_looking_leaves_no_row_behind(services):
    from sqlalchemy import func, select

    from labinterp.store import tables

    def rows():
        with services.store.reading() as connection:
            return connection.execute(select(func.count()).select_from(tables.keyring)).scalar()

    before = rows()
    health.readiness(services)

    assert rows() == before
