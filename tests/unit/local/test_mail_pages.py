"""The pages of the local mailbox are served even where their usual port was taken meanwhile."""

import socket
import urllib.request

from labinterp.local.mail_pages import MailPages
from labinterp.local.mailbox import MailFolder


def test_a_port_that_somebody_took_is_made_up_for(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        pages = MailPages(MailFolder(tmp_path), "http://127.0.0.1:8000", port)
    assert pages.address != f"http://127.0.0.1:{port}/"
    pages.start()
    with urllib.request.urlopen(pages.address) as answer:  # noqa: S310 - our own
        assert answer.status == 200
    pages.stop()
