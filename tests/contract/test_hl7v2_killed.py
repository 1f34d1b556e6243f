"""A listener that is killed while messages come in: each is stored once, and the answer is true."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from labinterp.local.ports import free_port

ROOT = Path(__file__).parents[2]
MANY = 30


def numbered(number):
    return (
        f"MSH|^~\\&|LIS|LAB|US|HERE|20260304113200+0100||ORU^R01|M-{number}|P|2.5.1\r"
        f"PID|1||N-{number}^^^LAB^MR||Doe^Jane||19790614|F\r"
        f"OBR|1||A-{number}|CHEM|||20260304081000+0100||||||||||||||||||F\r"
        f"OBX|1|NM|2823-3^Potassium^LN||4.1|mmol/L|3.5-5.1||||F\r"
    ).encode()


def command(environment, *words):
    return [sys.executable, "-m", "labinterp", *words], {
        "env": environment,
        "cwd": ROOT,
        "stdout": subprocess.DEVNULL,
        "stderr": subprocess.DEVNULL,
    }


def listener(environment, port):
    words, more = command(environment, "mllp")
    process = subprocess.Popen(words, start_new_session=True, **more)
    for _ in range(200):
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            time.sleep(0.1)
        else:
            return process
    raise AssertionError("the listener did not start")


def answers(port, kill_after=None, process=None):
    """Send all messages one after the other; kill in mid-stream where that is asked."""
    found = {}
    with socket.create_connection(("127.0.0.1", port), 10) as link:
        link.settimeout(10)
        for number in range(MANY):
            link.sendall(b"\x0b" + numbered(number) + b"\x1c\r")
            if number == kill_after:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait(10)
                break
            received = b""
            while b"\x1c" not in received:
                received += link.recv(65536)
            found[number] = received
    return found


@pytest.mark.hazard("panel-lost")
def test_after_a_kill_all_is_sent_again_and_stored_once(tmp_path):
    port = free_port()
    environment = {
        "PATH": os.defpath,
        "DATA_DIR": str(tmp_path),
        "MLLP_PORT": str(port),
        "REDIS_URL": "redis://127.0.0.1:1/0",
    }
    for words in (("db", "upgrade"), ("organisations", "create", "Lab")):
        line, more = command(environment, *words)
        subprocess.run(line, check=True, timeout=60, **more)
    engine = create_engine(f"sqlite:///{tmp_path / 'labinterp.db'}")
    process = listener(environment, port)
    before = answers(port, kill_after=12, process=process)
    with engine.connect() as connection:
        kept = connection.scalar(text("select count(*) from message"))
    assert kept >= len(before)
    process = listener(environment, port)
    try:
        after = answers(port)
    finally:
        process.terminate()
        assert process.wait(20) == 0
    assert all(b"MSA|AA|" in ack for ack in after.values())
    assert all(after[number] == ack for number, ack in before.items())
    with engine.connect() as connection:
        for table in ("panel", "message"):
            assert connection.scalar(text(f"select count(*) from {table}")) == MANY  # noqa: S608
    engine.dispose()
