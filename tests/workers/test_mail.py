"""Mail over a real mail server: kept as sent, over TLS whose certificate is checked, with sign-in."""

import ssl
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from labinterp.delivery.mailer import SmtpMailer
from labinterp.delivery.message import Attachment, Notice, build
from labinterp.local.mailbox import MailFolder, MailServer
from labinterp.local.ports import free_port

TO = "clinician@example.org"
AT = datetime(2026, 1, 2, 8, 0, tzinfo=UTC)
PDF = b"%PDF-1.7\r\n.\r\n..\r\n" + bytes(range(256)) * 40
MESSAGE = build(
    Notice(
        recipient=TO,
        sender="Laboratory <reports@example.com>",
        number="LI-2026-000123",
        version=1,
        organisation="Demo",
        link="http://127.0.0.1:8000/r/abc",
        message_id="<d-1@example.com>",
        made_at=AT,
        attachment=Attachment("LI-2026-000123.pdf", PDF),
    )
)


def certificate(folder, name):
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)  # noqa: TID251 - a certificate is valid around now
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address(name))]), False)  # noqa: FBT003
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), True)  # noqa: FBT003
        .sign(key, hashes.SHA256())
    )
    path = folder / f"{name}.pem"
    path.write_bytes(
        made.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return path


class Keeper:
    def __init__(self):
        self.mails = []
        self.users = []

    async def handle_DATA(self, _server, session, envelope):  # noqa: N802 - aiosmtpd's name
        self.mails.append((session.ssl is not None, envelope))
        return "250 kept"

    def authenticate(self, _server, session, _envelope, _mechanism, data):
        self.users.append((session.ssl is not None, data.login, data.password))
        return AuthResult(success=data.password == b"right", handled=False)


@pytest.fixture
def start(tmp_path):
    running = []

    def started(name="127.0.0.1", **more):
        keeper = Keeper()
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        path = certificate(tmp_path, name)
        context.load_cert_chain(path)
        server = Controller(
            keeper,
            hostname="127.0.0.1",
            port=free_port(),
            tls_context=context,
            authenticator=keeper.authenticate,
            **more,
        )
        server.start()
        running.append(server)
        return server, keeper, ssl.create_default_context(cafile=path)

    yield started
    for server in running:
        server.stop()


def test_a_mail_reaches_the_mailbox_as_it_was_written(tmp_path):
    folder = MailFolder(tmp_path / "mailbox")
    server = MailServer(folder, lambda: AT)
    server.start()
    outcome = SmtpMailer("127.0.0.1", server.port, security="none").send(MESSAGE, TO)
    server.stop()
    assert outcome.kind == "sent"
    (mail_id,) = folder.ids()
    assert outcome.answer == f"250 2.0.0 kept as {mail_id}"
    message = folder.read(mail_id).message
    assert message["Subject"] == "A report is ready (LI-2026-000123)"
    assert message["Message-ID"] == "<d-1@example.com>"
    assert message["X-Envelope-To"] == TO
    assert next(message.iter_attachments()).get_content() == PDF


def test_a_mailbox_whose_disk_is_full_puts_the_mail_off(tmp_path):
    (tmp_path / "mailbox").write_text("a file where the folder should be")
    server = MailServer(MailFolder(tmp_path / "mailbox"), lambda: AT)
    server.start()
    outcome = SmtpMailer("127.0.0.1", server.port, security="none").send(MESSAGE, TO)
    server.stop()
    assert outcome.kind == "deferred"


def test_mail_goes_over_tls_when_the_certificate_is_trusted(start):
    server, keeper, trust = start(require_starttls=True)
    outcome = SmtpMailer("127.0.0.1", server.port, tls=trust).send(MESSAGE, TO)
    assert outcome.kind == "sent"
    ((over_tls, envelope),) = keeper.mails
    assert over_tls
    assert envelope.rcpt_tos == [TO]


def test_a_certificate_nobody_vouches_for_gets_no_mail(start):
    server, keeper, _ = start()
    outcome = SmtpMailer("127.0.0.1", server.port).send(MESSAGE, TO)
    assert outcome.kind == "operator"
    assert "certificate is not trusted" in outcome.answer
    assert keeper.mails == []


def test_a_certificate_of_another_host_gets_no_mail(start):
    server, keeper, trust = start(name="127.0.0.2")
    outcome = SmtpMailer("127.0.0.1", server.port, tls=trust).send(MESSAGE, TO)
    assert outcome.kind == "operator"
    assert keeper.mails == []


def test_a_relay_that_wants_tls_gets_nothing_in_the_clear(start):
    server, keeper, _ = start(require_starttls=True)
    outcome = SmtpMailer("127.0.0.1", server.port, security="none").send(MESSAGE, TO)
    assert outcome.kind == "operator"
    assert keeper.mails == []


def test_the_password_is_shown_over_tls_only(start):
    server, keeper, trust = start(auth_required=True)
    mailer = SmtpMailer("127.0.0.1", server.port, user="us", password="right", tls=trust)
    assert mailer.send(MESSAGE, TO).kind == "sent"
    assert keeper.users == [(True, b"us", b"right")]


def test_a_wrong_password_is_the_operators(start):
    server, keeper, trust = start(auth_required=True)
    mailer = SmtpMailer("127.0.0.1", server.port, user="us", password="wrong", tls=trust)
    outcome = mailer.send(MESSAGE, TO)
    assert outcome.kind == "operator"
    assert outcome.answer.startswith("535")
    assert keeper.mails == []


def test_asking_whether_the_server_answers_sends_nothing(start):
    server, keeper, trust = start()
    assert SmtpMailer("127.0.0.1", server.port, tls=trust).reachable().kind == "sent"
    assert SmtpMailer("127.0.0.1", free_port(), tls=trust).reachable().kind == "deferred"
    assert keeper.mails == []
