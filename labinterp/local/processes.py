"""Processes that `up` starts: one that dies is started again, and all are stopped in order.

Each runs in a session of its own, so that Ctrl-C reaches `up` alone, which then stops them one by
one; each writes to a log file of its own.
"""

from __future__ import annotations

import os
import shlex
import shutil
import signal
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

_FIRST_WAIT: Final = 1.0
_LONGEST_WAIT: Final = 30.0
_HEALTHY_AFTER: Final = 60.0
_LARGEST_LOG: Final = 5_000_000
_TAIL: Final = 4000


@dataclass(frozen=True, slots=True)
class Program:
    """What to run, and where.

    Attributes:
        patience: how long it may take to stop when asked [s].
        is_foundation: others stand on it, so it is asked last.
    """

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str] = field(repr=False)
    folder: Path | None = None
    standard_input: bytes = field(default=b"", repr=False)
    patience: float = 15.0
    is_foundation: bool = False


class Supervised:
    """One program, running or about to be started again."""

    def __init__(self, program: Program, log: Path, clock: Callable[[], float]) -> None:
        self.program = program
        self.log = log
        self._clock = clock
        self._process: subprocess.Popen[bytes] | None = None
        self._started_at = 0.0
        self._wait = _FIRST_WAIT
        self._next_start = 0.0
        self._asked = False

    @property
    def pid(self) -> int | None:
        """Its process, while there is one."""
        return self._process.pid if self._process else None

    def start(self) -> None:
        """Run it now."""
        self.log.parent.mkdir(parents=True, exist_ok=True)
        _turn_over(self.log)
        with self.log.open("ab") as log:
            process = subprocess.Popen(
                (*_tied_to_us(), *self.program.command),
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=dict(self.program.environment),
                cwd=self.program.folder,
                start_new_session=True,
            )
        _feed(process, self.program.standard_input)
        self._process = process
        self._asked = False
        self._started_at = self._clock()

    def exit_code(self) -> int | None:
        """How it ended; None while it runs or waits to be started again."""
        return self._process.poll() if self._process else None

    def tend(self) -> str | None:
        """Start it again when it is time; the sentence to show when it has just died."""
        code = self.exit_code()
        if code is not None:
            return self._rest(code)
        if self._process is None and self._clock() >= self._next_start:
            self.start()
        return None

    def ask(self) -> None:
        """Ask it to end, once, and do not wait."""
        if self._process is not None and not self._asked:
            self._asked = True
            with suppress(ProcessLookupError):
                self._process.terminate()

    def stop(self, *, at_once: bool = False) -> None:
        """Ask it to end, and end it (with all it started) when its patience is over."""
        if not at_once:
            self.ask()
        process, self._process = self._process, None
        if process is None:
            return
        try:
            if not at_once:
                with suppress(subprocess.TimeoutExpired):
                    process.wait(self.program.patience)
        finally:  # also when whoever waits has lost patience
            _end_group(process.pid)
            process.wait()

    def last_words(self) -> str:
        """The end of its log."""
        if not self.log.exists():
            return ""
        return self.log.read_bytes()[-_TAIL:].decode("utf-8", "replace").strip()

    def _rest(self, code: int) -> str:
        lived = self._clock() - self._started_at
        self._wait = _FIRST_WAIT if lived > _HEALTHY_AFTER else self._wait
        wait, self._wait = self._wait, min(self._wait * 2, _LONGEST_WAIT)
        self._next_start = self._clock() + wait
        if self._process is not None:
            _end_group(self._process.pid)
        self._process = None
        return (
            f"{self.program.name} ended ({_how(code)}); it is started again in {wait:.0f} s. "
            f"Its log: {self.log}"
        )


class Supervisor:
    """Keeps programs running until all are stopped, what others stand on last."""

    def __init__(
        self,
        logs: Path,
        say: Callable[[str], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._logs = logs
        self._say = say
        self._clock = clock
        self.programs: dict[str, Supervised] = {}

    def start(self, program: Program) -> Supervised:
        """Run it, and keep it running."""
        supervised = Supervised(program, self._logs / f"{program.name}.log", self._clock)
        supervised.start()
        self.programs[program.name] = supervised
        return supervised

    def tend(self) -> None:
        """Notice what died, start what is due; called several times a second."""
        for supervised in self.programs.values():
            sentence = supervised.tend()
            if sentence:
                self._say(sentence)

    def stop(self, *, at_once: bool = False) -> None:
        """End everything: at the same time all that nothing stands on, then the last started first.

        Args:
            at_once: without asking.
        """
        for supervised in self.programs.values():
            if not (at_once or supervised.program.is_foundation):
                supervised.ask()
        while self.programs:
            _, supervised = self.programs.popitem()
            supervised.stop(at_once=at_once)


def procfile(path: Path) -> dict[str, tuple[str, ...]]:
    """The processes of a Procfile by name; its `python` is the one that runs us."""
    lines = (line.partition(":") for line in path.read_text(encoding="utf-8").splitlines())
    commands = {name.strip(): shlex.split(command) for name, _, command in lines if command}
    return {name: (_program(words[0]), *words[1:]) for name, words in commands.items()}


def _program(word: str) -> str:
    return sys.executable if word == "python" else word


def _tied_to_us() -> tuple[str, ...]:
    """A prefix that ends the program when we are killed, where the system has it (Linux)."""
    setpriv = shutil.which("setpriv")
    return (setpriv, "--pdeathsig", "TERM", "--") if setpriv else ()


def _feed(process: subprocess.Popen[bytes], words: bytes) -> None:
    if process.stdin is not None:
        with suppress(BrokenPipeError), process.stdin:
            process.stdin.write(words)


def _end_group(pid: int) -> None:
    """End whatever is left of a session; its leader may be gone already."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)


def _how(code: int) -> str:
    return f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"


def _turn_over(log: Path) -> None:
    if log.exists() and log.stat().st_size > _LARGEST_LOG:
        log.replace(log.with_suffix(".1.log"))
