"""Pasted text: every line is accounted for, nothing is guessed."""

import time
from datetime import UTC, datetime

import pytest

from labinterp.errors import SubmissionError, TooLarge
from labinterp.formats import Limits, read
from labinterp.formats.pasted import parse
from labinterp.model.spelling import folded_name

NOW = datetime(2026, 1, 10, 12, tzinfo=UTC)
NAMES = {
    folded_name(name): "?"
    for name in (
        "Potassium", "K", "Na", "Sodium", "Mg", "Magnesium", "Calcium", "Ca", "Albumin", "25-OH vitamin D",
        "Vitamin D", "Vitamin B12", "Vitamin B-12", "eGFR", "Intrinsic factor antibody",
    )
}  # fmt: skip


def results_of(text):
    return [
        (one["test"], one["value"], one.get("unit"), one.get("reference_interval"), one.get("flag"))
        for one in (line.result for line in parse(text, NAMES))
        if one
    ]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("Potassium 2.4 mmol/L (3.5-5.3) L", ("Potassium", "2.4", "mmol/L", "3.5-5.3", "L")),
        ("Potassium\t2.4\tmmol/L\t3.5-5.3\tL", ("Potassium", "2.4", "mmol/L", "3.5-5.3", "L")),
        ("Potassium;2,4;mmol/l;3,5-5,3;L", ("Potassium", "2,4", "mmol/l", "3,5-5,3", "L")),
        ("Potassium\t3.5 - 5.3\t2.4\tmmol/L", ("Potassium", "2.4", "mmol/L", "3.5 - 5.3", None)),
        ("Potassium\tL\t2.4\tmmol/L", ("Potassium", "2.4", "mmol/L", None, "L")),
        ("Potassium.......2.4 L mmol/L 3.5-5.3", ("Potassium", "2.4", "mmol/L", "3.5-5.3", "L")),
        ("Potassium ..... 2,4 mmol/L (3,5 à 5,3)", ("Potassium", "2,4", "mmol/L", "3,5 à 5,3", None)),
        ("Potassium 2,4 mmol/L [3,5 a 5,3]", ("Potassium", "2,4", "mmol/L", "3,5 a 5,3", None)),
        ("Potassium L* 2.4 mmol/L", ("Potassium", "2.4", "mmol/L", None, "L*")),
        ("Potassium: 2.4L", ("Potassium", "2.4", None, None, "L")),
        ("Potassium 2.4mmol/L", ("Potassium", "2.4", "mmol/L", None, None)),
        ("Potassium 2.4 mmol / L low ref 3.5-5.3", ("Potassium", "2.4", "mmol / L", "3.5-5.3", "low")),
        ("Potassium 2.4 mmol/L 3.5-5.3 mmol/L L", ("Potassium", "2.4", "mmol/L", "3.5-5.3", "L")),
        ("• Sodium ........ 138 mmol/L", ("Sodium", "138", "mmol/L", None, None)),
        ("Serum potassium *2.4* mmol/L", ("Serum potassium", "2.4", "mmol/L", None, "*")),
        ("25-OH vitamin D 18 ng/mL", ("25-OH vitamin D", "18", "ng/mL", None, None)),
        ("25 OH Vitamin D <10 nmol/L (>50)", ("25 OH Vitamin D", "<10", "nmol/L", ">50", None)),
        ("Vitamin B12 > 2000 pg/mL [180 - 914] H", ("Vitamin B12", ">2000", "pg/mL", "180 - 914", "H")),
        ("Vitamin B 12 410 pg/mL", ("Vitamin B 12", "410", "pg/mL", None, None)),
        ("Magnesium ≤ 0.3 mmol/L", ("Magnesium", "≤0.3", "mmol/L", None, None)),
        ("eGFR 45 mL/min/1.73m2 (>90)", ("eGFR", "45", "mL/min/1.73m2", ">90", None)),
        ("Calcium 1,250", ("Calcium", "1,250", None, None, None)),
        ("Calcium 7.2 mg", ("Calcium", "7.2", "mg", None, None)),
        ("Calcium 7.2 mg 8.5-10.5 L", ("Calcium", "7.2", "mg", "8.5-10.5", "L")),
        ("Potassium haemolysed", ("Potassium", "haemolysed", None, None, None)),
        ("Intrinsic factor antibody: positive", ("Intrinsic factor antibody", "positive", None, None, None)),
        ("Troponin T 14 ng/L (<14)", ("Troponin T", "14", "ng/L", "<14", None)),
        ("Platelets 250 x10^9/L 150-400", ("Platelets", "250", "x10^9/L", "150-400", None)),
        ("Potassium -2.4 mmol/L", ("Potassium", "-2.4", "mmol/L", None, None)),
        ("Sodium 138 mmol/L 02/01/2026", ("Sodium", "138", "mmol/L", None, None)),
        ("Sodium 138 mmol/L (N: 135-145)", ("Sodium", "138", "mmol/L", "135-145", None)),
        ("Sodium 138 mmol/L (N : 135 - 145) H", ("Sodium", "138", "mmol/L", "135 - 145", "H")),
        ("Sodium 138 mmol/L (ref 135-145) H", ("Sodium", "138", "mmol/L", "135-145", "H")),
        ("Sodium 138 mmol/L [Normbereich: 135-145]", ("Sodium", "138", "mmol/L", "135-145", None)),
        ("Sodium 138 mmol/L (valores de referencia: 135 - 145)", ("Sodium", "138", "mmol/L", "135 - 145", None)),
        ("1. Sodium: 138 mmol/L", ("Sodium", "138", "mmol/L", None, None)),
        ("2) Sodium: 138 mmol/L", ("Sodium", "138", "mmol/L", None, None)),
        ("▪ Sodium: 138 mmol/L (135–145)", ("Sodium", "138", "mmol/L", "135–145", None)),
        ("H Potassium 5.6 mmol/L", ("Potassium", "5.6", "mmol/L", None, "H")),
        ("(L) Magnesium 0.5 mmol/L", ("Magnesium", "0.5", "mmol/L", None, "L")),
        ("↓ Magnesium 0.5 mmol/L", ("Magnesium", "0.5", "mmol/L", None, "↓")),
        ("Potassium 5.6* mmol/L", ("Potassium", "5.6", "mmol/L", None, "*")),
        ("Potassium 5.6 (H) mmol/L", ("Potassium", "5.6", "mmol/L", None, "H")),
        ("Potassium: 2.4 mmol/L ** LOW **", ("Potassium", "2.4", "mmol/L", None, "LOW")),
        ("| Potassium | 2.4 | mmol/L | 3.5-5.3 | L |", ("Potassium", "2.4", "mmol/L", "3.5-5.3", "L")),
        ("25-OH Vitamina D 18 ng/mL", ("25-OH Vitamina D", "18", "ng/mL", None, None)),
        ("Vitamin D (25-OH D2+D3) 18 ng/mL", ("Vitamin D (25-OH D2+D3)", "18", "ng/mL", None, None)),
        ("H Pylori 5.6 U/mL", ("H Pylori", "5.6", "U/mL", None, None)),
        ("2026-01-02 08:00 Potassium 2.4 mmol/L", ("Potassium", "2.4", "mmol/L", None, None)),
        ("Sodium 138 mmol/L 135/145", ("Sodium", "138", "mmol/L", "135/145", None)),
    ],
)  # fmt: skip
def test_a_line_of_a_record_is_read_in_the_orders_records_use(line, expected):
    assert results_of(line) == [expected]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("Na 138 K 2.4", [("Na", "138", None), ("K", "2.4", None)]),
        ("Na 138, K 2,4, Mg 0.4", [("Na", "138", None), ("K", "2,4", None), ("Mg", "0.4", None)]),
        ("Mg 1.1 mg/dL K 2.9 mmol/L", [("Mg", "1.1", "mg/dL"), ("K", "2.9", "mmol/L")]),
        ("Ca 7.2 mg 1.1", [("Ca", "7.2", None), ("mg", "1.1", None)]),
        ("Na: 138 mmol/L; K: haemolysed", [("Na", "138", "mmol/L"), ("K", "haemolysed", None)]),
    ],
)
def test_several_results_may_share_a_line(line, expected):
    assert [one[:3] for one in results_of(line)] == expected


