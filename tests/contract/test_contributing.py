"""The three changes that CONTRIBUTING.md works through are made anew, on a copy, and do what it says."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.xdist_group("contributing")

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
CHANGES = re.findall(r"^### (.+?)\n.*?^```diff\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)
PANEL = {
    "patient": {"age": {"value": 54, "unit": "years"}, "sex": "female"},
    "range_set": "uk-nbt",
    "results": [
        {"test": "Lactate", "value": "4.1", "unit": "mmol/L"},
        {"test": "Bicarbonate", "value": "14", "unit": "mmol/L"},
    ],
}
IN_THE_COPY = """
import json, sys
from datetime import UTC, datetime
from pathlib import Path
from labinterp import formats, knowledge
from labinterp.interpretation import interpret

def answer(body, name):
    kind = formats.detect(body, file_name=name)
    (received,) = formats.read(kind, body, datetime(2026, 1, 2, tzinfo=UTC)).received
    return interpret(received.submission, knowledge.load())

panel = answer(sys.stdin.buffer.read(), "panel.json")
sample = Path("tests/contract/panels/potassium-only.toml")
print(json.dumps({
    "faults": [str(one) for one in knowledge.check()],
    "standings": {one.measurand: one.standing for one in panel.results},
    "patterns": [one.rule for one in panel.patterns],
    "of the sample": [one.measurand for one in answer(sample.read_bytes(), sample.name).results],
}))
"""


@pytest.fixture(scope="module")
def said(tmp_path_factory):
    """What a copy of the house says in which all three were made."""
    copy = tmp_path_factory.mktemp("house")
    for folder in ("labinterp", "reference_ranges", "tests/contract/panels"):
        shutil.copytree(ROOT / folder, copy / folder, ignore=shutil.ignore_patterns("__pycache__"))
    for _, change in CHANGES:
        run(copy, "git", "apply", "-p0", "-C1", "-", given=change)
    return json.loads(run(copy, sys.executable, "-c", IN_THE_COPY, given=json.dumps(PANEL)))


def run(folder, *command, given):
    return subprocess.run(
        command, cwd=folder, input=given.encode(), check=True, capture_output=True
    ).stdout


def test_each_touches_only_the_files_it_promises():
    touched = {
        name: set(re.findall(r"^\+\+\+ (\S+)", change, re.MULTILINE)) for name, change in CHANGES
    }
    assert touched == {
        "An interval": {
            "reference_ranges/analytes/lactate.yaml",
            "reference_ranges/sources.yaml",
        },
        "A pattern": {"reference_ranges/patterns/lactic-acidosis.yaml"},
        "A format": {
            "labinterp/formats/toml_panel.py",
            "labinterp/formats/registry.py",
            "tests/contract/panels/potassium-only.toml",
        },
    }


def test_the_folder_still_holds_together(said):
    assert said["faults"] == []


def test_the_interval_is_used_and_the_pattern_found(said):
    assert said["standings"]["lactate"] == "high"
    assert "lactic-acidosis" in said["patterns"]


def test_the_format_is_read_like_any_other(said):
    assert said["of the sample"] == ["potassium"]
