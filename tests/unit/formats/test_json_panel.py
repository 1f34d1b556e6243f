"""The contract's panel: shape checked at once, then split into what is interpreted and who it is."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from labinterp.errors import SubmissionError, TooLarge
from labinterp.formats import read
from labinterp.formats.json_panel import parse, received_of
from labinterp.formats.limits import Limits
from labinterp.model.submission import ReportedInterval

NOW = datetime(2026, 1, 10, 12, tzinfo=UTC)
POTASSIUM = {"test": "Potassium", "value": "2.40", "unit": "mmol/L"}


def a_panel(**members):
    return {"results": [POTASSIUM], **members}


def faults_of(panel):
    with pytest.raises(SubmissionError) as refused:
        received_of(panel, NOW)
    return {place.where: place for place in refused.value.errors}


@pytest.mark.parametrize(
    ("sent", "comparator", "value"),
    [
        ("2.40", None, "2.40"),
        (b"2.40", None, "2.40"),
        (b"240", None, "240"),
        (b"1e400", None, "1e400"),
        ("<0.5", None, "<0.5"),
        ("≤ 3", None, "≤ 3"),
        ({"comparator": "<", "value": "0.5"}, "<", "0.5"),
        ({"value": 5}, None, "5"),
        ("haemolysed", None, "haemolysed"),
        ("NaN", None, "NaN"),
        ("-1", None, "-1"),
        ("  ", None, None),
        (None, None, None),
    ],
)
def test_a_value_reaches_the_submission_as_it_was_sent(sent, comparator, value):
    if isinstance(sent, bytes):
        panel = parse(b'{"results": [{"test": "K", "value": ' + sent + b"}]}")
    else:
        panel = {"results": [{"test": "K", "value": sent}]}
    result = received_of(panel, NOW).submission.results[0]
    assert (result.comparator, result.value) == (comparator, value)


def test_a_panel_that_was_stored_is_read_again_to_the_same_submission():
    body = b"""{"patient": {"birth_date": "1980-02-03", "age": null},
        "specimen": {"haemolysis_index": 12.50, "separation_delay_hours": "2.5"},
        "results": [{"test": "K", "value": 2.40, "reference_interval": {"low": 3.50}}],
        "symptoms": [{"id": "facial-twitch", "duration_days": 30}]}"""
    first = received_of(parse(body), NOW)
    assert received_of(first.panel, NOW) == first


def test_the_name_and_the_number_stand_in_the_identity_only():
    patient = {
        "identifier": {"value": "MRN-1", "system": "urn:x"},
        "family": "Doe",
        "given": "Jane",
        "birth_date": "1980-02-03",
        "sex": "female",
    }
    received = received_of(a_panel(patient=patient), NOW)
    assert (received.identity.identifier, received.identity.issuer) == ("MRN-1", "urn:x")
    assert (received.identity.family, received.identity.given) == ("Doe", "Jane")
    assert "Doe" not in str(received.submission)
    assert "MRN-1" not in str(received.submission)
    assert "1980" not in str(received.submission)


def test_every_fault_is_named_at_once_with_what_would_be_right():
    faults = faults_of(
        {
            "patient": {"agee": 5, "sex": "femal", "birth_date": "3.2.1980"},
            "specimen": [],
            "results": [{"value": True, "unti": "x"}, 7],
            "symptoms": [5, {"onst": 1}],
            "schemes": {"vitamin_b12": 7},
            "deliver": {"email": ["a@b@c"], "ass": 1},
            "collected_at": "2026-01-02 08:00",
            "statuss": "final",
        }
    )
    assert {where: place.code for where, place in faults.items()} == {
        "patient.agee": "unknown-member",
        "patient.sex": "not-allowed",
        "patient.birth_date": "bad-date",
        "specimen": "wrong-type",
        "results[0].value": "wrong-type",
        "results[0].unti": "unknown-member",
        "results[1]": "wrong-type",
        "symptoms[0]": "wrong-type",
        "symptoms[1].onst": "unknown-member",
        "schemes.vitamin_b12": "wrong-type",
        "deliver.email[0]": "bad-email",
        "deliver.ass": "unknown-member",
        "collected_at": "bad-time",
        "statuss": "unknown-member",
    }
    assert faults["patient.agee"].message == "unknown member; did you mean age?"
    assert "did you mean female?" in faults["patient.sex"].message
    assert "1980-02-03" in faults["patient.birth_date"].message
    assert "offset" in faults["collected_at"].message


@pytest.mark.parametrize(
    ("members", "where", "code"),
    [
        ({"results": []}, "results", "empty"),
        ({"results": None}, "results", "missing-member"),
        ({"results": {}}, "results", "wrong-type"),
        ({"results": "x"}, "results", "wrong-type"),
        ({"patient": {"age": {"value": 54}}}, "patient.age.unit", "missing-member"),
        ({"patient": {"age": {"value": "old", "unit": "years"}}}, "patient.age.value", "bad-number"),
        ({"patient": {"age": {"value": "-1", "unit": "years"}}}, "patient.age.value", "out-of-range"),
        ({"patient": {"age": {"value": "1e3", "unit": "years"}}}, "patient.age.value", "bad-number"),
        ({"patient": {"birth_date": "1980-02-30"}}, "patient.birth_date", "bad-date"),
        ({"patient": {"birth_date": "0001-01-01"}}, "patient.birth_date", "out-of-range"),
        (
            {"patient": {"pregnancy": {"status": "pregnant", "gestation_weeks": 60}}},
            "patient.pregnancy.gestation_weeks",
            "out-of-range",
        ),
        ({"patient": {"family": "a\nb"}}, "patient.family", "control-character"),
        ({"patient": {"family": "\ud800"}}, "patient.family", "control-character"),
        ({"patient": {"family": "\u202eevil"}}, "patient.family", "control-character"),
        ({"patient": {"family": "x" * 201}}, "patient.family", "too-long"),
        ({"deliver": {"email": ["a@example.org\nbcc: x@example.org"]}}, "deliver.email[0]", "control-character"),
        ({"deliver": {"email": ["a@example.org"] * 21}}, "deliver.email", "too-many"),
        ({"deliver": {"email": "a@example.org"}}, "deliver.email", "wrong-type"),
        ({"range_policy": "mine"}, "range_policy", "not-allowed"),
        ({"specimen": {"haemolysis": "1+"}}, "specimen.haemolysis", "not-allowed"),
        ({"specimen": {"haemolysis_index": "<10"}}, "specimen.haemolysis_index", "bad-number"),
        ({"results": [{"value": 2.4}]}, "results[0].value", "wrong-type"),
        ({"results": [{"value": "1" * 201}]}, "results[0].value", "too-long"),
        ({"results": [{"value": {"comparator": "~", "value": "1"}}]}, "results[0].value.comparator", "not-allowed"),
        ({"results": [{"value": {"comparator": "<"}}]}, "results[0].value.value", "missing-member"),
        ({"results": [{"reference_interval": 5}]}, "results[0].reference_interval", "wrong-type"),
        ({"results": [{"reference_interval": {"min": 5}}]}, "results[0].reference_interval.min", "unknown-member"),
        ({"results": [{"code": {"code": "2823-3"}}]}, "results[0].code.system", "missing-member"),
        ({"previous": [{"collected_at": "2026-01-01T00:00:00Z"}]}, "previous[0].results", "missing-member"),
        ({"collected_at": "2026-01-01T25:00:00Z"}, "collected_at", "bad-time"),
        ({"collected_at": "2026-01-01T08:00:00+99:99"}, "collected_at", "bad-time"),
        ({"collected_at": 5}, "collected_at", "wrong-type"),
    ],
)  # fmt: skip
def test_a_member_of_the_wrong_form_is_refused_by_name(members, where, code):
    faults = faults_of(a_panel(**members))
    assert list(faults) == [where]
    assert faults[where].code == code


@pytest.mark.parametrize("body", [b"[]", b'"x"', b"1", b"null"])
def test_a_body_that_is_no_object_is_no_panel(body):
    with pytest.raises(SubmissionError, match="a panel is a JSON object"):
        parse(body)


def test_more_results_than_the_limit_are_too_large():
    with pytest.raises(TooLarge, match="has 3 results; at most 2"):
        received_of({"results": [POTASSIUM] * 3}, NOW, limits=Limits(results=2))


def test_at_most_so_many_faults_are_listed_and_the_rest_is_counted():
    with pytest.raises(SubmissionError) as refused:
        received_of(
            a_panel(**{f"wrong{number}": 1 for number in range(30)}), NOW, limits=Limits(errors=5)
        )
    assert len(refused.value.errors) == 6
    assert refused.value.errors[-1].message == "25 more are not listed."


@pytest.mark.parametrize(
    ("members", "where", "code"),
    [
        ({"collected_at": "2026-01-10T14:00:00Z"}, "collected_at", "date-in-future"),
        ({"patient": {"birth_date": "2027-01-01"}}, "patient.birth_date", "date-in-future"),
        (
            {"patient": {"birth_date": "2026-01-05"}, "collected_at": "2026-01-02T08:00:00Z"},
            "patient.birth_date",
            "birth-after-collection",
        ),
        ({"patient": {"birth_date": "1860-01-01"}}, "patient.birth_date", "age-implausible"),
        ({"patient": {"age": {"value": 1000, "unit": "years"}}}, "patient.age", "age-implausible"),
        (
            {"previous": [{"collected_at": "2027-01-01T08:00:00Z", "results": [POTASSIUM]}]},
            "previous[0].collected_at",
            "date-in-future",
        ),
    ],
)
def test_a_time_that_cannot_be_is_a_problem_and_counts_as_unknown(members, where, code):
    submission = received_of(a_panel(**members), NOW).submission
    assert [(place, found) for place, found, _ in submission.problems] == [(where, code)]
    assert submission.age_days is None
    if where == "collected_at":
        assert submission.collected_at is None


def test_a_clock_a_little_ahead_of_ours_is_no_future():
    submission = received_of(a_panel(collected_at="2026-01-10T12:30:00Z"), NOW).submission
    assert submission.problems == ()
    assert submission.collected_at == datetime(2026, 1, 10, 12, 30, tzinfo=UTC)


def test_the_birth_date_counts_before_the_age():
    patient = {"birth_date": "1980-02-03", "age": {"value": 3, "unit": "days"}}
    submission = received_of(a_panel(patient=patient), NOW).submission
    assert (submission.age_text, submission.age_basis) == ("45 years", "birth_date_and_received")


def test_the_age_is_that_of_the_day_of_collection():
    members = {"patient": {"birth_date": "2008-01-10"}, "collected_at": "2026-01-09T08:00:00Z"}
    submission = received_of(a_panel(**members), NOW).submission
    assert (submission.age_text, submission.age_basis) == ("17 years", "birth_date")


def test_the_specimen_takes_words_whatever_their_case_and_hyphens():
    specimen = {"site": "Drip_Arm", "type": "EDTA plasma", "separation_delay_hours": "unknown"}
    submission = received_of(a_panel(specimen=specimen), NOW).submission
    assert submission.specimen_fields == {"site": "drip-arm", "type": "edta-plasma"}


def test_a_material_that_is_a_kind_of_specimen_names_the_kind():
    submission = received_of(
        a_panel(specimen={"material": "Lithium heparin plasma"}), NOW
    ).submission
    assert submission.specimen_material == "Lithium heparin plasma"
    assert submission.specimen_fields == {"type": "lithium-heparin-plasma"}


def test_an_interval_is_two_ends_or_a_text():
    panel = parse(
        b'{"results": [{"test": "K", "reference_interval": {"low": 3.50, "high": "5.3"}},'
        b' {"test": "K", "reference_interval": "3.5-5.3"}]}'
    )
    first, second = received_of(panel, NOW).submission.results
    assert first.interval == ReportedInterval(low="3.50", high="5.3")
    assert second.interval == ReportedInterval(text="3.5-5.3")


def test_symptoms_come_by_text_by_id_and_by_code():
    code = {"system": "http://human-phenotype-ontology.org", "code": "HP:1", "display": "Tetany"}
    sent = ["Eyelid-Twitching", {"id": "facial-twitch", "side": "left"}, {"code": code}]
    found = received_of(a_panel(symptoms=sent), NOW).submission.symptoms
    assert [(term.where, term.text, term.side) for term in found] == [
        ("symptoms[0]", "Eyelid-Twitching", None),
        ("symptoms[1]", "facial-twitch", "left"),
        ("symptoms[2]", "Tetany", None),
    ]
    assert found[2].code.code == "HP:1"


def test_an_address_given_twice_is_told_once():
    deliver = {"email": ["a@example.org", "A@EXAMPLE.org", "b@example.org"], "as": "attachment"}
    recipients = received_of(a_panel(deliver=deliver), NOW).recipients
    assert recipients.as_attachment
    assert recipients.email == ("a@example.org", "b@example.org")


def test_choices_and_earlier_results_are_kept():
    received = received_of(
        a_panel(
            range_set="uk-conventional",
            schemes={"vitamin_d_25oh": "iom-2011"},
            previous=[{"collected_at": "2025-12-01T08:00:00+01:00", "results": [POTASSIUM]}],
        ),
        NOW,
    )
    assert received.submission.choices.schemes == {"vitamin_d_25oh": "iom-2011"}
    earlier = received.submission.previous[0]
    assert earlier.results[0].where == "previous[0].results[0]"
    assert earlier.collected_at.utcoffset().total_seconds() == 3600


def test_numbers_of_the_specimen_are_exact():
    panel = parse(b'{"results": [{"test": "K"}], "specimen": {"haemolysis_index": 12.50}}')
    assert str(received_of(panel, NOW).submission.haemolysis_index) == str(Decimal("12.50"))


@pytest.mark.parametrize(
    ("own", "expected"),
    [
        (["row 2", "row 3"], ["row 2", "row 3"]),
        (["row 2", "row 2"], ["results[0]", "results[1]"]),
        (["results[1]", None], ["results[0]", "results[1]"]),
    ],
)
def test_the_senders_own_places_stand_where_they_tell_results_apart(own, expected):
    results = [{**POTASSIUM, "where": where} for where in own]
    submission = received_of({"results": results}, NOW).submission
    assert [one.where for one in submission.results] == expected


def test_a_body_is_read_whole_through_the_registry():
    reading = read("json", b'{"results": [{"test": "K", "value": 4, "unit": "mmol/L"}]}', NOW)
    assert reading.refused == ()
    assert reading.received[0].submission.format == "json"
