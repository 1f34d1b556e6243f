"""What an operator does when a patient asks for their data, or for its end, and when time is over."""

import dataclasses
import json
from datetime import timedelta
from pathlib import Path

import pytest

from labinterp import bootstrap
from labinterp.cli import DONE, INPUT_AT_FAULT, USAGE
from labinterp.usecases import administer, journey
from tests.contract.test_patients import accepted, worked
from tests.unit.usecases.conftest import drawn

WHO = ("--organisation", "Ward", "--identifier", "MRN-1")


@pytest.fixture
def services(services):
    return dataclasses.replace(services, draw=drawn)


@pytest.fixture
def panel_id(services):
    actor = administer.system_actor(administer.create_organisation(services, "Ward"))
    made = accepted(services, actor)
    worked(services)
    return made


@pytest.mark.parametrize("command", [("patients", "export"), ("export",)])
def test_a_patient_is_written_into_a_new_folder_for_its_owner_alone(
    run, panel_id, tmp_path, command
):
    out = tmp_path / "to" / "hand" / "over"
    code, said, _ = run(*command, *WHO, "--out", str(out))
    assert (code, said) == (DONE, f"1 panels, 5 files in {out}\n")
    index = json.loads((out / "index.json").read_text())
    assert index["panels"] == [panel_id]
    for path in out.rglob("*"):
        assert oct(path.stat().st_mode)[-2:] == "00"
    assert run(*command, *WHO, "--out", str(out))[0] == INPUT_AT_FAULT


def test_a_file_in_the_way_is_named(run, panel_id, tmp_path):
    (tmp_path / "file").touch()
    code, _, err = run("export", *WHO, "--out", str(tmp_path / "file"))
    assert code == INPUT_AT_FAULT
    assert "cannot be written" in err


@pytest.mark.parametrize("command", [("patients", "erase"), ("erase",)])
def test_erasing_is_said_first_and_done_when_it_is_confirmed(run, panel_id, services, command):
    code, out, err = run(*command, *WHO, "--reason", "asked for")
    assert (code, out) == (USAGE, f"{panel_id}\n")
    assert "--yes" in err
    file = Path(services.store.engine.url.database)
    assert b"ann@example.org" in _bytes(file)
    code, out, _ = run(*command, *WHO, "--reason", "asked for", "--yes")
    assert (code, out) == (DONE, "1 panels erased, 0 messages and 0 bulk exports with them\n")
    assert b"ann@example.org" not in _bytes(file)
    assert run(*command, *WHO, "--reason", "asked for", "--yes")[0] == INPUT_AT_FAULT


def _bytes(file):
    """The database as it lies on the disk, its log included."""
    return b"".join(path.read_bytes() for path in file.parent.glob(f"{file.name}*"))


def test_a_panel_without_an_identifier_is_erased_by_its_own_id(run, panel_id):
    who = ("--organisation", "Ward", "--panel", panel_id)
    assert run("erase", *who, "--reason", "asked for", "--yes")[0] == DONE
    assert run("erase", *who, "--reason", "asked for", "--yes")[0] == INPUT_AT_FAULT


def test_what_has_had_its_time_is_counted_and_removed(run, panel_id, services, clock, monkeypatch):
    policy = dataclasses.replace(services.policy, panels_kept=timedelta(days=30))
    kept = dataclasses.replace(services, policy=policy)
    monkeypatch.setattr(bootstrap, "services", lambda *_: kept)
    assert run("retention", "due")[1] == "0 panels and 0 messages have had their time\n"
    clock.move(timedelta(days=31))
    assert run("retention", "due")[1] == "1 panels and 0 messages have had their time\n"
    code, out, _ = run("retention", "run")
    assert code == DONE
    assert out.startswith("removed: 1 panels, 0 messages")
    assert journey.tidy(kept) == 0
