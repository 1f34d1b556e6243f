"""`labinterp serve`: the web server, until it is told to stop; then what was begun is finished."""

from __future__ import annotations

import signal
import threading
import time
from typing import TYPE_CHECKING, Any, Final

from labinterp.cli import COMMANDS, DONE, OURS

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

_CONNECTIONS: Final = 1000
_IDLE: Final = 60
# Above the limit of the application, which answers a body that is too large in the caller's form.
_BODY_FACTOR: Final = 2
_TURN: Final = 0.5
_LAST_TURN: Final = 0.05


def register(subparsers: Any) -> None:
    """Add the command's parser."""
    parser = subparsers.add_parser(
        "serve",
        help=COMMANDS["serve"],
        description="Serve the API and the pages on HOST and PORT until told to stop.",
    )
    parser.add_argument("--host", help="address to listen on (default: the setting HOST)")
    parser.add_argument("--port", type=int, help="port to listen on (default: the setting PORT)")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Serve; SIGTERM or SIGINT closes the door, finishes the requests begun, and ends."""
    import waitress  # noqa: PLC0415 - imported when the command runs

    from app import HEADERS, create_app  # noqa: PLC0415 - imported when the command runs
    from labinterp import bootstrap, telemetry  # noqa: PLC0415 - imported when the command runs
    from labinterp.api import bodies, malformed  # noqa: PLC0415 - imported when the command runs
    from labinterp.usecases.explained import warm_up  # noqa: PLC0415 - as above

    settings = bootstrap.settings()
    telemetry.configure(settings.log_level)
    host, port = args.host or settings.host, args.port or settings.port
    policy = bootstrap.services().policy
    sockets: dict[int, Any] = {}
    warm_up(bootstrap.services())
    try:
        server = waitress.create_server(
            create_app(),
            map=sockets,
            host=host,
            port=port,
            threads=settings.web_threads,
            connection_limit=_CONNECTIONS,
            channel_timeout=_IDLE,
            max_request_body_size=_BODY_FACTOR * max(policy.bulk_limit, policy.body_limit),
            clear_untrusted_proxy_headers=not policy.trusted_proxies,
            asyncore_use_poll=True,
            ident=None,
        )
    except OSError as error:
        return _cannot_listen(host, port, error)
    connection = malformed.channel(
        HEADERS, longest=_BODY_FACTOR * policy.body_limit, except_at=bodies.STREAMED
    )
    connect_through(connection, sockets)
    log = telemetry.logger(__name__)
    log.info("serving", address=host, port=port)
    serve_until_stopped(server, sockets, _stop_signal(server), settings.stop_grace)
    log.info("stopped")
    return DONE


def connect_through(channel: type[Any], sockets: dict[int, Any]) -> None:
    """Have every address of the server make connections of this kind."""
    for door in _doors(sockets):
        door.channel_class = channel


def serve_until_stopped(
    server: Any, sockets: dict[int, Any], stop: threading.Event, grace: float
) -> None:
    """Serve until the event is set; then take no more connections and finish what was begun.

    Args:
        server: made by waitress with this map of sockets.
        sockets: the server's sockets and connections, by descriptor.
        stop: set by a signal.
        grace: longest wait for requests that were begun [s].
    """
    from waitress import wasyncore  # noqa: PLC0415 - imported when the command runs

    while not stop.is_set():
        wasyncore.loop(timeout=_TURN, use_poll=True, map=sockets, count=1)
    for door in list(_doors(sockets)):
        # Not `close`: that would also close the bell by which the threads say that they are done.
        door.accepting = False
        door.del_channel(sockets)
        door.socket.close()
    end = time.monotonic() + grace
    while time.monotonic() < end and any(map(_is_busy, list(sockets.values()))):
        wasyncore.loop(timeout=_LAST_TURN, use_poll=True, map=sockets, count=1)
    server.task_dispatcher.shutdown(timeout=1)
    for entry in list(sockets.values()):
        entry.handle_close()


def _doors(sockets: dict[int, Any]) -> Iterator[Any]:
    return (entry for entry in sockets.values() if getattr(entry, "accepting", False))


def _is_busy(entry: Any) -> bool:
    """Whether a connection has a request that is being read, answered or written out."""
    request = getattr(entry, "request", None)
    begun = request is not None and bool(getattr(request, "header_bytes_received", 0))
    return bool(getattr(entry, "requests", None) or getattr(entry, "total_outbufs_len", 0) or begun)


def _stop_signal(server: Any) -> threading.Event:
    stop = threading.Event()

    def told(_number: int, _frame: object) -> None:
        stop.set()
        if hasattr(server, "pull_trigger"):  # not when it listens on several addresses
            server.pull_trigger()

    signal.signal(signal.SIGTERM, told)
    signal.signal(signal.SIGINT, told)
    return stop


def _cannot_listen(host: str, port: int, error: OSError) -> int:
    import sys  # noqa: PLC0415 - imported when the command runs

    reason = error.strerror or str(error)
    print(f"labinterp: cannot listen on {host} port {port}: {reason}", file=sys.stderr)
    return OURS
