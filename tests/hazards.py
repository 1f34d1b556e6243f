"""The hazards of `tests/hazards.yaml` with the tests that are marked as their proof, as a page of the documentation.

    python -m tests.hazards > docs/explanation/hazards.md

The tests are found in their source by `@pytest.mark.hazard("<id>", …)`, so that no list of them can fall behind.
"""

from __future__ import annotations

import ast
import sys
from collections import defaultdict
from pathlib import Path
from typing import NamedTuple

from ruamel.yaml import YAML

TESTS = Path(__file__).parent
INTRODUCTION = """\
# What could go wrong, and what stands against it

This is the hazard log of the service, in the manner of ISO 14971: for each hazard its cause, the harm it may do at
worst, what controls it, the tests that prove the control, and the risk that is left. It is written from
`tests/hazards.yaml` and from the marks in the tests by `python -m tests.hazards`, and a test fails where this page is not
what they say. How often a hazard arises is not stated: nobody has measured it. No claim of conformity with the standard
is made, and the log was not reviewed by a notified body.

**Intended use.** labinterp helps clinicians to read the blood results of an adult or child with twitching. It names what
the results can and cannot explain; it makes no diagnosis, gives no dose and replaces no judgement. Its users are
clinicians and clinical laboratories; a patient reads only what a clinician releases.
"""


class Proof(NamedTuple):
    """A test that shows a control to work."""

    file: str
    name: str

    @property
    def sentence(self) -> str:
        """The test's name as the sentence it is."""
        return self.name.removeprefix("test_").replace("_", " ")


def hazards():
    """The hazards as they stand in the file."""
    return YAML(typ="safe").load((TESTS / "hazards.yaml").read_text("utf-8"))


def proofs():
    """Hazard id to the tests that carry its mark."""
    found = defaultdict(list)
    for path in sorted(TESTS.rglob("test_*.py")):
        for node in ast.parse(path.read_text("utf-8")).body:
            for hazard in _marks(node):
                found[hazard].append(Proof(path.relative_to(TESTS).as_posix(), node.name))
    return found


def _marks(node):
    """The ids a test is marked with."""
    return [
        argument.value
        for mark in getattr(node, "decorator_list", ())
        if isinstance(mark, ast.Call) and ast.unparse(mark.func) == "pytest.mark.hazard"
        for argument in mark.args
    ]


def page():
    """The page of the documentation."""
    found = proofs()
    sections = [_section(one, found[one["id"]]) for one in hazards()]
    return "\n".join([INTRODUCTION, _overview(found), *sections])


def _overview(found):
    rows = [
        f"| [{one['id']}](#{one['id']}) | {one['hazard']} | {one['severity']} | {len(found[one['id']])} |"
        for one in hazards()
    ]
    return "\n".join(["| | hazard | severity | tests |", "|---|---|---|---|", *rows, ""])


def _section(hazard, tests):
    said = [
        f"- **{member.capitalize()}:** {hazard[member]}"
        for member in ("cause", "harm", "severity", "control", "residual")
    ]
    proven = [f"- {one.sentence} (`{one.file}`)" for one in tests]
    title = f"## {hazard['id']}\n\n{hazard['hazard']}\n"
    return "\n".join([title, *said, "", "Proven by:", "", *proven, ""])


if __name__ == "__main__":
    sys.stdout.write(page())
