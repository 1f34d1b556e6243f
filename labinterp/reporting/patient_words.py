"""One language of the patient page: its sentences, its numbers and its dates."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from babel.dates import format_skeleton
from babel.numbers import get_decimal_symbol

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from labinterp.model.patient_text import PatientTexts

ENGLISH: Final = "en"
_LOCALES: Final = {ENGLISH: "en_GB"}
_DAY: Final = "yMMMd"
"""Month in letters, however the language orders the three."""
_PLAIN: Final = re.compile(r"(?<![\d.,])(\d+)\.(\d+)(?![\d.,])")
"""A number with a decimal point that cannot be anything else."""


class Unsaid(LookupError):
    """The language has no sentence for something that this page must say."""


@dataclass(frozen=True, slots=True)
class Speech:
    """Says things in one language; what it cannot say stops the page, so that nothing is mixed."""

    texts: PatientTexts

    @property
    def locale(self) -> str:
        """The locale of numbers and dates."""
        return _LOCALES.get(self.texts.language, self.texts.language)

    def says(self, key: str, **filled: str) -> str:
        """A fixed sentence, with what is to be filled in.

        Raises:
            Unsaid: the language does not have it.
        """
        told = self.of("sentences", key)
        for name, value in filled.items():
            told = told.replace(f"{{{name}}}", value)
        return told

    def of(self, part: str, key: str) -> str:
        """What one part has for a key.

        Raises:
            Unsaid: the language does not have it.
        """
        found: Mapping[str, str] = getattr(self.texts, part)
        if key not in found:
            raise Unsaid(f"{self.texts.language}: {part}: {key}")
        return found[key]

    def day(self, moment: date) -> str:
        """A date with its month in letters, as the language writes it."""
        return str(format_skeleton(_DAY, moment, locale=self.locale))

    def digits(self, shown: str) -> str:
        """Printed numbers with the language's decimal sign; no digit is added or lost."""
        return _PLAIN.sub(rf"\1{get_decimal_symbol(self.locale)}\2", shown)
