"""A copy of OSV's advisories is read by OSV's own rules, and what cannot be read is not taken for silence."""

from __future__ import annotations

import json
import zipfile

import pytest

from tests import known_faults


def advisory(name="flask", *, id_="OSV-1", versions=(), events=(), **more):
    affected = {
        "package": {"ecosystem": "PyPI", "name": name},
        "versions": list(versions),
        "ranges": [{"type": "ECOSYSTEM", "events": list(events)}] if events else [],
    }
    return {"id": id_, "summary": "invented", "affected": [affected], **more}


@pytest.fixture
def copy(tmp_path):
    def written(*advisories):
        path = tmp_path / "all.zip"
        with zipfile.ZipFile(path, "w") as archive:
            for number, one in enumerate(advisories):
                archive.writestr(f"{number}.json", one if isinstance(one, str) else json.dumps(one))
        return path

    return written


@pytest.mark.parametrize(
    ("events", "held"),
    [
        ([{"introduced": "0"}, {"fixed": "3.1.3"}], False),
        ([{"introduced": "0"}, {"fixed": "3.1.4"}], True),
        ([{"introduced": "0"}, {"last_affected": "3.1.3"}], True),
        ([{"introduced": "0"}, {"last_affected": "3.1.2"}], False),
        ([{"introduced": "3.1.3"}], True),
        ([{"introduced": "3.2"}], False),
        ([{"introduced": "0"}, {"fixed": "2.0"}, {"introduced": "3.0"}, {"fixed": "3.10"}], True),
        ([{"introduced": "0"}, {"fixed": "2.0"}, {"introduced": "3.2"}], False),
    ],
)
def test_a_range_holds_as_osv_reads_it(copy, events, held):
    found = known_faults.faults(copy(advisory(events=events)), {"flask": "3.1.3"})
    assert bool(found) is held


def test_a_version_that_is_listed_is_affected_whatever_the_spelling_of_the_name(copy):
    told = copy(advisory("Flask_SmOrest", versions=["0.47.0"]))
    (fault,) = known_faults.faults(told, {"flask-smorest": "0.47.0"})
    assert (fault.library, fault.advisory) == ("flask-smorest", "OSV-1")


def test_another_library_another_ecosystem_and_what_was_withdrawn_hold_nothing(copy):
    always = [{"introduced": "0"}]
    elsewhere = advisory(events=always)
    elsewhere["affected"][0]["package"]["ecosystem"] = "npm"
    told = copy(
        advisory("django", events=always),
        elsewhere,
        advisory(events=always, withdrawn="2026-01-01T00:00:00Z"),
    )
    assert known_faults.faults(told, {"flask": "3.1.3"}) == []


@pytest.mark.parametrize("body", ["{", "[]", "{}", '{"affected": [{}]}'])
def test_what_cannot_be_read_is_told(copy, body):
    assert len(known_faults.faults(copy(body), {"flask": "3.1.3"})) == 1


def test_an_empty_copy_is_no_copy(copy):
    with pytest.raises(ValueError, match="no advisory"):
        known_faults.faults(copy(), {"flask": "3.1.3"})


def test_every_library_of_the_locks_is_looked_up():
    libraries = known_faults.pinned(*(known_faults.ROOT / name for name in known_faults.LOCKS))
    assert {"flask", "celery", "reportlab", "pytest", "bandit"} <= set(libraries)
    lines = (known_faults.ROOT / "requirements.lock").read_text("utf-8").splitlines()
    assert len(known_faults.pinned(known_faults.ROOT / "requirements.lock")) == sum(
        "==" in line and not line.startswith((" ", "#")) for line in lines
    )
