"""The patient as interpretation sees one.

Age at collection, sex, pregnancy, signs. Never a name.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from labinterp.model.codes import Sex

PregnancyStatus = Literal["pregnant", "not_pregnant", "unknown"]


@dataclass(frozen=True, slots=True)
class Symptom:
    """A recorded symptom or sign, by vocabulary id.

    Attributes:
        onset: sudden, gradual or unknown.
        side: left, right, both or unknown.
        duration_days: how long [days].
    """

    id: str
    onset: Literal["sudden", "gradual", "unknown"] = "unknown"
    side: Literal["left", "right", "both", "unknown"] = "unknown"
    duration_days: int | None = None


@dataclass(frozen=True, slots=True)
class Patient:
    """Whom intervals and rules must fit.

    Attributes:
        sex: the sex that intervals use.
        age_days: age at collection [days]; None when unknown.
        age_text: the same as a clinician writes it (`54 years`, `3 days`).
        pregnancy: pregnant, not pregnant, or unknown (the default for everyone).
        gestation_weeks: completed weeks, when pregnant.
        medications, conditions, history: vocabulary ids; for medications the class ids and the
            names matched.
    """

    sex: Sex = "unknown"
    age_days: Decimal | None = None
    age_text: str | None = None
    pregnancy: PregnancyStatus = "unknown"
    gestation_weeks: int | None = None
    symptoms: tuple[Symptom, ...] = ()
    medications: tuple[str, ...] = ()
    conditions: tuple[str, ...] = ()
    history: tuple[str, ...] = ()
