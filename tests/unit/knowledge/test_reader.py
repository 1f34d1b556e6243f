"""Files become plain data with every digit and line, or a refusal that names file and line."""

from decimal import Decimal

import pytest

from labinterp.errors import KnowledgeError
from labinterp.knowledge import reader


@pytest.fixture
def parse(tmp_path):
    def parse(text):
        path = tmp_path / "a.yaml"
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        return reader.parsed("folder/a.yaml", path)

    return parse


def test_numbers_keep_the_digits_they_were_printed_with(parse):
    document = parse("low: 0.70\nhigh: 7\n")
    assert document.data == {"low": Decimal("0.70"), "high": 7}
    assert str(document.data["low"]) == "0.70"


def test_words_that_older_yaml_took_for_truths_stay_words(parse):
    assert parse("a: no\nb: on\nc: true\n").data == {"a": "no", "b": "on", "c": True}


def test_each_value_knows_its_line(parse):
    document = parse("a:\n  - x\n  - b: 1\n    c: 2\n")
    assert document.line(("a", 1, "c")) == 4
    assert document.line(("a", 1, "missing")) == 3


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("a: 1\nb: 2\na: 3\n", 3, "stands twice"),
        ("a: 1\nb: [1\n", 3, "not valid YAML"),
        ("- a\n", 1, "must be a mapping"),
        ("", 1, "must be a mapping"),
        ("a: 1\nb: .nan\n", 2, "not a plain number"),
        ("a: .inf\n", 1, "not a plain number"),
        ("a: 1e400\n", 1, "not a plain number"),
        ("a: 0x1F\n", 1, "not a plain number"),
        ("a: &x [1]\nb: *x\n", 1, "anchors"),
        ("a: 1\n---\nb: 2\n", 2, "not valid YAML"),
        ("a: !!python/object:os.system x\n", 1, None),
        (b"a: \xff\n", 1, "not UTF-8"),
    ],
)
def test_what_cannot_be_read_is_refused_with_file_and_line(parse, text, line, message):
    if message is None:
        assert parse(text).data == {"a": "x"}
        return
    with pytest.raises(KnowledgeError, match=message) as refused:
        parse(text)
    assert refused.value.errors[0].where == f"folder/a.yaml:{line}"


def test_a_missing_folder_is_refused_by_name(tmp_path):
    with pytest.raises(KnowledgeError, match="no folder of knowledge"):
        reader.documents(tmp_path / "nowhere")


def test_several_faults_are_counted_in_the_sentence():
    document = reader.Document("a.yaml", {}, {})
    error = reader.refusal([document.place((), "one"), document.place((), "two")])
    assert error.message == "a.yaml:1: one (and 1 more)"
    assert len(error.errors) == 2
