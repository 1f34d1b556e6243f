"""Symptoms, medicines, conditions and history, however they were written."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from labinterp.interpretation import validate
from labinterp.interpretation.recognise import recognise
from labinterp.model.codes import HPO, SNOMED
from labinterp.model.submission import ReportedCode, ReportedTerm
from tests.build import a_panel, interpreted, knowledge


def ids(member, *written):
    submission = a_panel("potassium 4.1 mmol/L", **{member: written})
    return tuple(getattr(recognise(submission, knowledge()).patient, member))


def symptoms(*written):
    submission = a_panel("potassium 4.1 mmol/L", symptoms=written)
    return tuple(one.id for one in recognise(submission, knowledge()).patient.symptoms)


CODED = [
    (kind, term, code)
    for kind in ("symptom", "medication", "condition", "history")
    for term in knowledge().terms[kind].values()
    for code in getattr(term, "codes", ())
]


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("eyelid-twitch", "eyelid-twitch"),
        ("Eyelid_Twitching", "eyelid-twitch"),
        ("EYELID TWITCHING", "eyelid-twitch"),
        ("eyelid twitches", "eyelid-twitch"),
        ("Facial twitching", "facial-twitch"),
        ("seizures", "seizure"),
        ("cramps", "muscle-cramp"),
    ],
)
def test_a_symptom_is_known_in_the_forms_people_write(written, meant):
    assert symptoms(written) == (meant,)


@pytest.mark.parametrize(
    "written", ["omeprazole", "Omeprazole 20 mg od", "OMEPRAZOLE (Losec)", "omeprazole 20mg"]
)
def test_a_dose_or_a_bracket_behind_a_medicine_is_set_aside(written):
    assert ids("medications", written) == ("proton-pump-inhibitor",)


@pytest.mark.parametrize("duration", [20, 21, 22, 2000])
def test_a_twitch_counts_as_long_only_beyond_the_vocabularys_limit(duration):
    (course,) = [
        one for one in knowledge().terms["symptom"].values() if one.longer_than_days is not None
    ][:1]
    twitch = ReportedTerm("symptoms[0]", "eyelid-twitch", duration_days=duration)
    assert (course.id in symptoms(twitch)) == (duration > course.longer_than_days)


def test_a_tetany_of_any_duration_is_no_long_twitch():
    assert symptoms(ReportedTerm("symptoms[0]", "tetany", duration_days=2000)) == ("tetany",)


@pytest.mark.parametrize(
    ("onset", "kept"),
    [("Sudden", "sudden"), ("gradual", "gradual"), ("yesterday", "unknown"), (None, "unknown")],
)
def test_an_onset_is_sudden_gradual_or_unknown(onset, kept):
    term = ReportedTerm("symptoms[0]", "facial-twitch", onset=onset)
    (found,) = recognise(
        a_panel("potassium 4.1 mmol/L", symptoms=[term]), knowledge()
    ).patient.symptoms
    assert found.onset == kept


@pytest.mark.parametrize(
    ("side", "kept"),
    [("Left", "left"), ("bilateral", "both"), ("up", "unknown"), (None, "unknown")],
)
def test_a_side_is_left_right_both_or_unknown(side, kept):
    term = ReportedTerm("symptoms[0]", "facial-twitch", side=side)
    (found,) = recognise(
        a_panel("potassium 4.1 mmol/L", symptoms=[term]), knowledge()
    ).patient.symptoms
    assert found.side == kept


@pytest.mark.parametrize(("kind", "term", "code"), CODED[:40])
def test_a_term_is_known_by_its_code(kind, term, code):
    member = {"symptom": "symptoms", "medication": "medications", "condition": "conditions"}.get(
        kind, "history"
    )
    written = ReportedTerm(f"{member}[0]", "words nobody knows", ReportedCode(*code))
    found = symptoms(written) if kind == "symptom" else ids(member, written)
    assert term.id in found


def test_a_code_of_another_system_is_not_taken_for_one():
    system = {SNOMED: HPO, HPO: SNOMED}[CODED[0][2][0]]
    written = ReportedTerm(
        "symptoms[0]", "words nobody knows", ReportedCode(system, CODED[0][2][1])
    )
    assert symptoms(written) == ()


def test_an_unknown_term_is_told_with_its_place_and_kept():
    answer = interpreted("potassium 4.1 mmol/L", symptoms=["hiccups on Tuesdays"])
    (problem,) = [one for one in answer.problems if one.code == "term-unknown"]
    assert problem.message == (
        "The symptom 'hiccups on Tuesdays' is not in the vocabulary; it was kept and not used"
    )
    assert problem.where == "symptoms[0]"


def test_a_moment_without_a_zone_counts_as_utc_and_one_with_it_stays():
    naive = datetime(2026, 1, 2, 8)  # noqa: DTZ001  # the point
    there = datetime(2026, 1, 2, 8, tzinfo=timezone(timedelta(hours=5)))
    assert validate.aware(naive) == naive.replace(tzinfo=UTC)
    assert validate.aware(there) is there
