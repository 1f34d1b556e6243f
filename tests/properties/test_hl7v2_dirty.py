"""Whatever is done to a message, reading it ends, raises nothing, and loses no OBX."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from labinterp.errors import LabinterpError
from labinterp.formats import hl7v2, hl7v2_ack
from labinterp.formats.hl7v2_patient import STATES
from labinterp.formats.hl7v2_text import envelope_of
from labinterp.formats.limits import Context
from tests.properties.spoiling import IS_PROOF, PROOF

MESSAGES = sorted((Path(__file__).parents[1] / "contract" / "hl7v2").glob("0*.hl7"))
BODIES = [path.read_bytes() for path in MESSAGES]
NOW = datetime(2026, 3, 5, 12, tzinfo=UTC)
PIECES = st.sampled_from(
    (
        *(b"|", b"^", b"~", b"&", b"\\", b"\\F\\", b"\\X", b"\r", b"\n", b'""', b"OBX", b"MSH|"),
        *(b"\x0b", b"\x1c", b"\xff", b"\xc3", b"\0", b"PID|1||X\r", b"OBX|||||\r", b"9" * 300),
    )
)


@st.composite
def dirty(draw):
    """An example with some pieces put in, cut out or doubled."""
    body = bytearray(draw(st.sampled_from(BODIES)))
    for _ in range(draw(st.integers(1, 6))):
        at = draw(st.integers(0, len(body)))
        what = draw(st.sampled_from(("put", "cut", "double")))
        length = draw(st.integers(1, 40))
        if what == "put":
            body[at:at] = draw(PIECES)
        elif what == "cut":
            del body[at : at + length]
        else:
            body[at:at] = body[at : at + length]
    return bytes(body)


@settings(max_examples=PROOF if IS_PROOF else 150)
@given(dirty())
@pytest.mark.hazard("hostile-input")
def test_nothing_breaks_and_no_result_is_lost(body):
    try:
        envelope = envelope_of(body)
    except LabinterpError:
        return
    for message in envelope.messages:
        acks = hl7v2_ack.acknowledgements(message, "AE", (), now=NOW, id_="T")
        assert all(ack.endswith(b"\r") for ack in acks)
        if hl7v2.refusal_of(message):
            continue
        reading = hl7v2.read_message(message, Context(NOW))
        told = {one.where.split("-")[0] for one in reading.faults}
        for received in reading.received:
            told |= {one.where for one in received.submission.results}
        lost = [
            one.place
            for one in message.segments
            if one.name == "OBX" and one.component(3) not in STATES and one.place not in told
        ]
        assert not lost or any("OBX" not in one.where for one in reading.faults), lost
