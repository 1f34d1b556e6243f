"""The guard lets out what is public or listed, and nothing else; the client ends in time."""

from __future__ import annotations

import ipaddress
import socket
import threading
import time

import pytest

from labinterp.outbound import AddressRefused, Outbound, Unreachable, is_public, listed
from tests.certificates import authority
from tests.receiver import receiving

NAME = "hooks.example.org"


@pytest.fixture
def receiver():
    with receiving() as state:
        yield state


@pytest.fixture(scope="module")
def trust(tmp_path_factory):
    return authority(tmp_path_factory.mktemp("authority"))


def _to(*addresses):
    """A lookup that gives these, and counts how often it is asked."""
    asked = []

    def look_up(host, port):
        asked.append(host)
        return addresses

    look_up.asked = asked
    return look_up


def _client(receiver, **more):
    return Outbound(allowed=frozenset({f"127.0.0.1:{receiver.port}"}), **more)


def _refused(url, **more):
    with pytest.raises(AddressRefused) as caught:
        Outbound(**more).get(url)
    assert caught.value.code == "url-refused"
    return caught.value.message


# ---- which addresses are public


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "127.8.9.10",
        "0.0.0.0",  # noqa: S104 - not bound to
        "10.0.0.1",
        "172.16.0.1",
        "192.168.1.1",
        "100.64.0.1",
        "169.254.169.254",
        "169.254.0.1",
        "192.0.0.8",
        "192.0.2.1",
        "198.18.0.1",
        "203.0.113.9",
        "224.0.0.1",
        "239.255.255.250",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "fe80::1",
        "fc00::1",
        "fd00:ec2::254",
        "fec0::1",
        "ff02::1",
        "2001:db8::1",
        "::ffff:127.0.0.1",
        "::ffff:169.254.169.254",
        "::ffff:10.0.0.1",
        "::127.0.0.1",
        "2002:7f00:1::",
        "2002:a9fe:a9fe::1",
        "64:ff9b::10.0.0.1",
        "64:ff9b::a9fe:a9fe",
        "2001:0:53aa:64c:0:0:0:1",
    ],
)
def test_an_address_that_is_not_public_is_called_by_no_name(address):
    assert not is_public(ipaddress.ip_address(address))
    assert "public" in _refused(f"https://{NAME}/", look_up=_to(address))


@pytest.mark.parametrize(
    "address", ["93.184.216.34", "8.8.8.8", "2606:4700::1111", "::ffff:8.8.8.8"]
)
def test_a_public_address_is_public(address):
    assert is_public(ipaddress.ip_address(address))


def test_one_private_address_among_public_ones_is_enough_to_refuse():
    assert _refused(f"https://{NAME}/", look_up=_to("93.184.216.34", "10.0.0.1"))


@pytest.mark.parametrize(
    "url",
    [
        "http://hooks.example.org/",
        "ftp://hooks.example.org/",
        "file:///etc/passwd",
        "https:///nothing",
        "https://",
        "hooks.example.org",
        "",
        "https://user:pass@hooks.example.org/",
        "https://hooks.example.org@127.0.0.1/",
        "https://hooks.example.org/#part",
        "https://hooks.example.org:0/",
        "https://hooks.example.org:99999/",
        "https://hooks.example.org:port/",
        "https://hooks.example.org\\@127.0.0.1/",
        "https://hooks .example.org/",
        "https://hooks.example.org/\r\nHost: other",
        "https://bücher.example/",
        "https://[::1/",
        "https://[fe80::1%25eth0]/",
        "https://127.0.0.1/",
        "https://[::ffff:127.0.0.1]/",
        "https://[::1]/",
        "https://169.254.169.254/latest/meta-data/",
        "https://hooks.example.org/" + "a" * 2000,
    ],
)
def test_what_is_no_https_address_of_a_public_host_is_refused_before_any_lookup(url):
    lookup = _to("93.184.216.34")
    assert _refused(url, look_up=lookup)
    with pytest.raises(AddressRefused):
        Outbound(look_up=lookup).check(url)
    assert not lookup.asked


@pytest.mark.parametrize("host", ["localhost", "2130706433", "0x7f.1", "017700000001", "127.1"])
def test_another_spelling_of_loopback_is_loopback(host):
    assert "public" in _refused(f"https://{host}/")


def test_nothing_reaches_a_server_on_this_machine_that_is_not_listed(receiver):
    assert _refused(receiver.address)
    assert _refused(receiver.address.replace("http://", "https://"))
    name = f"https://{NAME}:{receiver.port}/"
    assert _refused(name, look_up=_to("127.0.0.1"))
    assert not receiver.got


# ---- hosts that the operator lists


def test_a_listed_host_is_called_without_tls_and_wherever_it_is(receiver):
    receiver.usual = (201, {"X-Word": "taken"}, b"thanks")
    url = f"{receiver.address}/a?b=c"
    answer = _client(receiver).send("POST", url, headers={"X-Ours": "1"}, body=b"what was sent")
    assert (answer.status, answer.body, answer.is_success) == (201, b"thanks", True)
    assert answer.headers["x-word"] == "taken"
    (got,) = receiver.got
    assert (got.method, got.path, got.body) == ("POST", "/a?b=c", b"what was sent")
    assert got.headers["host"] == f"127.0.0.1:{receiver.port}"
    assert got.headers["x-ours"] == "1"


