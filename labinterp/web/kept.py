"""What someone was sending when their session ended: sealed for them alone, given back later.

It travels in the sign-in form and is stored nowhere. Somebody else who signs in gets nothing of it.
"""

from __future__ import annotations

import base64
import binascii
import json
from typing import TYPE_CHECKING, Final

from flask import g, request

from labinterp.errors import SettingsError
from labinterp.web.site import services

if TYPE_CHECKING:
    from labinterp.access import Actor

_LEFT_OUT: Final = ("csrf_token",)
Fields = list[tuple[str, str]]


def remember_who(user_id: str) -> None:
    """Note whose session this was, before it is forgotten."""
    g.session_of = user_id


def sealed_request(*, bare: bool = False) -> str:
    """The form of this request for the person whose session ended; empty when there is none.

    Args:
        bare: keep also a button alone, without a field.
    """
    whose = g.get("session_of")
    fields = [
        (name, value)
        for name, values in request.form.lists()
        if name not in _LEFT_OUT
        for value in values
    ]
    if not whose or not (fields or bare):
        return ""
    plain = json.dumps({"path": request.path, "fields": fields}).encode()
    return base64.b64encode(services().store.vault.seal(plain, _context(whose))).decode()


def opened(sealed: str, actor: Actor) -> tuple[str, Fields] | None:
    """Where the form was going and its fields; None unless it was this person's."""
    try:
        body = base64.b64decode(sealed, validate=True)
        plain = json.loads(services().store.vault.open(body, _context(actor.id)))
    except (binascii.Error, ValueError, SettingsError):
        return None
    return str(plain["path"]), [(str(name), str(value)) for name, value in plain["fields"]]


def _context(user_id: str) -> str:
    return f"kept/{user_id}"
