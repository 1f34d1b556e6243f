"""Slow work over both databases: nothing twice, nothing lost, whoever is killed in the middle."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from labinterp import formats, jobs
from labinterp.errors import NotFound, SubmissionError, TooLarge
from labinterp.store import background as rows
from labinterp.store.leases import holders
from labinterp.usecases import background, bulk, journey, leases
from tests.unit.usecases.conftest import with_policy

ONE_SLICE = {"job_turn": timedelta(0)}


def a_line(number, **more):
    panel = {
        "patient": {"identifier": {"value": f"TEST-{number}"}, "birth_date": "1971-05-01"},
        "collected_at": "2026-01-02T08:00:00Z",
        "results": [{"test": "Potassium", "value": "2.90", "unit": "mmol/L"}],
    }
    return json.dumps({**panel, **more})


def an_observation(patient, code, value):
    return json.dumps(
        {
            "resourceType": "Observation",
            "status": "final",
            "code": {"coding": [{"system": "http://loinc.org", "code": code}], "text": code},
            "subject": {"reference": f"Patient/{patient}"},
            "effectiveDateTime": "2026-01-02T08:00:00Z",
            "valueQuantity": {"value": value, "unit": "mmol/L"},
        }
    )


def sent(services, actor, *lines, media_type="application/x-ndjson"):
    return bulk.receive(services, actor, ["\n".join(lines).encode()], media_type)


def turns(services, most=100):
    for count in range(most):
        if not journey.background_due(services, "w", 1):
            return count
    raise AssertionError("it does not come to an end")


def told(services, actor, job_id, name):
    state = background.read_job(services, actor, "bulk", job_id)
    if name not in {one.name for one in state.files}:
        return []
    pieces = background.read_file(services, actor, "bulk", job_id, name)
    return [json.loads(line) for line in b"".join(pieces).splitlines()]


def stored(services, actor):
    return journey.list_panels(services, actor, limit=200).items


def test_each_line_has_one_outcome_and_a_bad_one_loses_only_itself(services, ward, queue):
    job_id = sent(services, ward, a_line(1), "{", "", a_line(2), '{"results": 7}')
    assert queue.wakes == ["background"]
    turns(services)
    state = background.read_job(services, ward, "bulk", job_id)
    assert (state.job.status, state.job.done, state.job.total) == ("done", 5, 5)
    good = told(services, ward, job_id, bulk.STORED)
    bad = told(services, ward, job_id, bulk.REFUSED)
    assert [one["where"] for one in good] == ["line 1", "line 4"]
    assert [one["where"] for one in bad] == ["line 2", "line 5"]
    assert good[0]["url"].endswith(f"/api/v1/panels/{good[0]['panel_id']}")
    assert {one.id for one in stored(services, ward)} == {one["panel_id"] for one in good}


def test_observations_are_grouped_by_patient_wherever_in_the_file_they_stand(
    services, ward, monkeypatch
):
    monkeypatch.setattr(bulk, "_PIECE", 400)
    lines = [
        an_observation(patient, code, value)
        for code, value in (("2823-3", 2.9), ("2601-3", 0.5), ("2951-2", 139))
        for patient in ("a", "b", "c")
    ]
    job_id = sent(services, ward, *lines, a_line(1))
    turns(services)
    assert told(services, ward, job_id, bulk.REFUSED) == []
    good = told(services, ward, job_id, bulk.STORED)
    assert len(good) == 4
    assert len(stored(services, ward)) == 4
    job = background.read_job(services, ward, "bulk", job_id).job
    assert (job.done, job.total) == (10, 10)
    for one in good:
        panel = journey.read_panel(services, ward, one["panel_id"]).panel
        assert len(panel["results"]) in {1, 3}


def test_a_line_that_is_too_long_is_refused_alone_and_by_its_number(services, ward, monkeypatch):
    monkeypatch.setattr(bulk, "_PIECE", 300)
    services = with_policy(services, body_limit=1000)
    lines = (a_line(1), "x" * 1500, a_line(2), '{"a": "' + "y" * 200_000 + '"}', a_line(3))
    job_id = sent(services, ward, *lines)
    turns(services)
    assert [one["where"] for one in told(services, ward, job_id, bulk.REFUSED)] == [
        "line 2",
        "line 4",
    ]
    assert [one["where"] for one in told(services, ward, job_id, bulk.STORED)] == [
        "line 1",
        "line 3",
        "line 5",
    ]
    assert {one["code"] for one in told(services, ward, job_id, bulk.REFUSED)} == {"too-large"}
    job = background.read_job(services, ward, "bulk", job_id).job
    assert (job.done, job.total) == (5, 5)


LONG_TABLE = (
    "Export of the ward\n"
    "MRN;birth date;collected;test;value;unit;note;Station\n"
    + "".join(
        f"T{number % 7};{number % 7 + 1}/02/1971;2026-01-0{number % 3 + 1}T08:00Z;{test};{value};mmol/L;"
        + ('"two\nlines; µ"' if number % 5 == 0 else "")
        + (";North" if number % 11 == 0 else ";")
        + "\n"
        for number in range(40)
        for test, value in (("Kalium", "2,9"), ("Natrium", "139"))
    )
    + "T8;13/02/1971;2026-01-01;Natrium;141;mmol/L\n"
    ";1/02/1971;2026-01-01;Kalium;4,1;mmol/L\n"
    "T9;1/02/1971;2026-01-01;Kalium;4,1;mmol/L\nT9;2/02/1971;2026-01-01;Natrium;141;mmol/L\n"
    'T10;1/02/1971;2026-01-01;Kalium;4,1;mmol/L;"not closed\n'
)
WIDE_TABLE = "MRN,collected_at,Kalium (mmol/L),Natrium,Station\n" + "".join(
    f"T{number},2026-01-02,{2 + number % 3}.5,{'' if number < 30 else 139},{'North' if number > 38 else ''}\n"
    for number in range(40)
)


@pytest.mark.parametrize("table", [LONG_TABLE, WIDE_TABLE], ids=["long", "wide"])
@pytest.mark.parametrize("charset", ["utf-8", "utf-16", "cp1252"])
def test_a_table_is_read_piece_by_piece_as_it_is_read_whole(
    sqlite_services, monkeypatch, table, charset
):
    from tests.unit.usecases.conftest import an_actor

    monkeypatch.setattr(bulk, "_PIECE", 400)
    services = with_policy(sqlite_services, **ONE_SLICE)
    ward = an_actor(services)
    body = table.encode(charset)
    whole = formats.read("csv", body, services.now())
    chunks = (body[start : start + 777] for start in range(0, len(body), 777))
    job_id = bulk.receive(services, ward, chunks, "text/csv")
    turns(services)
    good, bad = (told(services, ward, job_id, name) for name in (bulk.STORED, bulk.REFUSED))
    assert sorted(one["where"] for one in good) == sorted(one.where for one in whole.received)
    assert sorted((one["where"], one["message"]) for one in bad) == sorted(
        (one.where, one.message) for one in whole.refused
    )
    for one in good:
        (alike,) = (each for each in whole.received if each.where == one["where"])
        kept = journey.read_panel(services, ward, one["panel_id"])
        assert kept.panel == alike.panel
    job = background.read_job(services, ward, "bulk", job_id).job
    assert job.done == job.total


def test_a_job_is_gone_on_with_where_a_lost_worker_left_it(services, ward, monkeypatch):
    monkeypatch.setattr(bulk, "_ROWS", 2)
    services = with_policy(services, **ONE_SLICE)
    job_id = sent(services, ward, *(a_line(number) for number in range(7)))
    assert journey.background_due(services, "w", 1) == 1
    lost = _claimed(services, "dead")
    actor = ward
    for made in bulk.slices(services, actor, lost.job):
        half_done = made
        break
    assert len(stored(services, ward)) == 4
    assert holders_of(services) == {"dead"}
    assert journey.background_due(services, "w", 1) == 0
    leases.release_of_the_dead(services, lambda worker: worker == "dead")
    turns(services)
    late = services.store.write(
        lambda held: rows.record_slice(
            held, services.store.vault, lost, half_done, timedelta(minutes=5)
        )
    )
    assert late is False
    outcomes = told(services, ward, job_id, bulk.STORED)
    assert [one["where"] for one in outcomes] == [f"line {number}" for number in range(1, 8)]
    assert len({one["panel_id"] for one in outcomes}) == len(stored(services, ward)) == 7


def test_the_same_file_again_makes_nothing_twice(services, ward):
    for _ in range(2):
        job_id = sent(services, ward, a_line(1), a_line(2))
        turns(services)
    assert len(stored(services, ward)) == 2
    assert [one["duplicate"] for one in told(services, ward, job_id, bulk.STORED)] == [True, True]


def test_a_removed_job_stops_and_is_gone(services, ward, monkeypatch):
    monkeypatch.setattr(bulk, "_ROWS", 1)
    services = with_policy(services, **ONE_SLICE)
    job_id = sent(services, ward, a_line(1), a_line(2), a_line(3))
    journey.background_due(services, "w", 1)
    claim = _claimed(services, "w2")
    background.remove_job(services, ward, "bulk", job_id)
    for made in bulk.slices(services, ward, claim.job):
        kept = services.store.write(
            lambda held, made=made: rows.record_slice(
                held, services.store.vault, claim, made, timedelta(minutes=5)
            )
        )
        assert kept is False
        break
    with pytest.raises(NotFound):
        background.read_job(services, ward, "bulk", job_id)
    assert turns(services) == 0


def test_a_job_is_its_organisations_alone(services, ward, neighbour):
    job_id = sent(services, ward, a_line(1))
    turns(services)
    for do in (
        lambda: background.read_job(services, neighbour, "bulk", job_id),
        lambda: background.remove_job(services, neighbour, "bulk", job_id),
        lambda: background.read_file(services, neighbour, "bulk", job_id, bulk.STORED),
        lambda: background.read_job(services, ward, "export", job_id),
    ):
        with pytest.raises(NotFound):
            do()


def test_a_finished_job_is_kept_for_a_while(services, ward, clock):
    job_id = sent(services, ward, a_line(1))
    turns(services)
    clock.move(timedelta(days=1, seconds=1))
    with pytest.raises(NotFound):
        background.read_job(services, ward, "bulk", job_id)
    assert journey.tidy(services) >= 1
    with services.store.reading() as connection:
        assert rows.expired_jobs(connection, services.now(), 10) == ()


def test_what_cannot_be_taken_leaves_no_job(sqlite_services, monkeypatch):
    from tests.unit.usecases.conftest import an_actor

    services = with_policy(sqlite_services, body_limit=500)
    ward = an_actor(services)
    monkeypatch.setattr(bulk, "_PIECE", 100)
    with pytest.raises(SubmissionError, match="empty"):
        bulk.receive(services, ward, [], "application/x-ndjson")
    with pytest.raises(SubmissionError, match="no row names the columns"):
        bulk.receive(services, ward, [b"a,b\n" * 200], "text/csv")
    with pytest.raises(SubmissionError, match="cp1252"):
        bulk.receive(services, ward, [b"test,value,unit\nK,4,mmol/L\n\x81,4,g\n"], "text/csv")
    with pytest.raises(TooLarge, match="one patient"):
        bulk.receive(services, ward, [b"test,value,unit\n" + b"K,4,mmol/L\n" * 50], "text/csv")
    with services.store.engine.connect() as connection:
        for table in (rows.background_job, rows.job_part):
            assert connection.execute(table.select()).all() == []


def test_a_job_that_fails_again_and_again_is_given_up(sqlite_services, monkeypatch):
    from tests.unit.usecases.conftest import an_actor

    services = with_policy(sqlite_services, job_attempts=2)
    ward = an_actor(services)
    job_id = sent(services, ward, a_line(1))
    monkeypatch.setattr(background, "_AGAIN", timedelta(0))
    monkeypatch.setitem(background._WORK, "bulk", lambda *_: 1 / 0)
    assert turns(services) == 3
    assert background.read_job(services, ward, "bulk", job_id).job.status == "failed"


def test_what_took_long_to_read_is_worked_on_for_as_long(sqlite_services, clock, monkeypatch):
    from tests.unit.usecases.conftest import an_actor

    ward = an_actor(sqlite_services)
    sent(sqlite_services, ward, a_line(1))
    slices = []

    def slow(_services, _actor, job):
        clock.move(40)
        for number in range(100):
            slices.append(number)
            yield rows.Slice(job.state, 0)
            clock.move(10)

    monkeypatch.setitem(background._WORK, "bulk", slow)
    assert journey.background_due(sqlite_services, "w", 1) == 1
    assert len(slices) == 5


@pytest.mark.hazard("hostile-input")
def test_slow_work_never_takes_more_than_one_worker(services, ward):
    for number in range(2):
        sent(services, ward, a_line(number))
    _claimed(services, "w")
    assert journey.background_due(services, "w2", 1) == 0
    assert journey.due_counts(services).jobs_due == 1
    assert set(jobs.TASKS) == set(jobs.QUEUES)


def holders_of(services):
    with services.store.reading() as connection:
        return holders(connection)


def _claimed(services, worker):
    policy = services.policy
    with services.store.reading() as connection:
        [job_id] = rows.due_jobs(connection, policy.implausible, 1)
    return services.store.write(
        lambda held: rows.claim_job(
            held, job_id, worker, lease=policy.job_lease, implausible=policy.implausible
        )
    )
