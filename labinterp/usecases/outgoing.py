"""What mails and events have in common: a claimed row, one try at telling, and its outcome kept.

The row is the job. The attempt was counted by the claim; what came of it is written under the
claim's token, with the audit, in one transaction.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol, TypeVar

from labinterp import telemetry
from labinterp.errors import TemporaryFailure
from labinterp.store import audit
from labinterp.store.audit import Deed
from labinterp.usecases.acting import ITSELF

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy import Connection

    from labinterp.usecases.services import Services

_COMMIT_TRIES: Final = 5
_SENT: Final = "sent"
_log = telemetry.logger(__name__)
Made = TypeVar("Made")


class Claimed(Protocol):
    """A worker's hold on one row."""

    @property
    def id(self) -> str:
        """Of the row."""

    @property
    def organisation_id(self) -> str:
        """Whose."""

    @property
    def panel_id(self) -> str | None:
        """What it tells of."""

    @property
    def version(self) -> int | None:
        """Which version of it."""


def tried(
    kind: str, claim: Claimed, work: Callable[[], Made], otherwise: Callable[[str], Made]
) -> Made:
    """What came of it; a fault of this one row stays with it, whatever it is.

    Args:
        kind: `delivery` or `notice`, for the log.
        claim: on the row.
        work: the try.
        otherwise: what a fault of this type means.

    Raises:
        TemporaryFailure: the database cannot be had; the lease ends by itself.
    """
    try:
        return work()
    except TemporaryFailure:
        raise
    except Exception as error:  # noqa: BLE001  # see above
        facts = telemetry.error_facts(error)
        _log.error(f"{kind}-not-sent", **{f"{kind}_id": claim.id}, **facts)
        return otherwise(facts["exception"])


def kept(services: Services, kind: str, claim: Claimed, work: Callable[[Connection], bool]) -> bool:
    """Write down what came of it; false, and said, where somebody else holds the row by now.

    It is worth several tries: an outcome that is lost means a second copy for whoever was told.

    Raises:
        TemporaryFailure: the database cannot be had.
    """
    moved = _committed(services, work)
    if not moved:
        lost(kind, claim)
    return moved


def lost(kind: str, claim: Claimed) -> None:
    """Say that somebody else holds the row by now."""
    _log.warning("claim-lost", kind=kind, **{f"{kind}_id": claim.id})


def audited(
    services: Services, connection: Connection, kind: str, claim: Claimed, told: tuple[str, str]
) -> None:
    """Note who was told (or not): the outcome, and the row or endpoint it is about."""
    outcome, entity = told
    deed = Deed(
        "E",
        f"{kind}-{outcome}",
        "0" if outcome == _SENT else "8",
        panel_id=claim.panel_id,
        version=claim.version,
        entity=entity,
    )
    actor = audit.Who(claim.organisation_id, ITSELF.kind, ITSELF.id, ITSELF.name)
    audit.record(connection, actor, deed, services.now())


def _committed(services: Services, work: Callable[[Connection], bool]) -> bool:
    for _ in range(_COMMIT_TRIES - 1):
        try:
            return services.store.write(work)
        except TemporaryFailure:
            continue
    return services.store.write(work)
