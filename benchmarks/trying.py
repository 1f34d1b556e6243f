"""Try mutmut's mutants, each in a fork of one process that has imported and gathered everything.

    python -m benchmarks.trying [--seconds S] [--processes N] [--again] [part of a name ...]

mutmut makes the mutants and notes which test reaches which function; it then starts pytest anew for
each mutant, which takes seconds where the tests that notice it take a tenth of one. Here a child
puts the mutant's code in the place of the function's own and runs the tests that reach it, those
first that noticed its neighbours, until one fails. A mutant whose tests take more than twice their
time is noticed too; one that outlived `--seconds` of them is not. Caches are emptied first where
the function is one that fills them. The outcome stands where mutmut keeps its own (`*.meta`), so
that a run that was broken off goes on, and `mutmut show` works; `--again` tries the survivors anew.
"""

import argparse
import gc
import json
import os
import random
import resource
import sys
import time
from collections import Counter, defaultdict
from pathlib import Path

import mutmut.mutation.trampoline as trampolines
import pytest

FOUND = Path("mutants").absolute()
NOTICED, SURVIVED, UNREACHED, TOO_LONG = 1, 0, 33, 36
SAVE_EVERY = 200  # so many outcomes may be lost with the process
OPTIONS = (
    "-q",
    "-o",
    "addopts=--import-mode=importlib",
    "-p",
    "no:randomly",
    "-p",
    "no:cacheprovider",
    "-p",
    "no:xdist",
    "--capture=no",
    "--assert=plain",
    "--tb=no",
)
_made = []


def _without_trampoline(mutants, is_classmethod=False):  # noqa: ARG001  (mutmut's own signature)
    """Leave the function as it is and keep it with its mutants, whose code will replace its own."""

    def keep(function):
        _made.append((function, mutants))
        return function

    return keep


def mutants():
    """Each mutant's name to its function and to the function that was changed."""
    return {
        f"{function.__module__}.{name}": (function, changed)
        for function, all_of_it in _made
        for name, changed in all_of_it.items()
        if name != "_mutmut_orig"
    }


class Outcomes:
    """What became of each mutant, in mutmut's own files."""

    def __init__(self):
        self._files = {
            path: json.loads(path.read_text("utf-8")) for path in sorted(FOUND.rglob("*.py.meta"))
        }
        self._file_of = {
            name: path for path, meta in self._files.items() for name in meta["exit_code_by_key"]
        }
        self.counted = Counter()

    def still_to_try(self, parts, *, again):
        """In an order of no meaning, so that a part of a run is a fair sample of the whole."""
        open_codes = (None, SURVIVED) if again else (None,)
        names = sorted(
            name
            for name, path in self._file_of.items()
            if self._files[path]["exit_code_by_key"][name] in open_codes
            and (not parts or any(part in name for part in parts))
        )
        random.Random(1).shuffle(names)  # noqa: S311  (no secret)
        return names

    def set(self, name, code):
        self._files[self._file_of[name]]["exit_code_by_key"][name] = code
        self.counted[code] += 1
        if sum(self.counted.values()) % SAVE_EVERY == 0:
            self.save()
            print(f"{sum(self.counted.values())} tried: {dict(self.counted)}", file=sys.__stderr__)

    def save(self):
        for path, meta in self._files.items():
            path.write_text(json.dumps(meta, indent=4), "utf-8")


