"""The folder in which a run keeps what it needs to be gone on with after a kill.

Everything is appended to files, and `state.json` says how long each of them was when it was
written, in one step. A run that goes on cuts off what came after, and does that again: so its
output is that of a run that was never broken off.
"""

from __future__ import annotations

import json
import os
import shutil
from typing import TYPE_CHECKING, Any, Final

from labinterp.errors import SubmissionError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

_STATE: Final = "state.json"


class Work:
    """The folder of one run; the results of patients stand in it, readable for its owner alone."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.state: dict[str, Any] = {}
        self._sizes: dict[str, int] = {}
        self._forgotten: list[str] = []

    def is_begun(self) -> bool:
        """Whether a run was broken off here."""
        return (self.folder / _STATE).exists()

    def begin(self, state: Mapping[str, Any]) -> None:
        """A new run; what an old one left is removed."""
        if self.folder.exists():
            shutil.rmtree(self.folder)
        self.folder.mkdir(mode=0o700, parents=True)
        self.keep(state)

    def resume(self) -> None:
        """Put everything back to where it was when the state was kept.

        Raises:
            SubmissionError: the folder is not as it was left.
        """
        try:
            kept = json.loads((self.folder / _STATE).read_text(encoding="utf-8"))
            self.state, self._sizes = kept["state"], kept["sizes"]
            for path in self.folder.iterdir():
                if path.name not in self._sizes and path.name != _STATE:
                    path.unlink()
            for name, size in self._sizes.items():
                if (self.folder / name).stat().st_size < size:
                    raise ValueError(name)  # noqa: TRY301 - told below, as the others
                os.truncate(self.folder / name, size)
        except (OSError, ValueError, KeyError, TypeError):
            message = f"{self.folder} is damaged; remove it and begin anew without --resume."
            raise SubmissionError(message, code="checkpoint-damaged") from None

    def append(self, name: str, lines: Iterable[bytes]) -> None:
        """Add lines to a file; they count when the state is kept."""
        with (self.folder / name).open("ab") as opened:
            opened.writelines(lines)
            self._sizes[name] = opened.tell()

    def size(self, name: str) -> int:
        """How long a file is that counts [bytes]."""
        return self._sizes.get(name, 0)

    def keep(self, state: Mapping[str, Any]) -> None:
        """From here a killed run is gone on with."""
        self.state = dict(state)
        fresh = self.folder / f"{_STATE}.new"
        with fresh.open("w", encoding="utf-8") as opened:
            json.dump({"state": self.state, "sizes": self._sizes}, opened)
            opened.flush()
            os.fsync(opened.fileno())
        fresh.replace(self.folder / _STATE)
        while self._forgotten:
            (self.folder / self._forgotten.pop()).unlink(missing_ok=True)

    def forget(self, name: str) -> None:
        """A file that is not needed any more; it goes once the state is kept."""
        self._sizes.pop(name, None)
        self._forgotten.append(name)

    def end(self, name: str, target: Path) -> None:
        """The run is done: one of its files becomes the output, and the folder goes."""
        made = self.folder / name
        made.touch()
        with made.open("rb") as opened:
            os.fsync(opened.fileno())
        made.replace(target)
        shutil.rmtree(self.folder)
