"""A worker's name tells whether it still lives; in doubt it does."""

import subprocess
import sys

import pytest

from workers import identity

SAY = "from workers import identity; print(identity.name(), flush=True); input()"


@pytest.fixture
def other():
    process = subprocess.Popen(
        (sys.executable, "-c", SAY), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    yield process
    process.kill()
    process.communicate()


def test_this_process_is_alive():
    assert identity.is_dead(identity.name()) is False


def test_the_name_fits_the_column_of_a_lease():
    assert len(identity.name()) <= 100


def test_a_killed_process_is_dead_even_before_anyone_noticed(other):
    name = other.stdout.readline().strip()
    assert identity.is_dead(name) is False
    other.kill()
    while not identity.is_dead(name):
        pass
    other.wait()
    assert identity.is_dead(name) is True


def test_a_number_that_came_again_is_another_process():
    where, pid, started = identity.name().rsplit("/", 2)
    assert identity.is_dead(f"{where}/{pid}/{int(started) + 1}") is True


@pytest.mark.parametrize(
    "name", ["", "worker", "elsewhere/1/2", "a/b/c", "/1/1", "x/4194305/1", "x/y/1/0", "w/²/³"]
)
def test_a_process_elsewhere_counts_as_alive(name):
    assert identity.is_dead(name) is False


def test_a_start_that_is_not_known_counts_as_alive():
    where, _, _ = identity.name().rsplit("/", 2)
    assert identity.is_dead(f"{where}/999999/0") is False
