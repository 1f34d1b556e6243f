"""pyarrow, which is an extra: whoever reads no Parquet needs none of its 170 MB."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Final

from labinterp.errors import SubmissionError

_HOW: Final = "pip install --require-hashes -r requirements-arrow.lock"


def needed(what: str) -> None:
    """Say what to install, where it is not there.

    Raises:
        SubmissionError: it is not.
    """
    if find_spec("pyarrow") is None:
        message = f"{what}, pyarrow is needed: {_HOW}"
        raise SubmissionError(message, code="library-missing")
