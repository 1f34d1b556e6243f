"""The real service on a new SQLite database; only the broker and the mail server are stand-ins."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from benchmarks import panels
from labinterp import bootstrap
from labinterp.formats import json_panel
from labinterp.usecases import accept, administer

if TYPE_CHECKING:
    from collections.abc import Callable
    from email.message import EmailMessage
    from pathlib import Path

    from labinterp.access import Actor
    from labinterp.usecases.services import Services


@dataclass
class Said:
    """What a mail server says that takes everything."""

    kind: str = "sent"
    answer: str = "250 queued"


@dataclass
class Taken:
    """A mail server that takes everything at once."""

    mails: list[str] = field(default_factory=list)

    def send(
        self,
        message: EmailMessage,
        recipient: str,
        *,
        still_ours: Callable[[], bool] = lambda: True,
    ) -> Said:
        if not still_ours():
            return Said("deferred", "withdrawn")
        self.mails.append(f"{recipient} {len(message.as_bytes())}")
        return Said()

    def reachable(self) -> Said:
        return Said()


class Silent:
    """A broker that wakes nobody."""

    def waiting(self, kind: str) -> None:
        """It is not known."""

    def wake(self, kind: str) -> None:
        """Whoever measures does the work."""


def services_in(folder: Path) -> tuple[Services, Taken, Actor]:
    """The service, its mail server, and an organisation of it."""
    environment = {"DATA_DIR": str(folder), "DATABASE_URL": f"sqlite:///{folder / 'bench.db'}"}
    mailer = Taken()
    wired = replace(bootstrap.services(environment), mailer=mailer, queue=Silent())
    bootstrap.upgrade(wired)
    return wired, mailer, administer.system_actor(administer.create_organisation(wired, "Bench"))


def panel_of(patient: str, **more: object) -> dict[str, object]:
    """The panel that is measured, as another patient's."""
    identifier = {"value": patient, "system": "urn:example:bench"}
    return {
        **panels.PANEL,
        "patient": {**panels.PANEL["patient"], "identifier": identifier},
        **more,
    }


def accepted(services: Services, actor: Actor, panel: dict[str, object]) -> str:
    """Keep a panel; its id."""
    received = json_panel.received_of(panel, services.now())
    return accept.accept_once(
        services, actor, received, None, accept.Origin("api", "bench")
    ).panel_id
