"""HL7 v2 as senders write it: what is read of each message, and that nothing is lost."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from labinterp import formats
from labinterp.errors import Place, SubmissionError
from labinterp.formats import hl7v2
from labinterp.formats.hl7v2_ack import Remark, acknowledgements
from labinterp.formats.hl7v2_text import envelope_of, escaped
from labinterp.formats.limits import Context
from labinterp.formats.sender_settings import settings_of
from labinterp.interpretation import interpret
from tests.build import knowledge

MESSAGES = Path(__file__).parent / "hl7v2"
NOW = datetime(2026, 3, 5, 12, tzinfo=UTC)
HEAD = "MSH|^~\\&|LIS|LAB|US|HERE|20260304113200+0100||ORU^R01|1|P|2.5.1\r"
PID = "PID|1||N-1^^^LAB^MR||Doe^Jane||19790614|F\r"
OBR = "OBR|1||A-1|CHEM|||20260304081000+0100||||||||||||||||||F\r"


def example(name):
    (path,) = MESSAGES.glob(f"{name}-*")
    return path.read_bytes()


def read(body, settings=None):
    if settings is None:
        return formats.read("hl7v2", body, NOW)
    (message,) = envelope_of(body).messages
    return hl7v2.read_message(message, Context(NOW), settings_of(settings))


def submission(body, settings=None):
    (received,) = read(body, settings).received
    return received.submission


def values(sent):
    return {one.where: (one.value, one.unit) for one in sent.results}


def codes(sent):
    return {(where, code) for where, code, _ in sent.problems}


def message(*segments, head=HEAD, pid=PID, obr=OBR):
    return (head + pid + obr + "".join(f"{one}\r" for one in segments)).encode()


def only(value="4.1", kind="NM", **fields):
    parts = ["OBX", "1", kind, "2823-3^Potassium^LN", "", value, "mmol/L", "3.5-5.1"]
    parts += ["", "", "", fields.get("status", "F")]
    (result,) = submission(message("|".join(parts))).results
    return result


def test_a_panel_is_read_with_its_patient_specimen_and_notes():
    (received,) = read(example("01")).received
    sent = received.submission
    assert (received.identity.identifier, received.identity.issuer) == (
        "SYN-000417",
        "urn:oid:2.999.1.1",
    )
    assert (received.identity.family, received.identity.given) == ("Halvorsen-Ito", "Maren")
    assert (sent.sex, sent.age_text, sent.specimen_material) == ("female", "46 years", "serum")
    assert sent.specimen_fields["haemolysis"] == "moderate"
    assert received.identity.requester == "Ada Okonjo"
    assert values(sent)["OBX[6]"] == ("<150", "pg/mL")
    assert sent.results[3].note == (
        "Specimen slightly haemolysed & potassium may be falsely high.\nRepeat before acting."
    )
    assert sent.results[4].status == "preliminary"
    assert sent.results[6].not_measured.endswith("Insufficient volume")
    assert sent.results[0].identifier == "ACC-26-000981^LIS|19123-9|"
    assert [one.code for one in sent.results[0].codes] == ["19123-9", "MG"]


def test_several_orders_of_one_patient_are_one_panel_and_old_identifiers_are_known():
    (received,) = read(example("02")).received
    assert received.identity.identifier == "SYN000418"
    assert len(received.submission.results) == 9
    answer = interpret(received.submission, knowledge())
    low = {one.measurand for one in answer.results if one.standing == "low"}
    assert {"sodium", "potassium", "magnesium", "calcium", "vitamin_b12"} <= low


def test_every_shape_of_a_value_keeps_what_it_says():
    sent = submission(example("03"))
    assert [one.value for one in sent.results] == [
        *(">2000", "<=4", "4.1", "2.31", "30-40", "<100"),
        *("0001.80", "0.74", "haemolysed", "4,3", "9.4 ~ 9.6", "Negative"),
    ]
    assert ("OBX[10]-5", "bad-number") in codes(sent)
    assert ("OBX[11]-5", "value-not-numeric") in codes(sent)


@pytest.mark.parametrize(
    ("name", "status", "value"), [("04a", "preliminary", "6.9"), ("04b", "corrected", "4.4")]
)
def test_the_status_of_a_result_and_its_identity_stay_the_same_through_corrections(
    name, status, value
):
    (result,) = submission(example(name)).results
    assert (result.status, result.value) == (status, value)
    assert result.identifier == "ACC-26-000990^LIS|2823-3|1"


def test_a_result_of_the_wrong_patient_is_withdrawn():
    (result,) = submission(example("04c")).results
    assert (result.status, result.value) == ("entered-in-error", None)


def test_a_declared_latin_charset_is_read_and_every_letter_kept():
    (received,) = read(example("05")).received
    assert received.identity.family == "Lefèvre-Müller"
    assert values(received.submission) == {
        "OBX[1]": ("0,61", "mmol/L"),
        "OBX[2]": ("118", "µg/L"),
    }
    assert received.submission.results[0].interval.text == "0,70-1,00"


def test_delimiters_come_from_the_message():
    sent = submission(example("06"))
    assert values(sent) == {"OBX[1]": ("3.1", "mmol/L")}
    assert sent.results[0].note == "Tube #3 of 3; diluted 1*2"
    assert values(submission(example("07"))) == {"OBX[1]": ("2.71", "mmol/L")}


def test_a_batch_is_a_panel_for_each_message():
    reading = read(example("08"))
    assert [one.identity.identifier for one in reading.received] == ["SYN-000417", "SYN-000418"]
    assert envelope_of(example("08").replace(b"BTS|2", b"BTS|3")).problems[0][1] == "batch-count"


def test_pregnancy_is_read_from_results_and_from_words_that_leave_no_doubt():
    sent = submission(example("09"))
    assert (sent.pregnancy, sent.gestation_weeks, len(sent.results)) == ("pregnant", 22, 1)
    for words, expected in (
        ("22/40", ("pregnant", 22)),
        ("not pregnant", ("unknown", None)),
        ("postpartum 2 weeks", ("unknown", None)),
        ("pregnancy test please", ("unknown", None)),
    ):
        order = f"OBR|1||A|C|||20260304081000+0100||||||{words}\r"
        sent = submission(message("OBX|1|NM|2823-3^K^LN||4.1|mmol/L|||||F", obr=order))
        assert (sent.pregnancy, sent.gestation_weeks) == expected, words


def test_without_a_header_nothing_is_read():
    with pytest.raises(SubmissionError, match="MSH"):
        read(example("10"))


def test_a_word_sent_as_a_number_is_a_fault_at_its_place_and_the_rest_is_read():
    (sent,) = envelope_of(example("11")).messages
    found = hl7v2.read_message(sent, Context(NOW))
    assert [(one.where, one.code) for one in found.faults] == [("OBX[1]-5", "value-not-numeric")]
    assert values(found.received[0].submission)["OBX[2]"] == ("141", "mmol/L")


def test_other_messages_than_results_are_refused():
    (sent,) = envelope_of(example("12")).messages
    assert hl7v2.refusal_of(sent)[0] == "200"


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_line_ends_and_marks_make_no_difference(end, mark):
    body = mark + example("01").replace(b"\r", end)
    assert values(submission(body)) == values(submission(example("01")))


def test_utf_16_is_read_with_its_mark_and_without():
    text = example("05").decode("latin-1")
    for charset in ("utf-16", "utf-16-le", "utf-16-be"):
        (received,) = read(text.encode(charset)).received
        assert received.identity.family == "Lefèvre-Müller"


def test_a_charset_that_lies_is_guessed_and_said():
    body = example("05").replace(b"8859/1", b"ASCII")
    assert ("MSH[1]-18", "charset-guessed") in codes(submission(body))
    agreed = settings_of({"charset": "8859/15"})
    (again,) = envelope_of(body.replace(b"ASCII", b""), agreed.charset).messages
    assert (again.charset, again.problems) == ("iso8859-15", ())


def test_a_broken_line_belongs_to_the_field_before_it():
    body = message("OBX|1|NM|2823-3^K^LN||4.1|mmol/L|||||F", "NTE|1|L|first", "ABC, second line")
    assert submission(body).results[0].note == "first\nABC, second line"


@pytest.mark.parametrize(
    ("sent", "meant"),
    [
        ("a\\F\\b\\S\\c\\T\\d\\R\\e\\E\\f", "a|b^c&d~e\\f"),
        ("x10\\S\\9/L", "x10^9/L"),
        ("one\\.br\\two", "one\ntwo"),
        ("\\H\\loud\\N\\", "loud"),
        ("\\XC3A9\\t\\X0D\\u", "ét\nu"),
        ("open \\ stays", "open \\ stays"),
        ("\\Zloc\\dropped", "dropped"),
        ("\\C2842\\kept", "\\C2842\\kept"),
    ],
)
def test_escapes_are_read_after_the_fields_are_split(sent, meant):
    body = message("OBX|1|NM|2823-3^K^LN||4.1|mmol/L|||||F", f"NTE|1|L|{sent}")
    assert submission(body).results[0].note == meant


@pytest.mark.parametrize(
    ("kind", "sent", "value"),
    [
        ("NM", "<5", "<5"),
        ("NM", "-0.5", "-0.5"),
        ("SN", "^3^+", "3+"),
        ("SN", "^1^:^128", "1:128"),
        ("SN", "<>^5", "<> 5"),
        ("ST", "4.1 mmol/L", "4.1"),
        ("TX", "see comment, was 4.1", "see comment, was 4.1"),
        ("CE", "7^7^L", "7 (coded)"),
        ("NR", "3^5", "3-5"),
        ("QQ", "4.1", "4.1"),
        ("", "4.1", "4.1"),
    ],
)
def test_a_value_is_read_as_its_type_says(kind, sent, value):
    assert only(sent, kind).value == value


@pytest.mark.parametrize("letter", list("XNIDW"))
def test_a_value_beside_a_status_that_says_there_is_none_is_kept_and_not_used(letter):
    result = only("4.1", status=letter)
    assert result.value is None
    assert "4.1" in result.not_measured
    assert "4.1" in result.as_received


def test_a_document_is_kept_aside():
    result = only("LAB^application^pdf^Base64^QUJD", "ED")
    assert result.value is None
    assert "document" in result.not_measured


@pytest.mark.hazard("wrong-patient")
def test_several_patients_are_several_panels_and_none_is_mixed():
    body = message("OBX|1|NM|2823-3^K^LN||4.1|mmol/L|||||F")
    body += b"PID|2||N-2^^^LAB^MR\rOBR|1||A-2\rOBX|1|NM|2823-3^K^LN||3.1|mmol/L|||||F\r"
    body += b"PID|3||N-1^^^LAB^MR\rOBR|1||A-3\rOBX|1|NM|2951-2^Na^LN||140|mmol/L|||||F\r"
    found = [
        (one.identity.identifier, [result.value for result in one.submission.results])
        for one in read(body).received
    ]
    assert found == [("N-1", ["4.1", "140"]), ("N-2", ["3.1"])]


def test_the_medical_record_number_is_chosen_of_several_identifiers():
    pid = "PID|1||77^^^STATE^SS~N-9^^^LAB&2.999.7&ISO^MR||Doe^Jane||19790614|F\r"
    body = message("OBX|1|NM|2823-3^K^LN||4.1|mmol/L|||||F", pid=pid)
    (received,) = read(body).received
    assert (received.identity.identifier, received.identity.issuer) == ("N-9", "urn:oid:2.999.7")


def test_results_without_a_patient_are_taken_unless_it_was_agreed_otherwise():
    body = message("OBX|1|NM|2823-3^K^LN||4.1|mmol/L|||||F", pid="")
    assert ("PID[1]", "patient-missing") in codes(submission(body))
    strict = read(body, {"missing_patient": "refuse"})
    assert strict.received == ()
    assert [one.code for one in strict.faults] == ["patient-missing"]


def test_what_was_agreed_with_a_sender_is_used():
    body = message("OBX|1|NM|XK9^Kalium spez.^L||2.9|MM|3.5-5.1|B|||F", obr="OBR|1||A|||||\r")
    body = body.replace(b"OBR|1||A|||||", b"OBR|1||A||||202603040810|")
    sent = submission(
        body,
        {
            "codes": {"XK9": "potassium"},
            "units": {"MM": "mmol/L"},
            "flags": {"B": "L"},
            "zone": "Europe/Paris",
            "range_policy": "service-only",
        },
    )
    (result,) = interpret(sent, knowledge()).results
    assert (result.measurand, result.standing) == ("potassium", "low")
    assert sent.results[0].flag == "L"
    assert sent.collected_at.isoformat() == "2026-03-04T08:10:00+01:00"
    assert "MM" in sent.results[0].as_received


def test_settings_that_cannot_be_used_are_named():
    for document, where in (({"zone": "Mars"}, "zone"), ({"kodes": {}}, "kodes")):
        with pytest.raises(SubmissionError) as refusal:
            settings_of(document)
        assert refusal.value.errors[0].where == where


def test_the_haemolysis_index_and_the_condition_of_an_old_specimen_are_read():
    sac = "SAC" + "|" * 32 + "120"
    assert (
        submission(message("OBX|1|NM|2823-3^K^LN||4.1|mmol/L|||||F", sac)).haemolysis_index == 120
    )
    order = "OBR|1||A|C|||20260304081000+0100||||||||BLD^grossly haemolysed\r"
    sent = submission(message("OBX|1|NM|2823-3^K^LN||4.1|mmol/L|||||F", obr=order))
    assert sent.specimen_fields["haemolysis"] == "gross"


# ---- the answer


def answers(body, code="AA", remarks=(), **more):
    (sent,) = envelope_of(body).messages
    return [
        one.decode(sent.charset)
        for one in acknowledgements(sent, code, remarks, now=NOW, id_="TL1", **more)
    ]


def test_the_answer_swaps_sender_and_receiver_and_tells_each_fault_at_its_place():
    remark = Remark(Place("OBX[1]-5", "value-not-numeric", "“a^b|c” is no number"))
    (ack,) = answers(example("11"), "AE", (remark,))
    msh, msa, err, _ = ack.split("\r")
    assert msh == (
        "MSH|^~\\&|LABINTERP|INTERP|LIS|NORTHLAB|20260305120000+0000||ACK^R01^ACK|TL1|P|2.5.1"
    )
    assert msa == "MSA|AE|NL-BAD-1"
    assert err.startswith("ERR||OBX^1^5^1^1|102^Data type error^HL70357|E|value-not-numeric^")
    assert err.endswith("a\\S\\b\\F\\c” is no number".encode("ascii", "replace").decode()) or (
        "a\\S\\b\\F\\c" in err
    )


def test_an_old_sender_is_answered_in_the_old_form():
    remark = Remark(Place("OBX[3]-6", "unit-unknown", "unit not known"))
    (ack,) = answers(example("02"), "AE", (remark,))
    msh, msa, _ = ack.split("\r")
    assert "||ACK|TL1|P|2.3" in msh
    assert msa == "MSA|AE|WH000412|OBX 3-6: unit not known"


def test_the_answer_is_in_the_senders_signs():
    (ack,) = answers(example("06"))
    assert ack.startswith("MSH#*!$%#LABINTERP#INTERP#LIS#EASTLAB#")
    assert escaped("a#b*c", envelope_of(example("06")).messages[0].signs) == "a$F$b$S$c"


@pytest.mark.parametrize(
    ("accept", "application", "code", "both", "expected"),
    [
        ("", "", "AE", False, ["AE"]),
        ("AL", "AL", "AA", False, ["AA"]),
        ("AL", "AL", "AA", True, ["CA", "AA"]),
        ("AL", "AL", "AE", True, ["CA", "AE"]),
        ("AL", "NE", "AA", False, ["CA"]),
        ("AL", "NE", "AE", False, ["CE"]),
        ("AL", "", "AR", False, ["CR"]),
        ("NE", "ER", "AA", False, []),
        ("NE", "ER", "AE", False, ["AE"]),
        ("NE", "SU", "AA", False, ["AA"]),
        ("NE", "NE", "AE", False, []),
    ],
)
def test_the_sender_gets_the_answers_it_asked_for(accept, application, code, both, expected):
    body = example("04a").replace(b"|AL|AL|", f"|{accept}|{application}|".encode())
    found = [ack.split("MSA|")[1][:2] for ack in answers(body, code, both=both)]
    assert found == expected
