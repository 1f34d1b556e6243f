"""Reads `reference_ranges/`: reader (schema) → build (nouns) → checks (across files); loaded once.

Adding a file to a folder is enough; no list of files stands in code.
"""

from __future__ import annotations

import hashlib
from functools import lru_cache
from pathlib import Path

from labinterp.knowledge import build, reader
from labinterp.model.knowledge import Knowledge

FOLDER = Path(__file__).resolve().parents[2] / "reference_ranges"
"""The folder beside the package."""


@lru_cache(maxsize=4)
def load(folder: Path | None = None) -> Knowledge:
    """Everything we know, read once.

    Args:
        folder: the folder of knowledge; by default `reference_ranges/` beside the package.

    Raises:
        KnowledgeError: a file is wrong; the message names file and line.
    """
    root = folder or FOLDER
    return build.knowledge(reader.documents(root), digest_of(root))


def digest_of(folder: Path) -> str:
    """SHA-256 over the names and bytes of all files; the same files give the same digest anywhere."""
    total = hashlib.sha256()
    for path in reader.paths(folder):
        content = path.read_bytes().replace(b"\r\n", b"\n")
        total.update(path.relative_to(folder).as_posix().encode() + b"\0")
        total.update(hashlib.sha256(content).digest())
    return total.hexdigest()
