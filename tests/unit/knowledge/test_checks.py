"""A file that does not fit the others is refused, and the refusal names file and line."""

import pytest

from labinterp.errors import KnowledgeError
from labinterp.knowledge import build
from labinterp.knowledge.checks import tie
from labinterp.knowledge.naming import loinc_check_digit
from labinterp.model.interval import AppliesTo

PATTERN = "patterns/mg-driven-hypokalaemia.yaml"
MAGNESIUM = "analytes/magnesium.yaml"
MAP = "map.yaml"


def first(data):
    return data["measurands"][0]


def a_step(start, end):
    return {
        "id": "x",
        "from": start,
        "to": end,
        "sentence": "So it goes.",
        "sources": ["sfe-hypocalcaemia-2016"],
    }


@pytest.mark.hazard("unproven-number")
def test_the_folder_as_it_is_has_no_fault(complaints):
    assert complaints(PATTERN, lambda _: None) == []


@pytest.mark.parametrize(
    ("name", "how", "message"),
    [
        (PATTERN, lambda d: d.update(id="another"), "the file's name"),
        (PATTERN, lambda d: d["sources"].append("nobody"), "“nobody” is not in sources.yaml"),
        (PATTERN, lambda d: d.update(sources=[]), "not marked unverified"),
        (PATTERN, lambda d: d["next_steps"].append("dance"), "there is no “dance”"),
        (PATTERN, lambda d: d["twitching"]["via"].append("moon"), "there is no “moon”"),
        (PATTERN, lambda d: d.update(when={"phlogiston": "low"}), "no measurand “phlogiston”"),
        (PATTERN, lambda d: d.update(when={"symptom": ["ennui"]}), "no symptom “ennui”"),
        (PATTERN, lambda d: d.update(when={"condition": ["x"]}), "no condition “x”"),
        (PATTERN, lambda d: d.update(when={"medication": ["x"]}), "no medicine “x”"),
        (PATTERN, lambda d: d.update(when={"history": "x"}), "no history fact “x”"),
        (PATTERN, lambda d: d.update(when={"specimen": {"mood": ["x"]}}), "no specimen field"),
        (PATTERN, lambda d: d.update(when={"specimen": {"site": ["x"]}}), "no word of “site”"),
        (PATTERN, lambda d: d.update(when={"specimen": {"site": ">= 6"}}), "is not a number"),
        (
            "artefacts/haemolysis.yaml",
            lambda d: d.update(when={"finding": "mg-driven-triple"}),
            "no finding of an earlier stratum",
        ),
        (
            "artefacts/haemolysis.yaml",
            lambda d: d["effects"].update(ether="up"),
            "effects: there is no “ether”",
        ),
        (
            "mechanisms/vitamin-d-low.yaml",
            lambda d: d["grading"][0].update(inherits_from="calcium-odd"),
            "there is no “calcium-odd”",
        ),
        (MAP, lambda d: d["edges"][0].update({"to": "moon"}), "to: there is no “moon”"),
        (MAP, lambda d: d["edges"][0].update(sources=["nobody"]), "“nobody” is not in sources"),
        (MAP, lambda d: d["edges"][0].update(mechanism="moon"), "mechanism: there is no “moon”"),
        (MAP, lambda d: d["edges"][0].update(id="pth-ca"), "“pth-ca” stands also above"),
        (MAP, lambda d: d["edges"].append({**d["edges"][0], "id": "x"}), "a second step from"),
        (MAP, lambda d: d["nodes"].update(moon="Moon"), "no step leads to or from “moon”"),
        (MAP, lambda d: d["edges"].append(a_step("low-calcium", "low-magnesium")), "cause itself"),
        (MAP, lambda d: d["edges"].append(a_step("high-calcium", "tetany")), "the other side"),
        (MAGNESIUM, lambda d: first(d)["names"].append("Potassium"), "is also"),
        (MAGNESIUM, lambda d: first(d)["names"].append("Ca++"), "listed as ambiguous"),
        (MAGNESIUM, lambda d: first(d).update(id="calcium"), "stands also in"),
        (
            MAGNESIUM,
            lambda d: first(d)["codes"].append(
                {"code": "2823-3", "name": "K", "property": "moles", "role": "x", "sources": []}
            ),
            "the code 2823-3 stands also in",
        ),
        (
            MAGNESIUM,
            lambda d: first(d)["codes"][0].update(code="19123-8"),
            "fails LOINC's check digit",
        ),
        (MAGNESIUM, lambda d: first(d)["intervals"][0].update(set="atlantis"), "no range set"),
        (
            MAGNESIUM,
            lambda d: first(d)["critical_limits"][0].update(policy="ours"),
            "no critical policy “ours”",
        ),
        (
            MAGNESIUM,
            lambda d: first(d)["intervals"].append(dict(first(d)["intervals"][0])),
            "ties with magnesium/uk-pathology-harmony/1",
        ),
        (
            MAGNESIUM,
            lambda d: first(d)["intervals"][0].update(low=2),
            "the lower end is not below the upper",
        ),
        (
            MAGNESIUM,
            lambda d: first(d)["plausibility"].update(query_below=9),
            "plausible bounds are not in order",
        ),
        (
            MAGNESIUM,
            lambda d: first(d)["units"].append({"ucum": "stone/L", "printed": "stone/L"}),
            "stone/L is not in units.yaml",
        ),
        (
            MAGNESIUM,
            lambda d: first(d)["units"][0].update(spellings=["mg/dl"]),
            "is mg/dL everywhere else",
        ),
        (
            "units.yaml",
            lambda d: d["units"][1]["spellings"].append("mmol/l"),
            "is also mmol/L's",
        ),
        (
            "vocabulary/symptoms.yaml",
            lambda d: d["terms"][0]["synonyms"].append("Tetany"),
            "“tetany” is also",
        ),
        ("map.yaml", lambda d: d["edges"][0].update(to="nirvana"), "to: there is no “nirvana”"),
        (
            "policies.yaml",
            lambda d: d["defaults"].update(range_set="pediatric-caliper"),
            "cannot be chosen",
        ),
        (
            "policies.yaml",
            lambda d: d["defaults"].update(critical_policy="mayo"),
            "cannot be chosen",
        ),
        (
            "policies.yaml",
            lambda d: d["defaults"]["schemes"].update(vitamin_d_25oh="ros-2018"),
            "cannot be chosen",
        ),
        (
            "range_sets.yaml",
            lambda d: d["composed_sets"]["nordic"]["picks"]["potassium"]["adult"].append("x"),
            "there is no “x”",
        ),
    ],
)
def test_what_does_not_fit_is_named_with_file_and_line(complaints, name, how, message):
    said = complaints(name, how)
    assert any(message in line for line in said), said
    assert all(":" in line.split(" ")[0] for line in said)
    file, line, *_ = said[0].split(":")
    assert file.endswith(".yaml")
    assert int(line) >= 1


