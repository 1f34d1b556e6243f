"""How spellings are folded before they are looked up: one rule for knowledge and submissions.

Laboratories write `MMOL/L`, `mmol / l`, `µmol/L` with either micro sign, full-width and superscript
letters. The spellings in `reference_ranges/` and those of a submission both pass through these
functions, so they can only agree.
"""

from __future__ import annotations

import re
import unicodedata

_SPACES = re.compile(r"\s+")
_JOINERS = re.compile(r"[\s_\-\u00ad\u2010-\u2015\u2212]+")
_UNIT_SIGNS = str.maketrans(
    {"\u03bc": "u", "\u00b7": ".", "\u22c5": ".", "\u2219": ".", "\u2212": "-"}
)


def folded_unit(text: str) -> str:
    """A unit's spelling without case, spaces, width and micro sign: `µMOL / L` is `umol/l`.

    Args:
        text: the unit as it was sent.
    """
    plain = unicodedata.normalize("NFKC", text).casefold().translate(_UNIT_SIGNS)
    return _SPACES.sub("", plain)


def exact_unit(text: str) -> str:
    """A unit's spelling with its case kept, where that matters: `mM` is not `MM`."""
    return _SPACES.sub("", unicodedata.normalize("NFKC", text).translate(_UNIT_SIGNS))


def folded_name(text: str) -> str:
    """A name or vocabulary term without case, hyphens, underscores and outer punctuation.

    Args:
        text: the name as it was sent: `Eyelid-Twitching`, `VITAMIN B-12`, `S. Calcium`.
    """
    plain = unicodedata.normalize("NFKC", text).casefold()
    return _JOINERS.sub(" ", plain).strip(" .,:;")
