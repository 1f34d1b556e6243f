"""HL7 v2 by HTTP and by MLLP: stored once, answered when it is stored, whoever sends and however."""

from __future__ import annotations

import asyncio
import dataclasses
import io
import re
import socket
import ssl
import threading
import time
from contextlib import ExitStack, contextmanager
from pathlib import Path

import hl7
import pytest
from hl7.client import MLLPClient
from sqlalchemy import func, select

from app import create_app
from labinterp.access import SCOPES
from labinterp.errors import TemporaryFailure
from labinterp.mllp import Frames, FrameTooLong, Listener, Listening, tls_context
from labinterp.store.door_tables import message as message_table
from labinterp.store.tables import panel as panel_table
from labinterp.store.tables import panel_version
from labinterp.usecases import administer, journey
from tests.certificates import authority

MESSAGES = Path(__file__).parent / "hl7v2"
EXPECTED = {"11": "AE", "12": "AR", "10": "AR"}


def example(name):
    (path,) = MESSAGES.glob(f"{name}-*")
    return path.read_bytes()


def numbered(number, value="4.1"):
    """A message of its own, with one result of one patient."""
    return (
        f"MSH|^~\\&|LIS|LAB|US|HERE|20260304113200+0100||ORU^R01|M-{number}|P|2.5.1\r"
        f"PID|1||N-{number}^^^LAB^MR||Doe^Jane||19790614|F\r"
        f"OBR|1||A-{number}|CHEM|||20260304081000+0100||||||||||||||||||F\r"
        f"OBX|1|NM|2823-3^Potassium^LN||{value}|mmol/L|3.5-5.1||||F\r"
    ).encode()


def count(services, table):
    with services.store.reading() as connection:
        return connection.scalar(select(func.count()).select_from(table))


def code_of(ack):
    return str(hl7.parse(ack.decode("utf-8", "replace")).segment("MSA")[1])


# ---- over HTTP


@pytest.fixture
def organisation(services):
    return administer.create_organisation(services, "Ward 7")


@pytest.fixture
def post(services, organisation):
    policy = dataclasses.replace(
        services.policy, request_rate="100000 per minute", stranger_rate="100000 per minute"
    )
    client = create_app(dataclasses.replace(services, policy=policy)).test_client()
    _, key = administer.create_key(services, organisation.id, name="t", scopes=SCOPES)

    def send(body, path="/api/v1/hl7v2", media_type="application/hl7-v2", **more):
        headers = {"Authorization": f"Bearer {key}"}
        return client.post(path, data=body, headers=headers, content_type=media_type, **more)

    send.get = lambda path: client.get(path, headers={"Authorization": f"Bearer {key}"})
    return send


@pytest.mark.parametrize("name", [path.name for path in sorted(MESSAGES.glob("[01]*.hl7"))])
def test_every_example_is_answered_as_it_should_be(post, name):
    answer = post((MESSAGES / name).read_bytes())
    if name.startswith("10"):
        assert answer.status_code in (400, 422)
        return
    assert answer.status_code == 200
    assert answer.content_type.startswith("application/hl7-v2")
    acks = re.split(rb"(?<=\r)(?=MSH)", answer.data)
    assert {code_of(one) for one in acks} == {EXPECTED.get(name[:2], "AA")}
    assert len(acks) == (2 if name.startswith("08") else 1)


def test_the_same_again_gets_the_same_answer_and_nothing_twice(post, services):
    first, again = post(example("01")), post(example("01"))
    assert first.data == again.data
    assert (count(services, panel_table), count(services, message_table)) == (1, 1)


def test_another_message_under_the_same_id_is_taken_and_said(post, services):
    post(numbered(1))
    answer = post(numbered(1).replace(b"|4.1|", b"|4.2|").replace(b"A-1", b"A-2"))
    assert b"MSA|AA|M-1" in answer.data
    assert b"control-id-reused" in answer.data
    assert count(services, panel_table) == 2


