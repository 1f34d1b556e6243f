"""The only client, and the guard before it: where this service may be sent by others' words.

Every address we call was written by somebody else: a webhook, a Subscription, the place of a
client's keys. So that nobody makes us knock at doors behind our own firewall,

- only https is spoken (http to hosts the operator lists), without user, password or fragment; or,
  where results are sent as HL7 v2, a bare connection with TLS (without, to listed hosts);
- the name is looked up once, every address it has must be public, and the connection goes to the
  very address that was checked, while certificate and Host stay those of the name: a second lookup,
  which might answer otherwise, never happens;
- no redirect is followed, no proxy, cookie or netrc of the environment is used;
- the lookup, connecting, each step and the whole exchange have an end, and an answer has a longest
  length.

A host that the operator lists (`OUTBOUND_ALLOW`, as `host` or `host:port`) is let through as it is.
"""

from __future__ import annotations

import ipaddress
import socket
import ssl
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final, Self
from urllib.parse import SplitResult, urlsplit

import requests
from requests.adapters import HTTPAdapter
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import HTTPError, NewConnectionError

from labinterp.errors import Place, SubmissionError, TemporaryFailure

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

_Address = ipaddress.IPv4Address | ipaddress.IPv6Address
_PORTS: Final[Mapping[str, int]] = {"http": 80, "https": 443}
_BARE: Final[Mapping[str, int]] = {"mllp": 0, "mllps": 0}
"""A connection without HTTP: its address names the port, and nothing but the port."""
_LONGEST_URL: Final = 2_000
_LONGEST_KEPT: Final = 1_000
"""An address that is registered; a query to a registered server may be longer."""
_HIGHEST_PORT: Final = 65_535
_AGENT: Final = "labinterp"
_CHUNK: Final = 16_384
_TRANSLATED: Final = tuple(
    ipaddress.IPv6Network(text) for text in ("64:ff9b::/96", "64:ff9b:1::/48", "::/96")
)
"""Networks whose addresses carry an IPv4 address in their last 32 bits."""
_NEVER: Final = tuple(
    ipaddress.ip_network(text)
    for text in ("192.0.0.0/24", "192.88.99.0/24", "2001::/23", "3fff::/20", "5f00::/16")
)
"""Kept for protocols and documentation; not every release of the library knows all of them."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server answered; a redirect is an answer like any other."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def is_success(self) -> bool:
        """Did it take what was sent?"""
        return HTTPStatus.OK <= self.status < HTTPStatus.MULTIPLE_CHOICES


class AddressRefused(SubmissionError):
    """The guard does not let us call this address."""

    code = "url-refused"


class Unreachable(TemporaryFailure):
    """No complete answer came within the limits."""

    code = "unreachable"


@dataclass(frozen=True, slots=True)
class Target:
    """An address that passed the guard, and where exactly the connection goes."""

    url: str
    host: str
    port: int
    address: str


def _looked_up(host: str, port: int) -> tuple[str, ...]:
    """Every address of a name.

    Raises:
        OSError: it has none.
    """
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return tuple(dict.fromkeys(str(entry[4][0]) for entry in found))


@dataclass(frozen=True, slots=True)
class Outbound:
    """The client with the operator's limits; made once, used by several threads.

    Attributes:
        allowed: hosts (`host` or `host:port`) that are let through whatever their address, and may
            be spoken to without TLS.
        step: for connecting and for each wait for bytes [s].
        total: for one exchange, from the lookup's end to the answer's last byte [s].
        longest: of an answer [bytes].
        authorities: a file of certificates to trust; those of the distribution if empty.
        look_up: name and port to addresses.
    """

    allowed: frozenset[str] = frozenset()
    step: float = 5.0
    total: float = 10.0
    longest: int = 1_000_000
    authorities: str = ""
    look_up: Callable[[str, int], Iterable[str]] = field(default=_looked_up, repr=False)

    def check(self, url: str) -> None:
        """Would this address be called? Its form only; names are looked up when it is called.

        Raises:
            AddressRefused: it is none, not https, or names an address that is not public.
        """
        if len(url) > _LONGEST_KEPT:
            raise _refused(f"An address has at most {_LONGEST_KEPT} printable ASCII characters.")
        self._check(url)

    def check_bare(self, url: str) -> None:
        """The same for a bare connection: `mllps://host:port`, or `mllp://` to a listed host.

        Raises:
            AddressRefused: as `check`.
        """
        if len(url) > _LONGEST_KEPT:
            raise _refused(f"An address has at most {_LONGEST_KEPT} printable ASCII characters.")
        self._check(url, _BARE)

    def _check(self, url: str, ports: Mapping[str, int] = _PORTS) -> None:
        parts, host, port = self._parsed(url, ports)
        if self._is_listed(host, port):
            return
        safe = "https" if ports is _PORTS else "mllps"
        if parts.scheme != safe:
            raise _refused(f"The address must begin with {safe}://.")
        literal = _literal(host)
        if literal is not None and not is_public(literal):
            raise _refused("The address leads to no public host.")

    def target(self, url: str) -> Target:
        """Look the host up, once, and decide which of its addresses is called.

        Raises:
            AddressRefused: one of its addresses is not public.
            Unreachable: it has none.
        """
        return self._target(url, _PORTS)

    def _target(self, url: str, ports: Mapping[str, int]) -> Target:
        self._check(url, ports)
        _, host, port = self._parsed(url, ports)
        found = self._found(host, port)
        if not found:
            raise Unreachable("The host of this address is not known.")
        if not self._is_listed(host, port) and not all(map(_is_public_text, found)):
            raise _refused("The address leads to no public host.")
        return Target(url, host, port, found[0])

    def _found(self, host: str, port: int) -> tuple[str, ...]:
        """The addresses of a name; its server may be another's, and as slow as it likes.

        Raises:
            Unreachable: no answer came in time.
        """
        found: list[tuple[str, ...]] = []

        def look() -> None:
            with suppress(OSError, UnicodeError):
                found.append(tuple(self.look_up(host, port)))

        # The system's lookup cannot be called off; one that is late ends by itself, unheard.
        looking = threading.Thread(target=look, daemon=True)
        looking.start()
        looking.join(self.step)
        if looking.is_alive():
            raise Unreachable("The host of this address was not found in time.")
        return found[0] if found else ()

    def get(self, url: str, headers: Mapping[str, str] | None = None) -> Answer:
        """Ask for what is at an address; see `send`."""
        return self.send("GET", url, headers=headers)

    def send(
        self, method: str, url: str, *, headers: Mapping[str, str] | None = None, body: bytes = b""
    ) -> Answer:
        """One request and its answer.

        Raises:
            AddressRefused: the guard does not let us call this address.
            Unreachable: no complete answer of allowed length came in time.
        """
        target = self.target(url)
        usual = {"User-Agent": _AGENT, "Accept-Encoding": "identity", "Connection": "close"}
        sent = requests.Request(
            method, url, headers={**usual, **(headers or {})}, data=body or None
        )
        with requests.Session() as session, _Deadline(self.total) as deadline:
            session.trust_env = False
            session.mount("http://", _ToOneAddress(target, deadline))
            session.mount("https://", _ToOneAddress(target, deadline))
            try:
                return self._exchanged(session, sent, deadline)
            except (requests.RequestException, HTTPError, OSError, ValueError) as error:
                raise Unreachable(deadline.explained(error)) from error

    def exchange(self, url: str, sent: bytes, end: bytes) -> bytes:
        """Over a bare connection: what is sent, and what comes back up to and with the end sign.

        Raises:
            AddressRefused: the guard does not let us call this address.
            Unreachable: no connection, or no complete answer of allowed length in time; whether
                the other side has what was sent is then not known.
        """
        target = self._target(url, _BARE)
        with _Deadline(self.total) as deadline:
            try:
                with self._opened(target, deadline) as connection:
                    connection.sendall(sent)
                    return self._until(connection, end)
            except OSError as error:
                raise Unreachable(_explained(error, deadline)) from error

    def _opened(self, target: Target, deadline: _Deadline) -> socket.socket:
        """A connection to the checked address and no other, with TLS where its scheme says so."""
        made = socket.create_connection((target.address, target.port), self.step)
        made.settimeout(self.total)
        deadline.watch(made)
        if not target.url.startswith("mllps:"):
            return made
        try:
            context = ssl.create_default_context(cafile=self.authorities or None)
            return context.wrap_socket(made, server_hostname=target.host)
        except BaseException:
            made.close()
            raise

    def _until(self, connection: socket.socket, end: bytes) -> bytes:
        found = bytearray()
        while end not in found:
            piece = connection.recv(_CHUNK)
            if not piece:
                raise Unreachable("The connection was closed before an answer.")
            found += piece
            if len(found) > self.longest:
                raise Unreachable(f"The answer is longer than {self.longest} bytes.")
        return bytes(found)

    def _exchanged(
        self, session: requests.Session, sent: requests.Request, deadline: _Deadline
    ) -> Answer:
        with session.send(
            session.prepare_request(sent),
            timeout=self.step,
            allow_redirects=False,
            stream=True,
            verify=self.authorities or True,
        ) as answer:
            content = _read(answer, self.longest, deadline)
            return Answer(answer.status_code, answer.headers, content)

    def _parsed(self, url: str, ports: Mapping[str, int] = _PORTS) -> tuple[SplitResult, str, int]:
        """The parts of an address that could be called at all.

        Raises:
            AddressRefused: it is none.
        """
        if len(url) > _LONGEST_URL or not url.isascii() or not url.isprintable() or " " in url:
            raise _refused(f"An address has at most {_LONGEST_URL} printable ASCII characters.")
        try:
            parts = urlsplit(url)
            host, port = parts.hostname or "", parts.port
        except ValueError as error:
            raise _refused("This is no address that can be called.") from error
        if parts.scheme not in ports or not host or "\\" in url or "%" in host:
            begins = "https://" if ports is _PORTS else "mllps://"
            raise _refused(f"The address must begin with {begins} and name a host.")
        if ports is _BARE and (parts.path.strip("/") or parts.query):
            raise _refused("The address names a host and a port, and nothing else.")
        if "@" in parts.netloc or parts.fragment:
            raise _refused("The address may hold no user, password or fragment.")
        chosen = ports[parts.scheme] if port is None else port
        if not 0 < chosen <= _HIGHEST_PORT:
            raise _refused("The address names no usable port.")
        return parts, host.rstrip(".").casefold(), chosen

    def _is_listed(self, host: str, port: int) -> bool:
        return host in self.allowed or f"{host}:{port}" in self.allowed


def listed(text: str) -> frozenset[str]:
    """The hosts of `OUTBOUND_ALLOW`: commas or blanks between them."""
    return frozenset(word.rstrip(".").casefold() for word in text.replace(",", " ").split())


def is_public(address: _Address) -> bool:
    """May an address be called without the operator's word?

    Loopback, private, link-local (and so every cloud's metadata), shared, multicast and reserved
    ones are not public, neither written as such nor carried inside an IPv6 address.
    """
    if isinstance(address, ipaddress.IPv6Address):
        carried = _carried(address)
        if carried is not None:
            return is_public(carried)
        if address.is_site_local:
            return False
    if any(address in network for network in _NEVER):
        return False
    return address.is_global and not (
        address.is_multicast or address.is_reserved or address.is_unspecified
    )


def _carried(address: ipaddress.IPv6Address) -> ipaddress.IPv4Address | None:
    """The IPv4 address that an IPv6 one stands for."""
    known = address.ipv4_mapped or address.sixtofour
    if known is not None:
        return known
    if any(address in network for network in _TRANSLATED):
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return None


def _is_public_text(text: str) -> bool:
    address = _literal(text)
    return address is not None and is_public(address)


def _literal(host: str) -> _Address | None:
    try:
        return ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return None


def _refused(message: str) -> AddressRefused:
    return AddressRefused(message, errors=(Place("url", AddressRefused.code, message),))


def _read(answer: requests.Response, longest: int, deadline: _Deadline) -> bytes:
    """The whole body as it came; more than the limit, or too slow, is no answer.

    Raises:
        Unreachable: too long, or too late.
    """
    found = bytearray()
    while chunk := answer.raw.read1(_CHUNK, decode_content=False):
        found += chunk
        if len(found) > longest:
            raise Unreachable(f"The answer is longer than {longest} bytes.")
    if deadline.passed:
        raise Unreachable(deadline.explained(TimeoutError()))
    return bytes(found)


def _explained(error: OSError, deadline: _Deadline) -> str:
    """What to say of a bare exchange that failed."""
    if isinstance(error, ssl.SSLError):
        return "The receiver's certificate or its TLS is not accepted."
    if deadline.passed or isinstance(error, TimeoutError):
        return "The receiver did not answer in time."
    return "The receiver cannot be reached, or broke the connection."


class _Deadline:
    """Ends a whole exchange: a server that keeps dripping bytes keeps within each step's limit.

    It holds a second handle of the socket, and shuts the connection down behind it.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._ends = time.monotonic() + seconds
        self._handles: list[socket.socket] = []
        self._lock = threading.Lock()
        self._timer = threading.Timer(seconds, self._shut)
        self._timer.daemon = True
        self._timer.start()

    @property
    def passed(self) -> bool:
        """Is the time up?"""
        return time.monotonic() >= self._ends

    def watch(self, connection: socket.socket) -> None:
        """End this connection too when the time is up."""
        with self._lock:
            self._handles.append(connection.dup())
        if self.passed:
            self._shut()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """The exchange is over."""
        self._timer.cancel()
        with self._lock:
            for handle in self._handles:
                handle.close()
            self._handles.clear()

    def explained(self, error: Exception) -> str:
        """What to say of an exchange that failed, without quoting anything of it."""
        if isinstance(error, Unreachable):
            return error.message
        if self.passed:
            return f"No complete answer came within {self._seconds:g} s."
        if isinstance(error, requests.exceptions.SSLError):
            return "The server's certificate or its TLS is not accepted."
        if isinstance(error, requests.Timeout | TimeoutError):
            return "The server did not answer in time."
        if isinstance(error, requests.ConnectionError):
            return "The server cannot be reached, or broke the connection."
        return "The server's answer does not follow HTTP."

    def _shut(self) -> None:
        with self._lock:
            for handle in self._handles:
                try:
                    handle.shutdown(socket.SHUT_RDWR)
                except OSError:
                    continue


class _ToOneAddress(HTTPAdapter):
    """Carries every request to the address that was checked, under the name that was asked for."""

    def __init__(self, target: Target, deadline: _Deadline) -> None:
        super().__init__(max_retries=0)
        self._target = target
        self._deadline = deadline

    def get_connection_with_tls_context(
        self,
        request: requests.PreparedRequest,
        verify: Any,
        proxies: Any = None,  # noqa: ARG002 - requests passes it; there are none
        cert: Any = None,
    ) -> HTTPConnectionPool:
        """A pool of one connection, made by us."""
        host, options = self.build_connection_pool_key_attributes(request, verify, cert)
        pool = (
            HTTPSConnectionPool(host["host"], self._target.port, maxsize=1, **options)
            if host["scheme"] == "https"
            else HTTPConnectionPool(host["host"], self._target.port, maxsize=1)
        )
        pool.ConnectionCls = self._going_there(pool.ConnectionCls)
        return pool

    def _going_there(self, usual: Any) -> Any:
        """The library's own connection, but for where it goes."""
        target, deadline = self._target, self._deadline
        return type(
            "ConnectionToOneAddress",
            (usual,),
            {"_new_conn": lambda connection: _connected(connection, target, deadline)},
        )


def _connected(connection: Any, target: Target, deadline: _Deadline) -> socket.socket:
    """A connection to the checked address and no other."""
    try:
        made = socket.create_connection((target.address, target.port), connection.timeout)
    except OSError as error:
        raise NewConnectionError(connection, "the server cannot be reached") from error
    made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    deadline.watch(made)
    return made
