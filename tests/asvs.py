"""The security requirements of `tests/asvs.yaml` as the list at the end of the page on security.

python -m tests.asvs      # writes docs/explanation/security.md anew, below its mark
"""

from __future__ import annotations

import ast
import sys
from collections import Counter
from pathlib import Path
from typing import NamedTuple

from ruamel.yaml import YAML

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "explanation" / "security.md"
MARK = "<!-- From here on: python -m tests.asvs, from tests/asvs.yaml -->\n"
STATES = {"met": "met", "no": "**not met**", "none": "not applicable"}
SECTIONS = {
    1: (2, 9, 11, 3, 2),
    2: (3, 3, 4, 1),
    3: (0, 2, 4, 6, 5, 0, 2),
    4: (3, 1, 2, 4),
    5: (1, 3, 2, 3),
    6: (3, 12, 4, 4, 5, 3, 0, 4),
    7: (3, 4, 2, 5, 2, 2),
    8: (2, 3, 1, 1),
    9: (3, 4),
    10: (2, 2, 4, 11, 5, 2, 3),
    11: (2, 3, 3, 4, 1, 1),
    12: (3, 2, 4),
    13: (1, 5, 2, 5),
    14: (2, 4, 3),
    15: (3, 3, 7),
    16: (1, 5, 4, 3, 3),
    17: (1, 4, 2),
}
"""How many requirements of levels 1 and 2 each section of each chapter of version 5.0.0 begins with."""
BEYOND = ("1.2.10", "1.3.12", "3.4.8", "6.3.8", "11.2.4")
"""Of level 3, and in the list because they are kept here on purpose."""
TITLES = {
    1: "Encoding and sanitisation",
    2: "Validation and business logic",
    3: "Browsers",
    4: "API",
    5: "Files",
    6: "Signing in",
    7: "Sessions",
    8: "Who may do what",
    9: "Signed tokens",
    10: "OAuth and OpenID Connect",
    11: "Cryptography",
    12: "On the way",
    13: "Configuration",
    14: "Data",
    15: "Code",
    16: "Logs and faults",
    17: "WebRTC",
}


class Item(NamedTuple):
    """One requirement and what stands to it."""

    number: str
    about: str
    state: str
    words: str
    by: tuple[str, ...]

    @property
    def chapter(self):
        return int(self.number.partition(".")[0])

    @property
    def order(self):
        return tuple(map(int, self.number.split(".")))


def numbers():
    """Every requirement of levels 1 and 2."""
    return [
        f"{chapter}.{section}.{number}"
        for chapter, counts in SECTIONS.items()
        for section, count in enumerate(counts, 1)
        for number in range(1, count + 1)
    ]


def items():
    """The list as it stands in the file, one requirement each, in their order."""
    held = YAML(typ="safe").load((ROOT / "tests" / "asvs.yaml").read_text("utf-8"))
    found = []
    for entry in held:
        (state,) = (name for name in STATES if name in entry)
        by = tuple(entry.get("by", ()))
        words = entry[state]
        found += [Item(str(one), entry["about"], state, words, by) for one in entry["ids"]]
    return sorted(found, key=lambda one: one.order)


def missing_proofs():
    """What the list names and is not there: files, and tests in files."""
    return [one for item in items() for one in item.by if not _exists(one)]


def _exists(proof):
    name, _, test = proof.partition("::")
    path = ROOT / name
    if not path.is_file():
        return False
    return not test or any(
        isinstance(node, ast.FunctionDef) and node.name == test
        for node in ast.parse(path.read_text("utf-8")).body
    )


def page():
    """The page with the list written anew; what stands above the mark is kept."""
    above = PAGE.read_text("utf-8").partition(MARK)[0]
    found = items()
    parts = [above + MARK, _overview(found)]
    for chapter, title in TITLES.items():
        rows = [_row(one) for one in found if one.chapter == chapter]
        head = f"### V{chapter} {title}\n\n| | asked | state | how, or what is missing |\n|---|---|---|---|"
        parts.append("\n".join([head, *rows, ""]))
    return "\n".join(parts)


def _overview(found):
    counted = Counter(one.state for one in found if one.number not in BEYOND)
    said = ", ".join(f"{counted[state]} {words.strip('*')}" for state, words in STATES.items())
    not_met = ", ".join(one.number for one in found if one.state == "no")
    return (
        f"Of {sum(counted.values())} requirements of levels 1 and 2: {said}. Not met: {not_met}.\n"
        f"{', '.join(BEYOND)} are of level 3.\n"
    )


def _row(item):
    proofs = "; ".join(f"`{one}`" for one in item.by)
    words = f"{item.words} {proofs}".strip()
    return f"| {item.number} | {item.about} | {STATES[item.state]} | {words} |"


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")
    sys.stdout.write(f"{PAGE}\n")
