"""What outlives a power cut: a name lasts only once its folder has been told to keep it."""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def keep_names(path: Path) -> None:
    """Have the disk keep the name of this file and of every folder above it that may be new.

    A folder that cannot be asked (another's, or on a file system without this) is passed over.
    """
    for folder in path.absolute().parents:
        with suppress(OSError):
            opened = os.open(folder, os.O_RDONLY)
            try:
                os.fsync(opened)
            finally:
                os.close(opened)
