"""The commands of the how-to about patients' data do what it says."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from labinterp import bootstrap
from labinterp.cli import DONE, USAGE, main
from labinterp.usecases import administer
from tests.contract.test_patients import accepted, worked

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "hand-over-and-erase.md"


@pytest.fixture
def demo(services, monkeypatch, tmp_path):
    monkeypatch.setattr(bootstrap, "services", lambda *_: services)
    monkeypatch.chdir(tmp_path)
    made = administer.system_actor(administer.create_organisation(services, "Demo"))
    accepted(services, made)
    worked(services)
    return services


def commands():
    for block in re.findall(r"```sh\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL):
        for line in block.splitlines():
            words = shlex.split(line)
            assert words[:3] == ["python", "-m", "labinterp"]
            yield words[3:]


def test_each_command_of_the_page_does_what_it_says(demo, capsys, tmp_path):
    codes = {}
    for words in commands():
        codes[" ".join(words[:2])] = main(words)
    assert codes == {
        "patients export": DONE,
        "patients erase": USAGE,
        "retention due": DONE,
        "retention run": DONE,
        "audit verify": DONE,
        "audit export": DONE,
    }
    assert list((tmp_path / "hand-over" / "panels").rglob("record.json"))
    (erase,) = (words for words in commands() if words[:2] == ["patients", "erase"])
    assert main([*erase, "--yes"]) == DONE
    assert "1 panels erased" in capsys.readouterr().out


def test_the_page_names_every_setting_of_keeping(demo):
    text = PAGE.read_text(encoding="utf-8")
    names = re.findall(r"`([A-Z]+_KEPT)`", bootstrap.settings_page())
    assert len(names) >= 6
    assert [name for name in names if f"`{name}`" not in text] == []
