"""`labinterp knowledge` tells people what the machine knows, and fails when it does not hold together."""

import pytest

from labinterp import cli, knowledge


def said(capsys, *words):
    code = cli.main(["knowledge", *words])
    return code, capsys.readouterr().out


def test_version_prints_version_and_digest(capsys):
    code, out = said(capsys, "version")
    assert code == cli.DONE
    assert knowledge.load().digest in out
    assert knowledge.VERSION in out


@pytest.mark.parametrize("name", ["potassium", "mg-driven-triple", "swlp", "eyelid-twitch", "egfr"])
def test_show_prints_what_is_known_of_an_id(capsys, name):
    code, out = said(capsys, "show", name)
    assert code == cli.DONE
    assert out.startswith(f"id: {name}\n")


def test_show_says_when_nothing_has_the_id(capsys):
    code = cli.main(["knowledge", "show", "phlogiston"])
    assert code == cli.INPUT_AT_FAULT
    assert "phlogiston" in capsys.readouterr().err


def test_overdue_lists_what_was_due_before_the_day(capsys):
    assert said(capsys, "overdue", "--on", "2026-01-01")[1].startswith("0 files")
    assert "patterns/mg-driven-triple.yaml" in said(capsys, "overdue", "--on", "2030-01-01")[1]


def test_check_counts_doubts_and_names_them_when_asked(capsys):
    code, out = said(capsys, "check", "--on", "2026-01-01")
    assert code == cli.DONE
    assert "unverified: " in out
    assert "overdue for review: 0" in out
    assert "analytes/albumin.yaml:" in said(capsys, "check", "--all", "--on", "2026-01-01")[1]


def test_check_fails_and_names_file_and_line(capsys, monkeypatch):
    monkeypatch.setattr(knowledge, "check", lambda _: ("map.yaml:3: a node is missing",))
    code, out = said(capsys, "check")
    assert code == cli.OURS
    assert out == "FAULT map.yaml:3: a node is missing\n"


def test_diff_of_a_folder_with_itself_is_empty(capsys):
    assert said(capsys, "diff", str(knowledge.FOLDER)) == (cli.DONE, "0 differences.\n")
