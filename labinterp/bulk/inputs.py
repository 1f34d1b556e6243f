"""The files that are read: which form each is in, and its bytes, unpacked where they are packed."""

from __future__ import annotations

import gzip
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from labinterp import formats
from labinterp.errors import SubmissionError, UnsupportedFormat

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_CHUNK: Final = 65_536
_PACKED: Final = b"\x1f\x8b"
Kind = Literal["ndjson", "csv"]


@dataclass(frozen=True, slots=True)
class Input:
    """One file.

    Attributes:
        place: how its lines are named: `line`, or `a.ndjson line` where there are several files.
        size: as it stands on the disk [bytes].
    """

    path: Path
    kind: Kind
    place: str
    size: int

    def chunks(self) -> Iterator[bytes]:
        """Its bytes, unpacked.

        Raises:
            SubmissionError: it cannot be read to its end.
        """
        try:
            with self.path.open("rb") as opened:
                packed = opened.read(len(_PACKED)) == _PACKED
                opened.seek(0)
                stream = gzip.GzipFile(fileobj=opened) if packed else opened
                while chunk := stream.read(_CHUNK):
                    yield chunk
        except OSError as error:  # also a broken gzip file
            raise _unreadable(self.path, error.strerror or str(error)) from None
        except (EOFError, zlib.error):
            raise _unreadable(self.path, "it is packed, and broken off or damaged") from None


def inputs_of(paths: list[Path]) -> tuple[Input, ...]:
    """The files in the order in which they are read.

    Raises:
        SubmissionError: one is not there, is empty, or is in no form that is read here.
    """
    names = [path.name for path in paths]
    several = len(paths) > 1
    made = []
    for path in paths:
        label = str(path) if names.count(path.name) > 1 else path.name
        made.append(_input(path, f"{label} " if several else ""))
    return tuple(made)


def _input(path: Path, label: str) -> Input:
    try:
        size = path.stat().st_size
    except OSError as error:
        raise _unreadable(path, error.strerror or str(error)) from None
    start = next(Input(path, "ndjson", "", size).chunks(), b"")
    if not start.strip():
        raise _unreadable(path, "it is empty")
    kind = _kind(path, start)
    return Input(path, kind, f"{label}{'row' if kind == 'csv' else 'line'}", size)


def _kind(path: Path, start: bytes) -> Kind:
    name = path.name.removesuffix(".gz")
    try:
        found = formats.detect(start, file_name=name)
    except UnsupportedFormat as error:
        raise _unreadable(path, error.message) from None
    if found == "csv":
        return "csv"
    if found in {"ndjson", "json", "fhir"}:
        return "ndjson"
    message = "it is neither NDJSON nor a table; `labinterp interpret` reads other forms"
    raise _unreadable(path, message)


def _unreadable(path: Path, why: str) -> SubmissionError:
    return SubmissionError(f"{path}: {why}", code="file-unreadable")
