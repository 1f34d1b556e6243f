"""The notation of the examples in `reference_ranges/`, as panels and as facts.

    {magnesium: 0.5 mmol/L, potassium: 3.0 mmol/L (3.5-5.3), symptoms: [...], age: 54 years, sex: female}

A value may carry the interval printed with it in brackets; a list holds two results of one test.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime

from labinterp.formats import json_panel
from labinterp.interpretation import urgency
from labinterp.interpretation.classify import classify, graded
from labinterp.interpretation.derive import derive
from labinterp.interpretation.facts import of_panel
from labinterp.interpretation.reading import read
from labinterp.interpretation.recognise import recognise
from labinterp.interpretation.settings import settle
from labinterp.model.submission import Choices

NOW = datetime(2026, 1, 2, 12, tzinfo=UTC)
_RESULT = re.compile(r"^(?P<value>[<>≤≥]?\s*-?[\d.]+) (?P<unit>\S+)(?: \((?P<interval>[^)]*)\))?$")
_ABOUT_PATIENT = ("symptoms", "medications", "conditions", "history")
_OTHER = (*_ABOUT_PATIENT, "specimen", "age", "sex", "pregnancy")


def panel_of(given, knowledge):
    """An example's panel in the contract's JSON."""
    panel = {
        "patient": {"sex": given.get("sex", "unknown")},
        "collected_at": "2026-01-02T08:00:00Z",
        "results": [
            result
            for name, sent in given.items()
            if name not in _OTHER
            for result in _results(knowledge.measurands[name], sent)
        ],
        **{name: list(given[name]) for name in _ABOUT_PATIENT if name in given},
    }
    if "age" in given:
        value, unit = str(given["age"]).split()
        panel["patient"]["age"] = {"value": int(value), "unit": unit}
    if "pregnancy" in given:
        panel["patient"]["pregnancy"] = {"status": given["pregnancy"]}
    if "specimen" in given:
        panel["specimen"] = dict(given["specimen"])
    return panel


def _results(measurand, sent):
    for one in sent if isinstance(sent, list) else [sent]:
        yield {"test": measurand.names[0] if measurand.names else measurand.name, **_value(one)}


def _value(text):
    found = _RESULT.match(text)
    if found is None:
        return {"value": text}
    result = {"value": found["value"], "unit": found["unit"]}
    return result | ({"reference_interval": found["interval"]} if found["interval"] else {})


def submission_of(panel):
    """The panel as received through the JSON door."""
    return json_panel.received_of(panel, NOW).submission


def facts_of(submission, knowledge):
    """What conditions may ask of this submission, as reported."""
    settings, _ = settle(Choices(), Choices(), knowledge)
    patient = recognise(submission, knowledge).patient
    reading = read(submission, patient, knowledge)
    panel = derive(reading.panel, knowledge)
    placed = [classify(result, panel.patient, settings, knowledge)[0] for result in panel.results]
    classifications = graded(placed, of_panel(panel, placed, knowledge.measurands))
    facts = of_panel(panel, classifications, knowledge.measurands)
    codes = [problem.code for problem in reading.problems]
    return urgency.with_computed(facts, classifications, codes)