def test_a_value_of_the_wrong_kind_is_refused_where_it_stands(changed):
    documents = changed(MAGNESIUM, lambda d: first(d)["intervals"][2].update(low="much"))
    with pytest.raises(KnowledgeError, match=r"analytes/magnesium.yaml:\d+: “much” is not a num"):
        build.knowledge(documents, "digest")


def test_a_missing_file_is_named(documents):
    rest = [document for document in documents if document.name != "units.yaml"]
    with pytest.raises(KnowledgeError, match=r"units\.yaml:1: the file is missing"):
        build.knowledge(rest, "digest")


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        (AppliesTo(), AppliesTo(), True),
        (AppliesTo(sex="female"), AppliesTo(), False),
        (AppliesTo(sex="female"), AppliesTo(sex="male"), False),
        (AppliesTo(age_below=10), AppliesTo(age_from=10), False),
        (AppliesTo(age_below=10), AppliesTo(age_from=9), True),
        (AppliesTo(pregnancy="trimester_1"), AppliesTo(), False),
        (AppliesTo(pregnancy="not_pregnant"), AppliesTo(), True),
        (AppliesTo(other="winter"), AppliesTo(), False),
    ],
)
def test_rows_tie_only_when_somebody_fits_both_equally(one, other, expected):
    assert tie(one, other) is expected


@pytest.mark.parametrize("code", ["2823-3", "19123-9", "2601-3", "98979-8", "1558-6"])
def test_loinc_codes_end_with_their_check_digit(code):
    assert loinc_check_digit(code) == code[-1]
