"""Prints the OpenAPI document: `python -m labinterp.api.document > docs/reference/openapi.json`."""

from __future__ import annotations

import json
import sys
from typing import Any

from flask import Flask

from labinterp.api.registration import describe


def document() -> dict[str, Any]:
    """The document, made without a database, a broker or any setting."""
    made: dict[str, Any] = describe(Flask(__name__)).spec.to_dict()
    return made


def main() -> None:
    """Write it to standard output."""
    text = json.dumps(document(), indent=2, ensure_ascii=False, sort_keys=True)
    sys.stdout.write(f"{text}\n")


if __name__ == "__main__":
    main()
