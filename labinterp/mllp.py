"""HL7 v2 over MLLP: a listener that many senders hold open, each message answered when it is kept.

One thread reads and writes all connections; a few others take messages in. A connection is read no
further while a message of it is in hand, so that a sender who is too fast waits in TCP.
"""

from __future__ import annotations

import asyncio
import ssl
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from labinterp import telemetry
from labinterp.errors import LabinterpError, SettingsError
from labinterp.usecases import messages, senders

if TYPE_CHECKING:
    from collections.abc import Callable

    from labinterp.access import Actor
    from labinterp.formats.hl7v2_text import Message
    from labinterp.usecases.services import Services

BEGIN: Final = b"\x0b"
END: Final = b"\x1c"
_CARRIAGE_RETURN: Final = b"\r"
_PIECE: Final = 65_536
_UNFINISHED: Final = 30.0
"""How long a message may take from its first byte to its end [s]."""
_WORKERS: Final = 4
_BACKLOG: Final = 512

_log = telemetry.logger(__name__)


class FrameTooLong(Exception):
    """A message without end: more bytes than are taken."""


class Frames:
    """Cuts a stream of bytes into messages; what stands between two of them is dropped."""

    def __init__(self, longest: int) -> None:
        self._longest = longest
        self._held = bytearray()
        self._inside = False
        self.dropped = 0

    @property
    def unfinished(self) -> bool:
        """Has a message begun that has not ended?"""
        return self._inside

    def feed(self, piece: bytes) -> list[bytes]:
        """The messages that these bytes complete.

        Raises:
            FrameTooLong: the one that has begun is longer than is taken.
        """
        self._held += piece
        done = []
        while True:
            if not self._inside:
                start = self._held.find(BEGIN)
                noise = self._held[: start if start >= 0 else len(self._held)]
                self.dropped += len(noise.strip(b"\r\n"))
                del self._held[: start + 1 if start >= 0 else len(self._held)]
                self._inside = start >= 0
                if not self._inside:
                    break
            end = self._held.find(END)
            if end < 0:
                break
            done.append(bytes(self._held[:end]))
            del self._held[: end + 1]
            self._inside = False
        if len(self._held) > self._longest or any(len(one) > self._longest for one in done):
            raise FrameTooLong
        return done


@dataclass(frozen=True, slots=True)
class Listening:
    """Where and how it listens.

    Attributes:
        idle: a connection without a message is closed after so long [s].
        connections: so many are held at once; one more is closed at once.
        shared: other listeners may have the same port; the kernel divides the connections.
        organisation: whose messages of unregistered senders are; the only one's if empty.
        tls: for encrypted connections.
    """

    host: str
    port: int
    idle: float = 300.0
    connections: int = 1000
    organisation: str = ""
    shared: bool = False
    grace: float = 20.0
    tls: ssl.SSLContext | None = None


def tls_context(certificate: str, key: str, client_authority: str) -> ssl.SSLContext | None:
    """For TLS, with client certificates where an authority is named; None without a certificate.

    Raises:
        SettingsError: a file cannot be used.
    """
    if not certificate:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(certificate, key or None)
        if client_authority:
            context.load_verify_locations(client_authority)
            context.verify_mode = ssl.CERT_REQUIRED
    except (OSError, ssl.SSLError) as error:
        message = "MLLP_TLS_CERT, MLLP_TLS_KEY or MLLP_CLIENT_CA cannot be used."
        raise SettingsError(message, code="setting-unusable") from error
    return context


class Listener:
    """Listens until told to stop; then every message in hand is finished and answered."""

    def __init__(self, services: Services, listening: Listening) -> None:
        self._services = services
        self._listening = listening
        self._pool = ThreadPoolExecutor(_WORKERS, thread_name_prefix="mllp")
        self._open: set[asyncio.Task[None]] = set()
        self._stopping = asyncio.Event()
        self.port = 0

    async def run(self, stop: asyncio.Event, ready: Callable[[int], None] = lambda _: None) -> None:
        """Serve until the event is set.

        Raises:
            OSError: the port cannot be had.
        """
        server = await asyncio.start_server(
            self._accepted,
            self._listening.host,
            self._listening.port,
            ssl=self._listening.tls,
            reuse_port=self._listening.shared or None,
            backlog=_BACKLOG,
            limit=_PIECE,
        )
        self.port = int(server.sockets[0].getsockname()[1])
        ready(self.port)
        _log.info("listening", address=self._listening.host, port=self.port)
        await stop.wait()
        server.close()
        self._stopping.set()
        if self._open:
            await asyncio.wait(self._open, timeout=self._listening.grace)
        for task in self._open:
            task.cancel()
        self._pool.shutdown(wait=True)
        _log.info("stopped")

    async def _accepted(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is None or len(self._open) >= self._listening.connections:
            _log.warning("too many connections")
            writer.close()
            return
        self._open.add(task)
        try:
            await self._converse(reader, writer)
        except (TimeoutError, OSError, FrameTooLong, asyncio.CancelledError) as error:
            _log.info("connection ended", why=type(error).__name__)
        finally:
            self._open.discard(task)
            with suppress(OSError, asyncio.CancelledError):
                writer.close()
                await writer.wait_closed()

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Read, keep, answer, one message after the other."""
        frames = Frames(self._services.policy.body_limit)
        peer = writer.get_extra_info("peername")
        address = str(peer[0]) if peer else ""
        loop = asyncio.get_running_loop()
        began: float | None = None
        while not self._stopping.is_set():
            wait = self._listening.idle if began is None else began + _UNFINISHED - loop.time()
            piece = await self._piece(reader, wait)
            if not piece:
                break
            for body in frames.feed(piece):
                answer = await loop.run_in_executor(self._pool, self._taken, body, address)
                writer.write(answer)
                await writer.drain()
                began = None
            if frames.unfinished and began is None:
                began = loop.time()
        if frames.dropped:
            _log.warning("bytes between messages were dropped", count=frames.dropped)

    async def _piece(self, reader: asyncio.StreamReader, wait: float) -> bytes:
        """What comes next; nothing at the end, when we stop, or when it takes too long."""
        reading = asyncio.ensure_future(reader.read(_PIECE))
        stopping = asyncio.ensure_future(self._stopping.wait())
        try:
            await asyncio.wait(
                (reading, stopping), timeout=max(wait, 0), return_when=asyncio.FIRST_COMPLETED
            )
            return reading.result() if reading.done() else b""
        finally:
            for one in (reading, stopping):
                if not one.done():
                    one.cancel()

    def _taken(self, body: bytes, address: str) -> bytes:
        """The framed answers to one frame; nothing where its sender asked for none."""

        def whose(message: Message) -> Actor:
            return senders.actor_of_sender(
                self._services,
                *message.sender,
                organisation=self._listening.organisation,
                address=address,
            )

        try:
            answers = messages.take(self._services, body, whose, door="mllp")
        except LabinterpError as error:
            return _framed(messages.unreadable(self._services, error.message))
        except Exception as error:  # noqa: BLE001 - one message's fault must not end the others
            _log.exception("message not taken in", kind=type(error).__name__)
            return _framed(messages.unreadable(self._services, "It could not be taken in."))
        return b"".join(_framed(frame) for answer in answers for frame in answer.frames)


def _framed(message: bytes) -> bytes:
    return BEGIN + message + END + _CARRIAGE_RETURN
