"""Files of any length: everything of a patient together, each line accounted for, resumed exactly."""

import gzip
import io
import json
import os
import random
import re
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from labinterp import cli
from labinterp.bulk import answering, inputs, pool, sorting
from labinterp.cli.bulk import Progress
from labinterp.errors import LabinterpError

ROOT = Path(__file__).parents[3]


def an_observation(patient, code, name, value, day=2):
    return json.dumps(
        {
            "resourceType": "Observation",
            "status": "final",
            "code": {"coding": [{"system": "http://loinc.org", "code": code}], "text": name},
            "subject": {"reference": f"Patient/{patient}"},
            "effectiveDateTime": f"2026-01-0{day}T08:00:00Z",
            "valueQuantity": {"value": value, "unit": "mmol/L"},
        }
    )


POTASSIUM, MAGNESIUM = ("2823-3", "Potassium"), ("2601-3", "Magnesium")
PATIENT = '{"resourceType": "Patient", "id": "b", "identifier": [{"value": "MRN-2"}]}'
PANEL = json.dumps(
    {
        "patient": {"identifier": {"value": "MRN-3"}},
        "results": [{"test": "Potassium", "value": "2.90", "unit": "mmol/L"}],
    }
)
LINES = (
    an_observation("a", *POTASSIUM, 2.9),
    an_observation("b", *POTASSIUM, 4.1),
    "{",
    PANEL,
    "",
    an_observation("a", *MAGNESIUM, 0.4),
    an_observation("a", *POTASSIUM, 3.4, day=3),
    PATIENT,
    '{"resourceType": "Organization", "id": "lab"}',
    an_observation("c", "2823-3", "Mystery", "nonsense"),
)
TABLE = (
    "MRN;Datum;Kalium (mmol/l);Natrium (mmol/l)\n"
    "T1;1.2.2026 08:00;2,9;139\nT2;1.2.2026 08:00;4,1;\n;1.2.2026;4;\n"
)


@pytest.fixture
def files(tmp_path):
    (tmp_path / "a.ndjson").write_text("\n".join(LINES), encoding="utf-8")
    (tmp_path / "t.csv").write_bytes(TABLE.encode("utf-16"))
    return tmp_path


def run(folder, *names, out="out", more=()):
    code = cli.main(
        ["bulk", *(str(folder / name) for name in names), "--out", str(folder / out), *more]
    )
    return code, (folder / out).read_text(encoding="utf-8") if (folder / out).exists() else ""


def outcomes(text):
    return {one["where"]: one for one in map(json.loads, text.splitlines())}


def measurands(outcome):
    return {one["measurand"] for one in outcome["interpretation"]["results"] if one["reported"]}


def test_lines_of_one_patient_and_time_are_one_answer_and_each_bad_line_has_its_own(files, capsys):
    code, text = run(files, "a.ndjson")
    assert code == cli.DONE
    told = outcomes(text)
    assert set(told) == {"line 1", "line 3", "line 4", "line 7", "line 8", "line 10"}
    assert measurands(told["line 1"]) == {"potassium", "magnesium"}
    assert told["line 1"]["patient"] == {"reference": "Patient/a"}
    assert told["line 8"]["patient"] == {"value": "MRN-2"}
    assert [one["where"] for one in told["line 8"]["interpretation"]["results"]] == ["line 2"]
    assert told["line 4"]["patient"] == {"value": "MRN-3"}
    assert (told["line 3"]["status"], told["line 3"]["code"]) == ("refused", "json-invalid")
    assert told["line 10"]["status"] == "refused"
    said = capsys.readouterr()
    assert said.out == ""
    assert "10 lines: 4 panels interpreted" in said.err
    assert not list(files.glob("*.work"))


def test_a_panel_reads_as_it_does_alone(files):
    (files / "alone.json").write_text(PANEL, encoding="utf-8")
    told = outcomes(run(files, "a.ndjson")[1])["line 4"]["interpretation"]
    alone = outcomes(run(files, "alone.json", out="other")[1])["line 1"]["interpretation"]
    for document in (told, alone):
        document["results"] = [{**one, "where": ""} for one in document["results"]]
        document["problems"] = [{**one, "where": ""} for one in document["problems"]]
    assert told == alone


