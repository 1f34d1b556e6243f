"""Each kind of file has a schema; what it lacks or has too much of is named with its line."""

import pytest

from labinterp.knowledge.reader import Document
from labinterp.knowledge.schema import kind


def test_every_file_fits_the_schema_of_its_kind(documents, schemas):
    assert [place for document in documents for place in schemas.faults(document)] == []


@pytest.mark.parametrize(
    ("name", "how", "message"),
    [
        ("patterns/mg-driven-triple.yaml", lambda d: d.pop("why_it_matters"), "why_it_matters"),
        ("patterns/mg-driven-triple.yaml", lambda d: d.update(mood="good"), "mood"),
        ("patterns/mg-driven-triple.yaml", lambda d: d.update(urgency="asap"), "asap"),
        ("patterns/mg-driven-triple.yaml", lambda d: d.update(examples=[]), "examples"),
        (
            "patterns/mg-driven-triple.yaml",
            lambda d: d["examples"].pop(2),
            "one example of each kind",
        ),
        (
            "red_flags/rf-tetany.yaml",
            lambda d: d.update(examples=d["examples"][:2]),
            "at least three examples",
        ),
        (
            "formulas/egfr.yaml",
            lambda d: d.update(examples=d["examples"][-2:]),
            "at least three examples",
        ),
        (
            "formulas/egfr.yaml",
            lambda d: d.update(examples=d["examples"][:4]),
            "one that is `not computed`",
        ),
        (
            "formulas/egfr.yaml",
            lambda d: d.update(examples=d["examples"][-3:]),
            "an example that gives a value",
        ),
        (
            "formulas/egfr.yaml",
            lambda d: d["examples"][0].update(gives="plenty"),
            "plenty",
        ),
        (
            "patterns/mg-driven-triple.yaml",
            lambda d: d["review"].update(status="reviewed"),
            "checked_by",
        ),
        (
            "next_steps/check-ecg.yaml",
            lambda d: d.update(label="Give calcium"),
            "does not match '\\^Consider'",
        ),
        (
            "analytes/magnesium.yaml",
            lambda d: d["measurands"][0]["intervals"][0].update(low="0.7"),
            "is not of type",
        ),
        (
            "analytes/magnesium.yaml",
            lambda d: d["measurands"][0]["intervals"][0]["age"].update({"from": "18y"}),
            "does not match",
        ),
    ],
)
def test_what_does_not_fit_is_named(misfits, name, how, message):
    said = misfits(name, how)
    assert said
    assert any(message.replace("\\", "") in line for line in said), said
    assert all(line.startswith(f"{name}:") for line in said)


def test_a_file_where_no_kind_lies_is_refused(schemas):
    document = Document("gossip/a.yaml", {}, {})
    assert [place.message for place in schemas.faults(document)] == [
        "no kind of knowledge lies here: the folder has no schema"
    ]


def test_the_folder_says_what_a_file_is():
    assert kind("red_flags/rf-tetany.yaml") == "red_flag"
    assert kind("units.yaml") == "units"
    assert kind("texts/en/statements.yaml") == "texts"
