"""What `up` writes on the terminal: plain lines, progress only where someone watches."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import TextIO


@dataclass(frozen=True, slots=True)
class Screen:
    """Where the lines go.

    Attributes:
        out: the results, in the order they come.
        err: progress and trouble.
    """

    out: TextIO
    err: TextIO

    @classmethod
    def standard(cls) -> Screen:
        """Standard output and standard error."""
        return cls(sys.stdout, sys.stderr)

    def line(self, text: str = "") -> None:
        """One line of the result, seen at once also through a pipe."""
        print(text, file=self.out, flush=True)

    def trouble(self, text: str) -> None:
        """One line about something that went wrong."""
        print(text, file=self.err, flush=True)

    def progress(self, text: str) -> None:
        """What is going on, on a terminal; the next line takes its place."""
        if self.err.isatty():
            print(f"\r\x1b[K{text}", end="", file=self.err, flush=True)

    def settled(self) -> None:
        """Take the progress away."""
        self.progress("")
