"""The pages of reference that are written by hand name all that the code has."""

from __future__ import annotations

import argparse
import ast
import importlib
import re
from pathlib import Path

from labinterp import cli
from labinterp.api.errors import KINDS

ROOT = Path(__file__).parents[2]
PAGES = ROOT / "docs" / "reference"
CODE = re.compile(r"[a-z]+(-[a-z]+)*")
# The argument that is the code, of what makes a refusal or a problem.
CALLS = {"Problem": 0, "fault": 0, "Fault": 0, "Place": 1, "_problem": 1, "_refused": 1}


def test_every_command_action_and_option_is_on_its_page():
    page = (PAGES / "command-line.md").read_text(encoding="utf-8")
    missing = [
        words for words in spoken() if not re.search(rf"`{re.escape(words[0])}\b{words[1]}", page)
    ]
    assert missing == []


def spoken():
    """Each command with its action, and what stands behind it in one pair of backticks."""
    for name in cli.COMMANDS:
        parsers = argparse.ArgumentParser().add_subparsers()
        importlib.import_module(f"labinterp.cli.{name}").register(parsers)
        yield from of_parser(name, parsers.choices[name])


def of_parser(words, parser):
    nested = [act for act in parser._actions if isinstance(act, argparse._SubParsersAction)]
    yield words, ""
    for action in parser._actions:
        for option in action.option_strings:
            if option not in ("-h", "--help"):
                yield words, rf"[^`]*{re.escape(option)}\b"
    for action in nested:
        for name, inner in action.choices.items():
            yield from of_parser(f"{words} {name}", inner)


def test_every_kind_of_refusal_stands_on_its_page_with_status_and_title():
    page = (PAGES / "problems.md").read_text(encoding="utf-8")
    rows = [f"| `{kind.code}` | {kind.status} | {kind.title} |" for kind in KINDS.values()]
    assert [row for row in rows if row not in page] == []


def test_every_code_that_is_given_stands_on_its_page():
    page = (PAGES / "problems.md").read_text(encoding="utf-8")
    given = {code for path in (ROOT / "labinterp").rglob("*.py") for code in codes_in(path)}
    assert len(given) > 90
    assert sorted(code for code in given if f"`{code}`" not in page) == []


def codes_in(path):
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if not isinstance(node, ast.Call):
            continue
        name = getattr(node.func, "id", getattr(node.func, "attr", ""))
        found = [word.value for word in node.keywords if word.arg == "code"]
        if name in CALLS and len(node.args) > CALLS[name]:
            found.append(node.args[CALLS[name]])
        for value in found:
            text = value.value if isinstance(value, ast.Constant) else None
            if isinstance(text, str) and CODE.fullmatch(text):
                yield text