def test_several_files_packed_or_not_are_read_together(files):
    whole = (files / "a.ndjson").read_bytes().split(b"\n")
    (files / "one.ndjson").write_bytes(b"\n".join(whole[:4]))
    with gzip.open(files / "two.ndjson.gz", "wb") as packed:
        packed.write(b"\n".join(whole[4:]))
    told = outcomes(run(files, "one.ndjson", "two.ndjson.gz", "t.csv")[1])
    assert measurands(told["one.ndjson line 1"]) == {"potassium", "magnesium"}
    assert measurands(told["t.csv row 2"]) == {"potassium", "sodium"}
    assert told["t.csv row 3"]["patient"] == {"value": "T2"}
    assert told["t.csv row 4"]["code"] == "row-not-read"
    assert told["two.ndjson.gz line 6"]["status"] == "refused"


def test_a_summary_counts_what_was_not_interpreted_and_why(files):
    code, text = run(files, "a.ndjson", "t.csv", more=("--format", "summary"))
    told = json.loads(text)
    assert code == cli.DONE
    assert (told["lines"], told["panels"]) == (14, 6)
    assert told["results"] == told["results_interpreted"] + told["results_not_interpreted"]
    assert told["refused_because"]["json-invalid"] == 1
    (reason,) = told["not_interpreted_because"]
    assert (reason["name"], reason["count"]) == ("Mystery", 1)
    assert sum(told["urgency"].values()) == 6


def test_a_table_in_parquet_reads_as_the_same_table_in_csv(tmp_path):
    columns = {
        "MRN": ["T1", "T1", "T2"],
        "Collected": [datetime(2026, 1, 2, 8, tzinfo=UTC)] * 3,
        "Test": ["Potassium", "Magnesium", "Potassium"],
        "Result": ["2.90", "0.50", None],
        "Units": ["mmol/L"] * 3,
    }
    pq.write_table(pa.table(columns), tmp_path / "ward.parquet")
    rows = zip(*(map(cell, values) for values in columns.values()), strict=True)
    lines = [",".join(columns), *(",".join(row) for row in rows)]
    (tmp_path / "ward.csv").write_text("\n".join(lines), encoding="utf-8")
    told = run(tmp_path, "ward.parquet")[1]
    assert told == run(tmp_path, "ward.csv", out="other")[1]
    assert [one["value"] for one in reported(outcomes(told)["rows 2-3"])] == ["2.90", "0.50"]


def cell(value):
    return "" if value is None else value.isoformat() if isinstance(value, datetime) else value


def reported(outcome):
    return [one["reported"] for one in outcome["interpretation"]["results"] if one["reported"]]


def test_observations_in_parquet_read_as_they_do_on_lines(tmp_path):
    lines = LINES[0], LINES[5], LINES[6]
    (tmp_path / "a.ndjson").write_text("\n".join(lines), encoding="utf-8")
    rows = [json.loads(line) for line in lines]
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "nested.parquet")
    pq.write_table(pa.table({"resource": lines}), tmp_path / "text.parquet")
    told = re.sub(r"\bline (\d)", r"row \1", run(tmp_path, "a.ndjson")[1])
    assert run(tmp_path, "nested.parquet", out="nested")[1] == told
    assert run(tmp_path, "text.parquet", out="text")[1] == told


def test_parquet_says_what_lines_do_a_row_an_answer(files):
    told = outcomes(run(files, "a.ndjson")[1])
    words = ["bulk", str(files / "a.ndjson"), "--out", str(files / "o.parquet")]
    assert cli.main([*words, "--format", "parquet"]) == cli.DONE
    rows = {row["where"]: row for row in pq.read_table(files / "o.parquet").to_pylist()}
    assert rows.keys() == told.keys()
    for where, row in rows.items():
        assert row["status"] == told[where]["status"]
        answer = told[where].get("interpretation", {"results": []})
        standings = [(one["measurand"], one["standing"]) for one in answer["results"]]
        assert [(one["measurand"], one["standing"]) for one in row["results"] or ()] == standings
    first = rows["line 1"]
    assert first["patient_reference"] == "Patient/a"
    assert first["urgency"] == told["line 1"]["interpretation"]["urgency"]
    assert first["results"][0]["reported_value"] == "2.9"
    assert first["results"][0]["number"] == pytest.approx(2.9)


