"""Signed-in sessions: a new one at each sign-in, ended when idle, ended for good after hours."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from flask import Flask, flash, request, session
from flask_login import LoginManager, current_user, login_user, logout_user

from labinterp.usecases import administer, sessions
from labinterp.web import kept
from labinterp.web.site import services

if TYPE_CHECKING:
    from labinterp.access import Actor
    from labinterp.usecases.services import Services

_BEGAN: Final = "began"
_SEEN: Final = "seen"
_NEXT: Final = "next"
_ROW: Final = "row"
_PROVED: Final = "proved"
_HALF: Final = "half"
_HALF_WAY: Final = 600
"""So many seconds the code of an authenticator may take after the password."""


class SignedIn:
    """A person as flask-login wants one; everything known is in `actor`."""

    is_authenticated = True
    is_active = True
    is_anonymous = False

    def __init__(self, actor: Actor, *, lacks_second_factor: bool = False) -> None:
        self.actor = actor
        self.lacks_second_factor = lacks_second_factor

    def get_id(self) -> str:
        """The id that the session keeps."""
        return self.actor.id


def attach(app: Flask, services: Services) -> None:
    """Set the cookie's rules and tell flask-login how a person is found again."""
    secure = services.policy.base_url.startswith("https:")
    app.config.update(
        SESSION_COOKIE_NAME="__Host-labinterp" if secure else "labinterp",
        SESSION_COOKIE_SECURE=secure,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_PATH="/",
        SESSION_REFRESH_EACH_REQUEST=True,
    )
    manager = LoginManager()
    manager.session_protection = "basic"
    manager.user_loader(_person)
    manager.init_app(app)
    app.context_processor(lambda: {"session_ends_in": seconds_left()})


def begin(actor: Actor) -> None:
    """Start a session with nothing left of the one before, except where the person wanted to go."""
    wanted = session.get(_NEXT)
    session.clear()
    now = services().now().timestamp()
    row = sessions.begin(services(), actor, browser=request.user_agent.string)
    session.update(
        {_BEGAN: now, _SEEN: now, _PROVED: now, _ROW: row, "id": secrets.token_urlsafe(16)}
    )
    if wanted:
        session[_NEXT] = wanted
    login_user(SignedIn(actor))


def begin_half(user_id: str) -> None:
    """Remember whose password or link was right, until their code is; nobody is signed in by it."""
    wanted = session.get(_NEXT)
    session.clear()
    session[_HALF] = [user_id, services().now().timestamp()]
    if wanted:
        session[_NEXT] = wanted


def half() -> tuple[str, datetime] | None:
    """Whose code is waited for, and since when; None when nobody's or for too long."""
    held = session.get(_HALF)
    if not held:
        return None
    user_id, since = held
    if not 0 <= services().now().timestamp() - since <= _HALF_WAY:
        return None
    return str(user_id), datetime.fromtimestamp(since, UTC)


def row() -> str:
    """The id under which this session is written down."""
    return str(session.get(_ROW, ""))


def prove() -> None:
    """Whoever is here has just shown again that it is they."""
    session[_PROVED] = services().now().timestamp()


def is_fresh() -> bool:
    """Did they show who they are a short time ago?"""
    age = services().now().timestamp() - session.get(_PROVED, 0)
    return bool(0 <= age <= services().policy.session_fresh.total_seconds())


def end() -> None:
    """Forget who was signed in, and everything else, on every machine."""
    if current_user.is_authenticated:
        administer.end_sessions(services(), current_user.actor)
    logout_user()
    session.clear()


def remember_where(path: str) -> None:
    """Keep where someone wanted to go until they have signed in; never in an address."""
    session[_NEXT] = path


def take_where(default: str) -> str:
    """Where the person wanted to go before signing in; always a path of this site."""
    path = str(session.pop(_NEXT, default))
    return path if path.startswith("/") and not path.startswith(("//", "/\\")) else default


def seconds_left() -> int:
    """Seconds until the session ends if nothing more happens; 0 without one."""
    if _BEGAN not in session:
        return 0
    now = services().now().timestamp()
    absolute = session[_BEGAN] + services().policy.session_absolute.total_seconds() - now
    return max(0, int(min(services().policy.session_idle.total_seconds(), absolute)))


def _person(user_id: str) -> SignedIn | None:
    """The person of this session, unless it ended or the account was closed since."""
    if not _still_open(services().now().timestamp()):
        kept.remember_who(user_id)
        wanted = session.get(_NEXT)
        session.clear()
        if wanted:
            session[_NEXT] = wanted
        flash("You were signed out because nothing happened for a while. Sign in to go on.")
        return None
    found = sessions.signed_in(services(), row(), user_id, address=request.remote_addr or "")
    if found is None:
        session.clear()
        return None
    return SignedIn(found.actor, lacks_second_factor=found.lacks_second_factor)


def _still_open(now: float) -> bool:
    began, seen = session.get(_BEGAN), session.get(_SEEN)
    if began is None or seen is None:
        return False
    idle = now - seen > services().policy.session_idle.total_seconds()
    over = now - began > services().policy.session_absolute.total_seconds()
    if idle or over or seen > now + 60:
        return False
    session[_SEEN] = now
    return True
