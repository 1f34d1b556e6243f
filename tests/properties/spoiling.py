"""Documents and tables that somebody spoilt, and how many of them are tried."""

from __future__ import annotations

import copy
import json
import os

from hypothesis import strategies as st

IS_PROOF = os.environ.get("HYPOTHESIS_PROFILE") == "prove"  # noqa: TID251
PROOF = 10_000
"""Of each door's inputs; every check tries a few."""
JUNK = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**18), 10**18),
    st.floats(),
    st.text(max_size=20),
    st.sampled_from(
        [
            *("A" * 3000, "9" * 400, "1e999999999", "-0", "<", "\x00", "\u2028", "½", "\ud800"),
            *("2,9", "≤ 3", "0000-00-00", "2026-02-30T08:00:00Z", "Patient/nobody", "#gone"),
            *("cancelled", "entered-in-error", "preliminary", "http://loinc.org", "mmol/L"),
            *([], {}, [[]], [None], [{}], {"value": None}, {"reference": "urn:uuid:nothing"}),
            {"value": "2,9", "unit": "mmol/l"},
            {"resourceType": "OperationOutcome"},
            {"resourceType": "Bundle", "entry": [{"resource": {"resourceType": "Observation"}}]},
        ]
    ),
).map(copy.deepcopy)  # what is spoilt further must not be what the next document is given


def places_in(node, path=()):
    """The way to each member, however deep."""
    listed = node.items() if isinstance(node, dict) else enumerate(node)
    for name, inner in listed:
        yield (*path, name)
        if isinstance(inner, dict | list):
            yield from places_in(inner, (*path, name))


@st.composite
def spoilt(draw, whole):
    """A document with one to four of its members gone, doubled, misplaced or nonsense."""
    document = copy.deepcopy(draw(whole))
    for _ in range(draw(st.integers(1, 4))):
        *way, last = draw(st.sampled_from(sorted(places_in(document), key=str)))
        holder = document
        for step in way:
            holder = holder[step]
        how = draw(st.sampled_from(["drop", "list", "text", "junk", "more", "twice"]))
        if how == "drop":
            del holder[last]
        elif how == "list":
            holder[last] = [holder[last]]
        elif how == "text":
            holder[last] = json.dumps(holder[last])
        elif how == "more" and isinstance(holder, dict):
            holder[draw(st.text(max_size=10))] = draw(JUNK)
        elif how == "twice" and isinstance(holder, list):
            holder.insert(last, copy.deepcopy(holder[last]))
        else:
            holder[last] = draw(JUNK)
        if not document:
            break
    return document


@st.composite
def bodies(draw, whole):
    """The same as bytes, now and then cut off or with a byte put in."""
    body = json.dumps(draw(spoilt(whole))).encode()
    if draw(st.integers(0, 9)) == 0:
        at = draw(st.integers(0, len(body)))
        body = draw(
            st.sampled_from([body[:at], body[:at] + b"\xff" + body[at:], body[:at] + b"," + body])
        )
    return body
