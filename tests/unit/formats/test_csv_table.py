"""Tables: rows put together by patient and time, a bad row loses only itself, nothing is mixed."""

from datetime import UTC, datetime

import pytest

from labinterp.errors import SubmissionError, TooLarge, UnsupportedFormat
from labinterp.formats import Limits, read
from labinterp.formats.csv_table import looks_like_table

NOW = datetime(2026, 1, 10, 12, tzinfo=UTC)


def a_reading(text, limits=None):
    body = text if isinstance(text, bytes) else text.encode()
    return read("csv", body, NOW, limits or Limits())


def results_of(received):
    return [(one.name, one.value, one.unit) for one in received.submission.results]


def codes_of(received):
    return {code for _, code, _ in received.submission.problems}


def test_rows_of_one_patient_and_time_are_one_panel():
    reading = a_reading(
        "MRN,DOB,Sex,Collected,Test,Result,Units,Ref range,Flag\n"
        "A1,1980-02-03,F,2026-01-02T08:00:00Z,Potassium,2.4,mmol/L,3.5-5.3,L\n"
        "B2,1975-02-03,M,2026-01-02T08:00:00Z,Potassium,4.4,mmol/L,3.5-5.3,\n"
        "A1,1980-02-03,F,2026-01-02T08:00:00Z,Sodium,138,mmol/L,133-146,\n"
        "A1,1980-02-03,F,2026-01-03T08:00:00Z,Potassium,3.1,mmol/L,3.5-5.3,L\n"
    )
    assert [(one.where, one.identity.identifier) for one in reading.received] == [
        ("rows 2-4", "A1"),
        ("row 3", "B2"),
        ("row 5", "A1"),
    ]
    first = reading.received[0].submission
    assert results_of(reading.received[0]) == [
        ("Potassium", "2.4", "mmol/L"),
        ("Sodium", "138", "mmol/L"),
    ]
    assert [one.where for one in first.results] == ["row 2", "row 4"]
    assert (first.sex, first.age_text, first.format) == ("female", "45 years", "csv")
    assert first.results[0].interval.text == "3.5-5.3"
    assert reading.refused == ()


def test_one_panel_a_row_with_units_in_the_header():
    reading = a_reading(
        "Patienten-ID;Geburtsdatum;Geschlecht;Entnahmedatum;Kalium (mmol/l);25-OH Vitamin D [ng/mL];Station\n"
        "77;3.2.1980;w;02.01.2026 08:15;2,4;<4;Nord\n"
        "78;4.2.1981;m;02.01.2026 08:15;;18;\n"
    )
    first, second = reading.received
    assert results_of(first) == [("Kalium", "2,4", "mmol/l"), ("25-OH Vitamin D", "<4", "ng/mL")]
    assert results_of(second) == [("25-OH Vitamin D", "18", "ng/mL")]
    assert first.submission.results[1].where == "row 2, column 6 (25-OH Vitamin D)"
    assert codes_of(first) == {"time-zone-assumed", "column-not-used"}


def test_a_unit_may_stand_in_a_column_beside_its_test():
    reading = a_reading("ID,Date,Potassium,Potassium unit,Sodium\nA1,2026-01-02,2.4,mmol/L,138\n")
    assert results_of(reading.received[0]) == [
        ("Potassium", "2.4", "mmol/L"),
        ("Sodium", "138", None),
    ]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_seen_from_the_header(delimiter):
    rows = [["test", "value", "unit"], ["Potassium", "2.4", "mmol/L"]]
    reading = a_reading("\n".join(delimiter.join(row) for row in rows))
    assert results_of(reading.received[0]) == [("Potassium", "2.4", "mmol/L")]


def test_a_spreadsheets_separator_line_is_no_row():
    reading = a_reading("sep=;\ntest;value;unit\nKalium;2,4;mmol/l\n")
    assert results_of(reading.received[0]) == [("Kalium", "2,4", "mmol/l")]
    assert reading.refused == ()


