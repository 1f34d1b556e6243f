"""`labinterp interpret FILE`: a panel in, its meaning out; no server, no database, no broker."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from labinterp.cli import COMMANDS, DONE, INPUT_AT_FAULT
from labinterp.errors import SubmissionError, TooLarge

if TYPE_CHECKING:
    import argparse

    from labinterp.cli.output import Answer
    from labinterp.formats import Reading
    from labinterp.model.knowledge import Knowledge

INPUT_FORMATS: Final = ("json", "fhir", "hl7v2", "csv", "ndjson", "pasted")
_SEVERAL: Final = ("csv", "ndjson")
"""Formats that are made to hold several panels; their JSON answer is always a list."""


def register(subparsers: Any) -> None:
    """Add the command's parser."""
    parser = subparsers.add_parser(
        "interpret",
        help=COMMANDS["interpret"],
        description="Read a panel (JSON, FHIR, HL7 v2, CSV, text) and print what it means.",
        epilog="Of several panels, and of a CSV or NDJSON file, --format json prints a list.",
    )
    parser.add_argument("file", metavar="FILE", help="the panel; - reads standard input")
    parser.add_argument(
        "--format",
        choices=("text", "json", "fhir"),
        default="text",
        help="of the answer (default: text)",
    )
    parser.add_argument("--input-format", choices=INPUT_FORMATS, help="of FILE (default: seen)")
    parser.add_argument("--pdf", metavar="OUT", type=Path, help="also draw the report into OUT")
    parser.add_argument(
        "--knowledge", metavar="FOLDER", type=Path, help="read the medical knowledge from FOLDER"
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Read, interpret, print; 1 when some of the input, or all of it, could not be read."""
    # Imported here, so that `--help` needs none of them.
    from labinterp import interpretation, knowledge  # noqa: PLC0415 - see above
    from labinterp.cli import output  # noqa: PLC0415 - see above
    from labinterp.formats.taken_back import takes_back  # noqa: PLC0415 - see above

    now = datetime.now(UTC)  # noqa: TID251 - without services the command itself is the clock
    body = _body(args.file)
    known = knowledge.load(args.knowledge)
    kind, reading = _reading(args, body, known, now)
    answers = [
        output.Answer(received, interpretation.interpret(received.submission, known), now)
        for received in reading.received
    ]
    if args.format == "json":
        print(output.as_json(answers, is_list=kind in _SEVERAL or len(answers) > 1))
    elif args.format == "fhir":
        print(output.as_fhir(answers, known))
    else:
        print(output.as_text(answers, colour=output.wants_colour(sys.stdout)), end="")
    output.complain(reading.refused, sys.stderr)
    if args.pdf:
        _draw(args.pdf, answers, known)
    understood = all(
        interpretation.readable(answer.interpretation) or takes_back(answer.received.submission)
        for answer in answers
    )
    return DONE if understood and not reading.refused else INPUT_AT_FAULT


def _body(file: str) -> bytes:
    """The file's bytes, one more than is taken at most, so that the reader can refuse them.

    Raises:
        SubmissionError: there is no such file, or it cannot be read.
    """
    from labinterp.formats import Limits  # noqa: PLC0415 - `--help` needs no reader

    most = Limits().body_bytes + 1
    try:
        if file == "-":
            return sys.stdin.buffer.read(most)
        with Path(file).open("rb") as opened:
            return opened.read(most)
    except OSError as error:
        raise SubmissionError(f"{file}: {error.strerror}", code="file-unreadable") from None


def _reading(
    args: argparse.Namespace, body: bytes, known: Knowledge, now: datetime
) -> tuple[str, Reading]:
    from labinterp import formats  # noqa: PLC0415 - `--help` needs no reader

    name = None if args.file == "-" else args.file
    kind = args.input_format or formats.detect(body, file_name=name)
    return kind, formats.read(kind, body, now, names=formats.names_of(known))


def _draw(target: Path, answers: list[Answer], known: Knowledge) -> None:
    """Draw the report of the one panel.

    Raises:
        SubmissionError: there are several panels, or the one names no patient.
    """
    from labinterp.cli.output import UNSTORED_BASE, order_of  # noqa: PLC0415 - only with --pdf
    from labinterp.reporting.attached import bundle_inside  # noqa: PLC0415 - likewise
    from labinterp.reporting.render import draw  # noqa: PLC0415 - loads ReportLab

    if len(answers) != 1:
        message = f"A report is drawn of one panel; the file holds {len(answers)}."
        raise TooLarge(message, code="several-panels")
    if not answers[0].received.identity.identifier:
        message = "No report was drawn: the panel names no patient (patient.identifier)."
        raise SubmissionError(message, code="patient-missing")
    order = order_of(answers[0])
    try:
        target.write_bytes(draw(order, bundle_inside(order, known, UNSTORED_BASE)).pdf)
    except OSError as error:
        raise SubmissionError(f"{target}: {error.strerror}", code="file-unwritable") from None
