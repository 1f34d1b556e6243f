"""Keeps the parsed and checked documents as JSON, so that only the first start reads YAML.

And what pint says of every unit that they speak in, so that only the first start asks it.

The file lies in `.compiled/` inside the folder of knowledge: whoever may write there may change the
medicine itself, so it is trusted no more and no less than the files it was made from. Its name has
the digest of those files and of the program that read them; either changes, and it is made anew. A
folder that cannot be written is simply read again.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import tempfile
from decimal import Decimal
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from labinterp.knowledge.reader import Document
from labinterp.model import units

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

FOLDER: Final = ".compiled"


def path_of(folder: Path, digest: str) -> Path:
    """Where the compiled form of the files with this digest lies."""
    return folder / FOLDER / f"{digest[:32]}-{program_digest()[:16]}.json"


@cache
def program_digest() -> str:
    """SHA-256 over this package's source and that of the units.

    Another reader, check or unit makes another compiled form.
    """
    total = hashlib.sha256()
    for path in (*sorted(Path(__file__).parent.glob("*.py")), Path(units.__file__)):
        total.update(path.name.encode() + b"\0" + path.read_bytes())
    return total.hexdigest()


def recall(folder: Path, digest: str) -> tuple[Document, ...] | None:
    """The documents as once parsed and checked; None when they were not, or cannot be read."""
    try:
        text = path_of(folder, digest).read_text(encoding="utf-8")
        kept = json.loads(text, parse_float=Decimal)
    except (OSError, ValueError):
        return None
    if not isinstance(kept, dict) or kept.get("digest") != digest:
        return None
    try:
        measures = {code: _as_measure(*one) for code, one in kept["units"].items()}
    except (AttributeError, KeyError, TypeError, ValueError, ZeroDivisionError):
        return None
    units.recall(measures)
    return tuple(Document(name, data, {}) for name, data in kept["documents"].items())


def remember(
    folder: Path, digest: str, documents: Sequence[Document], codes: Iterable[str]
) -> None:
    """Keep parsed and checked documents for the next start; whatever was kept before goes.

    Args:
        folder: the folder of knowledge.
        digest: of its files.
        documents: as parsed and checked.
        codes: the units they speak in; what each measures is kept too, as pint gave it.
    """
    kept = {
        "digest": digest,
        "documents": {d.name: d.data for d in documents},
        "units": {code: _as_plain(units.measure(code)) for code in codes},
    }
    with contextlib.suppress(OSError):
        _write(path_of(folder, digest), kept)


def _as_plain(measure: units.Measure) -> list[Any]:
    scale, dimension = measure
    return [scale.numerator, scale.denominator, sorted(map(list, dimension))]


def _as_measure(numerator: int, denominator: int, dimension: list[list[Any]]) -> units.Measure:
    return Fraction(numerator, denominator), frozenset((name, int(n)) for name, n in dimension)


def _write(path: Path, kept: Mapping[str, Any]) -> None:
    import simplejson  # noqa: PLC0415 - only the first start after a change writes

    path.parent.mkdir(exist_ok=True)
    (path.parent / ".gitignore").write_text("*\n", encoding="utf-8")
    handle, name = tempfile.mkstemp(dir=path.parent, suffix=".tmp")
    with os.fdopen(handle, "w", encoding="utf-8") as stream:
        stream.write(simplejson.dumps(kept, use_decimal=True, ensure_ascii=False))
    Path(name).replace(path)
    for old in path.parent.glob("*.json"):
        if old != path:
            old.unlink(missing_ok=True)