@pytest.mark.parametrize(
    ("encoding", "code"),
    [("utf-8", None), ("utf-8-sig", None), ("utf-16", None), ("utf-16-le", "charset-guessed"), ("cp1252", "charset-guessed")],
)  # fmt: skip
def test_the_charset_is_certain_or_said_to_be_guessed(encoding, code):
    reading = a_reading("test,value,unit,note\nKreatinin,2,µmol/L,früh\n".encode(encoding))
    assert results_of(reading.received[0]) == [("Kreatinin", "2", "µmol/L")]
    assert codes_of(reading.received[0]) == ({code} if code else set())


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("A1,Potassium,2,4,mmol/L", "decimal comma"),
        (",Potassium,2.4,mmol/L", "names no patient"),
        ('A1,"Potassium,2.4,mmol/L', "not closed"),
        ('A1,"Pot"assium,2.4,mmol/L', "misplaced quotation mark"),
        ("A1,Potas\x07sium,2.4,mmol/L", "control character U+0007"),
        ("A1,,,", "holds no value"),
        ("A1," + "x" * 3000 + ",2.4,mmol/L", "3000 characters in cell 2"),
        ("A1," + "x" * 300 + ",2.4,mmol/L", "test: has 300 characters"),
        ("A1,Potassium,2.4," + "u" * 70, "unit: has 70 characters"),
    ],
)
def test_a_row_that_cannot_be_read_loses_only_itself(row, message):
    reading = a_reading(
        f"MRN,Test,Value,Unit\nA1,Sodium,138,mmol/L\n{row}\nA1,Chloride,99,mmol/L\n"
    )
    assert [one[0] for one in results_of(reading.received[0])] == ["Sodium", "Chloride"]
    assert [place.where for place in reading.refused] == ["row 3"]
    assert message in reading.refused[0].message


def test_a_quotation_mark_left_open_does_not_swallow_the_rows_below():
    reading = a_reading(
        'test,value,unit,note\nPotassium,2.4,mmol/L,"ok\nstill"\n"Sodium,138,mmol/L,\n'
        'Chloride,99,mmol/L,x\nCalcium,"2.1",mmol/L,\n'
    )
    assert [one[0] for one in results_of(reading.received[0])] == [
        "Potassium",
        "Chloride",
        "Calcium",
    ]
    assert reading.received[0].submission.results[0].note == "ok\nstill"
    assert [place.where for place in reading.refused] == ["row 4"]


@pytest.mark.parametrize(
    ("column", "one", "other"),
    [("dob", "1980-02-03", "1981-02-03"), ("sex", "F", "M"), ("family name", "Doe", "Roe")],
)
@pytest.mark.hazard("wrong-patient")
def test_two_patients_under_one_number_are_refused_together(column, one, other):
    reading = a_reading(
        f"mrn,{column},collected,test,value,unit\n"
        f"A1,{one},2026-01-02T08:00:00Z,Potassium,2.4,mmol/L\n"
        f"B2,{one},2026-01-02T08:00:00Z,Potassium,4.4,mmol/L\n"
        f"A1,{other},2026-01-03T08:00:00Z,Potassium,7.4,mmol/L\n"
    )
    assert [received.identity.identifier for received in reading.received] == ["B2"]
    assert {place.code for place in reading.refused} == {"identity-conflict"}
    assert [place.where for place in reading.refused] == ["row 2", "row 4"]


def test_without_a_column_of_numbers_the_file_is_one_patient():
    reading = a_reading("test,value,unit\nPotassium,2.4,mmol/L\nSodium,138,mmol/L\n")
    assert [one.where for one in reading.received] == ["rows 2-3"]


@pytest.mark.hazard("wrong-patient")
def test_several_names_without_a_number_are_not_merged_by_name():
    with pytest.raises(SubmissionError) as refused:
        a_reading("name,test,value,unit\nDoe,Potassium,2.4,mmol/L\nRoe,Sodium,138,mmol/L\n")
    assert {place.code for place in refused.value.errors} == {"identity-conflict"}


@pytest.mark.parametrize(
    ("column", "cell", "code"),
    [
        ("dob", "03/02/1980", "date-ambiguous"),
        ("dob", "soon", "bad-date"),
        ("sex", "?", "not-allowed"),
        ("age", "old", "bad-number"),
        ("collected", "then", "bad-date"),
        ("haemolysis index", "++", "bad-number"),
    ],
)
def test_a_statement_that_cannot_be_read_costs_only_itself(column, cell, code):
    reading = a_reading(f"mrn,{column},test,value,unit\nA1,{cell},Potassium,2.4,mmol/L\n")
    assert results_of(reading.received[0]) == [("Potassium", "2.4", "mmol/L")]
    assert codes_of(reading.received[0]) == {code}


@pytest.mark.hazard("old-results")
def test_a_column_of_dates_proves_the_order_of_its_day_and_month():
    reading = a_reading(
        "mrn,dob,test,value,unit\nA1,03/02/1980,K,4,mmol/L\nB2,23/02/1980,K,4,mmol/L\n"
    )
    assert [str(one.identity.birth_date) for one in reading.received] == [
        "1980-02-03",
        "1980-02-23",
    ]


def test_loinc_comparator_limits_and_lists_have_their_columns():
    received = a_reading(
        "mrn,loinc,comparator,value,unit,low,high,symptoms,medications\n"
        "A1,2823-3,<,2.4,mmol/L,3.5,5.3,facial-twitch; tetany,omeprazole|furosemide\n"
    ).received[0]
    result = received.submission.results[0]
    assert (result.codes[0].code, result.comparator, result.value) == ("2823-3", "<", "2.4")
    assert (result.interval.low, result.interval.high) == ("3.5", "5.3")
    assert [term.text for term in received.submission.symptoms] == ["facial-twitch", "tetany"]
    assert [term.text for term in received.submission.medications] == ["omeprazole", "furosemide"]


