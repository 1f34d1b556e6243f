"""The first going over: every line is put with the other lines of its patient, on the disk.

No more than a piece of a file is in memory. Which of the spill files a patient's lines go to is
told by a digest of what the patient is known by, so that all of them are in one, wherever and in
whichever file they stood.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from labinterp.errors import Place, SubmissionError
from labinterp.formats import bulk_lines, bulk_tables
from labinterp.formats.bulk_pieces import Cut, TextChunks, cut
from labinterp.formats.csv_records import LONGEST_RECORD

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from labinterp.bulk.inputs import Input
    from labinterp.bulk.work import Work

EVERYONE: Final = "everyone"
"""The spill file of what is of no one patient, such as an Organization."""
PIECE: Final = 4_000_000
"""So much is sorted between two checkpoints [bytes]."""
LONGEST: Final = 10_000_000
"""A line that is longer is refused [bytes]."""
_TO_A_GROUP: Final = 8_000_000
_MOST_GROUPS: Final = 512
_PACKED: Final = 12
"""Observations are packed to about so small a part of their size, by gzip and in columns."""
_OVERLONG: Final = "is longer than is read; nothing of it was used"


@dataclass(frozen=True, slots=True)
class Sorted:
    """How far the sorting is: files, pieces of the one that is being read, lines in all."""

    file: int = 0
    pieces: int = 0
    lines: int = 0


def groups_for(inputs: Sequence[Input]) -> int:
    """How many spill files there are to be, so that each fits into memory."""
    size = sum(map(_unpacked, inputs))
    return min(1 + size // _TO_A_GROUP, _MOST_GROUPS)


def _unpacked(one: Input) -> int:
    """About how long its text is [bytes]."""
    return one.size * (1 if one.packing == "none" else _PACKED)


def name_of(group: int) -> str:
    """The spill file of a group."""
    return f"group-{group:04}"


def share(key: bytes, of: int) -> int:
    """Which part of a group's patients one with this key is in, where there are so many parts."""
    return int(key[8:16], 16) % of


def head_name(file: int) -> str:
    """The file that keeps the beginning of a table."""
    return f"head-{file:04}"


def sort(
    inputs: Sequence[Input],
    work: Work,
    refuse: Callable[[Sequence[Place]], None],
    told: Callable[[int, int, float], None],
) -> None:
    """Go over all files from where the state says; the state says at each step where it is.

    Args:
        inputs: the files.
        work: the folder; in its state are `file`, `pieces`, `lines`, `groups` and `tables`.
        refuse: takes what cannot be put with anything.
        told: is told the lines done so far, the bytes of the piece that was done, and about what
            share of all is done.

    Raises:
        SubmissionError: a file cannot be read to its end, or is a table without a header.
    """
    for index in range(work.state["file"], len(inputs)):
        one = inputs[index]
        steps = _table(one, index, work) if one.kind == "csv" else _lines(one, index, work)
        for piece, spilled, refused, table in steps:
            for name, lines in spilled.items():
                work.append(name, lines)
            refuse([*_overlong(one, piece), *refused])
            tables = work.state["tables"]
            if table is not None:
                tables = {**tables, str(index): table}
            work.keep(
                {
                    **work.state,
                    "tables": tables,
                    "pieces": work.state["pieces"] + 1,
                    "lines": work.state["lines"] + piece.lines,
                }
            )
            told(work.state["lines"], len(piece.body), _share(inputs, work.state))
        work.keep({**work.state, "file": index + 1, "pieces": 0})


def _share(inputs: Sequence[Input], state: Mapping[str, Any]) -> float:
    """By the sizes of the files; of one that is packed it is a guess."""
    sizes = [_unpacked(one) for one in inputs]
    at, pieces = int(state["file"]), int(state["pieces"])
    now = min(pieces * PIECE, sizes[at])
    return (sum(sizes[:at]) + now) / max(sum(sizes), 1)


Step = tuple[Cut, dict[str, list[bytes]], list[Place], "Mapping[str, Any] | None"]


def _lines(one: Input, index: int, work: Work) -> Iterator[Step]:
    """NDJSON: a line that is whole by itself is a patient of its own."""
    done, groups = work.state["pieces"], work.state["groups"]
    cuts = cut(one.chunks(), size=PIECE, longest=LONGEST, feeds_only=True)
    for count, piece in enumerate(cuts):
        if count < done:
            continue
        spilled: dict[str, list[bytes]] = {}
        for number, text in enumerate(piece.body.split(b"\n"), start=piece.first):
            line = text.removeprefix(b"\xef\xbb\xbf").strip()
            if not line:
                continue
            patient = bulk_lines.whose(line)
            key = _digest(f"{index}:{number}" if patient is None else f"of {patient}")
            everyone = patient == bulk_lines.EVERYONE
            name = EVERYONE if everyone else _group_of(key, groups)
            spilled.setdefault(name, []).append(_spilled(index, number, key, line))
        yield piece, spilled, [], None


def _table(one: Input, index: int, work: Work) -> Iterator[Step]:
    """A table: its rows by their patient; one of another file is another's."""
    state = work.state
    text = TextChunks(one.chunks())
    for _ in text:  # only the whole of it tells its charset
        pass
    table = state["tables"].get(str(index))
    start, last = b"", list[str]()
    for count, (piece, is_last) in enumerate(_marked(_cuts_of(one))):
        start = start or piece.body
        if table is None:
            table = _begun(one, start, text)
            work.append(head_name(index), [bulk_tables.start_of(start)])
        lines = bulk_tables.lines_of(piece.body, table)
        if count >= state["pieces"]:
            left = last[len(last) - table["left"] :]
            part = bulk_tables.part(
                left + lines, start, table, first=piece.first - len(left), is_last=is_last
            )
            table = part.table
            spilled: dict[str, list[bytes]] = {}
            for row, patient in part.rows:
                key = _digest("\x1f".join((str(index), *patient)))
                line = _spilled(index, row.line, key, bulk_tables.written(row).encode())
                spilled.setdefault(_group_of(key, state["groups"]), []).append(line)
            yield piece, spilled, [_named(one, place) for place in part.refused], table
        last = (last + lines)[-2 * LONGEST_RECORD :]


def _begun(one: Input, start: bytes, text: TextChunks) -> dict[str, Any]:
    try:
        return bulk_tables.begun(start, text.charset, text.guessed)
    except SubmissionError as error:
        raise SubmissionError(f"{one.path}: {error.message}", code=error.code) from None


def _cuts_of(one: Input) -> Iterator[Cut]:
    chunks = TextChunks(one.chunks())
    return cut(chunks, size=PIECE, longest=PIECE, feeds_only=False)


def _marked(cuts: Iterator[Cut]) -> Iterator[tuple[Cut, bool]]:
    """Each piece, and whether it is the last."""
    before = next(cuts, None)
    while before is not None:
        following = next(cuts, None)
        yield before, following is None
        before = following


def _overlong(one: Input, piece: Cut) -> list[Place]:
    code = "row-not-read" if one.kind == "csv" else "too-large"
    return [Place(f"{one.place} {number}", code, _OVERLONG) for number in piece.overlong]


def _named(one: Input, place: Place) -> Place:
    """With the file's name before it, where there are several."""
    label = one.place.removesuffix("row")
    return Place(f"{label}{place.where}", place.code, place.message)


def _spilled(file: int, number: int, key: str, line: bytes) -> bytes:
    return b"%d\t%d\t%s\t%s\n" % (file, number, key.encode(), line)


def _digest(key: str) -> str:
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def _group_of(key: str, groups: int) -> str:
    return name_of(int(key[:8], 16) % groups)