def test_without_the_extra_parquet_says_what_to_install(files, capsys, monkeypatch):
    monkeypatch.setattr("labinterp.bulk.arrow.find_spec", lambda _: None)
    (files / "x.parquet").write_bytes(b"PAR1")
    for names, more in ((("x.parquet",), ()), (("a.ndjson",), ("--format", "parquet"))):
        assert run(files, *names, more=more)[0] == cli.INPUT_AT_FAULT
        assert "pip install --require-hashes -r requirements-arrow.lock" in capsys.readouterr().err


def test_standard_input_is_read_as_a_file_is_and_kept_no_longer(files, monkeypatch):
    told = run(files, "a.ndjson")[1]
    packed = gzip.compress((files / "a.ndjson").read_bytes())
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(packed)))
    assert cli.main(["bulk", "-", "--out", str(files / "piped")]) == cli.DONE
    assert (files / "piped").read_text(encoding="utf-8") == told
    assert not list(files.glob("*.stdin*"))


def test_several_processes_write_what_one_does(files, monkeypatch):
    monkeypatch.setattr(sorting, "_TO_A_GROUP", 500)
    one = run(files, "a.ndjson", "t.csv", out="one", more=("--workers", "1"))[1]
    two = run(files, "a.ndjson", "t.csv", out="two", more=("--workers", "2"))[1]
    assert two == one
    assert one.count("\n") == 9


def test_a_process_that_dies_is_told_and_the_run_can_be_gone_on_with(files):
    with pytest.raises(LabinterpError, match="came to its end"):
        list(pool.in_order(deadly, (), range(3), 2))


def deadly():
    os._exit(9)


def test_a_line_that_is_too_long_costs_only_itself(files, monkeypatch):
    monkeypatch.setattr(sorting, "LONGEST", 1_000)
    lines = (LINES[0], '{"a": "' + "x" * 200_000, LINES[5])
    (files / "a.ndjson").write_text("\n".join(lines), encoding="utf-8")
    told = outcomes(run(files, "a.ndjson")[1])
    assert measurands(told["line 1"]) == {"potassium", "magnesium"}
    assert told["line 2"]["code"] == "too-large"


@pytest.mark.parametrize(
    ("name", "body", "said"),
    [
        ("gone.ndjson", None, "No such file"),
        ("empty.ndjson", b"", "empty"),
        ("torn.ndjson.gz", gzip.compress(b"x" * 200_000)[:-9], "broken off"),
        ("text.txt", b"Potassium 4.1 mmol/L", "neither NDJSON nor a table"),
        ("no.csv", b"a,b\n1,2\n", "no row names the columns"),
        ("picture.csv", b"\x89PNG\r\n", "a picture"),
    ],
)
def test_a_file_that_cannot_be_read_is_named(files, capsys, name, body, said):
    if body is not None:
        (files / name).write_bytes(body)
    code, text = run(files, name)
    assert (code, text) == (cli.INPUT_AT_FAULT, "")
    told = capsys.readouterr().err
    assert said in told
    assert name in told


BREAKS = """
import os, signal, sys
from labinterp import cli
from labinterp.bulk import answering, sorting, work

sorting.PIECE, sorting._TO_A_GROUP, answering._SLICE = 1500, 2500, 1000
words = ["bulk", "a.ndjson", "t.csv", "--resume", "--out"]
assert cli.main([*words, "whole"]) == 0

def dies_at(count):
    real, left = {}, [count]
    def wrapped(name, half):
        real[name] = getattr(work.Work, name)
        def step(self, *given):
            left[0] -= 1
            if left[0] == 0:
                half(self, real[name], *given)
                os.kill(os.getpid(), signal.SIGKILL)
            return real[name](self, *given)
        setattr(work.Work, name, step)
    wrapped("append", lambda self, do, name, lines: do(self, name, list(lines)[:1]))
    wrapped("keep", lambda self, do, state: None)

kills = 0
for count in (2, 9, 1, 14, 12, 5, 3):
    child = os.fork()
    if not child:
        dies_at(count)
        os._exit(cli.main([*words, "broken"]))
    _, status = os.waitpid(child, 0)
    kills += os.WIFSIGNALED(status)
code = cli.main([*words, "broken"])
print(kills, "kills")
sys.exit(code)
"""


