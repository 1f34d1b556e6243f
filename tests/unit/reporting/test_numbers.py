"""Every number a report prints of a result is that of the answer: read back out of the finished PDF."""

import json
import re
import shutil
import subprocess
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from functools import cache
from pathlib import Path

import pytest

from labinterp.formats import json_panel
from labinterp.interpretation import interpret
from labinterp.reporting.lookups import value_and_unit
from labinterp.reporting.render import draw
from labinterp.reporting.text import long_text
from labinterp.reporting.view import build
from tests.build import knowledge
from tests.unit.reporting.orders import an_order

GOLDEN = Path(__file__).parents[2] / "golden"
PANELS = {
    path.stem: path
    for path in (
        *sorted(GOLDEN.glob("*.json")),
        *sorted((GOLDEN / "sheet_cases").glob("case-*.json"))[::8],
    )
    if not path.name.endswith(".expected.json")
}
RECEIVED = datetime(2026, 1, 2, 12, tzinfo=UTC)
NUMBER = re.compile(r"\d+(?:\.\d+)?")
COLUMNS = ("name", "result", "flag", "interval", "position")

pytestmark = pytest.mark.skipif(
    not shutil.which("pdfinfo"), reason="pdfinfo of poppler-utils is not here"
)


@cache
def the_order(name):
    known = json.loads(PANELS[name].read_text("utf-8"), parse_float=Decimal)
    received = json_panel.received_of(known.get("panel", known), RECEIVED)
    identity = replace(received.identity, identifier="MRN-1", issuer="urn:example:mrn")
    answer = interpret(received.submission, knowledge())
    return an_order(answer, identity=identity, panel=received.panel, received_at=RECEIVED)


@cache
def read_back(name):
    """The structure of the finished PDF, as poppler reads it."""
    asked = ["pdfinfo", "-struct-text", "-"]
    pdf = draw(the_order(name)).pdf
    return subprocess.run(asked, input=pdf, capture_output=True, check=True).stdout.decode()


def the_rows(name):
    """Each row of the table of results: its cells, each as the texts in it."""
    table = re.search(r"^  Table.*?(?=^  \S)", read_back(name), re.DOTALL | re.MULTILINE)[0]
    for row in re.split(r"^ +TR.*\n", table, flags=re.MULTILINE)[1:]:
        cells = re.split(r"^ {8}T[HD].*\n", row, flags=re.MULTILINE)[1:]
        yield [
            [
                text.replace("\u00a0", " ").strip()
                for text in re.findall(r'^ +"(.*)"$', cell, re.MULTILINE)
            ]
            for cell in cells
        ]


def numbers(texts):
    return {Decimal(found) for text in texts for found in NUMBER.findall(text.replace("−", "-"))}


@pytest.mark.hazard("report-loses-text")
@pytest.mark.parametrize("name", PANELS)
def test_each_row_has_the_value_as_sent_and_the_ends_of_its_interval(name):
    rows = [dict(zip(COLUMNS, row, strict=False)) for row in the_rows(name) if len(row) >= 5]
    for result in the_order(name).interpretation.results:
        shown = value_and_unit(result).replace("\u00a0", " ") or "no value"
        found = [
            row
            for row in rows
            if row["name"][0].startswith(result.name) and row["result"][0] == shown
        ]
        assert found, (result.name, shown)
        if result.reported and result.reported.value:
            assert result.reported.value.lstrip("<>≤≥ +-") in found[0]["result"][0]
        if result.interval:
            ends = {end for end in (result.interval.low, result.interval.high) if end is not None}
            printed = found[0]["interval"][0]
            unit = result.interval.printed_unit or result.interval.unit
            assert numbers([printed.removesuffix(unit)]) == {abs(end) for end in ends}


@pytest.mark.hazard("report-loses-text")
@pytest.mark.parametrize("name", PANELS)
def test_the_report_prints_no_number_that_the_answer_does_not_say(name):
    order = the_order(name)
    view = build(order)
    lines = [row.line for row in view.section("results").blocks[0].rows if row.line]
    labels = " ".join(label.text for line in lines for label in line.labels)
    addresses = " ".join(source.url or "" for source in order.interpretation.sources)
    said = set(NUMBER.findall(f"{long_text(view)} {labels} {addresses} {view.version}"))
    printed = {
        number
        for line in read_back(name).splitlines()
        if line.strip().startswith('"')
        for number in NUMBER.findall(line)
    }
    counts = {str(number) for number in range(100)}
    assert printed - said <= counts
