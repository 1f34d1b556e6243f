"""A mail server in a process of its own, which can be killed; it keeps each mail before it says 250.

    python -m tests.workers.mail_process PORT FOLDER MOOD

Of every three mails the first is treated as the mood says: `later` answers 451, `slow` waits a second, `drop` keeps the
mail, marks its file, and closes the line before it answers; `never` refuses for good what goes to an address that begins with "gone".
"""

import asyncio
import itertools
import os
import secrets
import signal
import sys
from pathlib import Path

from aiosmtpd.controller import Controller

UNANSWERED = "-unanswered"


class Keeper:
    def __init__(self, folder, mood):
        self.folder = folder
        self.mood = mood
        self.turns = itertools.cycle([mood, "well", "well"])

    async def handle_RCPT(self, _server, _session, envelope, address, _options):  # noqa: N802
        if self.mood == "never" and address.startswith("gone"):
            return "550 5.1.1 no such mailbox"
        envelope.rcpt_tos.append(address)
        return "250 ok"

    async def handle_DATA(self, server, _session, envelope):  # noqa: N802
        turn = next(self.turns)
        if turn == "later":
            return "451 4.3.0 try again later"
        self._keep(envelope.content, UNANSWERED if turn == "drop" else "")
        if turn == "drop":
            server.transport.abort()
        elif turn == "slow":
            await asyncio.sleep(1)
        return "250 kept"

    def _keep(self, content, mark):
        name = f"{secrets.token_hex(8)}{mark}"
        unfinished = self.folder / f".{name}"
        with unfinished.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        unfinished.rename(self.folder / f"{name}.eml")


def main(port, folder, mood):
    kept = Path(folder)
    kept.mkdir(parents=True, exist_ok=True)
    Controller(Keeper(kept, mood), hostname="127.0.0.1", port=int(port)).start()
    signal.pause()


if __name__ == "__main__":
    main(*sys.argv[1:])
