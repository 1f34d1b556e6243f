"""One panel through all doors is one Submission."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from labinterp import formats, knowledge
from labinterp.formats.panel_schema import SPECIMEN_NUMBERS, SPECIMEN_WORDS
from labinterp.formats.pasted_line import results_in
from labinterp.formats.vocabulary import Vocabulary

PANELS = Path(__file__).parent / "panels"
NOW = datetime(2026, 1, 10, 12, tzinfo=UTC)
OTHERS = sorted(path.name for path in PANELS.iterdir() if path.suffix not in {".json", ".md"})


def read(name):
    path = PANELS / name
    body = path.read_bytes()
    kind = formats.detect(body, file_name=path.name)
    (received,) = formats.read(kind, body, NOW, names=formats.names_of(knowledge.load())).received
    assert received.submission.format == kind
    return received


def without_places(submission):
    """The submission but for where each thing stood in its document."""
    results = tuple(replace(result, where="", as_received=None) for result in submission.results)
    return replace(submission, format="", results=results)


@pytest.mark.parametrize("name", OTHERS)
def test_one_panel_gives_one_submission_whatever_its_format(name):
    by_json, by_other = read(f"{Path(name).stem}.json"), read(name)
    assert without_places(by_other.submission) == without_places(by_json.submission)
    assert by_other.identity == by_json.identity
    assert by_other.submission.format != by_json.submission.format


def test_the_schema_takes_the_specimen_fields_that_rules_read():
    fields = knowledge.load().specimen_fields
    words = {name: tuple(allowed) for name, allowed in fields.items() if allowed}
    assert words == SPECIMEN_WORDS
    assert tuple(name for name, allowed in fields.items() if not allowed) == SPECIMEN_NUMBERS


@pytest.mark.parametrize("line", ["{name} 7.25 mmol/L (1-2) H", "Sodium 138 {name} 7.25"])
def test_every_known_name_is_found_whole_in_pasted_text(line):
    names = formats.names_of(knowledge.load())
    vocabulary = Vocabulary(names)
    for name in names:
        found, reason = results_in(line.format(name=name), vocabulary)
        assert reason is None
        assert [found[-1][0][member] for member in ("test", "value")] == [name, "7.25"]
