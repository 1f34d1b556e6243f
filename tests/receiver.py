"""A real HTTP server on loopback that keeps what it is sent, and answers what it was told to."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Got:
    """One request as it came."""

    method: str
    path: str
    headers: dict
    body: bytes


@dataclass
class Receiver:
    """What came, and what is answered: `(status, headers, body)` or a function of the handler."""

    address: str = ""
    port: int = 0
    got: list = field(default_factory=list)
    answers: list = field(default_factory=list)
    usual: object = (200, {}, b"")


@contextmanager
def receiving(tls=None):
    """A server for the length of a test; `tls` wraps its sockets."""
    state = Receiver()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _take(self):
            length = int(self.headers.get("Content-Length") or 0)
            body = self.rfile.read(length)
            headers = {name.lower(): value for name, value in self.headers.items()}
            got = Got(self.command, self.path, headers, body)
            state.got.append(got)
            answer = state.answers.pop(0) if state.answers else state.usual
            answer = answer(self, got) if callable(answer) else answer
            if answer is None:
                return
            status, more, content = answer
            self.send_response(status)
            for name, value in more.items():
                self.send_header(name, value)
            if "Content-Length" not in more:
                self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = do_PUT = do_DELETE = _take  # noqa: N815

        def handle(self):
            try:
                super().handle()
            except OSError:
                return

        def log_message(self, *_):
            return

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, *_):
            return

    server = Server(("127.0.0.1", 0), Handler)
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    state.port = server.server_address[1]
    state.address = f"{'https' if tls else 'http'}://127.0.0.1:{state.port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield state
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
