"""`labinterp bulk IN… --out OUT`: files of any length in, an answer a line out."""

from __future__ import annotations

import os
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TextIO

from labinterp.cli import COMMANDS, DONE, INPUT_AT_FAULT, USAGE
from labinterp.errors import SubmissionError

if TYPE_CHECKING:
    import argparse

    from labinterp.bulk.inputs import Input

_WORK: Final = ".work"
_STDIN: Final = ".stdin"
_MOST_WORKERS: Final = 256
_SMALL: Final = 2_000_000
"""Files of together less than this are answered by one process [bytes]."""
_A_MINUTE: Final = 60
_BETWEEN: Final = 0.2
_WIDTH: Final = 78


def register(subparsers: Any) -> None:
    """Add the command's parser."""
    parser = subparsers.add_parser(
        "bulk",
        help=COMMANDS["bulk"],
        description=(
            "Interpret NDJSON of FHIR Observations, reports or panels, CSV tables and Parquet, of"
            " any length, plain or packed (.gz). What belongs to one patient and collection is put"
            " together, wherever in the files it stands. Nothing is stored but OUT."
        ),
        epilog=(
            "While it runs, the folder OUT.work holds what --resume needs; it holds results of"
            " patients and goes when OUT is written. A line that cannot be read is told in OUT and"
            " is no fault of the run; exit code 1 says that nothing could be read."
        ),
    )
    parser.add_argument(
        "inputs", metavar="IN", type=Path, nargs="+", help="files to read; - is standard input"
    )
    parser.add_argument("--out", metavar="OUT", type=Path, required=True, help="file to write")
    parser.add_argument(
        "--format",
        choices=("ndjson", "parquet", "summary"),
        default="ndjson",
        help="an answer a line or a row, or only what was counted (default: ndjson)",
    )
    parser.add_argument(
        "--workers",
        metavar="N",
        type=_count,
        help="processes that answer (default: one a processor, for what is not small)",
    )
    parser.add_argument(
        "--resume",
        action="store_true",
        help="go on with a run that was broken off, if there is one",
    )
    parser.add_argument(
        "--knowledge", metavar="FOLDER", type=Path, help="read the medical knowledge from FOLDER"
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Do the whole of it; the summary goes to standard error.

    Raises:
        SubmissionError: a file cannot be read, or OUT not be written.
    """
    if args.out.is_dir():
        raise SubmissionError(f"{args.out}: is a folder", code="file-unwritable")
    try:
        return _run(args)
    except OSError as error:
        message = f"{error.filename or args.out}: {error.strerror or error}"
        raise SubmissionError(message, code="file-unwritable") from None


def _count(text: str) -> int:
    count = int(text)
    if not 1 <= count <= _MOST_WORKERS:
        raise ValueError(text)
    return count


def _run(args: argparse.Namespace) -> int:
    from labinterp.bulk import inputs  # noqa: PLC0415 - `--help` needs none of them
    from labinterp.bulk import run as bulk  # noqa: PLC0415 - see above
    from labinterp.bulk.tally import in_words  # noqa: PLC0415 - see above
    from labinterp.bulk.work import Work  # noqa: PLC0415 - see above

    work = Work(args.out.with_name(args.out.name + _WORK))
    if work.is_begun() and not args.resume:
        message = f"{work.folder} is of a run that was broken off: use --resume, or remove it."
        print(f"labinterp: {message}", file=sys.stderr)
        return USAGE
    stdin = args.out.with_name(args.out.name + _STDIN)
    paths = [stdin if str(path) == "-" else path for path in args.inputs]
    if stdin in paths and not (args.resume and stdin.exists()):
        inputs.spool(sys.stdin.buffer, stdin)
    if work.is_begun():
        work.resume()
    now = datetime.now(UTC)  # noqa: TID251 - without services the command itself is the clock
    files = inputs.inputs_of(paths, stdin)
    workers = args.workers or _workers_for(files)
    asked = bulk.Asked(files, args.out, args.format, now, workers, args.knowledge)
    progress = Progress(sys.stderr)
    summary = bulk.run(asked, work, progress)
    progress.end()
    if stdin in paths:
        stdin.unlink()
    print(in_words(summary), file=sys.stderr)
    return DONE if summary["panels"] else INPUT_AT_FAULT


def _workers_for(files: tuple[Input, ...]) -> int:
    """As many as there are processors; starting them would take longer than what is small."""
    if sum(one.size for one in files) < _SMALL:
        return 1
    return min(os.cpu_count() or 1, _MOST_WORKERS)


class Progress:
    """A line on a terminal that says how far the run is, how fast, and how long it will take.

    Args:
        stream: where it is told; not in a pipe.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._shown = stream.isatty()
        self._began = self._last = time.monotonic()
        self._sorted_from: float | None = None
        self._first: tuple[int, float] | None = None
        self._bytes = 0
        self._is_written = False

    def sorted(self, lines: int, size: int, share: float) -> None:
        """So many lines are sorted."""
        self._bytes += size
        rate = self._bytes / 1_000_000 / max(time.monotonic() - self._began, 0.001)
        if self._sorted_from is None:
            self._sorted_from = share
        left = _left(share, self._sorted_from, time.monotonic() - self._began)
        self._write(f"sorting, {share:.0%}: {lines:,} lines, {rate:,.1f} MB/s, {left} left of it")

    def answered(self, panels: int, share: float) -> None:
        """So many panels are answered."""
        now = time.monotonic()
        if self._first is None:
            self._first = (panels, share)
            self._began = now
            return
        first_panels, first_share = self._first
        rate = (panels - first_panels) / max(now - self._began, 0.001)
        left = _left(share, first_share, now - self._began)
        self._write(f"{share:.0%}: {panels:,} panels, {rate:,.0f} a second, {left} left")

    def end(self) -> None:
        """Leave the line."""
        if self._is_written:
            self._stream.write("\n")

    def _write(self, text: str) -> None:
        now = time.monotonic()
        if self._shown and now - self._last >= _BETWEEN:
            self._last, self._is_written = now, True
            self._stream.write(f"\r{text:<{_WIDTH}}")
            self._stream.flush()


def _left(share: float, since: float, passed: float) -> str:
    """How long the rest takes, if it goes on as it went from `since` to `share`."""
    return _clock((1 - share) * passed / max(share - since, 1e-9))


def _clock(seconds: float) -> str:
    whole = int(min(seconds, 359_999))
    minutes, rest = divmod(whole, _A_MINUTE)
    hours, minutes = divmod(minutes, _A_MINUTE)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