@pytest.mark.parametrize(
    "line",
    [
        "Calcium adjusted 2.10 mmol/L",
        "Calcium (adjusted) 2.10 mmol/L",
        "Vitamin D 1-25 OH 120 pmol/L",
    ],
)
def test_words_behind_a_known_name_belong_to_the_name(line):
    name = line.split(" 2.10")[0].split(" 120")[0]
    assert results_of(line)[0][0] == name


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("Potassium 2.4 2.6 mmol/L", "a second number"),
        ("Vitamin D 25 18 ng/mL", "a second number"),
        ("K 2.4 H 7.1", "a second number"),
        ("Potassium 2.4 mmol/L 3.5-5.3 3.4-5.0", "two intervals"),
        ("2.4 mmol/L", "no test is named"),
        ("Potassium", "no value"),
        ("Reported by Dr Smith at 10:30 on 02/01/2026", "no number"),
        ("Bed 14", "no known test"),
        ("Patient aged 54 has cramps; K was 2.9 mmol/L", "no known test"),
        ("Potassium " + "so " * 100, "too long"),
        ("x" * 3000, "3000 characters"),
        ("Potas\x07sium 2.4", "control character U+0007"),
    ],
)
def test_a_line_that_is_not_understood_is_kept_with_its_reason(line, reason):
    (only,) = parse(line, NAMES)
    assert only.result is None
    assert reason in only.reason


