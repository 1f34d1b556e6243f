"""Programs are kept running, and stopped in order, with everything they started."""

import os
import sys
import time

import pytest

from labinterp.local.processes import Program, Supervised, Supervisor, procfile

SLEEPER = "import time; print('here', flush=True); time.sleep(60)"
STUBBORN = (
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); "
    "print('here', flush=True); time.sleep(60)"
)


def program(code, **more):
    return Program("sample", (sys.executable, "-u", "-c", code), {"PATH": os.defpath}, **more)


def until(claim, seconds=10):
    end = time.monotonic() + seconds
    while not claim():
        assert time.monotonic() < end
        time.sleep(0.02)


def is_alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.fixture
def said():
    return []


@pytest.fixture
def supervisor(tmp_path, said):
    clock = {"now": 0.0}
    made = Supervisor(tmp_path / "logs", said.append, lambda: clock["now"])
    made.clock = clock
    yield made
    made.stop(at_once=True)


def test_what_a_program_says_is_in_its_log(supervisor, tmp_path):
    started = supervisor.start(program("print('a word')"))
    until(lambda: started.exit_code() is not None)
    assert (tmp_path / "logs" / "sample.log").read_text() == "a word\n"
    assert started.last_words() == "a word"


def test_a_program_is_given_its_standard_input(supervisor):
    started = supervisor.start(
        program("import sys; print(sys.stdin.read())", standard_input=b"secret")
    )
    until(lambda: started.exit_code() is not None)
    assert started.last_words() == "secret"


def test_one_that_dies_is_said_and_started_again_later_each_time(supervisor, said):
    started = supervisor.start(program("raise SystemExit(3)"))
    for wait in (1, 2, 4):
        until(lambda: started.exit_code() is not None)
        supervisor.tend()
        assert f"ended (exit code 3); it is started again in {wait} s" in said[-1]
        supervisor.clock["now"] += wait - 0.5
        supervisor.tend()
        assert started.pid is None
        supervisor.clock["now"] += 0.5
        supervisor.tend()
        assert started.pid is not None


def test_one_that_lived_long_is_started_again_soon(supervisor, said):
    started = supervisor.start(program("raise SystemExit(1)"))
    until(lambda: started.exit_code() is not None)
    supervisor.tend()
    supervisor.clock["now"] += 1
    supervisor.tend()
    until(lambda: started.exit_code() is not None)
    supervisor.clock["now"] += 100
    supervisor.tend()
    assert "again in 1 s" in said[-1]


ON_TERM = """
import signal, sys, time
def told(*_):
    time.sleep({wait})
    print(time.monotonic())
    sys.exit()
signal.signal(signal.SIGTERM, told)
sys.stdout.write("here\\n")
time.sleep(60)
"""


def test_stopping_ends_all_together_and_a_foundation_last(tmp_path, said):
    supervisor = Supervisor(tmp_path, said.append)
    pids = []
    for name, wait in (("foundation", 0), ("slow", 0.6), ("quick", 0.1)):
        command = (sys.executable, "-u", "-c", ON_TERM.format(wait=wait))
        environment = {"PATH": os.defpath}
        started = supervisor.start(
            Program(name, command, environment, is_foundation=name == "foundation")
        )
        until(lambda started=started: "here" in started.last_words())
        pids.append(started.pid)
    began = time.monotonic()
    supervisor.stop()
    ended = {
        name: float((tmp_path / f"{name}.log").read_text().split()[1])
        for name in ("foundation", "slow", "quick")
    }
    assert not any(map(is_alive, pids))
    assert ended["quick"] < ended["slow"] < ended["foundation"]
    assert ended["quick"] - began < 0.5


def test_one_that_will_not_stop_is_ended(tmp_path):
    started = Supervised(program(STUBBORN, patience=0.2), tmp_path / "log", time.monotonic)
    started.start()
    until(lambda: "here" in started.last_words())
    pid = started.pid
    started.stop()
    assert not is_alive(pid)


def test_what_a_program_started_ends_with_it(tmp_path):
    code = f"import subprocess, sys, time; print(subprocess.Popen([sys.executable, '-c', {STUBBORN!r}]).pid); time.sleep(60)"
    started = Supervised(program(code), tmp_path / "log", time.monotonic)
    started.start()
    until(lambda: "here" in started.last_words())
    child = int(started.last_words().split()[0])
    started.stop()
    until(lambda: not is_alive(child))


def test_a_procfile_is_run_with_the_python_that_runs_us(tmp_path):
    path = tmp_path / "Procfile"
    path.write_text("web: python -m site --flag 'two words'\n\nother: run\n")
    assert procfile(path) == {
        "web": (sys.executable, "-m", "site", "--flag", "two words"),
        "other": ("run",),
    }
