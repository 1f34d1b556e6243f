"""The words, their order and their structure are kept on file; a change of them is looked at, never refreshed.

`python -m tests.unit.reporting.test_snapshots` writes the files anew.
"""

import re
import shutil
import subprocess
import tempfile
from dataclasses import replace
from pathlib import Path

import pytest

from labinterp.reporting.render import draw
from labinterp.reporting.text import long_text, summary
from labinterp.reporting.view import build
from tests.unit.reporting.orders import a_plain_answer, a_result, an_order

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


def read_aloud(pdf):
    """The structure of a document and its words, as poppler finds them in the file."""
    with tempfile.NamedTemporaryFile(suffix=".pdf") as file:
        file.write(pdf)
        file.flush()
        asked = ["pdfinfo", "-struct-text", file.name]
        told = subprocess.run(asked, capture_output=True, check=True, text=True).stdout
    told = re.sub(r" +\((block|inline)\)", "", told)
    return re.sub(r"^ *(Object \d+ 0|/BBox .*|/Placement .*)\n", "", told, flags=re.MULTILINE)


def snapshots(name):
    view = build(ORDERS[name])
    return {
        f"{name}.summary.txt": summary(view),
        f"{name}.text.txt": long_text(view),
        f"{name}.structure.txt": read_aloud(draw(ORDERS[name]).pdf),
    }


@pytest.mark.skipif(not shutil.which("pdfinfo"), reason="pdfinfo of poppler-utils is not here")
@pytest.mark.parametrize("name", ORDERS)
def test_words_and_structure_are_those_on_file(name):
    for file, text in snapshots(name).items():
        assert text == (FOLDER / file).read_text(encoding="utf-8"), file


if __name__ == "__main__":
    FOLDER.mkdir(parents=True, exist_ok=True)
    for order_name in ORDERS:
        for file_name, content in snapshots(order_name).items():
            (FOLDER / file_name).write_text(content, encoding="utf-8")
