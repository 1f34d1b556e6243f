"""The pages that show the local mailbox: a list, a mail, its parts. They read, and nothing else.

What a mail holds is foreign: text is escaped, its HTML is shown in a frame that may do nothing.
"""

from __future__ import annotations

import re
import socket
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import waitress
from flask import Flask, Response, abort, render_template, request

from labinterp.local.ports import LOOPBACK

if TYPE_CHECKING:
    from email.message import EmailMessage

    from labinterp.local.mailbox import KeptMail, MailFolder

# Only names for this machine: a page elsewhere cannot read the mails through a name of its own.
_HOSTS: Final = re.compile(r"(?:127\.0\.0\.1|localhost|\[::1\])(?::\d{1,5})?")
_LINK: Final = re.compile(r"(https?://[^\s<>\"']+)")
_PAGE_POLICY: Final = (
    "default-src 'none'; style-src 'self'; frame-src 'self'; frame-ancestors 'none'; "
    "form-action 'none'; base-uri 'none'"
)
_FRAME_POLICY: Final = (
    "sandbox allow-popups allow-popups-to-escape-sandbox; default-src 'none'; "
    "style-src 'unsafe-inline'; frame-ancestors 'self'; "
    "form-action 'none'; base-uri 'none'"
)
# A link in the mail opens beside the mailbox: inside the frame nothing else may be shown.
_LINKS_OUTSIDE: Final = '<base target="_blank">'
_SHOWN: Final = 200


@dataclass(frozen=True, slots=True)
class _Line:
    """One line of the list."""

    id: str
    date: str
    to: str
    subject: str


@dataclass(frozen=True, slots=True)
class _Piece:
    """A stretch of a text: a link, or not."""

    text: str
    is_link: bool


def pages(folder: MailFolder, service: str) -> Flask:
    """The mailbox as a small web application.

    Args:
        folder: where the mails are.
        service: the address of the service itself, for the way back.
    """
    app = Flask("labinterp.local")
    app.jinja_env.globals["service"] = service
    app.before_request(_only_this_machine)
    app.after_request(_guarded)

    @app.get("/")
    def mails() -> str:
        ids = folder.ids()
        lines = [_line(mail) for mail in map(folder.read, ids[:_SHOWN]) if mail]
        return render_template("mails.html", lines=lines, count=len(ids))

    @app.get("/mails/<mail_id>")
    def mail(mail_id: str) -> str:
        message = _message(folder, mail_id)
        return render_template(
            "mail.html",
            id=mail_id,
            message=message,
            pieces=_pieces(_body(message, "plain")),
            has_html=bool(_body(message, "html")),
            attachments=[part.get_filename() or "unnamed" for part in message.iter_attachments()],
        )

    @app.get("/mails/<mail_id>/html")
    def as_html(mail_id: str) -> Response:
        body = _body(_message(folder, mail_id), "html")
        return Response(_LINKS_OUTSIDE + body, headers={"Content-Security-Policy": _FRAME_POLICY})

    @app.get("/mails/<mail_id>/attachments/<int:place>")
    def attachment(mail_id: str, place: int) -> Response:
        parts = list(_message(folder, mail_id).iter_attachments())
        if place >= len(parts):
            abort(404)
        content = parts[place].get_payload(decode=True)
        return _download(content if isinstance(content, bytes) else b"", f"attachment-{place}")

    @app.get("/mails/<mail_id>/source")
    def source(mail_id: str) -> Response:
        return Response(_message(folder, mail_id).as_bytes(), mimetype="text/plain")

    return app


_LAST_WAIT: Final = 2.0  # s


def _door(port: int) -> socket.socket:
    """A socket that listens here, or on any free port where somebody took this one meanwhile."""
    try:
        return socket.create_server((LOOPBACK, port))
    except OSError:
        return socket.create_server((LOOPBACK, 0))


class MailPages:
    """Serves the pages on loopback from a thread of this process."""

    def __init__(self, folder: MailFolder, service: str, port: int) -> None:
        door = _door(port)
        self.address = f"http://{LOOPBACK}:{door.getsockname()[1]}/"
        self._server = waitress.create_server(
            pages(folder, service), sockets=[door], threads=2, ident=None
        )
        self._thread = threading.Thread(target=self._server.run, daemon=True)

    def start(self) -> None:
        """Serve from now on."""
        self._thread.start()

    def stop(self) -> None:
        """Serve no more; connections that are open end with the process."""
        # From the serving thread: closed from here, the sockets would vanish under its feet.
        self._server.trigger.pull_trigger(self._server.close)
        self._thread.join(_LAST_WAIT)


def _message(folder: MailFolder, mail_id: str) -> EmailMessage:
    mail = folder.read(mail_id)
    if mail is None:
        abort(404)
    return mail.message


def _line(mail: KeptMail) -> _Line:
    message = mail.message
    return _Line(
        mail.id,
        str(message["Date"] or ""),
        ", ".join(message.get_all("X-Envelope-To", [])),
        str(message["Subject"] or "(no subject)"),
    )


def _body(message: EmailMessage, kind: str) -> str:
    part = message.get_body((kind,))
    if part is None:
        return ""
    try:
        return str(part.get_content())
    except (LookupError, ValueError):  # a charset that nobody knows, or that is not what it says
        return str(part.get_payload())


def _pieces(text: str) -> list[_Piece]:
    return [_Piece(piece, bool(_LINK.fullmatch(piece))) for piece in _LINK.split(text) if piece]


def _download(content: bytes, name: str) -> Response:
    pdf = content.startswith(b"%PDF-")
    kind, ending = ("application/pdf", ".pdf") if pdf else ("application/octet-stream", ".bin")
    return Response(
        content,
        mimetype=kind,
        headers={"Content-Disposition": f'attachment; filename="{name}{ending}"'},
    )


def _only_this_machine() -> None:
    if not _HOSTS.fullmatch(request.host):
        abort(403)


def _guarded(response: Response) -> Response:
    response.headers.setdefault("Content-Security-Policy", _PAGE_POLICY)
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Referrer-Policy"] = "no-referrer"
    response.headers["Cache-Control"] = "no-store"
    return response
