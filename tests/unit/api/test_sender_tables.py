"""What was agreed with a sender holds for its tables, where the import says whose they are."""

from __future__ import annotations

import io

import pytest

from labinterp.usecases import journey

from .conftest import new_caller

SETTINGS = {
    "codes": {"MAG": "magnesium", "Kaliumwert": "potassium"},
    "units": {"MMOLL": "mmol/L"},
    "flags": {"B": "L"},
    "zone": "Europe/Paris",
    "range_policy": "lab-only",
}
LONG = (
    "Patient ID,Birth date,Sex,Collected,Code,Test,Value,Unit,Flag\n"
    "TEST-9,1971-05-01,F,2026-01-02 08:15,MAG,Sera M level,0.52,MMOLL,B\n"
    "TEST-9,1971-05-01,F,2026-01-02 08:15,,Sodium,139,mmol/L,\n"
)
WIDE = "Patient ID,Collected,Kaliumwert (MMOLL)\nTEST-8,2026-01-02 08:15,2.9\n"


@pytest.fixture
def admin(app, services, organisation):
    return new_caller(app, services, organisation, "admin")


@pytest.fixture
def sender(admin):
    asked = {"application": "south-tables", "settings": SETTINGS}
    return admin.post("/api/v1/senders", asked).json


def imported(caller, text, sender=""):
    file = {"file": (io.BytesIO(text.encode()), "south.csv", "text/csv")}
    asked = f"?sender={sender}" if sender else ""
    answer = caller.post(
        f"/api/v1/panels/import{asked}", body=file, content_type="multipart/form-data"
    )
    if answer.status_code != 200:
        return answer
    return [one.get("panel_id") for one in answer.json["outcomes"]]


def read(caller, panel_id):
    record = caller.get(f"/api/v1/panels/{panel_id}").json
    found = {one["measurand"]: one for one in record["interpretation"]["results"]}
    return record["panel"], found


def test_codes_units_flags_and_zone_are_read_as_agreed(caller, sender):
    (panel_id,) = imported(caller, LONG, sender["id"])
    panel, found = read(caller, panel_id)
    assert panel["collected_at"] == "2026-01-02T08:15:00+01:00"
    assert panel["range_policy"] == "lab-only"
    assert found["magnesium"]["value"]["unit"] == "mmol/L"
    assert found["magnesium"]["reported"]["flag"] == "L"
    assert "MAG | Sera M level | 0.52 | MMOLL | B" in panel["results"][0]["as_received"]
    (panel_id,) = imported(caller, WIDE, sender["id"])
    assert read(caller, panel_id)[1]["potassium"]["value"]["number"] == 2.9


def test_without_a_sender_nothing_is_guessed(caller, sender):
    (panel_id,) = imported(caller, LONG)
    panel, found = read(caller, panel_id)
    assert "magnesium" not in found
    assert panel["collected_at"] == "2026-01-02T08:15:00Z"


def test_a_sender_that_is_not_ones_own_is_not_there(caller, neighbour, sender):
    assert imported(neighbour, LONG, sender["id"]).status_code == 404
    assert imported(caller, LONG, "0" * 26).status_code == 404
    refused = caller.post(
        f"/api/v1/bulk?sender={'0' * 26}", body=LONG.encode(), content_type="text/csv"
    )
    assert refused.status_code == 404


def test_a_large_table_is_read_so_in_the_background(caller, sender, services):
    begun = caller.post(
        f"/api/v1/bulk?sender={sender['id']}", body=LONG.encode(), content_type="text/csv"
    )
    assert begun.status_code == 202, begun.json
    while journey.background_due(services, "w", 1):
        pass
    (entry,) = caller.get("/api/v1/panels").json["panels"]
    assert "magnesium" in read(caller, entry["id"])[1]


def test_a_dry_run_reads_a_table_both_ways_and_keeps_nothing(admin, sender):
    asked = {"settings": {**SETTINGS, "codes": {"MAG": "calcium"}}, "table": LONG}
    (effect,) = admin.post(sender["links"]["dry_run"], asked).json["messages"]
    assert (effect["control_id"], effect["changes"]) == ("table", True)
    assert "row 2: magnesium unknown" in effect["before"]
    assert not any("magnesium" in line for line in effect["after"])
    assert admin.get("/api/v1/panels").json["panels"] == []
