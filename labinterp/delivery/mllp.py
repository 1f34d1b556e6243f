"""Handing one HL7 v2 message to a receiver over MLLP: one connection, one message, one answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from labinterp.outbound import Outbound

_BEGIN: Final = b"\x0b"
_END: Final = b"\x1c"


def hand_over(outbound: Outbound, url: str, message: bytes) -> bytes:
    """The receiver's first answer, without its frame.

    Raises:
        AddressRefused: the guard does not let us call this address.
        Unreachable: no answer came; the receiver may have the message all the same.
    """
    answer = outbound.exchange(url, _BEGIN + message + _END + b"\r", _END)
    return answer.partition(_END)[0].rpartition(_BEGIN)[2]
