"""Signed-in sessions: a new one at each sign-in, ended when idle, ended for good after hours."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from flask import Flask, flash, request, session
from flask_login import LoginManager, current_user, login_user, logout_user

from labinterp.usecases import administer
from labinterp.web import kept
from labinterp.web.site import services

if TYPE_CHECKING:
    from labinterp.access import Actor
    from labinterp.usecases.services import Services

_BEGAN: Final = "began"
_SEEN: Final = "seen"
_NEXT: Final = "next"


class SignedIn:
    """A person as flask-login wants one; everything known is in `actor`."""

    is_authenticated = True
    is_active = True
    is_anonymous = False

    def __init__(self, actor: Actor) -> None:
        self.actor = actor

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
    session.update({_BEGAN: now, _SEEN: now, "id": secrets.token_urlsafe(16)})
    if wanted:
        session[_NEXT] = wanted
    login_user(SignedIn(actor))


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
    began = datetime.fromtimestamp(session[_BEGAN], UTC)
    found: Any = administer.actor_of_user(
        services(), user_id, address=request.remote_addr or "", began=began
    )
    if found is None:
        session.clear()
        return None
    return SignedIn(found)


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
