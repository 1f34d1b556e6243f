"""A stored panel put back into the form gives the same panel when the form is read again."""

from datetime import datetime
from types import SimpleNamespace

import pytest

from labinterp.web.fields import common_members
from labinterp.web.prefill import form_of, restored

PANEL = {
    "patient": {
        "identifier": {"value": "MRN-1", "system": "urn:example:mrn"},
        "family": "Example",
        "given": "Anna",
        "birth_date": "1972-02-03",
        "sex": "female",
        "pregnancy": {"status": "pregnant", "gestation_weeks": 20},
    },
    "laboratory": {"name": "Example Pathology"},
    "specimen": {"type": "serum", "haemolysis_index": "12", "site": "drip-arm"},
    "symptoms": ["facial-twitch"],
    "medications": ["omeprazole", "furosemide"],
}


def filled_again(panel):
    record = SimpleNamespace(id="p1", panel=panel, interpretation=SimpleNamespace(results=()))
    return form_of(record)


def test_everything_the_form_can_hold_comes_back():
    members, errors = common_members(filled_again(PANEL))
    assert errors == ()
    assert members == PANEL


@pytest.mark.parametrize(
    "moment",
    [
        "2026-01-02T08:00:00Z",
        "2026-07-02T08:00:00+01:00",
        "2026-01-02T23:30:00-05:00",
        "2026-01-02T02:15:00+05:30",
        "2026-01-02T02:15:00-03:30",
    ],
)
def test_the_sample_was_taken_at_the_same_moment(moment):
    members, _ = common_members(filled_again({"collected_at": moment}))
    assert datetime.fromisoformat(members["collected_at"]) == datetime.fromisoformat(moment)


def test_an_age_comes_back_where_no_birth_date_was_sent():
    panel = {"patient": {"age": {"value": "3", "unit": "days"}}}
    assert common_members(filled_again(panel))[0] == panel


@pytest.mark.parametrize(
    ("result", "line"),
    [
        (
            {
                "test": "Potassium",
                "value": "2.40",
                "unit": "mmol/L",
                "reference_interval": {"low": "3.5", "high": "5.3"},
                "flag": "L",
            },
            "Potassium 2.40 mmol/L (3.5-5.3) L",
        ),
        (
            {
                "test": "B12",
                "value": {"comparator": "<", "value": "50"},
                "unit": "pg/mL",
                "reference_interval": "> 180",
            },
            "B12 <50 pg/mL (> 180)",
        ),
        ({"as_received": "K 2.4 !", "test": "K", "value": "2.4"}, "K 2.4 !"),
    ],
)
def test_a_result_comes_back_as_a_line_that_can_be_read(result, line):
    assert filled_again({"results": [result]})["text"] == [line]


def test_what_the_form_does_not_show_stays_as_the_version_before_had_it():
    coded = {
        "code": {"system": "http://loinc.org", "code": "2823-3"},
        "test": "K",
        "value": "2.4",
        "unit": "mmol/L",
        "note": "phoned",
    }
    before = PANEL | {
        "results": [coded, {"test": "Na", "value": "139", "unit": "mmol/L"}],
        "symptoms": [{"id": "facial-twitch", "side": "left"}],
        "laboratory": {"name": "Old name", "address": "1 Road"},
        "schemes": {"vitamin_d_25oh": "ros-2018"},
        "deliver": {"email": ["a@example.org"]},
    }  # fmt: skip
    record = SimpleNamespace(id="p1", panel=before, interpretation=SimpleNamespace(results=()))
    new = {"test": "Na", "value": "129", "unit": "mmol/L", "as_received": "Na 129 mmol/L"}
    typed = PANEL | {
        "symptoms": ["facial-twitch", "tetany"],
        "results": [{"test": "K", "as_received": "K 2.4 mmol/L"}, new],
    }
    whole = restored(typed, record)
    assert whole["results"] == [coded, new]
    assert whole["symptoms"] == [{"id": "facial-twitch", "side": "left"}, "tetany"]
    assert whole["laboratory"] == {"name": "Example Pathology", "address": "1 Road"}
    assert whole["schemes"] == {"vitamin_d_25oh": "ros-2018"}
    assert "deliver" not in whole
