"""The local mailbox: a real mail server that keeps every mail in a file instead of passing it on.

A mail is on disk before the server says 250. `mail_pages` shows them.
"""

from __future__ import annotations

import asyncio
import os
import secrets
from dataclasses import dataclass
from email import message_from_bytes, policy
from typing import TYPE_CHECKING, Any, Final

from aiosmtpd.controller import Controller

from labinterp.local.ports import LOOPBACK, free_port

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from email.message import EmailMessage
    from pathlib import Path

_LARGEST_MAIL: Final = 30_000_000


@dataclass(frozen=True, slots=True)
class KeptMail:
    """One mail as it came, and the name it is kept under."""

    id: str
    message: EmailMessage


@dataclass(frozen=True, slots=True)
class MailFolder:
    """A folder of mails, one file each; its name sorts by time."""

    folder: Path

    def keep(self, content: bytes, recipients: list[str], at: datetime) -> str:
        """Write one mail so that it survives a power cut; its id.

        Raises:
            OSError: the disk does not take it.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        mail_id = f"{at:%Y%m%dT%H%M%S%f}-{secrets.token_hex(4)}"
        unfinished = self.folder / f".{mail_id}.part"
        envelope = "".join(f"X-Envelope-To: {_one_line(to)}\r\n" for to in recipients)
        with unfinished.open("wb") as file:
            file.write(envelope.encode() + content)
            file.flush()
            os.fsync(file.fileno())
        unfinished.rename(self.folder / f"{mail_id}.eml")
        _sync(self.folder)
        return mail_id

    def ids(self) -> tuple[str, ...]:
        """Newest first."""
        return tuple(sorted((path.stem for path in self.folder.glob("*.eml")), reverse=True))

    def read(self, mail_id: str) -> KeptMail | None:
        """The mail kept under this id; None for any other text."""
        if mail_id not in self.ids():
            return None
        content = (self.folder / f"{mail_id}.eml").read_bytes()
        return KeptMail(mail_id, message_from_bytes(content, policy=policy.default))


class MailServer:
    """Listens on loopback and keeps what it is given; anyone may be written to."""

    def __init__(self, folder: MailFolder, now: Callable[[], datetime], port: int = 0) -> None:
        self.port = port or free_port()
        self._controller = Controller(
            _Keeper(folder, now),
            hostname=LOOPBACK,
            port=self.port,
            ident="labinterp mailbox",
            data_size_limit=_LARGEST_MAIL,
            enable_SMTPUTF8=True,
        )

    def start(self) -> None:
        """Listen; returns when mail is taken."""
        self._controller.start()

    def stop(self) -> None:
        """Stop listening."""
        self._controller.stop()


class _Keeper:
    def __init__(self, folder: MailFolder, now: Callable[[], datetime]) -> None:
        self._folder = folder
        self._now = now

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802 - aiosmtpd's name
        try:
            mail_id = await asyncio.to_thread(
                self._folder.keep, envelope.original_content, envelope.rcpt_tos, self._now()
            )
        except OSError:
            return "452 4.3.1 the mailbox cannot write to its disk"
        return f"250 2.0.0 kept as {mail_id}"


def _one_line(text: str) -> str:
    return "".join(mark for mark in text if mark.isprintable())


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