@pytest.mark.hazard("wrong-number")
def test_words_before_a_known_name_are_not_dropped_for_they_may_change_it():
    assert [one[0] for one in results_of("Sodium 138 spot K 40 mmol/L")] == ["Sodium", "spot K"]
    assert [one[0] for one in results_of("Sodium 138 fasting; K 4.0")] == ["Sodium", "K"]


def received_of(text):
    (received,) = read("pasted", text.encode(), NOW, names=NAMES).received
    return received


@pytest.mark.hazard("wrong-test")
def test_what_stands_under_a_heading_of_urine_is_not_read_as_blood():
    submission = received_of("Urine results\nSodium 20 mmol/L\nBlood\nSodium 138 mmol/L").submission
    assert [one.specimen for one in submission.results] == [{"material": "urine"}, None]
    assert ("line 1", "section-heading") in {problem[:2] for problem in submission.problems}


def test_several_times_stand_with_the_results_below_them():
    text = "Collected: 2026-01-01T08:00:00Z\nK 2.4\nCollected: 2026-01-02T08:00:00Z\nK 3.1\nNa 138"
    submission = received_of(text).submission
    assert [one.collected_at.day for one in submission.results] == [1, 2, 2]
    assert submission.collected_at.day == 2


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("MRN: 1", "MRN: 2"),
        ("Name: Doe, J", "Name: Roe, R"),
        ("DOB: 1980-02-03", "DOB: 1981-02-03"),
    ],
)
@pytest.mark.hazard("wrong-patient")
def test_two_patients_in_one_text_are_not_mixed(one, other):
    with pytest.raises(SubmissionError, match="several patients") as refused:
        received_of(f"{one}\nK 2.4\n{other}\nNa 138")
    assert refused.value.errors[0].where == "line 3"


def test_the_value_is_marked_where_it_was_found():
    (only,) = parse("Vitamin B12 > 2000 pg/mL", NAMES)
    assert only.text[slice(*only.span)] == "> 2000"


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r", "\u2028", "\f"])
def test_any_line_end_will_do(end):
    assert len(results_of(end.join(["Na 138", "K 2.4", "", "Mg 0.4"]))) == 3


def test_without_a_vocabulary_a_unit_or_an_interval_shows_a_result():
    lines = parse("Potassium 2.4 mmol/L\nPotassium 2.4", {})
    assert [line.result is not None for line in lines] == [True, False]


def test_what_the_text_states_of_patient_and_time_becomes_the_panels():
    reading = read(
        "pasted",
        b"Name: DOE, Jane   DOB: 3 Feb 1980   Sex: F\nMRN: 12345\nCollected: 2026-01-02 08:00\n"
        b"Specimen: serum\nMedication: omeprazole, furosemide\nReported by Dr Smith\n"
        b"Potassium 2.4 mmol/L (3.5-5.3) L\nNa 138 K 2.4\n",
        NOW,
        names=NAMES,
    )
    (received,) = reading.received
    submission = received.submission
    assert (received.identity.family, received.identity.given) == ("DOE", "Jane")
    assert received.identity.identifier == "12345"
    assert (submission.sex, submission.age_text) == ("female", "45 years")
    assert submission.collected_at == datetime(2026, 1, 2, 8, tzinfo=UTC)
    assert submission.specimen_fields == {"type": "serum"}
    assert [term.text for term in submission.medications] == ["omeprazole", "furosemide"]
    assert [one.where for one in submission.results] == ["line 7", "line 8", "line 8 (2)"]
    assert submission.results[0].as_received == "Potassium 2.4 mmol/L (3.5-5.3) L"
    assert {(where, code) for where, code, _ in submission.problems} == {
        ("line 6", "line-not-recognised"),
        ("collected_at", "time-zone-assumed"),
    }


def test_a_text_without_a_result_names_the_lines_that_were_received():
    with pytest.raises(SubmissionError, match="These lines were received: Hello"):
        read("pasted", b"Hello\nGood bye", NOW)


def test_nothing_pasted_is_told_what_to_do():
    with pytest.raises(SubmissionError, match="Paste results, type them in, or upload a file"):
        read("pasted", b" \n\t\n", NOW)


def test_more_than_a_panel_is_too_large():
    with pytest.raises(TooLarge):
        read("pasted", b"K 2.4\n" * 501, NOW, names=NAMES)
    with pytest.raises(TooLarge):
        read("pasted", b"K 2.4", NOW, Limits(pasted_bytes=4), names=NAMES)