def test_a_listed_host_may_be_listed_with_its_port_alone(receiver):
    with pytest.raises(AddressRefused):
        Outbound(allowed=frozenset({f"127.0.0.1:{receiver.port + 1}"})).get(receiver.address)
    assert Outbound(allowed=frozenset({"127.0.0.1"})).get(receiver.address).is_success


def test_the_list_is_read_with_commas_or_blanks():
    assert listed(" a.example, B.example.:8080 c.example ,") == {
        "a.example",
        "b.example.:8080",
        "c.example",
    }


def test_a_proxy_of_the_environment_is_not_used(receiver, monkeypatch):
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    assert _client(receiver).get(receiver.address).is_success


# ---- the connection goes where was looked


def test_the_name_is_looked_up_once_and_that_very_address_is_called(receiver):
    """A second lookup could answer otherwise: that is how a guard is walked around."""
    lookup = _to("127.0.0.1")
    host = f"{NAME}:{receiver.port}"
    client = Outbound(allowed=frozenset({host}), look_up=lookup)
    assert client.get(f"http://{host}/").is_success
    assert lookup.asked == [NAME]
    assert receiver.got[0].headers["host"] == host


def test_certificate_and_name_are_those_of_the_name_not_of_the_address(trust):
    path, context_of = trust
    with receiving(context_of(NAME)) as server:
        host = f"{NAME}:{server.port}"
        client = Outbound(allowed=frozenset({host}), authorities=path, look_up=_to("127.0.0.1"))
        assert client.get(f"https://{host}/").is_success
        assert server.got[0].headers["host"] == host


def test_a_certificate_of_another_name_or_authority_is_not_accepted(trust):
    path, context_of = trust
    with receiving(context_of("other.example.org")) as server:
        host = f"{NAME}:{server.port}"
        for authorities in (path, ""):
            client = Outbound(
                allowed=frozenset({host}), authorities=authorities, look_up=_to("127.0.0.1")
            )
            with pytest.raises(Unreachable, match="certificate"):
                client.get(f"https://{host}/")
        assert not server.got


# ---- what ends


def test_a_redirect_is_an_answer_and_is_not_followed(receiver):
    receiver.usual = (302, {"Location": f"{receiver.address}/elsewhere"}, b"")
    answer = _client(receiver).get(receiver.address)
    assert (answer.status, answer.is_success) == (302, False)
    assert len(receiver.got) == 1


def test_an_answer_has_a_longest_length(receiver):
    receiver.usual = (200, {}, b"x" * 5_000)
    assert len(_client(receiver, longest=5_000).get(receiver.address).body) == 5_000
    with pytest.raises(Unreachable, match="longer than 4999"):
        _client(receiver, longest=4_999).get(receiver.address)


def test_a_server_that_says_nothing_is_left(receiver):
    release = threading.Event()
    receiver.usual = lambda *_: release.wait(5) and None
    began = time.monotonic()
    try:
        with pytest.raises(Unreachable, match="in time"):
            _client(receiver, step=0.2).get(receiver.address)
    finally:
        release.set()
    assert time.monotonic() - began < 2


def _dripping(piece):
    """A server that sends a byte now and then, each in time; its address and how to end it."""
    listener = socket.create_server(("127.0.0.1", 0))
    stop = threading.Event()

    def drip():
        connection, _ = listener.accept()
        with connection:
            try:
                connection.sendall(piece)
                while not stop.wait(0.05):
                    connection.sendall(b"x")
            except OSError:
                return

    thread = threading.Thread(target=drip)
    thread.start()

    def end():
        stop.set()
        thread.join()
        listener.close()

    return listener.getsockname()[1], end


@pytest.mark.parametrize(
    ("scheme", "piece"),
    [
        ("http", b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n"),
        ("http", b"HTTP/1.1 200 OK\r\nX-Endless: "),
        ("http", b"HTTP/1.1 2"),
        ("https", b"\x16\x03\x03\x40\x00"),
    ],
)
def test_a_server_that_drips_is_left_when_the_whole_time_is_up(scheme, piece):
    port, end = _dripping(piece)
    began = time.monotonic()
    try:
        with pytest.raises(Unreachable):
            Outbound(allowed=frozenset({"127.0.0.1"}), step=1, total=0.4).get(
                f"{scheme}://127.0.0.1:{port}/"
            )
    finally:
        end()
    assert time.monotonic() - began < 2


def test_a_server_that_is_not_there_or_not_known_cannot_be_reached():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}/"
        with pytest.raises(Unreachable, match="cannot be reached"):
            Outbound(allowed=frozenset({"127.0.0.1"})).get(url)

    def unknown(*_):
        raise socket.gaierror(-2, "Name or service not known")

    with pytest.raises(Unreachable, match="not known"):
        Outbound(look_up=unknown).get(f"https://{NAME}/")


def test_an_answer_that_is_no_http_is_no_answer():
    port, end = _dripping(b"SSH-2.0-nothing for you\r\n\r\n")
    try:
        with pytest.raises(Unreachable):
            Outbound(allowed=frozenset({"127.0.0.1"}), step=0.5, total=1).get(
                f"http://127.0.0.1:{port}/"
            )
    finally:
        end()


def test_a_name_that_is_never_found_is_not_waited_for():
    released = threading.Event()
    client = Outbound(step=0.1, look_up=lambda *_: released.wait(20) and ())
    began = time.monotonic()
    with pytest.raises(Unreachable) as failed:
        client.get(f"https://{NAME}/")
    assert time.monotonic() - began < 5
    assert "in time" in failed.value.message
    released.set()