@pytest.mark.hazard("correction-missed")
def test_a_correction_is_the_next_version_and_a_withdrawal_the_one_after(post, services):
    for name in ("04a", "04b", "04c"):
        assert b"MSA|AA" in post(example(name)).data
    assert (count(services, panel_table), count(services, panel_version)) == (1, 3)


def test_a_refused_message_is_read_anew_when_it_is_sent_again(post, services):
    nothing = numbered(5, "pending")
    assert b"MSA|AE|M-5" in post(nothing).data
    assert b"MSA|AE|M-5" in post(nothing).data
    assert (count(services, panel_table), count(services, message_table)) == (0, 1)


def test_a_test_message_is_kept_and_marked(post):
    answer = post(numbered(6).replace(b"|P|2.5.1", b"|T|2.5.1"))
    assert b"MSA|AA" in answer.data
    assert b"test-message" in answer.data


def test_a_message_in_earnest_never_joins_a_test_nor_a_test_it(post, services, clock):
    as_test = numbered(6, "2.1").replace(b"|P|2.5.1", b"|T|2.5.1")
    for body in (as_test, numbered(6, "4.1"), as_test.replace(b"M-6", b"M-7")):
        assert b"MSA|AA" in post(body).data
    assert (count(services, panel_table), count(services, panel_version)) == (3, 3)
    data = {"file": (io.BytesIO(as_test.replace(b"|F\r", b"|C\r")), "nightly.hl7")}
    post(data, "/api/v1/panels/import", "multipart/form-data")
    assert (count(services, panel_table), count(services, panel_version)) == (4, 4)
    clock.move(60)
    later = numbered(8, "4.0").replace(b"N-8", b"N-6").replace(b"0304081000", b"0305081000")
    post(later)
    (panel, *_) = post.get("/api/v1/panels").json["panels"]
    (found,) = post.get(f"/api/v1/panels/{panel['id']}").json["interpretation"]["results"]
    assert found["change"]["earlier"]["number"] == 4.1


def test_a_message_cut_off_and_sent_again_a_month_later_makes_nothing_twice(
    post, services, clock, monkeypatch
):
    nobody = numbered(9).replace(b"PID|1||N-9^^^LAB^MR|", b"PID|1||")
    with monkeypatch.context() as broken:
        broken.setattr("labinterp.usecases.messages.messages.add", _away)
        assert b"MSA|AR|M-9" in post(nobody).data
    assert (count(services, panel_table), count(services, message_table)) == (1, 0)
    clock.move(31 * 86_400)
    journey.tidy(services)
    assert b"MSA|AA|M-9" in post(nobody).data
    assert (count(services, panel_table), count(services, message_table)) == (1, 1)


def _away(*_, **__):
    raise TemporaryFailure("the database went away")


def test_framed_or_not_and_of_which_content_type_it_is_answered_alike(post):
    framed = post(example("30"), media_type="x-application/hl7-v2+er7")
    assert framed.data.startswith(b"\x0bMSH")
    assert framed.data.endswith(b"\x1c\r")
    assert framed.content_type.startswith("x-application/hl7-v2+er7")
    assert post(numbered(7), media_type="text/plain").status_code == 200
    assert post(numbered(8), media_type="application/json").status_code == 415


def test_messages_that_hold_nothing_readable_never_break_anything(post):
    for body in (
        b"",
        b"MSH",
        b"MSH|||||",
        b"MSH|^~\\&",
        b"MSH|^~\\&\r\r",
        b"\x0b\x1c\r",
        b"\0" * 50,
    ):
        assert post(body).status_code in (200, 400, 422), body


def test_a_file_of_messages_is_imported(post):
    data = {"file": (io.BytesIO(example("08")), "nightly.hl7")}
    answer = post(data, "/api/v1/panels/import", "multipart/form-data")
    assert (answer.json["stored"], answer.json["refused"]) == (2, 0)


# ---- senders


