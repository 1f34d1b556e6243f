"""The public keys of registered clients: by value, or fetched from their registered address.

A fetched set is used for a while, then fetched anew, so that a key its owner withdrew stops working
here too. A token whose `kid` is not in the set fetches it at once, since a client may have changed
its key a moment ago, but at most once a minute, since anybody may write such a token.
"""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from labinterp import telemetry
from labinterp.access import assertions
from labinterp.errors import AccessDenied, LabinterpError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from labinterp.access.assertions import Claimed
    from labinterp.outbound import Outbound
    from labinterp.store.rows import ClientRecord

FRESH: Final = timedelta(minutes=15)
STALE: Final = timedelta(hours=24)
BETWEEN: Final = timedelta(minutes=1)
_LONGEST_WAIT: Final = 1.0
"""For another request that is asking the same address [s]."""
_HEADERS: Final = {"Accept": "application/json"}
_log = telemetry.logger(__name__)


@dataclass(slots=True)
class _Held:
    """What is known of one address: when it was last asked, and what it last said."""

    asked_at: datetime | None = None
    fetched_at: datetime | None = None
    key_set: Mapping[str, Any] | None = None
    lock: threading.Lock = field(default_factory=threading.Lock)


class KeySets:
    """Key sets of this process, by address."""

    def __init__(self) -> None:
        self._held: dict[str, _Held] = {}
        self._lock = threading.Lock()

    def keys_for(
        self, outbound: Outbound, client: ClientRecord, claim: Claimed, now: datetime
    ) -> Mapping[str, Any]:
        """The keys that a client's token is to be checked with.

        Raises:
            AccessDenied: they are at an address that does not give them.
        """
        if client.key_set is not None:
            return client.key_set
        url = client.key_set_url or ""
        with self._lock:
            held = self._held.setdefault(url, _Held())
        # One request asks; others wait a moment, for they may be all that are answered at once.
        if held.lock.acquire(timeout=_LONGEST_WAIT):
            try:
                if _is_to_be_asked(held, claim, now):
                    _ask(held, outbound, url, now)
            finally:
                held.lock.release()
        if held.key_set is None or _is_older(held.fetched_at, STALE, now):
            raise AccessDenied(
                "The client's keys cannot be had from their registered address.",
                code="unauthenticated",
            )
        return held.key_set


def _is_to_be_asked(held: _Held, claim: Claimed, now: datetime) -> bool:
    if held.asked_at is not None and not _is_older(held.asked_at, BETWEEN, now):
        return False
    return (
        held.key_set is None
        or _is_older(held.fetched_at, FRESH, now)
        or not assertions.has_key(held.key_set, claim)
    )


def _is_older(moment: datetime | None, span: timedelta, now: datetime) -> bool:
    return moment is None or now - moment >= span


def _ask(held: _Held, outbound: Outbound, url: str, now: datetime) -> None:
    """Fetch a set; what goes wrong leaves the one that is held."""
    held.asked_at = now
    try:
        answer = outbound.get(url, _HEADERS)
        found = json.loads(answer.body) if answer.is_success else None
    except (LabinterpError, ValueError, RecursionError) as error:
        _log.warning("key-set-not-fetched", **telemetry.error_facts(error))
        return
    if isinstance(found, dict) and isinstance(found.get("keys"), list):
        held.key_set, held.fetched_at = found, now
    else:
        _log.warning("key-set-not-fetched", status=answer.status)
