"""What was given up is in one list over all kinds, and each of it can be tried again from there."""

from __future__ import annotations

import dataclasses

import pytest
from sqlalchemy import insert, update

from labinterp import bootstrap
from labinterp.cli import INPUT_AT_FAULT, USAGE, main
from labinterp.errors import Conflict, NotFound
from labinterp.store.door_tables import background_job, notice, webhook
from labinterp.store.store import fresh_id
from labinterp.store.tables import delivery, report
from labinterp.usecases import given_up, journey
from tests.unit.usecases.conftest import a_panel, an_actor


@pytest.fixture
def admin(services):
    return dataclasses.replace(an_actor(services), scopes=frozenset({"admin"}))


def _state(services, table, row_id, status, **values):
    services.store.write(
        lambda held: held.execute(
            update(table).where(table.c.id == row_id).values(status=status, due_at=None, **values)
        )
    )


def _row(services, admin, table, **values):
    made = fresh_id(services.now())
    common = {"id": made, "organisation_id": admin.organisation_id, "created_at": services.now()}
    services.store.write(lambda held: held.execute(insert(table).values({**common, **values})))
    return made


@pytest.fixture
def lost(services, admin):
    """A report, a mail, an event and a job that were given up."""
    panel_id = journey.take(services, admin, a_panel(email=["a@example.org"])).panel_id
    record = journey.read_panel(services, admin, panel_id)
    with services.store.reading() as connection:
        report_id = connection.scalar(report.select().with_only_columns(report.c.id))
    mail_id = record.deliveries[0].id
    _state(services, report, report_id, "failed", why="no font has a letter")
    _state(services, delivery, mail_id, "refused", last_answer="550 no such mailbox")
    endpoint = {"kind": "webhook", "url": "https://hooks.example.org/", "events": "report.ready"}
    hook = _row(services, admin, webhook, **endpoint, **_rest_of(webhook, endpoint))
    event = {"webhook_id": hook, "event": "report.ready", "status": "failed", "attempts": 12}
    notice_id = _row(services, admin, notice, **event, last_answer="500")
    job = {"kind": "bulk", "status": "failed", "request": "{}", "state": "{}", "why": "a fault"}
    job_id = _row(services, admin, background_job, **job, done=0, attempts=3)
    return {"report": report_id, "delivery": mail_id, "notice": notice_id, "background": job_id}


def _rest_of(table, given):
    """What else a row must have, of whatever kind its column is."""
    rest = {}
    for column in table.columns:
        if not column.nullable and column.name not in {*given, "id", "organisation_id"}:
            kind = column.type.python_type
            rest[column.name] = {str: "", bool: True, int: 0, bytes: b"x"}.get(kind)
    return {name: value for name, value in rest.items() if name != "created_at"}


def test_everything_that_was_given_up_is_listed_with_its_reason(services, lost):
    found = {one.kind: one for one in given_up.listed(services)}
    assert {kind: one.id for kind, one in found.items()} == lost
    assert found["report"].why == "no font has a letter"
    assert found["delivery"].why == "550 no such mailbox"
    assert found["notice"].why == "500"
    assert found["background"].why == "a fault"
    assert [one.kind for one in given_up.listed(services, ("notice",))] == ["notice"]


def test_each_is_tried_again_and_leaves_the_list(services, admin, lost):
    found = {one.kind: one for one in given_up.listed(services)}
    for kind in ("report", "delivery", "notice"):
        given_up.replay(services, admin, found[kind])
    with pytest.raises(Conflict, match="sends it again"):
        given_up.replay(services, admin, found["background"])
    assert [one.kind for one in given_up.listed(services)] == ["background"]
    assert lost["background"] == given_up.listed(services)[0].id


def test_one_of_another_organisation_is_none(services, lost):
    other = dataclasses.replace(an_actor(services, "Other"), scopes=frozenset({"admin"}))
    for one in given_up.listed(services):
        with pytest.raises(NotFound):
            given_up.replay(services, other, one)
    assert len(lost) == len(given_up.listed(services))


def test_at_the_command_line(services, lost, monkeypatch, capsys):
    monkeypatch.setattr(bootstrap, "services", lambda *_: services)
    assert main(["dead", "list"]) == 0
    out = capsys.readouterr().out
    assert all(row_id in out for row_id in lost.values())
    assert main(["dead", "replay", lost["delivery"]]) == INPUT_AT_FAULT  # there is no report yet
    assert main(["dead", "replay", "--kind", "report", "--all"]) == 0
    assert main(["dead", "replay", lost["delivery"]]) == 0
    assert main(["dead", "replay", lost["background"]]) == INPUT_AT_FAULT
    assert "sends it again" in capsys.readouterr().err
    assert main(["dead", "replay", "none-such"]) == INPUT_AT_FAULT
    for words in ([], ["--all"], [lost["notice"], "--all", "--kind", "notice"]):
        assert main(["dead", "replay", *words]) == USAGE
    assert {one.kind for one in given_up.listed(services)} == {"notice", "background"}
