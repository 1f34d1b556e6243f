"""The local mailbox keeps mails as they came, and its pages show them without trusting them."""

from datetime import UTC, datetime

import pytest

from labinterp.local.mail_pages import pages
from labinterp.local.mailbox import MailFolder

AT = datetime(2026, 1, 2, 8, 0, tzinfo=UTC)
MAIL = (
    b"From: reports@example.com\r\nTo: clinician@example.org\r\n"
    b"Subject: A report is ready (LI-2026-000123)\r\nMessage-ID: <d-1@example.com>\r\n"
    b"MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=outer\r\n\r\n"
    b"--outer\r\nContent-Type: multipart/alternative; boundary=inner\r\n\r\n"
    b"--inner\r\nContent-Type: text/plain\r\n\r\n"
    b"See http://127.0.0.1:8000/m/abc?x=1&y=2 <script>alert(1)</script>\r\n"
    b"--inner\r\nContent-Type: text/html\r\n\r\n<p>See</p><script>alert(1)</script>\r\n"
    b"--inner--\r\n"
    b'--outer\r\nContent-Type: application/pdf\r\nContent-Disposition: attachment; filename="a.pdf"'
    b"\r\nContent-Transfer-Encoding: base64\r\n\r\nJVBERi0xLjcK\r\n--outer--\r\n"
)


@pytest.fixture
def folder(tmp_path):
    return MailFolder(tmp_path / "mailbox")


@pytest.fixture
def kept(folder):
    return folder.keep(MAIL, ["clinician@example.org"], AT)


@pytest.fixture
def client(folder):
    return pages(folder, "http://127.0.0.1:8000").test_client()


def test_a_mail_is_kept_as_it_came(folder, kept):
    content = (folder.folder / f"{kept}.eml").read_bytes()
    assert content == b"X-Envelope-To: clinician@example.org\r\n" + MAIL
    assert not list(folder.folder.glob("*.part"))


def test_the_newest_mail_is_listed_first(folder, kept):
    later = folder.keep(MAIL, ["b@example.org"], AT.replace(hour=9))
    assert folder.ids() == (later, kept)


def test_two_mails_of_one_instant_are_both_kept(folder, kept):
    folder.keep(MAIL, ["clinician@example.org"], AT)
    assert len(folder.ids()) == 2


@pytest.mark.parametrize("mail_id", ["", "..", "../../etc/passwd", "nothing"])
def test_an_id_is_never_a_path(folder, kept, mail_id):
    assert folder.read(mail_id) is None


def test_the_list_names_subject_and_recipient(client, kept):
    page = client.get("/").text
    assert "A report is ready (LI-2026-000123)" in page
    assert "clinician@example.org" in page


def test_an_empty_mailbox_says_so(client):
    assert "There is no mail yet." in client.get("/").text


def test_a_mail_is_shown_as_text_with_its_link(client, kept):
    page = client.get(f"/mails/{kept}").text
    assert '<a href="http://127.0.0.1:8000/m/abc?x=1&amp;y=2"' in page
    assert "&lt;script&gt;" in page
    assert "<script" not in page


def test_html_is_shown_in_a_frame_that_may_do_nothing(client, kept):
    assert "<iframe sandbox=" in client.get(f"/mails/{kept}").text
    frame = client.get(f"/mails/{kept}/html")
    assert frame.headers["Content-Security-Policy"].startswith("sandbox allow-popups")
    assert "allow-scripts" not in frame.headers["Content-Security-Policy"]
    assert "allow-same-origin" not in frame.headers["Content-Security-Policy"]


def test_an_attachment_can_be_saved(client, kept):
    answer = client.get(f"/mails/{kept}/attachments/0")
    assert answer.data == b"%PDF-1.7\n"
    assert answer.mimetype == "application/pdf"
    assert client.get(f"/mails/{kept}/attachments/1").status_code == 404


def test_the_source_is_plain_text(client, kept):
    answer = client.get(f"/mails/{kept}/source")
    assert answer.mimetype == "text/plain"
    assert b"Message-ID: <d-1@example.com>" in answer.data


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "localhost@evil"])
def test_another_name_for_this_machine_is_turned_away(client, kept, host):
    assert client.get("/", headers={"Host": host}).status_code == 403


def test_nothing_can_be_written(client, kept):
    assert client.post("/").status_code == 405
    assert client.delete(f"/mails/{kept}").status_code == 405


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff\xfe\x00 no mail at all",
        b"Subject: =?utf-8?b?////?=\r\n\r\nx",
        b"Content-Type: text/plain; charset=no-such-charset\r\n\r\n\xff",
        b"Content-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\n",
        b"Content-Type: multipart/mixed\r\n\r\nnothing",
        b"Content-Type: text/html; charset=utf-7\r\n\r\n+ADw-script+AD4-",
        b'To: "\\\r\nDate: never\r\n\r\nx',
        b"Content-Type: application/pdf\r\nContent-Disposition: attachment\r\n\r\nx",
        b"Content-Type: message/rfc822\r\n\r\nSubject: inner\r\n\r\nx",
    ],
)
def test_a_mail_that_is_none_breaks_no_page(client, folder, content):
    mail_id = folder.keep(content, ["a@example.org"], AT)
    assert client.get("/").status_code == 200
    for page in ("", "/html", "/source", "/attachments/0"):
        assert client.get(f"/mails/{mail_id}{page}").status_code in (200, 404)
