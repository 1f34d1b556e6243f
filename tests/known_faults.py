"""Known faults of the pinned libraries, from a copy of the OSV database where its service cannot be asked.

    python -m tests.known_faults all.zip [requirements.lock …]

The copy is OSV's own archive for PyPI (`all.zip` of its bucket, or what a mirror inside keeps of it): one JSON file for
each advisory. Without a copy `make security` asks the service through pip-audit. An advisory that cannot be read counts
as one that was found: silence must mean that there is none.
"""

from __future__ import annotations

import json
import re
import sys
import zipfile
from pathlib import Path
from typing import NamedTuple

from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

ROOT = Path(__file__).parents[1]
LOCKS = ("requirements.lock", "requirements-dev.lock")
PIN = re.compile(r"^([A-Za-z0-9._-]+)(?:\[[^\]]*\])?==([^\s;\\]+)", re.MULTILINE)


class Fault(NamedTuple):
    """An advisory that holds for a pinned version."""

    library: str
    version: str
    advisory: str
    words: str


def pinned(*locks):
    """Library to version, as the locks have it."""
    return {
        canonicalize_name(name): version
        for lock in locks
        for name, version in PIN.findall(Path(lock).read_text("utf-8"))
    }


def faults(snapshot, libraries):
    """What the copy says of these libraries, in their order."""
    found = set()
    with zipfile.ZipFile(snapshot) as archive:
        names = [name for name in archive.namelist() if name.endswith(".json")]
        if not names:
            raise ValueError(f"{snapshot} holds no advisory")
        for name in names:
            found |= set(_of(archive.read(name), name, libraries))
    return sorted(found)


def _of(body, name, libraries):
    try:
        advisory = json.loads(body)
        for affected in () if advisory.get("withdrawn") else advisory["affected"]:
            package = affected["package"]
            library = canonicalize_name(package["name"])
            version = libraries.get(library)
            if package["ecosystem"] == "PyPI" and version and _holds(affected, version):
                yield Fault(library, version, advisory["id"], advisory.get("summary", ""))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        yield Fault("?", "?", name, f"cannot be read ({type(error).__name__})")


def _holds(affected, version):
    if version in affected.get("versions", ()):
        return True
    ranges = [one for one in affected.get("ranges", ()) if one["type"] == "ECOSYSTEM"]
    return any(_within(one["events"], Version(version)) for one in ranges)


def _within(events, version):
    """OSV's own rule: the events in the order of their versions; the last one at or below decides."""
    inside = False
    for kind, at in sorted(
        ((kind, text) for event in events for kind, text in event.items()),
        key=lambda one: (_version(one[1]), one[0] != "introduced"),
    ):
        if kind == "introduced" and version >= _version(at):
            inside = True
        elif (kind == "fixed" and version >= _version(at)) or (
            kind == "last_affected" and version > _version(at)
        ):
            inside = False
    return inside


def _version(text):
    try:
        return Version("0.dev0" if text == "0" else text)
    except InvalidVersion as error:
        raise ValueError(text) from error


if __name__ == "__main__":
    copy, *locks = sys.argv[1:]
    libraries = pinned(*(locks or [ROOT / name for name in LOCKS]))
    told = faults(copy, libraries)
    for fault in told:
        sys.stdout.write(f"{fault.library} {fault.version}: {fault.advisory} {fault.words}\n")
    sys.stdout.write(f"{len(libraries)} libraries, {len(told)} known faults\n")
    sys.exit(1 if told else 0)
