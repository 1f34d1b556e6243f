"""The words, their order and their structure are kept on file; a change of them is looked at, never refreshed.

`python -m tests.unit.reporting.test_snapshots` writes the files anew.
"""

from dataclasses import replace
from pathlib import Path

import pytest

from labinterp.reporting import style
from labinterp.reporting.flowables import Grid, NumberLine, PathPicture, Text
from labinterp.reporting.pdf import story
from labinterp.reporting.text import long_text, summary
from labinterp.reporting.view import build
from tests.unit.reporting.orders import a_plain_answer, a_result, an_answer, an_order

FOLDER = Path(__file__).parents[2] / "snapshots" / "reporting"
ORDERS = {
    "seven": an_order(),
    "one-within": an_order(a_plain_answer([a_result(value="4.0", standing="within")])),
    "corrected": an_order(
        status="corrected", version=2, changes=("Potassium 6.8 → 4.1 mmol/L, haemolysed sample.",)
    ),
    "unreadable": an_order(
        a_plain_answer(
            [
                replace(
                    a_result(value="see text", low=None, high=None, standing="unknown"), value=None
                )
            ]
        )
    ),
}


def the_roles(flowable):
    """Each piece in reading order: its role and its words."""
    if isinstance(flowable, Grid):
        inner = [line for row in flowable._cellvalues for cell in row for line in the_roles(cell)]
        return [flowable.role or "-", *(f"  {line}" for line in inner)]
    if isinstance(flowable, list | tuple):
        return [line for item in flowable for line in the_roles(item)]
    if isinstance(flowable, Text):
        return [f"{flowable.role} {flowable.getPlainText()}"]
    if isinstance(flowable, NumberLine | PathPicture):
        return [f"{flowable.role} {flowable.alt}"]
    words = getattr(flowable, "words", None)
    return the_roles(words) if words is not None else []


def snapshots(name):
    view = build(ORDERS[name])
    roles = "\n".join(the_roles(story(view, style.styles(), 504.0))) + "\n"
    return {
        f"{name}.summary.txt": summary(view),
        f"{name}.text.txt": long_text(view),
        f"{name}.structure.txt": roles,
    }


@pytest.mark.parametrize("name", ORDERS)
def test_words_and_structure_are_those_on_file(name):
    for file, text in snapshots(name).items():
        assert text == (FOLDER / file).read_text(encoding="utf-8"), file


def test_the_structure_has_one_title_and_headings_in_order():
    lines = the_roles(story(build(an_order(an_answer())), style.styles(), 504.0))
    headings = [line.strip() for line in lines if line.strip().startswith(("H1", "H2"))]
    assert headings[0].startswith("H1 ")
    assert sum(line.startswith("H1") for line in headings) == 1
    assert "H2 Results" in headings


if __name__ == "__main__":
    FOLDER.mkdir(parents=True, exist_ok=True)
    for order_name in ORDERS:
        for file_name, content in snapshots(order_name).items():
            (FOLDER / file_name).write_text(content, encoding="utf-8")
