"""The pages for people: server-rendered, usable with scripts off, over the API's own use cases."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flask import Flask

    from labinterp.usecases.services import Services


def register(app: Flask, services: Services) -> None:
    """Hang the pages on the app: sign-in, sessions, CSRF, and every route for people."""
    from labinterp.web import site  # noqa: PLC0415  (a command that serves no page loads no Flask)

    site.attach(app, services)
