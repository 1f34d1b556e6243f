"""Accepting: everything or nothing, once per key, each organisation alone."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from sqlalchemy import event, func, select

from labinterp.errors import AccessDenied, Conflict, NotFound, SubmissionError, TemporaryFailure
from labinterp.store import tables
from labinterp.usecases import journey
from labinterp.usecases.explained import warm_up, with_history
from tests.unit.usecases.conftest import a_panel, with_policy

EVERY_TABLE = (
    tables.panel,
    tables.panel_version,
    tables.identity,
    tables.panel_standing,
    tables.report,
    tables.delivery,
    tables.idempotency,
)


def counts(services, *chosen):
    with services.store.reading() as connection:
        return {
            table.name: connection.execute(select(func.count()).select_from(table)).scalar_one()
            for table in chosen or EVERY_TABLE
        }


def test_an_accepted_panel_reads_back_as_it_was_sent(services, ward):
    accepted = journey.take(services, ward, a_panel("Potassium 2.40 mmol/L LL"))
    record = journey.read_panel(services, ward, accepted.panel_id)
    assert record.panel["results"] == [{"test": "Potassium", "value": "2.40", "unit": "mmol/L"}]
    assert record.identity.family == "Testcase"
    assert str(record.interpretation.results[0].value.number) == "2.40"
    assert record.interpretation.results[0].standing == "critically_low"
    assert (record.version, record.status, record.superseded) == (1, "final", False)


def test_accepting_makes_the_work_rows_and_wakes_a_worker(services, ward, queue):
    accepted = journey.take(services, ward, a_panel(email=("a@example.org", "b@example.org")))
    record = journey.read_panel(services, ward, accepted.panel_id)
    assert record.report.status == "queued"
    assert record.report.number == "LI-2026-000001"
    assert [item.to for item in record.deliveries] == ["a@example.org", "b@example.org"]
    assert {item.status for item in record.deliveries} == {"queued"}
    assert queue.wakes == ["report"]


@pytest.mark.hazard("panel-lost")
def test_a_broker_that_fails_is_not_the_senders_problem(services, ward):
    class Broken:
        def wake(self, _kind):
            raise ConnectionError

    broken = replace(services, queue=Broken())
    accepted = journey.take(broken, ward, a_panel())
    assert journey.read_panel(services, ward, accepted.panel_id).id == accepted.panel_id


@pytest.mark.parametrize("table", [*EVERY_TABLE, tables.audit_event], ids=lambda table: table.name)
@pytest.mark.hazard("panel-lost")
def test_a_fault_before_the_commit_leaves_nothing(services, ward, table):
    before = counts(services, *EVERY_TABLE, tables.audit_event)

    def fail(connection, cursor, statement, *_):
        if statement.startswith(f"INSERT INTO {table.name} "):
            raise RuntimeError("the power went out")

    event.listen(services.store.engine, "after_cursor_execute", fail)
    try:
        with pytest.raises(RuntimeError):
            journey.take(services, ward, a_panel(email=("a@example.org",)), idempotency_key="k")
    finally:
        event.remove(services.store.engine, "after_cursor_execute", fail)
    assert counts(services, *EVERY_TABLE, tables.audit_event) == before
    # The key is free again, and the next attempt is accepted whole.
    accepted = journey.take(services, ward, a_panel(email=("a@example.org",)), idempotency_key="k")
    assert not accepted.replayed


def test_a_panel_of_which_nothing_is_readable_is_refused_and_leaves_the_key_free(services, ward):
    with pytest.raises(SubmissionError) as refused:
        journey.take(services, ward, a_panel("Potassium high mmol/L"), idempotency_key="k")
    assert refused.value.code == "nothing-readable"
    assert refused.value.errors[0].where == "results[0]"
    assert set(counts(services).values()) == {0}
    assert not journey.take(services, ward, a_panel(), idempotency_key="k").replayed


def test_the_same_key_and_body_give_the_same_panel(services, ward):
    first = journey.take(services, ward, a_panel(), idempotency_key="k", body_digest="b")
    again = journey.take(services, ward, a_panel(), idempotency_key="k", body_digest="b")
    assert (again.panel_id, again.version, again.replayed) == (first.panel_id, 1, True)
    assert counts(services)["panel"] == 1


def test_another_body_under_the_same_key_is_refused(services, ward):
    journey.take(services, ward, a_panel(), idempotency_key="k", body_digest="b")
    with pytest.raises(Conflict) as refused:
        journey.take(services, ward, a_panel(), idempotency_key="k", body_digest="other")
    assert refused.value.code == "idempotency-key-reused"
    assert counts(services)["panel"] == 1


def test_two_organisations_may_use_the_same_key(services, ward, neighbour):
    first = journey.take(services, ward, a_panel(), idempotency_key="k", body_digest="b")
    other = journey.take(services, neighbour, a_panel(), idempotency_key="k", body_digest="x")
    assert first.panel_id != other.panel_id


def test_a_key_is_forgotten_after_its_time(services, ward, clock):
    first = journey.take(services, ward, a_panel(), idempotency_key="k", body_digest="b")
    clock.move(services.policy.idempotency_kept)
    clock.move(1)
    again = journey.take(services, ward, a_panel(), idempotency_key="k", body_digest="b")
    assert again.panel_id != first.panel_id


def test_expired_keys_are_swept_away_and_others_kept(services, ward, clock):
    journey.take(services, ward, a_panel(), idempotency_key="old", body_digest="b")
    clock.move(services.policy.idempotency_kept / 2)
    journey.take(services, ward, a_panel(), idempotency_key="new", body_digest="b")
    assert journey.tidy(services) == 0
    clock.move(services.policy.idempotency_kept / 2)
    assert journey.tidy(services) == 1
    assert journey.take(services, ward, a_panel(), idempotency_key="new", body_digest="b").replayed


def test_many_at_once_with_one_key_make_one_panel(services, ward):
    start = threading.Barrier(6)

    def send():
        start.wait()
        return journey.take(services, ward, a_panel(), idempotency_key="k", body_digest="b")

    with ThreadPoolExecutor(6) as pool:
        answers = [each.result() for each in [pool.submit(send) for _ in range(6)]]
    assert len({answer.panel_id for answer in answers}) == 1
    assert sum(not answer.replayed for answer in answers) == 1
    assert counts(services)["panel"] == 1


def test_numbers_are_unique_and_without_reuse_under_concurrency(services, ward, neighbour):
    start = threading.Barrier(8)

    def send(number):
        start.wait()
        actor = ward if number % 2 else neighbour
        accepted = journey.take(services, actor, a_panel(identifier=f"MRN-{number}"))
        return actor, journey.read_panel(services, actor, accepted.panel_id).report.number

    with ThreadPoolExecutor(8) as pool:
        given = [each.result() for each in [pool.submit(send, n) for n in range(8)]]
    for actor in (ward, neighbour):
        numbers = sorted(number for owner, number in given if owner is actor)
        assert numbers == [f"LI-2026-{n:06d}" for n in range(1, 5)]


def test_without_an_identifier_no_report_is_made_and_the_answer_says_why(services, ward, queue):
    accepted = journey.take(services, ward, a_panel(identifier=None, email=("a@example.org",)))
    record = journey.read_panel(services, ward, accepted.panel_id)
    assert record.report.status == "not_made"
    assert record.report.number is None
    assert "identifier" in record.report.why
    (told,) = record.deliveries
    assert told.status == "failed"
    assert "no report" in told.last_answer
    state = journey.read_report(services, ward, accepted.panel_id)
    assert (state.status, state.pdf, state.retry_after) == ("not_made", None, None)


def test_an_address_that_is_none_is_named_by_its_place(services, ward):
    with pytest.raises(SubmissionError) as refused:
        journey.take(
            services,
            ward,
            a_panel(email=("a@example.org", "nobody", "x@example.org\nBcc: y@example.org")),
        )
    assert [place.where for place in refused.value.errors] == [
        "deliver.email[1]",
        "deliver.email[2]",
    ]
    assert set(counts(services).values()) == {0}


def test_one_address_written_twice_gets_one_message(services, ward):
    panel = a_panel(email=("A@Example.org", "a@example.org"))
    accepted = journey.take(services, ward, panel)
    assert len(journey.list_deliveries(services, ward, accepted.panel_id)) == 1


def test_an_attachment_the_operator_forbids_becomes_a_link_and_says_so(services, ward):
    strict = with_policy(services, attachments=False)
    accepted = journey.take(strict, ward, a_panel(email=("a@example.org",), attachment=True))
    (told,) = journey.list_deliveries(strict, ward, accepted.panel_id)
    assert not told.as_attachment
    assert "link" in told.note


@pytest.mark.hazard("stranger-writes")
def test_who_lacks_the_scope_may_not_send_panels(services, ward):
    reader = replace(ward, scopes=frozenset({"panels:read"}))
    with pytest.raises(AccessDenied):
        journey.take(services, reader, a_panel())
    assert set(counts(services).values()) == {0}


@pytest.mark.hazard("stranger-reads")
def test_another_organisations_panel_is_no_panel(services, ward, neighbour):
    panel_id = journey.take(services, ward, a_panel(email=("a@example.org",))).panel_id
    (told,) = journey.list_deliveries(services, ward, panel_id)
    for ask in (
        lambda: journey.read_panel(services, neighbour, panel_id),
        lambda: journey.read_report(services, neighbour, panel_id),
        lambda: journey.list_deliveries(services, neighbour, panel_id),
        lambda: journey.correct(services, neighbour, panel_id, a_panel()),
        lambda: journey.retry_report(services, neighbour, panel_id),
        lambda: journey.retry_delivery(services, neighbour, told.id),
        lambda: journey.withdraw_link(services, neighbour, told.id),
        lambda: journey.acknowledge(
            services, neighbour, panel_id, told="Dr A", how="telephone", read_back=True
        ),
        lambda: journey.send(services, neighbour, panel_id, a_panel(email=("x@y.org",)).recipients),
    ):
        with pytest.raises(NotFound):
            ask()
    assert journey.list_panels(services, neighbour).items == ()
    assert journey.all_deliveries(services, neighbour) == ()


def test_earlier_panels_of_the_same_patient_are_history(services, ward, neighbour):
    old = a_panel(collected_at=a_panel().submission.collected_at.replace(year=2025))
    ancient = a_panel(collected_at=a_panel().submission.collected_at.replace(year=2023))
    first = journey.take(services, ward, old)
    journey.take(services, ward, ancient)
    journey.take(services, neighbour, old)
    journey.take(services, ward, replace(old, identity=replace(old.identity, identifier="MRN-2")))
    newest = journey.take(services, ward, a_panel())
    record = journey.read_panel(services, ward, newest.panel_id)
    assert record.interpretation.notices == (f"earlier {first.panel_id}",)


def test_without_an_issuer_nothing_is_taken_for_history(services, ward):
    earlier = a_panel(
        issuer=None, collected_at=a_panel().submission.collected_at.replace(year=2025)
    )
    journey.take(services, ward, earlier)
    newest = journey.take(services, ward, a_panel(issuer=None))
    assert journey.read_panel(services, ward, newest.panel_id).interpretation.notices == ()


def test_a_panel_sent_twice_is_not_its_own_history(services, ward):
    journey.take(services, ward, a_panel())
    again = journey.take(services, ward, a_panel())
    assert journey.read_panel(services, ward, again.panel_id).interpretation.notices == ()


@pytest.mark.hazard("stranger-reads")
def test_what_is_kept_of_a_patient_is_sealed(services, ward):
    accepted = journey.take(services, ward, a_panel(identifier="SECRET-77"))
    journey.draw_due(services, "w", 10)
    with services.store.reading() as connection:
        for table in tables.metadata.sorted_tables:
            for row in connection.execute(select(table)):
                text = repr(tuple(row))
                assert "SECRET-77" not in text
                assert "Testcase" not in text
    assert journey.read_panel(services, ward, accepted.panel_id).identity.identifier == "SECRET-77"


def test_interpreting_only_keeps_nothing(services, ward):
    found = journey.interpret_only(services, a_panel(), ward)
    assert found.results[0].standing == "low"
    assert set(counts(services, *EVERY_TABLE, tables.audit_event).values()) - {1} == {0}


def test_a_database_that_goes_away_while_committing_is_asked_what_it_kept(
    services, ward, monkeypatch
):
    from labinterp.store.store import CommitUnknown

    real = type(services.store).write

    def lost_answer(store, work):
        real(store, work)
        raise CommitUnknown("gone")

    monkeypatch.setattr(type(services.store), "write", lost_answer)
    accepted = journey.take(services, ward, a_panel())
    monkeypatch.undo()
    assert journey.read_panel(services, ward, accepted.panel_id).id == accepted.panel_id


def test_a_commit_that_did_not_happen_is_told_as_a_failure(services, ward, monkeypatch):
    from labinterp.store.store import CommitUnknown

    def nothing(store, work):
        raise CommitUnknown("gone")

    monkeypatch.setattr(type(services.store), "write", nothing)
    with pytest.raises(TemporaryFailure):
        journey.take(services, ward, a_panel())


def test_warming_up_keeps_and_counts_nothing(services, ward):
    warm_up(services)
    assert journey.list_panels(services, ward).items == ()


@pytest.mark.hazard("report-loses-text")
def test_a_name_that_no_report_can_print_is_said_when_the_panel_comes(services, ward):
    panel = a_panel()
    received = replace(panel, identity=replace(panel.identity, family="आना", given="山田"))
    told = with_history(services, ward.organisation_id, received).problems
    assert [(where, code) for where, code, _ in told] == [("patient.family", "not-printable")]
    assert "U+0906" in told[0][2]


@pytest.mark.hazard("report-loses-text")
def test_a_report_that_no_font_can_print_is_not_queued_and_the_record_says_what_to_do(
    services, ward
):
    panel = a_panel()
    received = replace(panel, identity=replace(panel.identity, family="आना"))
    record = journey.read_panel(services, ward, journey.take(services, ward, received).panel_id)
    assert (record.report.status, record.report.number) == ("not_made", None)
    assert "U+0906" in record.report.why
    assert record.report.why.endswith("Send it in such letters, as a correction.")
    assert [one.status for one in record.deliveries] == ["failed"] * len(record.deliveries)
