"""`labinterp interpret`: a panel in, its meaning out."""

import io
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
import simplejson

from labinterp import knowledge
from labinterp.cli import DONE, INPUT_AT_FAULT, OURS, USAGE, main, output

PANELS = Path(__file__).parents[2] / "contract" / "panels"
LOW_MAGNESIUM = str(PANELS / "low-magnesium.json")


@pytest.fixture
def standard_input(monkeypatch):
    def give(body):
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(body)))

    return give


def in_a_new_process(*words):
    code = "import sys; from labinterp.cli import main; code = main(sys.argv[1:]); print(sorted(sys.modules), file=sys.stderr); sys.exit(code)"
    return subprocess.run(
        [sys.executable, "-c", code, *words], capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize("ending", ["json", "csv", "txt"])
def test_the_answer_in_words_says_what_is_urgent_what_it_means_and_what_next(ending, capsys):
    assert main(["interpret", str(PANELS / f"low-magnesium.{ending}")]) == DONE
    written = capsys.readouterr().out
    assert "Magnesium, total 1.1 mg/dL: Low" in written
    assert "Potassium 2.90 mmol/L: Low" in written
    assert "emergency" in written.lower()
    assert "Example".upper() in written
    assert "\x1b[" not in written


def test_the_answer_in_json_keeps_the_digits_and_the_members_of_the_contract(capsys):
    assert main(["interpret", LOW_MAGNESIUM, "--format", "json"]) == DONE
    answer = simplejson.loads(capsys.readouterr().out, use_decimal=True)
    potassium = next(one for one in answer["results"] if one["measurand"] == "potassium")
    assert potassium["reported"]["value"] == "2.90"
    assert str(potassium["value"]["number"]) == "2.90"
    assert potassium["standing"] == "low"
    assert {
        "knowledge",
        "urgency",
        "twitching",
        "undecided",
        "next_steps",
        "problems",
    } <= answer.keys()
    assert "Example" not in json.dumps(answer, default=str)


def test_a_table_answers_with_a_list_and_names_its_bad_rows(tmp_path, capsys):
    table = tmp_path / "panels.csv"
    table.write_text("mrn,test,value,unit\nA1,Potassium,2.4,mmol/L\nB2,Potassium,4.4,mmol/L,9\n")
    assert main(["interpret", str(table), "--format", "json"]) == INPUT_AT_FAULT
    captured = capsys.readouterr()
    assert [one["results"][0]["measurand"] for one in json.loads(captured.out)] == ["potassium"]
    assert "row 3" in captured.err


@pytest.mark.hazard("panel-lost")
def test_every_patient_of_a_file_is_answered_for(capsys):
    batch = Path(__file__).parents[2] / "contract" / "hl7v2" / "08-batch-fhs-bhs.hl7"
    main(["interpret", str(batch), "--format", "json"])
    assert len(json.loads(capsys.readouterr().out)) == 2


def test_a_dash_reads_standard_input(standard_input, capsys):
    standard_input(b"Potassium 2.4 mmol/L (3.5-5.3) L\n")
    assert main(["interpret", "-"]) == DONE
    assert "Potassium 2.4 mmol/L" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b'{"results": [{"tset": "K"}]}', "results[0].tset: unknown member; did you mean test?"),
        (b'{"results": []}', "at least one result is needed"),
        (b"{", "is not JSON"),
        (b"", "Paste results"),
        (b"Dear colleague", "No result was recognised"),
        (b"%PDF-1.7", "This is a PDF"),
        (b"MSH|^~\\&|LAB", "only results (ORU^R01) are taken"),
    ],
)
def test_input_at_fault_is_said_on_standard_error_with_exit_code_1(
    standard_input, capsys, body, said
):
    standard_input(body)
    assert main(["interpret", "-"]) == INPUT_AT_FAULT
    captured = capsys.readouterr()
    assert said in captured.err
    assert captured.out == ""


def test_a_panel_of_which_nothing_can_be_read_is_shown_with_its_problems(standard_input, capsys):
    standard_input(b'{"results": [{"test": "Potassium", "value": "haemolysed", "unit": "mmol/L"}]}')
    assert main(["interpret", "-"]) == INPUT_AT_FAULT
    assert "haemolysed" in capsys.readouterr().out


def test_a_file_that_is_not_there_is_the_inputs_fault(tmp_path, capsys):
    assert main(["interpret", str(tmp_path / "nothing.json")]) == INPUT_AT_FAULT
    assert "No such file" in capsys.readouterr().err


def test_the_report_can_be_drawn_without_a_server(tmp_path, capsys):
    target = tmp_path / "report.pdf"
    assert main(["interpret", LOW_MAGNESIUM, "--pdf", str(target)]) == DONE
    assert target.read_bytes().startswith(b"%PDF")


def test_no_report_is_drawn_for_a_patient_without_a_number(tmp_path, capsys):
    target = tmp_path / "report.pdf"
    words = ["interpret", str(PANELS / "potassium-only.json"), "--pdf", str(target)]
    assert main(words) == INPUT_AT_FAULT
    assert "names no patient" in capsys.readouterr().err
    assert not target.exists()


@pytest.mark.parametrize(
    "words", [[], ["nonsense"], ["interpret"], ["interpret", "x", "--format", "xml"]]
)
def test_a_command_that_is_not_understood_ends_with_2(words, capsys):
    with pytest.raises(SystemExit) as stopped:
        main(words)
    assert stopped.value.code == USAGE


def test_a_fault_of_ours_ends_with_3_and_one_line(tmp_path, capsys):
    assert main(["interpret", LOW_MAGNESIUM, "--knowledge", str(tmp_path)]) == OURS
    assert capsys.readouterr().err.count("\n") >= 1


def test_help_lists_every_command(capsys):
    with pytest.raises(SystemExit):
        main(["--help"])
    written = capsys.readouterr().out
    assert all(
        name in written for name in ("interpret", "knowledge", "up", "serve", "keys", "doctor")
    )


@pytest.mark.parametrize(
    ("words", "unwanted"),
    [
        (["--version"], {"marshmallow", "labinterp.formats", "labinterp.interpretation"}),
        (["interpret", LOW_MAGNESIUM], {"reportlab", "pint", "ucumvert", "lark", "yaml"}),
    ],
)
def test_a_command_loads_only_what_it_needs(words, unwanted):
    knowledge.load()  # kept beside the files, so that the process need not read them
    done = in_a_new_process(*words) if words[0] == "interpret" else None
    if done is None:
        done = subprocess.run(
            [sys.executable, "-X", "importtime", "-m", "labinterp", *words],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
    loaded = {
        name
        for name in ({"flask", "sqlalchemy", "celery", "numpy"} | unwanted)
        if f"'{name}'" in done.stderr or f" {name}\n" in done.stderr
    }
    assert loaded == set()


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_colour_is_for_terminals_only_and_no_color_is_respected(monkeypatch):
    monkeypatch.delenv("NO_COLOR", raising=False)
    assert output.wants_colour(Terminal())
    assert not output.wants_colour(io.StringIO())
    monkeypatch.setenv("NO_COLOR", "1")
    assert not output.wants_colour(Terminal())


def test_colour_adds_no_word_and_takes_none():
    written = (
        "Results\n-------\n  Potassium 2.4 mmol/L: Critically low (3.5–5.3)\n  Sodium 130: Low\n"
    )
    painted = output.coloured(written)
    assert painted != written
    assert re.sub(r"\x1b\[[0-9]+m", "", painted) == written
