"""How panels arrive: each reader turns foreign bytes into the contract's panel, and that into a Submission."""

from labinterp.formats.limits import Limits, Reading
from labinterp.formats.registry import READERS, detect, read

__all__ = ["READERS", "Limits", "Reading", "detect", "read"]
