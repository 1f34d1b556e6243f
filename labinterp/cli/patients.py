"""`labinterp patients`: hand over, or erase, everything stored of one patient."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from labinterp.cli import COMMANDS, DONE, USAGE

if TYPE_CHECKING:
    import argparse

    from labinterp.access import Actor
    from labinterp.usecases.patients import Patient
    from labinterp.usecases.services import Services


def register(subparsers: Any) -> None:
    """Add the command's parser."""
    parser = subparsers.add_parser("patients", help=COMMANDS["patients"])
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    _complete(actions.add_parser("export", help="write all of one patient into a folder"), "export")
    _complete(actions.add_parser("erase", help="remove all of one patient, for good"), "erase")
    parser.set_defaults(run=run)


def register_action(subparsers: Any, action: str) -> None:
    """`labinterp export` and `labinterp erase`, the same under their short names."""
    parser = subparsers.add_parser(action, help=COMMANDS[action])
    _complete(parser, action)
    parser.set_defaults(run=run, action=action)


def _complete(parser: argparse.ArgumentParser, action: str) -> None:
    parser.add_argument("--organisation", required=True, help="its id or name")
    whom = parser.add_mutually_exclusive_group(required=True)
    whom.add_argument("--identifier", help="of the patient")
    whom.add_argument("--panel", metavar="ID", help="one panel, where there is no identifier")
    parser.add_argument(
        "--system", help="who issued the identifier, where several did ('' for nobody)"
    )
    if action == "export":
        parser.add_argument("--out", metavar="DIR", required=True, help="a new or empty folder")
    else:
        parser.add_argument(
            "--reason", required=True, help="one line, without the patient's name; for the audit"
        )
        parser.add_argument(
            "--yes", action="store_true", help="do it; without, it is only said what would go"
        )


def run(args: argparse.Namespace) -> int:
    """Export or erase."""
    from labinterp import bootstrap  # noqa: PLC0415 - imported when the command runs
    from labinterp.cli.organisations import named  # noqa: PLC0415 - imported when the command runs
    from labinterp.usecases import administer, patients  # noqa: PLC0415 - as above

    services = bootstrap.services()
    actor = administer.system_actor(named(services, args.organisation))
    patient = (
        patients.patient_of_panel(services, actor, args.panel)
        if args.panel
        else patients.patient_of(services, actor, args.identifier, args.system)
    )
    do = _export if args.action == "export" else _erase
    return do(services, actor, patient, args)


def _export(services: Services, actor: Actor, patient: Patient, args: argparse.Namespace) -> int:
    from labinterp.errors import SubmissionError  # noqa: PLC0415 - imported when the command runs
    from labinterp.usecases import patients  # noqa: PLC0415 - imported when the command runs

    out = Path(args.out)
    try:
        out.mkdir(mode=0o700, parents=True, exist_ok=True)
        if any(out.iterdir()):
            raise SubmissionError(f"{out} is not empty.", code="file-unwritable")
        count = 0
        for name, body in patients.exported(services, actor, patient):
            _write(out, name, body)
            count += 1
    except OSError as error:
        raise SubmissionError(
            f"{out} cannot be written: {error.strerror}.", code="file-unwritable"
        ) from error
    print(f"{len(patient.panel_ids)} panels, {count} files in {out}")
    return DONE


def _write(out: Path, name: str, body: bytes) -> None:
    """Folders and file are their owner's alone."""
    for folder in reversed(Path(name).parents):
        (out / folder).mkdir(mode=0o700, exist_ok=True)
    path = out / name
    path.touch(mode=0o600)
    path.write_bytes(body)


def _erase(services: Services, actor: Actor, patient: Patient, args: argparse.Namespace) -> int:
    from labinterp.usecases import patients  # noqa: PLC0415 - imported when the command runs

    if not args.yes:
        for panel_id in patient.panel_ids:
            print(panel_id)
        print(
            f"{len(patient.panel_ids)} panels would be erased for good; say --yes to do it.",
            file=sys.stderr,
        )
        return USAGE
    done = patients.erase(services, actor, patient, args.reason)
    print(
        f"{done.panels} panels erased, {done.messages} messages and {done.exports} bulk exports"
        " with them"
    )
    return DONE