def test_a_sender_is_registered_tried_changed_and_forgotten(post, services):
    body = numbered(1).replace(b"2823-3^Potassium^LN", b"XK9^Spez^L").replace(b"M-1", b"M-9")
    assert b"MSA|A" in post(body).data
    made = post(
        '{"name": "North", "application": "LIS", "facility": "LAB"}',
        "/api/v1/senders",
        "application/json",
    )
    assert made.status_code == 201
    where = made.json["links"]["self"]
    wanted = '{"settings": {"codes": {"XK9": "potassium"}}}'
    trial = post(wanted, f"{where}/dry-run", "application/json").json["messages"]
    assert [one["changes"] for one in trial] == [True]
    assert "OBX[1]: potassium within" in trial[0]["after"]
    assert post.get(where).json["settings"] == {}
    changed = post(wanted, where, "application/json")
    assert changed.json["settings"] == {"codes": {"XK9": "potassium"}}
    meant = post(body, "/api/v1/interpretations", "application/hl7-v2").json
    assert [one["measurand"] for one in meant["results"] if one["reported"]] == ["potassium"]
    assert b"MSA|AA" in post(body.replace(b"M-9", b"M-10")).data
    again = post(
        '{"name": "N", "application": "LIS", "facility": "LAB"}',
        "/api/v1/senders",
        "application/json",
    )
    assert again.status_code == 409
    wrong = post('{"settings": {"codes": {"A": "unobtainium"}}}', where, "application/json")
    assert wrong.json["errors"][0]["where"] == "codes.A"


# ---- over MLLP


@contextmanager
def listening(services, port=0, **more):
    started, found, loops = threading.Event(), [], []

    async def run():
        stop = asyncio.Event()
        loops.append((asyncio.get_running_loop(), stop))

        def ready(number):
            found.append(number)
            started.set()

        await Listener(services, Listening("127.0.0.1", port, **more)).run(stop, ready)

    thread = threading.Thread(target=lambda: asyncio.run(run()), daemon=True)
    thread.start()
    assert started.wait(20)
    try:
        yield found[0]
    finally:
        loop, stop = loops[0]
        loop.call_soon_threadsafe(stop.set)
        thread.join(30)
        assert not thread.is_alive()


def test_listeners_that_share_a_port_store_each_message_once(services, organisation):
    with ExitStack() as both:
        port = both.enter_context(listening(services, shared=True))
        assert both.enter_context(listening(services, port=port, shared=True)) == port
        for number in range(12):
            (answer,) = talk(port, framed(numbered(number)))
            assert f"MSA|AA|M-{number}".encode() in answer
    assert (count(services, panel_table), count(services, message_table)) == (12, 12)


def test_a_port_that_is_not_shared_is_had_by_one_alone(services):
    with listening(services) as port:
        second = Listener(services, Listening("127.0.0.1", port)).run(asyncio.Event())
        with pytest.raises(OSError, match="in use"):
            asyncio.run(second)


def talk(port, *pieces, want=1, wait=0.0, context=None):
    """Send the pieces, and gather so many answers."""
    received = b""
    with ExitStack() as links:
        link = links.enter_context(socket.create_connection(("127.0.0.1", port), 20))
        if context:
            link = links.enter_context(context.wrap_socket(link, server_hostname="127.0.0.1"))
        link.settimeout(90)
        for piece in pieces:
            link.sendall(piece)
            time.sleep(wait)
        while received.count(b"\x1c\r") < want:
            piece = link.recv(65536)
            if not piece:
                break
            received += piece
    return [one.strip(b"\x0b\r") for one in received.split(b"\x1c") if one.strip(b"\x0b\r")]


def framed(body):
    return b"\x0b" + body + b"\x1c\r"


def test_frames_are_cut_wherever_the_stream_is_split():
    stream = b"noise" + framed(b"one") + b"\x0btwo\x1c" + b"\r\n" + framed(b"three")
    for size in range(1, len(stream)):
        frames = Frames(100)
        pieces = [stream[at : at + size] for at in range(0, len(stream), size)]
        found = [one for piece in pieces for one in frames.feed(piece)]
        assert found == [b"one", b"two", b"three"], size
        assert frames.dropped == 5
        assert not frames.unfinished


