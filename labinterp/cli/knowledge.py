"""`labinterp knowledge`: which medicine is in use, whether it holds together, and what it says."""

from __future__ import annotations

import json
import sys
from collections import Counter
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from labinterp.cli import COMMANDS, DONE, OURS

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable

    from labinterp.model.knowledge import Knowledge

_NOW_AND_THEN: Final = 50
ACTIONS: Final = {
    "version": "print version and digest",
    "check": "prove that every claim has a source and every file fits the others",
    "show": "print everything known of one id",
    "overdue": "list what is due for review",
    "reference": "write all of it as Markdown pages",
    "diff": "list what another folder says differently, and which stored panels it would",
}


def register(subparsers: Any) -> None:
    """Add the command's parser."""
    parser = subparsers.add_parser("knowledge", help=COMMANDS["knowledge"])
    parser.add_argument(
        "--folder", type=Path, help="read the medical knowledge from FOLDER", metavar="FOLDER"
    )
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    made = {name: actions.add_parser(name, help=text) for name, text in ACTIONS.items()}
    made["show"].add_argument("id", metavar="ID", help="of an analyte, rule, source, term, …")
    made["overdue"].add_argument("--on", type=date.fromisoformat, metavar="YYYY-MM-DD")
    made["check"].add_argument("--on", type=date.fromisoformat, metavar="YYYY-MM-DD")
    made["check"].add_argument(
        "--all", action="store_true", help="name every doubt, not only count"
    )
    made["reference"].add_argument("out", type=Path, metavar="OUT", help="the folder to write into")
    made["diff"].add_argument(
        "old", type=Path, nargs="?", metavar="OLD", help="the folder to compare with (that in use)"
    )
    made["diff"].add_argument("new", type=Path, metavar="NEW", help="the folder that may follow it")
    made["diff"].add_argument(
        "--against-store",
        action="store_true",
        help="also list the stored panels that NEW would read differently; none is changed",
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Do the chosen action; exit code 3 when the knowledge is at fault."""
    actions = {
        "version": _version,
        "check": _check,
        "show": _show,
        "overdue": _overdue,
        "reference": _reference,
        "diff": _diff,
    }
    return actions[args.action](args)


def _version(args: argparse.Namespace) -> int:
    known = _load(args)
    print(f"knowledge {known.version}, digest {known.digest}")
    counted = (len(known.measurands), known.rule_count, len(known.sources))
    print("{} measurands, {} rules, {} sources".format(*counted))
    return DONE


def _check(args: argparse.Namespace) -> int:
    """Faults make the command fail; what is unverified, second hand or overdue is only listed."""
    from labinterp import knowledge  # noqa: PLC0415 - `--help` needs none of it

    faults = knowledge.check(args.folder)
    for fault in faults:
        print(f"FAULT {fault}")
    if faults:
        return OURS
    known = _load(args)
    for title, items in knowledge.doubts(known, args.folder, _day(args)):
        print(f"{title}: {len(items)}")
        for item in items if args.all else ():
            print(f"  {item}")
    print(f"Every claim of {len(known.reviews)} files has a source that resolves,")
    print("or is marked unverified and not shown as fact.")
    return DONE


def _show(args: argparse.Namespace) -> int:
    from labinterp import knowledge  # noqa: PLC0415 - `--help` needs none of it

    print("\n".join(lines(knowledge.describe(_load(args), args.id))))
    return DONE


def _overdue(args: argparse.Namespace) -> int:
    from labinterp import knowledge  # noqa: PLC0415 - `--help` needs none of it

    day = _day(args)
    names = knowledge.overdue(_load(args), day)
    print(f"{len(names)} files are due for review on {day.isoformat()}.")
    for name in names:
        print(name)
    return DONE


def _diff(args: argparse.Namespace) -> int:
    from labinterp import knowledge  # noqa: PLC0415 - `--help` needs none of it

    old = args.old or args.folder
    changes = knowledge.differences(old, args.new)
    for change in changes:
        print(change)
    print(f"{len(changes)} differences.")
    if args.against_store:
        _diff_of_store(knowledge.load(old), knowledge.load(args.new))
    return DONE


def _diff_of_store(old: Knowledge, new: Knowledge) -> None:
    """A line a panel that reads differently, then how many there are of each kind."""
    from labinterp import bootstrap  # noqa: PLC0415 - only this asks the database
    from labinterp.usecases import administer, rereading  # noqa: PLC0415 - see above

    services = bootstrap.services()
    looked_at, differ = 0, 0
    kinds: Counter[str] = Counter()
    for organisation in administer.organisations(services):
        actor = administer.system_actor(organisation)
        for panel in rereading.reread(services, actor, old, new):
            looked_at += 1
            _progress(looked_at, differ)
            if panel.differences:
                differ += 1
                kinds.update(panel.differences)
                print(f"{organisation.name} {panel.panel_id}: {'; '.join(panel.differences)}")
    _progress(None, differ)
    print(f"{differ} of {looked_at} stored panels would read differently; none was changed.")
    for difference, count in sorted(kinds.items(), key=lambda pair: (-pair[1], pair[0])):
        print(f"  {count}: {difference}")


def _progress(looked_at: int | None, differ: int) -> None:
    """A line on a terminal now and then; None wipes it off."""
    if not sys.stderr.isatty() or (looked_at or 0) % _NOW_AND_THEN:
        return
    said = "" if looked_at is None else f"{looked_at:,} panels, {differ:,} differ"
    sys.stderr.write(f"\r{said:<60}\r")
    sys.stderr.flush()


def _reference(args: argparse.Namespace) -> int:
    from labinterp.knowledge.reference_pages import pages  # noqa: PLC0415 - as above

    args.out.mkdir(parents=True, exist_ok=True)
    made = pages(_load(args))
    for name, text in made.items():
        (args.out / name).write_text(text, encoding="utf-8")
    print(f"{len(made)} pages in {args.out}")
    return DONE


def _load(args: argparse.Namespace) -> Knowledge:
    from labinterp import knowledge  # noqa: PLC0415 - `--help` needs none of it

    return knowledge.load(args.folder)


def _day(args: argparse.Namespace) -> date:
    if args.on is not None:
        return date.fromisoformat(str(args.on))
    return datetime.now(UTC).date()  # noqa: TID251 - without services the command itself is the clock


def lines(value: Any, indent: int = 0) -> Iterable[str]:
    """Plain data as indented lines; what is empty is left out."""
    pad = "  " * indent
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _member(f"{pad}{str(key).replace('_', ' ')}:", inner, indent)
    elif isinstance(value, list):
        for inner in value:
            yield from _member(f"{pad}-", inner, indent)
    else:
        yield f"{pad}{_word(value)}"


def _member(head: str, inner: Any, indent: int) -> Iterable[str]:
    if inner is None or inner in ("", [], {}, ()):
        return
    flat = isinstance(inner, list) and all(not isinstance(item, dict | list) for item in inner)
    if flat:
        yield f"{head} {', '.join(_word(item) for item in inner)}"
    elif isinstance(inner, dict | list):
        yield head
        yield from lines(inner, indent + 1)
    else:
        yield f"{head} {_word(inner)}"


def _word(value: Any) -> str:
    return str(value) if not isinstance(value, bool) else json.dumps(value)
