"""Asking our own service on this machine, as any other program would: over HTTP, with a key."""

from __future__ import annotations

import http.client
import json
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final
from urllib.parse import urlencode

from labinterp.local.ports import LOOPBACK

_TIMEOUT: Final = 30.0
_SILENT: Final = 0


@dataclass(frozen=True, slots=True)
class Answer:
    """A status and a JSON body; status 0 when nobody answered."""

    status: int
    body: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Client:
    """One port of this machine, and the key to show."""

    port: int
    key: str = field(default="", repr=False)

    def get(self, path: str, **parameters: str) -> Answer:
        """Read something."""
        return self._ask("GET", f"{path}?{urlencode(parameters)}" if parameters else path)

    def post(self, path: str, document: object, *, idempotency_key: str) -> Answer:
        """Send something once, however often it is asked."""
        return self._ask("POST", path, document, {"Idempotency-Key": idempotency_key})

    def _ask(
        self,
        method: str,
        path: str,
        document: object | None = None,
        more: dict[str, str] | None = None,
    ) -> Answer:
        line = http.client.HTTPConnection(LOOPBACK, self.port, timeout=_TIMEOUT)
        body = None if document is None else json.dumps(document).encode()
        headers = {"Content-Type": "application/json"} if body else {}
        if self.key:
            headers["Authorization"] = f"Bearer {self.key}"
        try:
            line.request(method, path, body, {**headers, **(more or {})})
            answer = line.getresponse()
            return Answer(answer.status, _document(answer.read()))
        except (OSError, http.client.HTTPException):
            return Answer(_SILENT, {})
        finally:
            line.close()


def _document(body: bytes) -> dict[str, Any]:
    try:
        read = json.loads(body, parse_float=Decimal)
    except ValueError:
        return {}
    return read if isinstance(read, dict) else {}