@pytest.mark.slow
@pytest.mark.parametrize(
    "piece",
    ["1 ", "k 1 ", "k k ", "( ", "1-", "1.", "9", "a", "< ", "k:", "25 oh ", "[1-", "* ", "1:", " ", "mmol/L ", "ref ", "1e"],
)  # fmt: skip
@pytest.mark.hazard("hostile-input")
def test_time_grows_with_the_length_of_a_line_and_no_faster(piece):
    def seconds(length):
        line = (piece * length)[:length]
        begun = time.process_time()
        parse(line, NAMES, Limits(cell_characters=length, results=length))
        return time.process_time() - begun

    assert seconds(40_000) < 40 * max(seconds(4_000), 0.005)


def dated(text):
    reading = read("pasted", text.encode(), NOW, names=NAMES)
    (received,) = reading.received
    found = {}
    for one in received.panel["results"]:
        found.setdefault(one["test"], []).append((one["value"], one.get("collected_at", "")[:10]))
    return found, {code for _, code, _ in received.submission.problems}, received


@pytest.mark.parametrize(
    "lines",
    [
        "2026-01-02 Potassium 3.1 mmol/L\n2026-01-05 Potassium 3.4 mmol/L",
        "Potassium 3.1 mmol/L (3.5-5.3) L 02.01.2026\nPotassium 3.4 mmol/L (05.01.2026)",
        "01/02/2026 Potassium 3.1 mmol/L\n01/05/2026 Potassium 3.4 mmol/L\n01/15/2026 Sodium 138 mmol/L",
        "Test\t2026-01-02\t2026-01-05\tUnit\nPotassium\t3.1\t3.4\tmmol/L",
        "| | 02 Jan 2026 | 05 Jan 2026 | |\n|---|---|---|---|\n| Potassium | 3.1 | 3.4 | mmol/L |",
        "            2026-01-02 08:00   2026-01-05 09:00\nPotassium   3.1 L              3.4 L     mmol/L   3.5-5.3",
    ],
)
def test_a_date_beside_a_result_or_above_its_column_is_that_results(lines):
    found, problems, received = dated(lines)
    assert found["Potassium"] == [("3.1", "2026-01-02"), ("3.4", "2026-01-05")]
    assert "line-not-recognised" not in problems - (
        {"line-not-recognised"} if "|" in lines else set()
    )
    assert {one.unit for one in received.submission.results} == {"mmol/L"}


def test_what_has_no_date_of_its_own_has_the_one_that_was_stated_or_is_asked_about():
    lines = "2026-01-02 Potassium 3.1 mmol/L\nSodium 138 mmol/L"
    found, problems, _ = dated(f"Collected: 2026-01-05T08:00:00Z\n{lines}")
    assert found["Sodium"] == [("138", "2026-01-05")]
    assert "time-missing" not in problems
    _, problems, _ = dated(lines)
    assert "time-missing" in problems


def test_dates_that_could_be_read_in_two_ways_are_asked_about():
    table = "Test\t02/01/2026\t05/01/2026\nPotassium\t3.1\t3.4"
    found, problems, _ = dated(table.replace("3.1", "3.1 mmol/L").replace("3.4", "3.4 mmol/L"))
    assert found["Potassium"] == [("3.1", ""), ("3.4", "")]
    assert "date-ambiguous" in problems


@pytest.mark.parametrize(
    "row",
    [
        "Potassium    3.1",
        "Potassium    3.1   3.2   3.3",
        "Potassium    mmol/L   3.1   3.2",
    ],
)
def test_a_row_that_has_not_a_value_for_each_date_is_asked_about(row):
    lines = parse(f"             2026-01-02   2026-01-05\n{row}", NAMES)
    assert lines[1].result is None
    assert "which belongs to which?" in lines[1].reason


def test_an_empty_cell_below_a_date_is_a_test_that_was_not_done():
    text = "Test|2026-01-02|2026-01-05\nPotassium 3.1 mmol/L\nMagnesium|0.55 mmol/L|\nSodium||-"
    found = [(line.result and line.result["value"], line.when) for line in parse(text, NAMES)]
    assert found == [
        (None, ""),
        ("3.1", ""),
        ("0.55", "2026-01-02"),
        (None, ""),
    ]


def test_the_value_is_found_where_it_stands_whatever_stands_before_it():
    for text in (
        "2026-01-02 08:00 (L) Potassium 3.1 mmol/L",
        "1) Potassium 3.1 mmol/L",
        "Calcium 3.1 mmol/L soit 124 mg/L",
    ):
        (line,) = parse(text, NAMES)
        assert line.text[slice(*line.span)] == "3.1"


def test_the_same_value_in_another_unit_is_a_note():
    (line,) = parse("Calcium : 2,05 mmol/L soit 82 mg/L (2,20 - 2,60)", NAMES)
    assert (line.result["value"], line.result["unit"]) == ("2,05", "mmol/L")
    assert line.result["note"] == "soit 82 mg/L"
    assert line.result["reference_interval"] == "2,20 - 2,60"
