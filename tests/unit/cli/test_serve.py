"""The web server finishes what was begun when it is told to stop."""

import http.client
import json
import socket
import threading
import time
from contextlib import suppress

import pytest
import waitress

from app import HEADERS
from labinterp.api import malformed
from labinterp.cli.serve import connect_through, serve_until_stopped


class Site:
    """A server on its own thread with an application that answers when it is let go."""

    def __init__(self, grace=5.0):
        self.go_on = threading.Event()
        self.entered = threading.Event()
        self.stop = threading.Event()
        sockets = {}
        self.server = waitress.create_server(
            self.answer, map=sockets, host="127.0.0.1", port=0, threads=2, asyncore_use_poll=True
        )
        connect_through(malformed.channel(HEADERS), sockets)
        self.port = self.server.effective_port
        self.thread = threading.Thread(
            target=serve_until_stopped, args=(self.server, sockets, self.stop, grace)
        )
        self.thread.start()

    def answer(self, environ, start_response):
        self.entered.set()
        if environ["PATH_INFO"] == "/slow":
            self.go_on.wait(10)
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [b"x" * 3_000_000]

    def end(self):
        self.stop.set()
        with suppress(OSError):
            self.server.pull_trigger()

    def ask(self, path, answers):
        line = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        line.request("GET", path)
        answers.append(line.getresponse().read())
        line.close()


@pytest.fixture
def site():
    made = Site()
    yield made
    made.go_on.set()
    made.end()
    made.thread.join(10)


def test_a_request_that_was_begun_is_answered_whole(site):
    answers = []
    asking = threading.Thread(target=site.ask, args=("/slow", answers))
    asking.start()
    assert site.entered.wait(5)
    site.end()
    time.sleep(0.2)
    site.go_on.set()
    asking.join(10)
    site.thread.join(10)
    assert [len(answer) for answer in answers] == [3_000_000]


def test_nobody_new_is_let_in(site):
    answers = []
    asking = threading.Thread(target=site.ask, args=("/slow", answers))
    asking.start()
    assert site.entered.wait(5)
    site.end()
    time.sleep(0.2)
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", site.port), timeout=2)
    site.go_on.set()
    asking.join(10)


def test_an_idle_connection_holds_nothing_up(site):
    with socket.create_connection(("127.0.0.1", site.port)):
        time.sleep(0.1)
        began = time.monotonic()
        site.end()
        site.thread.join(10)
        assert time.monotonic() - began < 2


def test_a_request_that_never_ends_is_waited_for_only_so_long():
    site = Site(grace=0.5)
    with socket.create_connection(("127.0.0.1", site.port)) as line:
        line.sendall(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nhalf")
        time.sleep(0.2)
        began = time.monotonic()
        site.end()
        site.thread.join(10)
        assert 0.3 < time.monotonic() - began < 4


@pytest.mark.parametrize(
    ("request_", "status", "code"),
    [
        (b"POST /api HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", 400, "bad-request"),
        (b"POST /api HTTP/1.1\r\nContent-Length: MRN-1\r\n\r\n", 400, "bad-request"),
        (b"mrn-1 /api HTTP/1.1\r\n\r\n", 400, "bad-request"),
        (b"POST /api HTTP/1.1\r\nTransfer-Encoding: gzip\r\n\r\n", 501, "bad-request"),
        (
            b"POST /api HTTP/1.1\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            400,
            "bad-request",
        ),
        (b"POST /api HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400, "bad-request"),
        (b"GET /api HTTP/1.1\r\nHost: one\r\nHost: two\r\n\r\n", 400, "bad-request"),
        (b"GET /api HTTP/1.1\r\nX: " + b"a" * 300_000, 431, "bad-request"),
        (b"POST /api HTTP/1.1\r\nContent-Length: 9000000000\r\n\r\n", 413, "too-large"),
    ],
    ids=["chunk", "length", "method", "coding", "lengths", "old", "hosts", "headers", "body"],
)
def test_what_does_not_follow_http_is_refused_as_everything_else(site, request_, status, code):
    with socket.create_connection(("127.0.0.1", site.port), timeout=5) as line:
        line.sendall(request_)
        answer = http.client.HTTPResponse(line)
        answer.begin()
        body = answer.read()
    problem = json.loads(body)
    assert (answer.status, problem["status"], problem["code"]) == (status, status, code)
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.headers["X-Request-ID"] == problem["request_id"]
    assert HEADERS.items() <= dict(answer.headers).items()
    assert b"mrn-1" not in body.lower()
    assert not site.entered.is_set()


def test_a_body_too_long_for_its_address_is_refused_before_it_is_sent():
    sockets = {}
    server = waitress.create_server(
        lambda environ, start: start("200 OK", []) and [environ["wsgi.input"].read()[:1]],
        map=sockets,
        host="127.0.0.1",
        port=0,
        threads=1,
        asyncore_use_poll=True,
        max_request_body_size=10_000,
    )
    stop = threading.Event()
    kind = malformed.channel(HEADERS, longest=1_000, except_at=("/streams",))
    connect_through(kind, sockets)
    thread = threading.Thread(target=serve_until_stopped, args=(server, sockets, stop, 5.0))
    thread.start()
    try:
        told = {}
        for path, size in (("/streams", 5_000), ("/streams", 20_000), ("/", 5_000), ("/", 500)):
            line = http.client.HTTPConnection("127.0.0.1", server.effective_port, timeout=10)
            line.putrequest("POST", path)
            line.putheader("Content-Length", str(size))
            line.endheaders()
            if (path, size) in {("/streams", 5_000), ("/", 500)}:
                line.send(b"x" * size)
            answer = line.getresponse()
            told[path, size] = answer.status
            answer.read()
            line.close()
    finally:
        stop.set()
        server.pull_trigger()
        thread.join(10)
    assert told == {
        ("/streams", 5_000): 200,
        ("/streams", 20_000): 413,
        ("/", 5_000): 413,
        ("/", 500): 200,
    }