def test_a_material_that_differs_from_row_to_row_stands_with_its_results():
    received = a_reading(
        "mrn,specimen,test,value,unit\nA1,serum,Sodium,138,mmol/L\nA1,urine,Sodium,20,mmol/L\n"
    ).received[0]
    assert received.submission.specimen_material is None
    assert [one.specimen["material"] for one in received.submission.results] == ["serum", "urine"]


def test_rows_of_one_panel_that_state_different_things_say_so():
    received = a_reading(
        "mrn,laboratory,symptoms,test,value,unit\nA1,North,tetany,K,4,mmol/L\nA1,South,cramp,Na,138,mmol/L\n"
    ).received[0]
    assert received.submission.laboratory == "North"
    assert [term.text for term in received.submission.symptoms] == ["tetany", "cramp"]
    assert [problem[:2] for problem in received.submission.problems] == [("row 3", "row-differs")]


def test_titles_above_the_header_are_named():
    reading = a_reading("Laboratory report\n\ntest,value,unit\nPotassium,2.4,mmol/L\n")
    assert [(place.where, place.code) for place in reading.refused] == [("row 1", "row-not-used")]


@pytest.mark.parametrize("text", ["", "\n\n", "a,b\n1,2\n", "test,unit\nK,mmol/L\n", "value\n4\n"])
def test_a_table_whose_columns_are_not_named_is_refused(text):
    with pytest.raises(SubmissionError, match="no row names the columns"):
        a_reading(text)


def test_a_header_without_rows_is_refused():
    with pytest.raises(SubmissionError, match="has no rows"):
        a_reading("test,value,unit\n")


@pytest.mark.parametrize("body", [b"%PDF-1.7", b"PK\x03\x04", b"\x89PNG\r\n"])
def test_what_is_no_text_is_refused_by_what_it_is(body):
    with pytest.raises(UnsupportedFormat):
        a_reading(body)


@pytest.mark.parametrize("limits", [Limits(rows=3), Limits(panels=2)])
def test_more_rows_or_panels_than_the_limits_are_too_large(limits):
    rows = "".join(f"A{number},K,4,mmol/L\n" for number in range(3))
    with pytest.raises(TooLarge):
        a_reading(f"mrn,test,value,unit\n{rows}", limits)


def test_more_results_than_a_panel_may_have_refuse_that_panel_only():
    rows = "".join(f"A1,K,{number},mmol/L\n" for number in range(4)) + "B2,K,4,mmol/L\n"
    reading = a_reading(f"mrn,test,value,unit\n{rows}", Limits(results=3))
    assert [one.identity.identifier for one in reading.received] == ["B2"]
    assert [place.where for place in reading.refused] == ["rows 2-5"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("test,value,unit\nK,4,mmol/L", True),
        ("Test\tResult\nK\t4", True),
        ("id,Potassium (mmol/L)\nA,4", True),
        ("Potassium 2.4 mmol/L (3.5-5.3) L", False),
        ("Potassium\t2.4\tmmol/L", False),
        ("Name: Doe, Jane\nPotassium 2.4", False),
        ("", False),
    ],
)
def test_a_table_is_told_from_a_pasted_text_by_its_header(text, expected):
    assert looks_like_table(text.encode()) is expected


@pytest.mark.parametrize(
    ("heading", "first", "second", "message"),
    [
        ("numeric result", "<0.3", "0.3", "another value in column 5 than in column 2"),
        ("result", "", "4.2", "another value in column 5 than in column 2"),
        ("uom", "2.4", "mg/dL", "another unit in column 5 than in column 3"),
    ],
)
def test_of_two_unlike_columns_for_one_member_none_is_chosen(heading, first, second, message):
    reading = a_reading(
        f"test,value,unit,pid,{heading}\n"
        f"Magnesium,{first},mmol/L,A1,{second}\n"
        f"Sodium,140,mmol/L,A1,\n"
    )
    (received,) = reading.received
    assert results_of(received) == [("Sodium", "140", "mmol/L")]
    (refused,) = reading.refused
    assert (refused.where, refused.code) == ("row 2", "row-not-read")
    assert message in refused.message


def test_a_second_column_that_says_the_same_is_named_as_such():
    (received,) = a_reading("test,value,unit,result\nSodium,140,mmol/L,140\n").received
    (problem,) = [one for one in received.submission.problems if one[1] == "column-not-used"]
    assert "means the same as column 2, which was used" in problem[2]
