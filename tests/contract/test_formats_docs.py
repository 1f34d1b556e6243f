"""The examples of the how-to pages are read as the pages say."""

import json
import os
import re
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

from labinterp import formats, knowledge
from labinterp.formats import csv_template
from labinterp.formats.pasted import parse

PAGES = Path(__file__).parents[2] / "docs" / "how-to"
NOW = datetime(2026, 1, 10, 12, tzinfo=UTC)


def examples(page, kind):
    text = (PAGES / page).read_text(encoding="utf-8")
    return re.findall(rf'```{kind}(?: title="[\w.]+")?\n(.+?)```', text, re.DOTALL)


def followed(page, folder):
    """What a page's commands without a server print, in an empty folder with its files."""
    text = (PAGES / page).read_text(encoding="utf-8")
    for name, content in re.findall(r'```\w+ title="([\w.]+)"\n(.+?)```', text, re.DOTALL):
        (folder / name).write_text(content, encoding="utf-8")
    said = []
    for command in (one for one in examples(page, "sh") if "curl" not in one):
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", command],
            cwd=folder,
            env={
                "PATH": f"{Path(sys.executable).parent}:{os.defpath}",
                "PYTHONPATH": str(PAGES.parents[1]),
            },
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, (command, done.stdout, done.stderr)
        said.append(done.stdout + done.stderr)
    return said


def test_the_commands_that_interpret_many_do_as_their_page_says(tmp_path):
    first, counted, rows, streamed, resumed = followed("interpret-many.md", tmp_path)
    assert "not interpreted 1: Unobtainium in mmol/L [unmapped-code]" in first
    assert "7 lines: 2 panels interpreted" in counted
    assert first == rows == resumed
    assert streamed.startswith("TEST-1 ")
    assert (tmp_path / "answers.parquet").exists()
    text = (tmp_path / "answers.ndjson").read_text(encoding="utf-8")
    told = {one["where"]: one for one in map(json.loads, text.splitlines())}
    assert set(told) == {"results.ndjson line 1", "results.ndjson line 3", "ward.csv rows 2-3"}
    assert told["results.ndjson line 1"]["patient"] == {"reference": "Patient/TEST-1"}
    assert json.loads((tmp_path / "counts.json").read_text(encoding="utf-8"))["panels"] == 2


def read(text):
    body = text.encode()
    kind = formats.detect(body)
    return kind, formats.read(kind, body, NOW, names=formats.names_of(knowledge.load()))


def test_the_tables_on_the_page_are_two_panels_each():
    for text in examples("send-csv.md", "csv"):
        kind, reading = read(text)
        assert kind == "csv"
        assert [one.identity.identifier for one in reading.received] == ["TEST-1", "TEST-2"]
        assert reading.refused == ()


def test_a_table_is_interpreted_by_the_command_on_the_page(tmp_path):
    (said,) = followed("send-csv.md", tmp_path)
    assert "===== rows 2-3" in said
    assert "===== row 4" in said


def test_the_text_on_the_page_gives_all_its_results():
    text, _ = examples("paste-results.md", "text")
    kind, reading = read(text)
    (received,) = reading.received
    assert kind == "pasted"
    assert received.submission.problems == ()
    assert [(one.name, one.value) for one in received.submission.results] == [
        ("Potassium", "2.4"),
        ("Na", "138"),
        ("Mg", "0,45"),
        ("25-OH vitamin D", "18"),
        ("Vitamin B12", ">2000"),
        ("Calcium", "2.05"),
    ]


def test_the_table_on_the_page_gives_a_result_for_each_date_and_asks_about_the_rest():
    _, text = examples("paste-results.md", "text")
    lines = parse(text, formats.names_of(knowledge.load()))
    assert [(one.result["value"], one.when) for one in lines if one.result] == [
        ("2.4", "2026-01-02"),
        ("3.6", "2026-01-05"),
    ]
    assert "which belongs to which?" in lines[-1].reason


def test_each_way_of_writing_that_the_page_names_gives_one_result():
    page = (PAGES / "paste-results.md").read_text(encoding="utf-8")
    ways = re.findall(r"^\| `([^`]+)` \|", page, re.MULTILINE)
    names = formats.names_of(knowledge.load())
    assert len(ways) == 4
    for line in ways:
        (only,) = parse(line, names)
        assert only.result["unit"].lower() == "mmol/l", line
        assert only.result["value"] in {"2.4", "2,4", "2,05"}


def test_the_pasted_text_is_piped_into_the_command_as_the_page_says(tmp_path):
    text, _ = examples("paste-results.md", "text")
    (tmp_path / "results.txt").write_text(text, encoding="utf-8")
    (said,) = followed("paste-results.md", tmp_path)
    assert "Potassium" in said


def test_the_lines_that_the_page_calls_unclear_are_not_guessed():
    page = (PAGES / "paste-results.md").read_text(encoding="utf-8")
    unclear = re.findall(r"^- `(.+?)`: (.+?)$", page, re.MULTILINE)
    names = formats.names_of(knowledge.load())
    assert len(unclear) == 4
    for line, said in unclear:
        (only,) = parse(line, names)
        assert (only.result is None) == ("asked about" not in said), line


def test_the_template_is_a_table_that_is_read():
    kind, reading = read(csv_template.TEXT)
    assert kind == "csv"
    assert reading.received
    assert reading.refused == ()
    assert not [
        one for one in reading.received[0].submission.problems if one[1] == "column-not-used"
    ]
