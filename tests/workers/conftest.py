"""A real broker, started as `up` starts it."""

import os
import time

import pytest

from labinterp.local.broker import Broker
from labinterp.local.processes import Program, Supervised


class RunningBroker:
    def __init__(self, folder):
        self.folder = folder / "redis"
        self.folder.mkdir(parents=True, exist_ok=True)
        self.broker = Broker(self.folder)
        self.log = folder / "broker.log"
        self._process = None
        self.start()

    @property
    def url(self):
        return self.broker.url

    @property
    def pid(self):
        return self._process.pid

    def start(self):
        program = Program(
            "broker",
            self.broker.command(),
            {"PATH": os.defpath},
            standard_input=self.broker.configuration(),
        )
        self._process = Supervised(program, self.log, time.monotonic)
        self._process.start()
        until(self.broker.answers)

    def stop(self, *, at_once=False):
        self._process.stop(at_once=at_once)


def until(claim, seconds=20.0, what=""):
    """Wait until the claim holds, and answer what it returned."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        answer = claim()
        if answer:
            return answer
        time.sleep(0.05)
    raise AssertionError(f"still not so after {seconds} s: {what or claim}")


@pytest.fixture
def broker(tmp_path):
    running = RunningBroker(tmp_path)
    yield running
    running.stop()
