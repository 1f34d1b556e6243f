"""FHIR gone wrong in one place: the other results are read as if nothing had happened."""

from __future__ import annotations

import copy
import json
from datetime import UTC, datetime
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from labinterp import formats
from labinterp.errors import SubmissionError

NOW = datetime(2026, 3, 5, 12, tzinfo=UTC)
MESSAGES = Path(__file__).parents[2] / "contract" / "fhir_messages"
WHOLE = json.loads((MESSAGES / "01-in-bundle-collection.json").read_text("utf-8"))
RESULTS = [
    index
    for index, one in enumerate(WHOLE["entry"])
    if one["resource"]["resourceType"] == "Observation" and "82810-3" not in json.dumps(one)
]
JUNK = st.one_of(
    st.recursive(
        st.none()
        | st.booleans()
        | st.integers(-(10**12), 10**12)
        | st.floats(allow_nan=False, allow_infinity=False)
        | st.text(max_size=30),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(
                    [
                        "value",
                        "code",
                        "coding",
                        "system",
                        "reference",
                        "text",
                        "low",
                        "resourceType",
                    ]
                ),
                inner,
                max_size=3,
            )
        ),
        max_leaves=6,
    ),
    st.sampled_from(
        [
            "A" * 3000,
            "9" * 400,
            "1e999999999",
            "\x00",
            {"reference": "#gone"},
            {"reference": "Patient/nobody"},
            {"reference": "urn:uuid:nothing"},
            {"value": "2,9", "unit": "mmol/l"},
        ]
    ),
)


def read(document):
    return formats.read("fhir", json.dumps(document).encode(), NOW)


def places_in(node, path=()):
    yield path
    listed = (
        node.items()
        if isinstance(node, dict)
        else enumerate(node)
        if isinstance(node, list)
        else ()
    )
    for name, inner in listed:
        yield from places_in(inner, (*path, name))


def spoilt(document, place, how, junk):
    holder = document
    for step in place[:-1]:
        holder = holder[step]
    if how == "drop":
        del holder[place[-1]]
    elif how == "list":
        holder[place[-1]] = [holder[place[-1]]]
    elif how == "text":
        holder[place[-1]] = json.dumps(holder[place[-1]])
    else:
        holder[place[-1]] = junk


CLEAN = {
    one.where: (one.comparator, one.value, one.unit, one.status, one.codes, one.interval)
    for got in read(WHOLE).received
    for one in got.submission.results
}
SPOT = st.sampled_from(
    [
        ("entry", index, "resource", *place)
        for index in RESULTS
        for place in places_in(WHOLE["entry"][index]["resource"])
    ]
)


@given(place=SPOT, how=st.sampled_from(["drop", "list", "text", "junk"]), junk=JUNK)
def test_what_is_wrong_with_one_result_leaves_every_other_as_it_was(place, how, junk):
    document = copy.deepcopy(WHOLE)
    spoilt(document, place, how, junk)
    reading = read(document)
    hit = f"Bundle.entry[{place[1]}].resource"
    found = {
        one.where: (one.comparator, one.value, one.unit, one.status, one.codes, one.interval)
        for got in reading.received
        for one in got.submission.results
    }
    others = {where: result for where, result in CLEAN.items() if not where.startswith(hit)}
    assert {where: found.get(where) for where in others} == others
    told = [one.where for one in reading.refused]
    told += [where for got in reading.received for where, _, _ in got.submission.problems]
    assert any(where.startswith(hit) for where in (*found, *told))


@given(
    document=st.recursive(
        JUNK,
        lambda inner: st.fixed_dictionaries(
            {
                "resourceType": st.sampled_from(
                    ["Bundle", "Parameters", "Observation", "DiagnosticReport", "Patient"]
                )
            },
            optional={
                "type": st.sampled_from(["collection", "searchset", "history"]),
                "entry": st.lists(st.fixed_dictionaries({"resource": inner}), max_size=4),
                "parameter": st.lists(
                    st.fixed_dictionaries({"name": st.just("panel"), "resource": inner}), max_size=2
                ),
                "contained": st.lists(inner, max_size=3),
                "subject": inner,
                "code": inner,
                "valueQuantity": inner,
                "component": st.lists(inner, max_size=2),
                "hasMember": st.lists(inner, max_size=2),
                "identifier": inner,
            },
        ),
        max_leaves=12,
    )
)
def test_any_document_is_read_or_refused_in_words(document):
    code = ""
    try:
        read(document)
    except SubmissionError as error:
        code = error.code
    assert code != "unreadable"
