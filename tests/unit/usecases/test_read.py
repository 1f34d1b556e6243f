"""Reading: lists by index and cursor, a patient's history, and a mark for every read."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from labinterp.errors import NotFound, SubmissionError
from labinterp.store import audit
from labinterp.usecases import journey
from tests.unit.usecases.conftest import a_panel


def accept_many(services, ward, clock, count):
    made = []
    for number in range(count):
        panel = a_panel(identifier=f"MRN-{number}")
        received = replace(panel.submission, received_at=clock())
        accepted = journey.take(services, ward, replace(panel, submission=received))
        made.append(accepted.panel_id)
        clock.move(60)
    return made


def ids(page):
    return [item.id for item in page.items]


def test_pages_follow_one_another_newest_first_without_gap_or_repeat(services, ward, clock):
    made = accept_many(services, ward, clock, 7)
    seen, cursor = [], None
    while True:
        page = journey.list_panels(services, ward, cursor=cursor, limit=3)
        seen += ids(page)
        cursor = page.next_cursor
        if cursor is None:
            break
    assert seen == made[::-1]


def test_panels_received_at_one_instant_are_paged_too(services, ward):
    made = {journey.take(services, ward, a_panel(identifier=f"MRN-{n}")).panel_id for n in range(5)}
    first = journey.list_panels(services, ward, limit=2)
    second = journey.list_panels(services, ward, limit=2, cursor=first.next_cursor)
    third = journey.list_panels(services, ward, limit=2, cursor=second.next_cursor)
    assert set(ids(first) + ids(second) + ids(third)) == made
    assert third.next_cursor is None


@pytest.mark.parametrize(
    "cursor", ["", "x", "!!!", "AAAA", "w7w", "MTIz", "OTk5OTk5OTk5OTk5OTk5OTk5OTk5OTkuYQ"]
)
def test_a_cursor_that_is_none_of_ours_is_refused(services, ward, cursor):
    with pytest.raises(SubmissionError) as refused:
        journey.list_panels(services, ward, cursor=cursor)
    assert refused.value.code == "cursor-invalid"


def test_lists_are_narrowed_by_patient_time_standing_and_urgency(services, ward, clock):
    start = clock()
    made = accept_many(services, ward, clock, 3)
    critical = a_panel("Potassium 1.9 mmol/L LL", identifier="MRN-9")
    received = replace(critical.submission, received_at=clock())
    sick = journey.take(services, ward, replace(critical, submission=received)).panel_id

    def listed(**wanted):
        return ids(journey.list_panels(services, ward, **wanted))

    assert listed(patient="MRN-1") == [made[1]]
    assert listed(patient="urn:example:mrn|MRN-1") == [made[1]]
    assert listed(patient="urn:other|MRN-1") == []
    assert listed(patient="MRN") == []
    assert listed(standing="critically_low") == [sick]
    assert listed(standing="low") == made[::-1]
    assert listed(urgency="emergency") == [sick]
    assert listed(from_=start + timedelta(seconds=60)) == [sick, made[2], made[1]]
    assert listed(to=start + timedelta(seconds=60)) == [made[0]]


def test_a_summary_says_what_a_list_needs(services, ward):
    panel_id = journey.take(services, ward, a_panel()).panel_id
    (item,) = journey.list_panels(services, ward).items
    assert item.id == panel_id
    assert item.identity.family == "Testcase"
    assert item.standings == ("low", "within")
    assert (item.report_status, item.report_number) == ("queued", "LI-2026-000001")


@pytest.mark.hazard("lost-critical")
def test_critical_panels_stay_listed_until_someone_was_told(services, ward):
    critical = a_panel("Potassium 1.9 mmol/L LL")
    panel_id = journey.take(services, ward, critical).panel_id
    journey.take(services, ward, a_panel(identifier="MRN-2"))
    assert [item.id for item in journey.critical_unacknowledged(services, ward)] == [panel_id]
    noted = journey.acknowledge(
        services, ward, panel_id, told="Dr A", how="telephone", read_back=True
    )
    assert journey.critical_unacknowledged(services, ward) == ()
    record = journey.read_panel(services, ward, panel_id)
    assert record.acknowledgements == (noted,)
    # A correction that is critical again is a new thing to tell.
    journey.correct(services, ward, panel_id, critical)
    assert [item.id for item in journey.critical_unacknowledged(services, ward)] == [panel_id]


def test_an_acknowledgement_says_who_was_told_and_how(services, ward):
    panel_id = journey.take(services, ward, a_panel()).panel_id
    with pytest.raises(SubmissionError) as refused:
        journey.acknowledge(services, ward, panel_id, told=" ", how="a\nb", read_back=False)
    assert [place.where for place in refused.value.errors] == ["told", "how"]


def test_a_patients_history_is_found_by_an_opaque_reference(services, ward, neighbour):
    newer = journey.take(services, ward, a_panel())
    older = journey.take(
        services, ward, a_panel(collected_at=a_panel().submission.collected_at.replace(year=2025))
    )
    journey.take(services, ward, a_panel(identifier="MRN-2"))
    ref = journey.read_panel(services, ward, newer.panel_id).patient_ref
    assert "MRN" not in ref
    found = journey.patient_history(services, ward, ref)
    assert [record.id for record in found] == [newer.panel_id, older.panel_id]
    with pytest.raises(NotFound):
        journey.patient_history(services, neighbour, ref)


@pytest.mark.hazard("stranger-reads")
def test_every_read_of_a_patient_leaves_its_mark(services, ward):
    panel_id = journey.take(services, ward, a_panel(), request_id="r0").panel_id
    journey.read_panel(services, ward, panel_id, request_id="r1")
    journey.read_report(services, ward, panel_id, request_id="r2")
    with services.store.reading() as connection:
        seen = audit.events(connection, ward.organisation_id, panel_id=panel_id)
    assert {(deed.subtype, deed.action, who.request_id) for who, deed, _ in seen} == {
        ("panel-accepted", "C", "r0"),
        ("panel-read", "R", "r1"),
        ("report-read", "R", "r2"),
    }
    assert {who.address for who, _, _ in seen} == {"192.0.2.1"}
    assert all(deed.patient_key for _, deed, _ in seen)


def test_the_document_has_the_members_of_the_contract(services, ward):
    accepted = journey.take(services, ward, a_panel(email=("a@example.org",)))
    document = journey.panel_document(journey.read_panel(services, ward, accepted.panel_id))
    assert {
        "id",
        "version",
        "status",
        "received_at",
        "panel",
        "interpretation",
        "report",
        "deliveries",
        "links",
    } <= set(document)
    assert document["received_at"] == "2026-11-24T09:00:00Z"
    assert set(document["report"]) == {"status", "number", "url", "why"}
    assert document["report"]["url"] == f"/api/v1/panels/{accepted.panel_id}/report.pdf"
    assert {"id", "to", "status", "attempts", "last_answer"} <= set(document["deliveries"][0])


def test_a_version_that_does_not_exist_is_not_found(services, ward):
    panel_id = journey.take(services, ward, a_panel()).panel_id
    for version in (0, 2, -1, 2**31 - 1, 10**30):
        with pytest.raises(NotFound):
            journey.read_panel(services, ward, panel_id, version)


@pytest.mark.parametrize(
    "text", ["", "x", "\0", "a" * 5000, "'; --", "\ud800", "../../etc", "é" * 26]
)
def test_what_is_no_id_of_ours_is_not_found(services, ward, text):
    for ask in (
        lambda: journey.read_panel(services, ward, text),
        lambda: journey.read_report(services, ward, text),
        lambda: journey.list_deliveries(services, ward, text),
        lambda: journey.correct(services, ward, text, a_panel()),
        lambda: journey.retry_delivery(services, ward, text),
        lambda: journey.patient_history(services, ward, text),
        lambda: journey.open_mail_link(services, ward, text),
    ):
        with pytest.raises(NotFound):
            ask()
    assert journey.list_panels(services, ward, patient=text).items == ()
    assert journey.all_deliveries(services, ward, text or "none") == ()


def test_text_that_no_encoding_knows_is_kept_as_it_came(services, ward):
    odd = a_panel(identifier="MRN-\ud800\0")
    panel = {**odd.panel, "note": "\ud800 \0 \x1f"}
    accepted = journey.take(services, ward, replace(odd, panel=panel))
    record = journey.read_panel(services, ward, accepted.panel_id)
    assert record.panel == panel
    assert record.identity == odd.identity


def test_a_list_by_collection_has_full_pages_in_that_order(services, ward, clock):
    taken = {}
    for hours, number in ((3, 0), (1, 1), (None, 2), (2, 3), (1, 4)):
        clock.move(1)
        received = a_panel(identifier=f"MRN-{number}")
        moment = clock() - timedelta(hours=hours) if hours else None
        said = replace(received.submission, received_at=clock(), collected_at=moment)
        panel_id = journey.take(services, ward, replace(received, submission=said)).panel_id
        if moment:
            taken[panel_id] = moment
    latest = sorted(taken, key=lambda one: (taken[one], one), reverse=True)

    def listed(**wanted):
        cursor, found = None, []
        while True:
            page = journey.list_panels(services, ward, cursor=cursor, limit=2, **wanted)
            found += ids(page)
            cursor = page.next_cursor
            if cursor is None:
                return found
            assert len(page.items) == 2

    assert listed(collected_to=clock()) == latest
    after = taken[latest[-1]] + timedelta(seconds=1)
    assert listed(collected_from=after) == latest[:-1]
    assert listed(collected_from=after, collected_to=after) == []
    some = frozenset(latest[1:3])
    assert listed(ids=some, collected_to=clock()) == latest[1:3]
    assert set(listed(ids=some)) == some
    assert listed(ids=frozenset()) == []