@pytest.mark.hazard("hostile-input")
def test_a_message_without_end_is_not_gathered_for_ever():
    frames = Frames(10)
    with pytest.raises(FrameTooLong):
        frames.feed(b"\x0b" + b"x" * 11)


def test_the_library_of_others_sends_and_understands(services, organisation):
    with listening(services) as port, MLLPClient("127.0.0.1", port) as client:
        for name in ("01", "09"):
            answer = client.send_message(example(name))
            assert code_of(answer.strip(b"\x0b\x1c\r")) == "AA"
    assert count(services, panel_table) == 2


def test_messages_come_joined_split_and_with_noise_around_them(services, organisation):
    with listening(services) as port:
        joined = framed(numbered(1)) + b"noise\r\n" + b"\x0b" + numbered(2) + b"\x1c"
        acks = talk(port, joined[:30], joined[30:200], joined[200:], want=2, wait=0.02)
        assert [code_of(ack) for ack in acks] == ["AA", "AA"]
        assert [code_of(one) for one in talk(port, example("31"), want=2)] == ["AA", "AA"]


def test_an_idle_connection_is_closed(services, organisation):
    with listening(services, idle=0.2) as port:
        assert talk(port, b"") == []


def test_an_unknown_sender_is_refused_where_several_organisations_are(services, organisation):
    administer.create_organisation(services, "Another hospital")
    with listening(services) as port:
        (ack,) = talk(port, framed(numbered(1)))
        assert code_of(ack) == "AR"
        assert b"sender-unknown" in ack
    with listening(services, organisation="Ward 7") as port:
        assert code_of(talk(port, framed(numbered(1)))[0]) == "AA"


def test_one_connection_too_many_is_closed_at_once(services, organisation):
    with (
        listening(services, connections=1) as port,
        socket.create_connection(("127.0.0.1", port), 5),
    ):
        time.sleep(0.2)
        assert talk(port, b"") == []


def test_with_an_authority_only_who_has_a_certificate_is_heard(services, organisation, tmp_path):
    trusted, make = authority(tmp_path)
    make("127.0.0.1")
    pair = str(tmp_path / "127.0.0.1.pem")
    context = ssl.create_default_context(cafile=trusted)
    with listening(services, tls=tls_context(pair, "", trusted)) as port:
        with pytest.raises(OSError):
            talk(port, framed(numbered(1)), context=context) or _nothing()
        context.load_cert_chain(pair)
        assert code_of(talk(port, framed(numbered(1)), context=context)[0]) == "AA"


def _nothing():
    raise OSError


def test_the_message_in_hand_is_answered_before_it_ends(services, organisation):
    with listening(services) as port:
        link = socket.create_connection(("127.0.0.1", port), 20)
        link.sendall(framed(numbered(1)))
        time.sleep(0.05)
    with link:
        link.settimeout(5)
        assert b"MSA|AA|M-1" in link.recv(65536)


def test_two_hundred_connections_at_once_are_each_stored_once(services, organisation):
    found = []

    def send(port, number):
        found.append(code_of(talk(port, framed(numbered(number)))[0]))

    with listening(services) as port:
        threads = [threading.Thread(target=send, args=(port, one)) for one in range(200)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(120)
    assert found == ["AA"] * 200
    assert count(services, panel_table) == 200


def test_the_same_message_on_many_connections_at_once_is_one_panel(services, organisation):
    found = []
    with listening(services) as port:
        threads = [
            threading.Thread(target=lambda: found.extend(talk(port, framed(numbered(1)))))
            for _ in range(8)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
    assert [code_of(one) for one in found] == ["AA"] * 8
    assert len(set(found)) == 1
    assert count(services, panel_table) == 1
