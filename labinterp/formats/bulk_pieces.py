"""A body of any length, cut at the ends of its lines into pieces that fit into memory.

A line that is longer than is read leaves a blank one in its place and is told by its number: it
costs the sender that line, and the others keep their numbers.
"""

from __future__ import annotations

import codecs
import itertools
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from labinterp.errors import SubmissionError
from labinterp.formats.characters import GUESSED_1252, charset_by_its_start, refuse_binary

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_AT_ONCE: Final = 65_536
"""A chunk is taken in by so little, so that no more than a line and this is held [bytes]."""


@dataclass(frozen=True, slots=True)
class Cut:
    """A piece.

    Attributes:
        first: the number of its first line.
        lines: how many lines it has.
        overlong: numbers of lines of it that were left blank, because they are too long.
    """

    body: bytes
    first: int
    lines: int
    overlong: tuple[int, ...] = ()


class TextChunks:
    """The chunks of a text, in one of two charsets, which is known when all of them are read.

    Attributes:
        charset: of the chunks that were given out: `utf-8`, or `cp1252` where they are no UTF-8.
        guessed: the sentence that says so, or that another charset was guessed.
    """

    def __init__(self, chunks: Iterable[bytes]) -> None:
        self._chunks = chunks
        self.charset = "utf-8"
        self.guessed: str | None = None

    def __iter__(self) -> Iterator[bytes]:
        """The chunks; UTF-16 becomes UTF-8.

        Raises:
            SubmissionError: a byte is in no charset.
            UnsupportedFormat: this is no text.
        """
        chunks = iter(self._chunks)
        start = next(chunks, b"")
        refuse_binary(start)
        charset, mark, self.guessed = charset_by_its_start(start)
        whole = itertools.chain((start[len(mark) :],), chunks)
        if charset is not None and charset != "utf-8":
            return self._recoded(whole, charset)
        return self._looked_at(whole, ("utf-8",) if charset else ("utf-8", "cp1252"))

    def _recoded(self, chunks: Iterator[bytes], charset: str) -> Iterator[bytes]:
        decoder = codecs.getincrementaldecoder(charset)()
        for chunk in itertools.chain(chunks, (b"",)):
            try:
                yield decoder.decode(chunk, final=not chunk).encode()
            except UnicodeError:
                raise _in_no_charset(charset) from None

    def _looked_at(self, chunks: Iterator[bytes], charsets: tuple[str, ...]) -> Iterator[bytes]:
        fits = {name: codecs.getincrementaldecoder(name)() for name in charsets}
        for chunk in itertools.chain(chunks, (b"",)):
            for name, decoder in tuple(fits.items()):
                try:
                    decoder.decode(chunk, final=not chunk)
                except UnicodeDecodeError:
                    del fits[name]
            if not fits:
                raise _in_no_charset(charsets[-1])
            if chunk:
                yield chunk
        if "utf-8" not in fits:
            self.charset, self.guessed = "cp1252", GUESSED_1252


def _in_no_charset(charset: str) -> SubmissionError:
    message = f"The text is not valid {charset}. Save it as UTF-8."
    return SubmissionError(message, code="charset-invalid")


def cut(chunks: Iterable[bytes], *, size: int, longest: int, feeds_only: bool) -> Iterator[Cut]:
    """The body in pieces of about `size` bytes, each of which ends with a line.

    Args:
        chunks: as it comes in.
        size: of a piece [bytes].
        longest: of a line [bytes].
        feeds_only: only a line feed ends a line, as in NDJSON; else a carriage return does, too.
    """
    knife = _Knife(size, longest, feeds_only=feeds_only)
    for chunk in chunks:
        for start in range(0, len(chunk), _AT_ONCE):
            yield from knife.take(chunk[start : start + _AT_ONCE])
    yield from knife.end()


class _Knife:
    def __init__(self, size: int, longest: int, *, feeds_only: bool) -> None:
        self._size, self._longest, self._feeds_only = size, longest, feeds_only
        self._held = bytearray()
        self._first = 1
        ends = b"\\n" if feeds_only else b"\\n\\r"
        self._too_long = re.compile(b"[^%s]{%d,}" % (ends, longest + 1))
        self._overlong: list[int] = []
        self._skips = False

    def take(self, chunk: bytes) -> Iterator[Cut]:
        self._held += chunk
        while self._is_to_be_cut():
            self._shorten()
            end = self._last_end()
            if end:
                yield self._piece(end)
            elif len(self._held) <= self._longest:
                return

    def end(self) -> Iterator[Cut]:
        self._shorten()
        if self._skips:
            self._held.clear()
        if self._held or self._overlong:
            yield self._piece(len(self._held))

    def _is_to_be_cut(self) -> bool:
        return len(self._held) >= self._size or (self._skips and bool(self._held))

    def _shorten(self) -> None:
        """Leave out the first line, where it is longer than is read."""
        end = self._first_end()
        if self._skips or (len(self._held) if end < 0 else end) > self._longest:
            if not self._skips:
                self._overlong.append(self._first)
            self._skips = end < 0
            del self._held[: len(self._held) if end < 0 else end]

    def _first_end(self) -> int:
        signs = b"\n" if self._feeds_only else b"\n\r"
        ends = [self._held.find(sign) for sign in signs]
        return min((end for end in ends if end >= 0), default=-1)

    def _last_end(self) -> int:
        end = self._held.rfind(b"\n") + 1
        if not end and not self._feeds_only:
            end = self._held[:-1].rfind(b"\r") + 1  # at the very end, a line feed could follow
        return end

    def _piece(self, end: int) -> Cut:
        body = bytes(self._held[:end])
        del self._held[:end]
        if end > self._longest:
            body = self._too_long.sub(self._left_blank, body)
        lines = lines_in(body, feeds_only=self._feeds_only)
        made = Cut(body, self._first, lines, tuple(self._overlong))
        self._first += lines
        self._overlong.clear()
        return made

    def _left_blank(self, line: re.Match[bytes]) -> bytes:
        before = lines_in(line.string[: line.start()] + b"\n", feeds_only=self._feeds_only)
        self._overlong.append(self._first + before - 1)
        return b""


def lines_in(body: bytes, *, feeds_only: bool) -> int:
    """How many lines a piece has; the last may have no end."""
    ends = body.count(b"\n")
    if not feeds_only:
        ends += body.count(b"\r") - body.count(b"\r\n")
    return ends + (not body.endswith(b"\n" if feeds_only else (b"\n", b"\r")))
