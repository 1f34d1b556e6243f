"""The page about bounces does what it says: its commands are run against a real mail server."""

import re

import pytest
from aiosmtpd.controller import Controller

from labinterp.delivery.bounce import ReturnAddress
from labinterp.local.ports import free_port
from labinterp.store.crypto import derived_key
from labinterp.usecases import journey
from tests.contract.test_calling_docs import PAGES, Reader
from tests.unit.delivery.test_bounce import a_mail, notice
from tests.workers.harness import Site, until


class Taken:
    """Takes every mail, and remembers whom its envelope names as sender."""

    def __init__(self):
        self.senders = []

    async def handle_DATA(self, _server, _session, envelope):  # noqa: N802 - aiosmtpd's name
        self.senders.append(envelope.mail_from)
        return "250 taken"


@pytest.fixture
def taken():
    handler = Taken()
    controller = Controller(handler, hostname="127.0.0.1", port=free_port())
    controller.start()
    handler.port = controller.port
    yield handler
    controller.stop()


def test_a_mail_that_came_back_is_listed_and_sent_anew_as_the_page_says(taken, tmp_path):
    text = (PAGES / "read-bounces.md").read_text(encoding="utf-8")
    address = re.search(r"BOUNCE_ADDRESS=(\S+)", text)[1]
    box = tmp_path / "bounces"
    for name in ("new", "cur", "tmp"):
        (box / name).mkdir(parents=True)
    site = Site(
        tmp_path,
        "redis://127.0.0.1:1/0",
        taken.port,
        BOUNCE_MAILDIR=str(box),
        BOUNCE_ADDRESS=address,
        BOUNCE_INTERVAL="0.3",
    )
    folder = tmp_path / "reader"
    folder.mkdir()
    reader = Reader("read-bounces.md", folder, site, {})
    look, show, again = reader.commands
    panel_id = site.accept(to="nobody@clinic.example")
    site.work()
    (sent,) = journey.list_deliveries(site.services, site.actor, panel_id)
    made = ReturnAddress(address, derived_key(site.services.policy.secret, "labinterp bounces")).of(
        a_mail(sent.id)
    )
    assert taken.senders == [made]
    (box / "new" / "1.host").write_bytes(notice("postfix-unknown-user", sent.id, verp=made))
    assert reader.run(look) == "1 came back\n"
    assert reader.run(look) == "0 came back\n"
    assert "550 5.1.1" in reader.run(show)
    assert "right@clinic.example" in reader.run(again, ID=sent.id)
    site.work()
    assert len(taken.senders) == 2
    assert taken.senders[1] != made

    def states():
        found = journey.list_deliveries(site.services, site.actor, panel_id)
        return sorted(one.status for one in found)

    (again_id,) = (
        one.id
        for one in journey.list_deliveries(site.services, site.actor, panel_id)
        if one.status == "sent"
    )
    site.start("relay")
    (box / "new" / "2.host").write_bytes(notice("exchange-mailbox-full", again_id))
    try:
        until(lambda: states() == ["bounced", "withdrawn"])
    finally:
        site.stop()