def test_a_run_that_is_killed_again_and_again_writes_what_an_unbroken_one_does(tmp_path):
    pick = random.Random(7)  # noqa: S311 - an invented ward
    lines = [
        an_observation(f"p{pick.randrange(8)}", *pick.choice((POTASSIUM, MAGNESIUM)), 2.5)
        if number % 9
        else "{broken"
        for number in range(40)
    ]
    (tmp_path / "a.ndjson").write_text("\n".join(lines), encoding="utf-8")
    rows = (f"T{number % 5},2026-01-02T08:00Z,Potassium,4.{number},mmol/L" for number in range(60))
    (tmp_path / "t.csv").write_text("MRN,date,test,value,unit\n" + "\n".join(rows))
    done = subprocess.run(
        [sys.executable, "-c", BREAKS],
        cwd=tmp_path,
        env={"PYTHONPATH": str(ROOT), "PATH": ""},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == "7 kills\n"
    whole = (tmp_path / "whole").read_bytes()
    assert whole.count(b"\n") == 5 + 8 + 5
    assert (tmp_path / "broken").read_bytes() == whole
    assert not list(tmp_path.glob("*.work"))


def test_a_broken_run_is_neither_lost_nor_gone_on_with_for_other_files(files, capsys, monkeypatch):
    def fails(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as broken:
        broken.setattr(answering, "outcome_of", fails)
        assert run(files, "a.ndjson")[0] == cli.OURS
    assert (files / "out.work").stat().st_mode & 0o077 == 0
    assert run(files, "a.ndjson")[0] == cli.USAGE
    assert "--resume" in capsys.readouterr().err
    assert run(files, "t.csv", more=("--resume",))[0] == cli.INPUT_AT_FAULT
    assert "not those of the run" in capsys.readouterr().err
    code, text = run(files, "a.ndjson", more=("--resume",))
    assert code == cli.DONE
    assert len(outcomes(text)) == 6
    (files / "out.work").mkdir()
    (files / "out.work" / "state.json").write_text("{}", encoding="utf-8")
    assert run(files, "a.ndjson", more=("--resume",))[0] == cli.INPUT_AT_FAULT


def test_an_output_that_cannot_be_written_is_named_before_anything_is_read(files, capsys):
    (files / "folder").mkdir()
    (files / "file").write_text("", encoding="utf-8")
    for out in ("folder", "file/out"):
        assert cli.main(["bulk", str(files / "a.ndjson"), "--out", str(files / out)]) == 1
        assert out.partition("/")[0] in capsys.readouterr().err


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_progress_is_told_with_its_rate_on_a_terminal_and_nowhere_else(monkeypatch):
    told, piped = Terminal(), io.StringIO()
    at = [0.0]
    monkeypatch.setattr("labinterp.cli.bulk.time.monotonic", lambda: at[0])
    for stream in (told, piped):
        progress = Progress(stream)
        for step in range(1, 4):
            at[0] += 1
            progress.sorted(1000 * step, 2_000_000, step / 4)
        for step in range(1, 4):
            at[0] += 1
            progress.answered(100 * step, step / 4)
        progress.end()
    assert piped.getvalue() == ""
    assert "sorting, 75%: 3,000 lines, 2.0 MB/s, 0:01 left of it" in told.getvalue()
    assert "75%: 300 panels, 100 a second, 0:01 left" in told.getvalue()


def test_as_many_spill_files_are_made_as_fit_into_memory():
    def of(size, packing="none"):
        return inputs.Input(Path("a.ndjson"), "ndjson", "line", size, packing)

    assert sorting.groups_for([of(10)]) == 1
    assert sorting.groups_for([of(16_000_000), of(16_000_000)]) == 5
    assert sorting.groups_for([of(4_000_000, "gzip")]) == 7
    assert sorting.groups_for([of(10**12)]) == 512
