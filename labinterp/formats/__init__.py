"""How panels arrive: from foreign bytes to the contract's panel, and from that to a Submission."""

from labinterp.formats.limits import Limits, Reading
from labinterp.formats.registry import READERS, detect, names_of, read

__all__ = ["READERS", "Limits", "Reading", "detect", "names_of", "read"]