class Trial:
    """A pytest plugin whose loop runs the tests for one mutant after another instead of once."""

    def __init__(self, arguments):
        self.arguments = arguments
        self.failed = None
        self.running = {}
        self.noticed_by = defaultdict(Counter)

    def pytest_runtest_logreport(self, report):
        if report.failed:
            self.failed = report.nodeid

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session):
        reached = json.loads((FOUND / "mutmut-stats.json").read_text("utf-8"))
        self.seconds = reached["duration_by_test"]
        self.tests_of = reached["tests_by_mangled_function_name"]
        self.items = {item.nodeid: item for item in session.items}
        self.outcomes = Outcomes()
        self.cold = filled_once()
        made = mutants()
        gc.collect()
        gc.freeze()  # what is frozen is shared with the children and never copied for a count
        try:
            for name in self.outcomes.still_to_try(
                self.arguments.parts, again=self.arguments.again
            ):
                self.start(name, made)
            while self.running:
                self.wait()
        finally:
            self.outcomes.save()
        print(f"tried: {dict(self.outcomes.counted)}", file=sys.__stderr__)
        return True

    def start(self, name, made):
        function = name.rpartition("__mutmut_")[0]
        tests = [test for test in self.tests_of.get(function, ()) if test in self.items]
        if not tests:
            self.outcomes.set(name, UNREACHED)
            return
        while len(self.running) >= self.arguments.processes:
            self.wait()
        reading, writing = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(reading)
            self.run(*made[name], self.in_order(function, tests), writing)
        os.close(writing)
        self.running[child] = (name, reading)

    def in_order(self, function, tests):
        """First what noticed other mutants of the function, then of its module, then the quick."""
        module = function.rpartition(".")[0]
        return sorted(
            tests,
            key=lambda test: (
                -self.noticed_by[function][test],
                self.seconds[test] - 0.02 * min(self.noticed_by[module][test], 20),
            ),
        )

    def run(self, function, changed, tests, writing):
        """In the child: never returns."""
        code = NOTICED
        try:
            limit = int(2 * sum(self.seconds[test] for test in tests)) + 10
            resource.setrlimit(resource.RLIMIT_CPU, (limit, limit + 1))
            nowhere = os.open(os.devnull, os.O_RDWR)
            os.dup2(nowhere, 1)
            os.dup2(nowhere, 2)
            if function.__code__ in self.cold:
                empty_caches()
            function.__code__ = changed.__code__
            function.__defaults__ = changed.__defaults__
            function.__kwdefaults__ = changed.__kwdefaults__
            code = self.noticed(tests, writing)
        finally:
            os._exit(code)

    def noticed(self, tests, writing):
        begun = time.process_time()
        for test in tests:
            if time.process_time() - begun > self.arguments.seconds:
                return SURVIVED
            item = self.items[test]
            item.config.hook.pytest_runtest_protocol(item=item, nextitem=None)
            if self.failed:
                os.write(writing, self.failed.encode())
                return NOTICED
        return SURVIVED

    def wait(self):
        child, status = os.wait()
        name, reading = self.running.pop(child)
        with os.fdopen(reading, "rb") as pipe:
            test = pipe.read().decode()
        function = name.rpartition("__mutmut_")[0]
        if test:
            self.noticed_by[function][test] += 1
            self.noticed_by[function.rpartition(".")[0]][test] += 1
        self.outcomes.set(name, TOO_LONG if os.WIFSIGNALED(status) else os.WEXITSTATUS(status))


def empty_caches():
    """As if nothing had been interpreted yet."""
    from tests import conftest  # noqa: PLC0415  (those of mutants/, once it is the path)

    for name, module in tuple(sys.modules.items()):
        if name.startswith(("labinterp.interpretation.", "labinterp.model.")):
            conftest.empty_caches(module)


def filled_once():
    """The code that runs less often the second time, since a cache keeps what it made."""
    from tests.golden.test_whole_answers import CASES, words_of  # noqa: PLC0415  (as above)

    def calls():
        seen = Counter()
        sys.setprofile(
            lambda frame, event, _: seen.update([frame.f_code]) if event == "call" else None
        )
        for path in CASES:
            words_of(path)
        sys.setprofile(None)
        return seen

    empty_caches()
    first, second = calls(), calls()
    return {code for code in first if first[code] > second[code]}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("parts", nargs="*", help="only mutants whose name holds one of these")
    parser.add_argument("--seconds", type=float, default=float("inf"), help="tests for each mutant")
    parser.add_argument("--processes", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--again", action="store_true", help="survivors too")
    arguments = parser.parse_args()
    os.chdir(FOUND)
    sys.path.insert(0, str(FOUND))
    os.environ["MUTANT_UNDER_TEST"] = ""  # noqa: TID251  (mutmut reads it)
    trampolines.wrap_in_trampoline = _without_trampoline
    from mutmut.configuration import config  # noqa: PLC0415  (reads the folder it is in)

    selection = config().pytest_add_cli_args_test_selection
    return pytest.main([*OPTIONS, *selection], plugins=[Trial(arguments)])


if __name__ == "__main__":
    sys.exit(main())
