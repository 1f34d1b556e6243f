"""Waiting for the servers of others, without all who ask this one waiting with it.

A web process answers a few requests at once. Some of them ask another server first, which may be as
slow as it likes; those take a turn, and there are fewer turns than requests. One organisation never
has all of them.
"""

from __future__ import annotations

import threading
from collections import Counter
from contextlib import contextmanager
from typing import TYPE_CHECKING

from labinterp.errors import TemporaryFailure

if TYPE_CHECKING:
    from collections.abc import Iterator


class Turns:
    """Those of this process."""

    def __init__(self, most: int = 4) -> None:
        """So many in all; of one organisation half of them."""
        self._most = max(most, 1)
        self._each = max(most // 2, 1)
        self._taken: Counter[str] = Counter()
        self._lock = threading.Lock()

    @contextmanager
    def taken(self, organisation_id: str) -> Iterator[None]:
        """Have one while the block runs.

        Raises:
            TemporaryFailure: there is none; another request waits for other servers already.
        """
        with self._lock:
            is_free = self._taken.total() < self._most and self._taken[organisation_id] < self._each
            self._taken[organisation_id] += is_free
        if not is_free:
            raise TemporaryFailure("Too many requests wait for other servers just now; try again.")
        try:
            yield
        finally:
            with self._lock:
                self._taken[organisation_id] -= 1
                self._taken += Counter()  # forgets whoever has none
