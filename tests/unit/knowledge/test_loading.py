"""Knowledge is read once; the compiled form says the same and is made anew when a file changes."""

import json
import shutil
from fractions import Fraction

import pytest

from labinterp import knowledge
from labinterp.errors import KnowledgeError, NotFound
from labinterp.knowledge import compiled
from labinterp.model import units


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A copy of the real folder that tests may break."""
    copy = tmp_path_factory.mktemp("knowledge") / "reference_ranges"
    shutil.copytree(knowledge.FOLDER, copy, ignore=shutil.ignore_patterns(".compiled"))
    return copy


@pytest.fixture
def load(folder):
    def load():
        knowledge.load.cache_clear()
        return knowledge.load(folder)

    return load


def test_the_compiled_form_gives_the_same_knowledge(folder, load):
    from_files = load()
    assert list((folder / compiled.FOLDER).glob("*.json"))
    assert load() == from_files


@pytest.mark.hazard("changed-answer")
def test_a_compiled_form_of_other_files_is_not_believed(folder, load):
    digest = load().digest
    path = compiled.path_of(folder, digest)
    kept = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps(kept | {"digest": "another"}), encoding="utf-8")
    assert compiled.recall(folder, digest) is None


@pytest.mark.hazard("wrong-unit")
def test_what_is_kept_of_each_unit_is_what_pint_says_of_it(folder, load):
    digest = load().digest
    kept = json.loads(compiled.path_of(folder, digest).read_text(encoding="utf-8"))["units"]
    known = knowledge.load(folder)
    assert {unit.ucum for one in known.measurands.values() for unit in one.units} <= kept.keys()
    units.forget()
    units.factor.cache_clear()
    for code, (numerator, denominator, dimension) in kept.items():
        measured = Fraction(numerator, denominator), frozenset(map(tuple, dimension))
        assert units.measure(code) == measured, code


@pytest.mark.parametrize("kept", [None, {"mol": [1, 0, []]}, {"mol": [1]}, {"mol": "mole"}])
def test_a_compiled_form_with_broken_units_is_passed_over(folder, load, kept):
    digest = load().digest
    path = compiled.path_of(folder, digest)
    text = path.read_text(encoding="utf-8")
    try:
        path.write_text(json.dumps(json.loads(text) | {"units": kept}), encoding="utf-8")
        assert compiled.recall(folder, digest) is None
    finally:
        path.write_text(text, encoding="utf-8")


@pytest.mark.parametrize("rubbish", ["", "{", "[]", '{"digest": "x"}'])
def test_an_unreadable_compiled_form_is_passed_over(folder, load, rubbish):
    digest = load().digest
    compiled.path_of(folder, digest).write_text(rubbish, encoding="utf-8")
    assert compiled.recall(folder, digest) is None


def test_a_changed_file_gives_another_digest_and_is_read_again(folder, load):
    before = load()
    path = folder / "patterns" / "mg-driven-triple.yaml"
    text = path.read_text(encoding="utf-8")
    try:
        path.write_text(text.replace("urgency: same_day", "urgency: soon", 1), encoding="utf-8")
        after = load()
    finally:
        path.write_text(text, encoding="utf-8")
    assert after.digest != before.digest
    assert after.patterns["mg-driven-triple"].urgency == "soon"
    assert after.patterns["mg-driven-triple"].version != before.patterns["mg-driven-triple"].version


def test_one_more_file_is_one_more_rule(folder, load):
    new = folder / "patterns" / "a-new-pattern.yaml"
    text = (folder / "patterns" / "mg-driven-triple.yaml").read_text(encoding="utf-8")
    count = load().rule_count
    try:
        new.write_text(text.replace("id: mg-driven-triple", "id: a-new-pattern"), encoding="utf-8")
        assert load().rule_count == count + 1
    finally:
        new.unlink()


def test_a_broken_file_refuses_to_load_and_names_its_line(folder, load):
    path = folder / "patterns" / "mg-driven-triple.yaml"
    text = path.read_text(encoding="utf-8")
    try:
        path.write_text(text.replace("- {magnesium: low}", "- {magnesium: lowish}"), "utf-8")
        with pytest.raises(
            KnowledgeError, match=r"patterns/mg-driven-triple.yaml:\d+: "
        ) as refused:
            load()
        faults = knowledge.check(folder)
    finally:
        path.write_text(text, encoding="utf-8")
    assert refused.value.errors
    assert faults
    assert "mg-driven-triple.yaml" in faults[0]


def test_line_endings_do_not_change_the_digest(folder):
    before = knowledge.digest_of(folder)
    path = folder / "map.yaml"
    content = path.read_bytes()
    try:
        path.write_bytes(content.replace(b"\n", b"\r\n"))
        assert knowledge.digest_of(folder) == before
    finally:
        path.write_bytes(content)


def test_differences_between_two_folders_are_listed_by_file(folder):
    path = folder / "advice" / "diet-calcium.yaml"
    content = path.read_bytes()
    try:
        path.unlink()
        assert knowledge.differences(None, folder) == ("removed: advice/diet-calcium.yaml",)
        assert knowledge.differences(folder, knowledge.FOLDER) == (
            "added: advice/diet-calcium.yaml",
        )
    finally:
        path.write_bytes(content)


def test_an_unknown_id_or_kind_is_not_found():
    with pytest.raises(NotFound):
        knowledge.describe(knowledge.load(), "nothing-at-all")
    with pytest.raises(NotFound):
        knowledge.listing(knowledge.load(), "gossip")
