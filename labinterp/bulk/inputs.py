"""The files that are read: which form each is in, and its bytes, unpacked where they are packed."""

from __future__ import annotations

import gzip
import os
import shutil
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from labinterp import formats
from labinterp.bulk import parquet
from labinterp.errors import SubmissionError, UnsupportedFormat

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from typing import BinaryIO

_CHUNK: Final = 65_536
_PACKED: Final = b"\x1f\x8b"
Kind = Literal["ndjson", "csv"]
Packing = Literal["none", "gzip", "parquet"]


@dataclass(frozen=True, slots=True)
class Input:
    """One file.

    Attributes:
        place: how its lines are named: `line`, or `a.ndjson line` where there are several files.
        size: as it stands on the disk [bytes].
        packing: what its bytes are unpacked with.
    """

    path: Path
    kind: Kind
    place: str
    size: int
    packing: Packing = "none"

    def chunks(self) -> Iterator[bytes]:
        """Its bytes, unpacked.

        Raises:
            SubmissionError: it cannot be read to its end.
        """
        if self.packing == "parquet":
            yield from parquet.chunks(self.path)
            return
        try:
            with self.path.open("rb") as opened:
                stream = gzip.GzipFile(fileobj=opened) if self.packing == "gzip" else opened
                while chunk := stream.read(_CHUNK):
                    yield chunk
        except OSError as error:  # also a broken gzip file
            raise _unreadable(self.path, error.strerror or str(error)) from None
        except (EOFError, zlib.error):
            raise _unreadable(self.path, "it is packed, and broken off or damaged") from None


def inputs_of(paths: list[Path], stdin: Path | None = None) -> tuple[Input, ...]:
    """The files in the order in which they are read.

    Args:
        paths: the files.
        stdin: the one of them that holds what came on standard input.

    Raises:
        SubmissionError: one is not there, is empty, or is in no form that is read here.
    """
    names = [path.name for path in paths]
    several = len(paths) > 1
    made = []
    for path in paths:
        label = str(path) if names.count(path.name) > 1 else path.name
        label = "stdin" if path == stdin else label
        made.append(_input(path, f"{label} " if several else ""))
    return tuple(made)


def spool(stream: BinaryIO, target: Path) -> None:
    """Keep a stream as a file, which can be gone over twice; it is there only when all of it is.

    Readable for its owner alone.
    """
    part = target.with_name(f"{target.name}.part")
    part.unlink(missing_ok=True)
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as opened:
        shutil.copyfileobj(stream, opened, _CHUNK)
        opened.flush()
        os.fsync(opened.fileno())
    part.replace(target)


def _input(path: Path, label: str) -> Input:
    try:
        size = path.stat().st_size
        packing = _packing(path)
    except OSError as error:
        raise _unreadable(path, error.strerror or str(error)) from None
    if packing == "parquet":
        return Input(path, parquet.kind_of(path), f"{label}row", size, packing)
    start = next(Input(path, "ndjson", "", size, packing).chunks(), b"")
    if not start.strip():
        raise _unreadable(path, "it is empty")
    kind = _kind(path, start)
    return Input(path, kind, f"{label}{'row' if kind == 'csv' else 'line'}", size, packing)


def _packing(path: Path) -> Packing:
    with path.open("rb") as opened:
        start = opened.read(len(parquet.MAGIC))
    if start == parquet.MAGIC:
        return "parquet"
    return "gzip" if start.startswith(_PACKED) else "none"


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
